#include "runtime-stub/src/output/inflate.h"

#include <algorithm>

namespace btc::rt {

namespace {

constexpr uint8_t kDeflate = 8;                  // the method of both formats
constexpr int kMostBits = 15;

// A canonical code: how many symbols have each length, and the symbols in the order of their codes.
struct Code {
  uint16_t counts[kMostBits + 1] = {};
  uint16_t symbols[288] = {};

  void build(const uint8_t* lengths, int count) {
    uint16_t starts[kMostBits + 2] = {};
    std::fill(std::begin(counts), std::end(counts), uint16_t{0});
    for (int i = 0; i < count; ++i) ++counts[lengths[i]];
    counts[0] = 0;
    for (int bits = 1; bits <= kMostBits; ++bits) starts[bits + 1] = static_cast<uint16_t>(starts[bits] + counts[bits]);
    for (int i = 0; i < count; ++i)
      if (lengths[i] != 0) symbols[starts[lengths[i]]++] = static_cast<uint16_t>(i);
  }
};

constexpr uint16_t kLengthBase[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr uint8_t kLengthExtra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr uint16_t kDistanceBase[] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
                                      6145, 8193, 12289, 16385, 24577};
constexpr uint8_t kDistanceExtra[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

class Inflater {
 public:
  Inflater(std::span<const uint8_t> in, std::vector<uint8_t>& out) : in_(in), out_(out) {}

  bool run() {
    for (bool last = false; !last;) {
      last = bits(1) != 0;
      switch (bits(2)) {
        case 0: if (!stored()) return false; break;
        case 1: if (!fixed()) return false; break;
        case 2: if (!dynamic()) return false; break;
        default: return false;
      }
      if (bad_) return false;
    }
    return size_ == out_.size();
  }

 private:
  uint32_t bits(int count) {
    while (have_ < count) {
      if (at_ >= in_.size()) return bad_ = true, 0;
      hold_ |= uint32_t{in_[at_++]} << have_;
      have_ += 8;
    }
    uint32_t value = hold_ & ((1u << count) - 1);
    hold_ >>= count;
    have_ -= count;
    return value;
  }
  int symbol(const Code& code) {
    int value = 0, first = 0, index = 0;
    for (int length = 1; length <= kMostBits && !bad_; ++length) {
      value |= static_cast<int>(bits(1));
      int count = code.counts[length];
      if (value - count < first) return code.symbols[index + (value - first)];
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    bad_ = true;
    return 256;
  }
  bool stored() {
    hold_ = 0;
    have_ = 0;
    if (in_.size() - at_ < 4) return false;
    size_t count = in_[at_] | size_t{in_[at_ + 1]} << 8;
    at_ += 4;
    if (count > in_.size() - at_ || count > out_.size() - size_) return false;
    std::copy_n(in_.begin() + static_cast<ptrdiff_t>(at_), count, out_.begin() + static_cast<ptrdiff_t>(size_));
    at_ += count;
    size_ += count;
    return true;
  }
  bool codes(const Code& lengths, const Code& distances) {
    for (;;) {
      int what = symbol(lengths);
      if (bad_) return false;
      if (what == 256) return true;
      if (what < 256) {
        if (size_ == out_.size()) return false;
        out_[size_++] = static_cast<uint8_t>(what);
        continue;
      }
      what -= 257;
      if (what >= 29) return false;
      size_t count = kLengthBase[what] + bits(kLengthExtra[what]);
      int far = symbol(distances);
      if (bad_ || far >= 30) return false;
      size_t distance = kDistanceBase[far] + bits(kDistanceExtra[far]);
      if (distance > size_ || count > out_.size() - size_) return false;
      for (size_t i = 0; i < count; ++i, ++size_) out_[size_] = out_[size_ - distance];
    }
  }
  bool fixed() {
    uint8_t sizes[288];
    for (int i = 0; i < 288; ++i) sizes[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    lengths_.build(sizes, 288);
    std::fill_n(sizes, 30, uint8_t{5});
    distances_.build(sizes, 30);
    return codes(lengths_, distances_);
  }
  bool dynamic() {
    constexpr uint8_t kOrder[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t sizes[320] = {};
    int lengths = static_cast<int>(bits(5)) + 257, distances = static_cast<int>(bits(5)) + 1, count = static_cast<int>(bits(4)) + 4;
    if (lengths > 286 || distances > 30) return false;
    for (int i = 0; i < count; ++i) sizes[kOrder[i]] = static_cast<uint8_t>(bits(3));
    lengths_.build(sizes, 19);
    Code names = lengths_;
    std::fill(std::begin(sizes), std::end(sizes), uint8_t{0});
    for (int i = 0; i < lengths + distances;) {
      int what = symbol(names);
      if (bad_) return false;
      if (what < 16) { sizes[i++] = static_cast<uint8_t>(what); continue; }
      if (what == 16 && i == 0) return false;
      uint8_t repeated = what == 16 ? sizes[i - 1] : 0;
      int times = what == 16 ? 3 + static_cast<int>(bits(2)) : what == 17 ? 3 + static_cast<int>(bits(3)) : 11 + static_cast<int>(bits(7));
      if (i + times > lengths + distances) return false;
      while (times-- > 0) sizes[i++] = repeated;
    }
    lengths_.build(sizes, lengths);
    distances_.build(sizes + lengths, distances);
    return codes(lengths_, distances_);
  }

  std::span<const uint8_t> in_;
  std::vector<uint8_t>& out_;
  size_t at_ = 0, size_ = 0;
  uint32_t hold_ = 0;
  int have_ = 0;
  bool bad_ = false;
  Code lengths_, distances_;
};

}  // namespace

bool inflate_zlib(std::span<const uint8_t> packed, std::vector<uint8_t>& out) {
  if (packed.size() < 2 || (packed[0] & 15) != kDeflate || (packed[1] & 0x20) != 0) return false;   // a preset dictionary
  return Inflater(packed.subspan(2), out).run();
}

constexpr size_t kGzipHead = 10, kGzipTail = 8;  // the tail: checksum, size

bool is_gzip(std::span<const uint8_t> packed) {
  return packed.size() >= kGzipHead + kGzipTail && packed[0] == 0x1f && packed[1] == 0x8b && packed[2] == kDeflate;
}

bool gunzip(std::span<const uint8_t> packed, size_t limit, std::vector<uint8_t>& out) {
  if (!is_gzip(packed)) return false;
  constexpr uint8_t kHeaderCheck = 2, kExtra = 4, kName = 8, kComment = 16;
  size_t size = 0, end = packed.size() - kGzipTail;
  for (size_t i = 4; i-- > 0;) size = size << 8 | packed[end + 4 + i];
  if (size > limit) return false;
  uint8_t flags = packed[3];
  size_t at = kGzipHead;
  if ((flags & kExtra) != 0) at += 2u + packed[at] + packed[at + 1] * 256u;
  for (uint8_t text : {kName, kComment}) {
    while ((flags & text) != 0 && at < end && packed[at] != 0) ++at;
    at += (flags & text) != 0;
  }
  at += (flags & kHeaderCheck) != 0 ? 2 : 0;
  if (at >= end) return false;
  out.resize(size);
  return Inflater(packed.subspan(at, end - at), out).run();
}

}  // namespace btc::rt
