// The printf engine: a format string, checked at compile time, applied to the
// members of a tuple.
//
// As bpftrace 0.27: integers are cut to `int` unless a length says otherwise,
// precision and `*` have no effect, `%s` shows any value in its text form.
// Two things are done as C does, since bpftrace's result is a wrong number:
// zero padding goes after the sign (`%05d` of -5 is -0005), and `-` switches
// zero padding off. A width applies to the whole of a tuple or record.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime-stub/src/output/render.h"

namespace btc::rt {

enum class Conversion : uint8_t { None, Signed, Unsigned, Octal, Hex, UpperHex, Char, String, Pointer, BufferAscii, BufferEscaped, BufferPlain, GfpFlags };

class PrintfFormat {
 public:
  explicit PrintfFormat(std::string_view format);
  void apply(std::string& out, Render& render, const TypeInfo& tuple, const uint8_t* data) const;

 private:
  struct Piece {
    std::string literal;
    Conversion conversion = Conversion::None;
    bool left = false, plus = false, alt = false, zero = false;
    uint8_t bytes = 4;         // integer conversions: width that the value is cut to
    uint32_t width = 0;
  };
  static void apply_piece(std::string& out, Render& render, const Piece& piece, Value value);
  std::vector<Piece> pieces_;
};

// "GFP_KERNEL|__GFP_ZERO"
void append_gfp_flags(std::string& out, uint64_t flags);

}  // namespace btc::rt
