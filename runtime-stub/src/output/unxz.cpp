#include "runtime-stub/src/output/unxz.h"

#include <algorithm>
#include <cstring>

namespace btc::rt {

namespace {

constexpr size_t kMostBytes = 16u << 20;

// A bounded reader; reads 0 and turns bad at the end.
struct Input {
  std::span<const uint8_t> bytes;
  size_t at = 0;
  bool bad = false;
  uint8_t u8() { return at < bytes.size() ? bytes[at++] : (bad = true, uint8_t{0}); }
  uint32_t be16() { uint32_t high = u8(); return high << 8 | u8(); }
};

using Probability = uint16_t;
constexpr Probability kEven = 1024;              // of 2048

// Binary arithmetic decoding with adaptive probabilities.
class RangeDecoder {
 public:
  explicit RangeDecoder(Input& in) : in_(in) {}
  bool start() {
    range_ = 0xffffffff;
    code_ = 0;
    if (in_.u8() != 0) return false;
    for (int i = 0; i < 4; ++i) code_ = code_ << 8 | in_.u8();
    return !in_.bad;
  }
  uint32_t bit(Probability& probability) {
    uint32_t bound = (range_ >> 11) * probability, value = code_ >= bound;
    if (value == 0) {
      range_ = bound;
      probability = static_cast<Probability>(probability + ((2048 - probability) >> 5));
    } else {
      range_ -= bound;
      code_ -= bound;
      probability = static_cast<Probability>(probability - (probability >> 5));
    }
    normalise();
    return value;
  }
  uint32_t direct(int count) {
    uint32_t value = 0;
    for (; count > 0; --count) {
      range_ >>= 1;
      uint32_t one = code_ >= range_;
      if (one != 0) code_ -= range_;
      value = value << 1 | one;
      normalise();
    }
    return value;
  }
  uint32_t tree(Probability* probabilities, int bits) {
    uint32_t index = 1;
    for (int i = 0; i < bits; ++i) index = index << 1 | bit(probabilities[index]);
    return index - (1u << bits);
  }
  uint32_t reverse_tree(Probability* probabilities, int bits) {
    uint32_t index = 1, value = 0;
    for (int i = 0; i < bits; ++i) {
      uint32_t one = bit(probabilities[index]);
      index = index << 1 | one;
      value |= one << i;
    }
    return value;
  }

 private:
  void normalise() {
    if (range_ >= 1u << 24) return;
    range_ <<= 8;
    code_ = code_ << 8 | in_.u8();
  }
  Input& in_;
  uint32_t range_ = 0, code_ = 0;
};

struct LengthCoder {
  Probability choice[2], low[16][8], middle[16][8], high[256];
  uint32_t decode(RangeDecoder& range, uint32_t place) {
    if (range.bit(choice[0]) == 0) return 2 + range.tree(low[place], 3);
    if (range.bit(choice[1]) == 0) return 10 + range.tree(middle[place], 3);
    return 18 + range.tree(high, 8);
  }
};

struct Model {
  Probability is_match[12][16], is_repeat[12], is_repeat0[12], is_repeat0_long[12][16], is_repeat1[12], is_repeat2[12];
  Probability slot[4][64], special[128], align[16], literal[16 * 768];
  LengthCoder match_length, repeat_length;
};
static_assert(sizeof(Model) % sizeof(Probability) == 0);

class Lzma2 {
 public:
  Lzma2(std::span<const uint8_t> packed, std::vector<uint8_t>& out) : in_{packed}, out_(out) {}

  bool run() {
    for (;;) {
      uint8_t control = in_.u8();
      if (in_.bad) return false;
      if (control == 0) return true;
      if (control < 0x80) {
        size_t size = in_.be16() + 1;
        if (control > 2 || in_.bad || size > in_.bytes.size() - in_.at || out_.size() + size > kMostBytes) return false;
        out_.insert(out_.end(), in_.bytes.begin() + static_cast<ptrdiff_t>(in_.at), in_.bytes.begin() + static_cast<ptrdiff_t>(in_.at + size));
        in_.at += size;
        continue;
      }
      size_t size = (size_t{control & 0x1fu} << 16 | in_.be16()) + 1, packed = in_.be16() + 1;
      uint8_t reset = control >> 5 & 3;
      if (reset >= 2 && !set_properties(in_.u8())) return false;
      if (reset >= 1) reset_state();
      if (in_.bad || !ready_ || packed > in_.bytes.size() - in_.at || out_.size() + size > kMostBytes) return false;
      size_t end = in_.at + packed;
      if (!chunk(size) || in_.at > end) return false;
      in_.at = end;
    }
  }

