// LLVM's BPF target orders a few things by where they lie in memory (relocated
// accesses within a function, forward declarations in BTF). What a script has is
// made in order, one behind the other; imported C is read in by then into
// whatever gaps were left, so that the same input could give other bytes.
//
// While a FreshMemory lives, the gaps are taken: new memory lies behind all that
// was there before, in the order in which it is asked for.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <vector>

namespace btc::backend {

class FreshMemory {
 public:
  explicit FreshMemory(bool wanted) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    wanted = false;   // it keeps a region for each size: nothing ever grows upwards
#endif
#endif
    constexpr size_t kMost = size_t{256} << 20;
    size_t bytes = 0;
    const char* highest = nullptr;
    // Large gaps first, then what is left of them.
    for (size_t size = 1 << 16; wanted && size >= 16; size -= size > 1024 ? size / 4 : 8) {
      for (int rising = 0, elsewhere = 0; rising < 4 && elsewhere < 16;) {
        if ((bytes += size) > kMost) return;   // no allocator that we know
        auto* taken = static_cast<char*>(std::malloc(size));
        if (taken == nullptr) return;
        gaps_.push_back(taken);
        // Not of this heap: another thread's that was freed here, or all of it is.
        if (std::less<const char*>()(static_cast<const char*>(sbrk(0)), taken)) {
          ++elsewhere;
          continue;
        }
        bool behind = std::less<const char*>()(highest, taken);
        rising = behind ? rising + 1 : 0;
        if (behind) highest = taken;
      }
    }
  }
  ~FreshMemory() {
    for (void* gap : gaps_) std::free(gap);
  }
  FreshMemory(const FreshMemory&) = delete;
  FreshMemory& operator=(const FreshMemory&) = delete;

 private:
  std::vector<void*> gaps_;
};

}  // namespace btc::backend
