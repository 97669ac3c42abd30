// btc-fuzz: what the parts of the fuzzer share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace btc::fuzz {

// xorshift64*: the same run everywhere for the same seed.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435769u + 88172645463325252ull) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 2685821657736338717ull;
  }
  size_t below(size_t n) { return n ? static_cast<size_t>(next() % n) : 0; }

 private:
  uint64_t state_;
};

enum class Kind : uint8_t { Script, Bir };
struct Seed {
  std::string path;
  std::string text;
  Kind kind;
};

// All *.bt and *.bir below the directories, by name; RUN and CHECK lines of lit tests are comments anyway.
std::vector<Seed> read_seeds(const std::vector<std::string>& paths);

// One to four random edits, some with words of the language, some with pieces of another seed.
std::string mutate(const std::string& text, const std::string& other, Kind kind, Random& random);

// Runs one input through the compiler. Returns what is wrong with the result, "" if nothing is; crashes are the sanitizers' to find.
std::string run_one(const std::string& text, Kind kind);

}  // namespace btc::fuzz
