// See inflate.h. Codes are decoded bit by bit: slow, and short.
#include "runtime-stub/src/inflate.h"

namespace btc::rt {
namespace {

// Bits from the lowest of each byte on; behind the end there are zeros, and `over` says so.
class Bits {
 public:
  explicit Bits(Bytes bytes) : bytes_(bytes) {}
  uint32_t take(uint32_t count) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; ++i, ++at_) value |= (at_ / 8 < bytes_.size() ? bytes_[at_ / 8] >> at_ % 8 & 1u : 0u) << i;
    return value;
  }
  void to_byte() { at_ = (at_ + 7) / 8 * 8; }
  bool over() const { return at_ / 8 > bytes_.size() || (at_ / 8 == bytes_.size() && at_ % 8 != 0); }
  size_t byte() const { return at_ / 8; }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

constexpr uint32_t kMostBits = 15, kLengthCodes = 286, kDistanceCodes = 30, kBad = UINT32_MAX;

// A canonical Huffman code, from the lengths of its symbols' codes.
class Code {
 public:
  Code(const uint8_t* lengths, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) ++counts_[lengths[i]];
    counts_[0] = 0;
    uint16_t next[kMostBits + 1] = {};
    for (uint32_t n = 1; n < kMostBits; ++n) next[n + 1] = static_cast<uint16_t>(next[n] + counts_[n]);
    for (uint32_t i = 0; i < count; ++i)
      if (lengths[i] != 0) symbols_[next[lengths[i]]++] = static_cast<uint16_t>(i);
  }
  uint32_t read(Bits& bits) const {
    uint32_t code = 0, first = 0, index = 0;   // of the codes with n bits: the first one, and where its symbol stands
    for (uint32_t n = 1; n <= kMostBits; ++n) {
      code |= bits.take(1);
      if (code < first + counts_[n]) return code < first ? kBad : symbols_[index + code - first];
      index += counts_[n];
      first = (first + counts_[n]) << 1;
      code <<= 1;
    }
    return kBad;
  }

 private:
  uint16_t counts_[kMostBits + 1] = {}, symbols_[288] = {};
};

// Lengths from 3 and distances from 1: a symbol is a base and how many bits follow. After the first `step` symbols every `step / 2`
// more have one bit more.
uint32_t read_number(Bits& bits, uint32_t symbol, uint32_t base, uint32_t step) {
  if (symbol < step) return base + symbol;
  uint32_t half = step / 2, extra = symbol / half - 1;
  return base + ((half + symbol % half) << extra) + bits.take(extra);
}

class Inflate {
 public:
  Inflate(Bytes bytes, size_t limit, std::string* out) : bytes_(bytes), bits_(bytes), limit_(limit), out_(*out) {}
  bool run() {
    for (bool last = false; !last;) {
      last = bits_.take(1) != 0;
      uint32_t kind = bits_.take(2);
      if (bits_.over() || !(kind == 0 ? stored() : kind == 1 ? fixed() : kind == 2 && dynamic())) return false;
    }
    return !bits_.over();
  }

 private:
  bool stored() {
    bits_.to_byte();
    uint32_t size = bits_.take(16), inverse = bits_.take(16);
    if ((size ^ inverse) != 0xffff || bits_.byte() + size > bytes_.size() || out_.size() + size > limit_) return false;
    for (uint32_t i = 0; i < size; ++i) out_ += static_cast<char>(bits_.take(8));
    return true;
  }
  bool fixed() {
    uint8_t lengths[288], distances[kDistanceCodes];
    for (uint32_t i = 0; i < 288; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    for (uint8_t& length : distances) length = 5;
    return symbols(Code(lengths, 288), Code(distances, kDistanceCodes));
  }
  bool dynamic() {
    uint32_t literals = bits_.take(5) + 257, distances = bits_.take(5) + 1, count = bits_.take(4) + 4;
    if (literals > kLengthCodes || distances > kDistanceCodes) return false;
    constexpr uint8_t kOrder[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[kLengthCodes + kDistanceCodes] = {};
    for (uint32_t i = 0; i < count; ++i) lengths[kOrder[i]] = static_cast<uint8_t>(bits_.take(3));
    Code code(lengths, 19);
    for (uint32_t i = 0; i < 19; ++i) lengths[i] = 0;
    for (uint32_t i = 0; i < literals + distances;) {
      uint32_t symbol = code.read(bits_);
      if (symbol > 18 || bits_.over()) return false;
      uint32_t times = symbol < 16 ? 1 : symbol == 16 ? 3 + bits_.take(2) : symbol == 17 ? 3 + bits_.take(3) : 11 + bits_.take(7);
      if ((symbol == 16 && i == 0) || i + times > literals + distances) return false;
      uint8_t length = symbol < 16 ? static_cast<uint8_t>(symbol) : symbol == 16 ? lengths[i - 1] : uint8_t{0};
      while (times-- != 0) lengths[i++] = length;
    }
    return symbols(Code(lengths, literals), Code(lengths + literals, distances));
  }
  bool symbols(const Code& code, const Code& distances) {
    for (;;) {
      uint32_t symbol = code.read(bits_);
      if (symbol == 256) return true;
      if (bits_.over() || symbol >= kLengthCodes) return false;
      if (symbol < 256) {
        out_ += static_cast<char>(symbol);
      } else {
        uint32_t length = symbol == 285 ? 258 : read_number(bits_, symbol - 257, 3, 8);
        uint32_t distance = distances.read(bits_);
        if (distance >= kDistanceCodes) return false;
        distance = read_number(bits_, distance, 1, 4);
        if (distance > out_.size()) return false;
        while (length-- != 0) out_ += out_[out_.size() - distance];
      }
      if (out_.size() > limit_) return false;
    }
  }

  Bytes bytes_;
  Bits bits_;
  size_t limit_;
  std::string& out_;
};

}  // namespace

bool is_gzip(Bytes bytes) { return bytes.size() >= 18 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == 8; }

bool gunzip(Bytes bytes, size_t limit, std::string* out) {
  if (!is_gzip(bytes)) return false;
  constexpr uint8_t kHeaderCheck = 2, kExtra = 4, kName = 8, kComment = 16;
  uint8_t flags = bytes[3];
  size_t at = 10;
  if ((flags & kExtra) != 0) at += 2u + bytes[10] + bytes[11] * 256u;
  for (uint8_t text : {kName, kComment}) {
    while ((flags & text) != 0 && at < bytes.size() && bytes[at] != 0) ++at;
    at += (flags & text) != 0;
  }
  at += (flags & kHeaderCheck) != 0 ? 2 : 0;
  out->clear();
  return at < bytes.size() && Inflate(bytes.subspan(at), limit, out).run();
}

}  // namespace btc::rt
