// What turning a value into text needs besides the value: the sources of names.
#pragma once

#include <memory>
#include <string>

#include "runtime-stub/src/output/cgroups.h"
#include "runtime-stub/src/output/output.h"
#include "runtime-stub/src/output/symbols_kernel.h"
#include "runtime-stub/src/output/symbols_user.h"
#include "runtime-stub/src/output/time.h"
#include "runtime-stub/src/output/types.h"
#include "runtime-stub/src/output/users.h"

namespace btc::rt {

struct Render {
  const fb::Manifest* manifest = nullptr;
  Target* target = nullptr;
  const OutputOptions* options = nullptr;
  Types types;
  WallClock clock;
  KernelSymbols kernel_symbols;
  UserSymbols user_symbols;
  Users users;
  Cgroups cgroups;

  // Manifest.strings[index], "" if there is none.
  std::string_view constant(uint64_t index) const;
};

// The text form of a value, as print() and %s show it. `div` divides integers. `compact` drops the blanks that only
// make text readable: after commas and before stack frames; used for JSON keys.
struct TextStyle {
  uint32_t div = 1;
  bool compact = false;
};
void append_text(std::string& out, Render& render, Value value, TextStyle style = {});
void append_json(std::string& out, Render& render, Value value, uint32_t div = 1);

// The numeric value of a bool, integer, enum, pointer or single-cell aggregation; false for other kinds.
bool numeric_value(Value value, uint64_t* number);

// kstack_t and ustack_t in the type's mode.
void append_stack(std::string& out, Render& render, Value value, bool compact);

// Bytes as the conversions r, rx and rh print them.
enum class BufferStyle : uint8_t { Ascii, Escaped, Plain };
void append_buffer(std::string& out, const uint8_t* data, size_t size, BufferStyle style);
// The bytes of a buffer[N] value.
std::string_view buffer_bytes(Value value);

// An integer value as JSON: a string where a double cannot hold it exactly.
void append_json_int(std::string& out, uint64_t value, bool is_signed);

}  // namespace btc::rt