 private:
  bool set_properties(uint8_t value) {
    if (value >= 9 * 5 * 5) return false;
    literal_context_ = value % 9;
    value /= 9;
    uint32_t position_bits = value % 5;
    literal_mask_ = (1u << position_bits) - 1;
    place_mask_ = (1u << (value / 5)) - 1;
    return ready_ = literal_context_ + position_bits <= 4;
  }
  void reset_state() {
    auto* first = reinterpret_cast<Probability*>(&model_);
    std::fill(first, first + sizeof model_ / sizeof *first, kEven);
    state_ = 0;
    std::fill(std::begin(repeats_), std::end(repeats_), 0u);
  }
  uint8_t back(uint32_t distance) const { return distance < out_.size() ? out_[out_.size() - 1 - distance] : uint8_t{0}; }

  void literal() {
    uint32_t before = back(0) >> (8 - literal_context_);
    uint32_t context = ((static_cast<uint32_t>(out_.size()) & literal_mask_) << literal_context_) + (out_.empty() ? 0 : before);
    Probability* probabilities = model_.literal + 768 * context;
    uint32_t symbol = 1;
    if (state_ >= 7) {
      // Behind a match the byte that would have continued it says something about this one.
      uint32_t expected = back(repeats_[0]);
      do {
        uint32_t bit = expected >> 7 & 1;
        expected <<= 1;
        uint32_t got = range_.bit(probabilities[((1 + bit) << 8) + symbol]);
        symbol = symbol << 1 | got;
        if (got != bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = symbol << 1 | range_.bit(probabilities[symbol]);
    out_.push_back(static_cast<uint8_t>(symbol));
    state_ = state_ < 4 ? 0 : state_ < 10 ? state_ - 3 : state_ - 6;
  }

  uint32_t distance(uint32_t length) {
    uint32_t slot = range_.tree(model_.slot[std::min(length - 2, 3u)], 6);
    if (slot < 4) return slot;
    int bits = static_cast<int>(slot >> 1) - 1;
    uint32_t value = (2 | (slot & 1)) << bits;
    if (slot < 14) return value + range_.reverse_tree(model_.special + (value - slot), bits);
    value += range_.direct(bits - 4) << 4;
    return value + range_.reverse_tree(model_.align, 4);
  }

  bool chunk(size_t size) {
    if (!range_.start()) return false;
    size_t end = out_.size() + size;
    while (out_.size() < end) {
      uint32_t place = static_cast<uint32_t>(out_.size()) & place_mask_, length = 0;
      if (in_.bad) return false;
      if (range_.bit(model_.is_match[state_][place]) == 0) {
        literal();
        continue;
      }
      if (range_.bit(model_.is_repeat[state_]) == 0) {
        repeats_[3] = repeats_[2], repeats_[2] = repeats_[1], repeats_[1] = repeats_[0];
        length = model_.match_length.decode(range_, place);
        repeats_[0] = distance(length);
        state_ = state_ < 7 ? 7 : 10;
      } else {
        int which = repeated();
        if (which == 0 && range_.bit(model_.is_repeat0_long[state_][place]) == 0) {
          length = 1;
          state_ = state_ < 7 ? 9 : 11;
        } else {
          std::rotate(repeats_, repeats_ + which, repeats_ + which + 1);
          length = model_.repeat_length.decode(range_, place);
          state_ = state_ < 7 ? 8 : 11;
        }
      }
      if (repeats_[0] >= out_.size() || length > end - out_.size()) return false;
      for (; length > 0; --length) out_.push_back(back(repeats_[0]));
    }
    return !in_.bad;
  }

  // Which of the last four distances comes again.
  int repeated() {
    if (range_.bit(model_.is_repeat0[state_]) == 0) return 0;
    if (range_.bit(model_.is_repeat1[state_]) == 0) return 1;
    return range_.bit(model_.is_repeat2[state_]) == 0 ? 2 : 3;
  }

  Input in_;
  std::vector<uint8_t>& out_;
  RangeDecoder range_{in_};
  Model model_;
  bool ready_ = false;
  uint32_t literal_context_ = 0, literal_mask_ = 0, place_mask_ = 0, state_ = 0, repeats_[4] = {};
};

}  // namespace

bool unpack_xz(std::span<const uint8_t> packed, std::vector<uint8_t>& out) {
  constexpr uint8_t kMagic[] = {0xfd, '7', 'z', 'X', 'Z', 0};
  constexpr uint8_t kLzma2 = 0x21;
  constexpr size_t kStreamHeader = 12;
  out.clear();
  if (packed.size() < kStreamHeader + 8 || std::memcmp(packed.data(), kMagic, sizeof kMagic) != 0) return false;
  // Block header: its size, flags, two optional sizes, then the filters.
  Input in{packed, kStreamHeader};
  size_t header = (size_t{in.u8()} + 1) * 4;
  uint8_t flags = in.u8();
  auto skip_number = [&] { while ((in.u8() & 0x80) != 0 && !in.bad) {} };
  if ((flags & 3) != 0) return false;            // more than one filter
  if ((flags & 0x40) != 0) skip_number();
  if ((flags & 0x80) != 0) skip_number();
  if (in.u8() != kLzma2 || in.bad || kStreamHeader + header >= packed.size()) return false;
  Lzma2 decoder(packed.subspan(kStreamHeader + header), out);
  return decoder.run();
}

}  // namespace btc::rt
