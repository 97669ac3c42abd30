// See schedule.h.
#include "runtime-stub/src/schedule.h"

#include <algorithm>
#include <ctime>

#include "runtime-stub/src/support.h"

namespace btc::rt {

bool parse_time_span(std::string_view text, uint64_t* milliseconds) {
  struct Unit { std::string_view name; uint64_t factor; };
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}};
  constexpr uint64_t kYear = 366ull * 24 * 3'600'000;
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  uint64_t number = 0;
  if (digits == 0 || !parse_u64(text.substr(0, digits), &number) || number == 0) return false;
  for (const Unit& unit : kUnits)
    if (text.substr(digits) == unit.name) return number <= kYear / unit.factor ? (*milliseconds = number * unit.factor, true) : false;
  return false;
}

uint64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

void Schedule::start(uint64_t duration, uint64_t interval, uint64_t status) {
  start_ = now();
  duration_ = duration;
  interval_ = interval;
  status_ = status;
  next_maps_ = start_ + interval;
  next_status_ = start_ + status;
}

// Rounds that were missed (a reader stalled) are skipped, not made up for.
bool Schedule::due(uint64_t every, uint64_t* next) {
  uint64_t at = now();
  if (every == 0 || at < *next) return false;
  *next += (1 + (at - *next) / every) * every;
  return true;
}

int Schedule::sleep(int idle) const {
  uint64_t at = now(), wait = static_cast<uint64_t>(idle);
  auto until = [&](uint64_t every, uint64_t when) {
    if (every != 0) wait = std::min(wait, when > at ? when - at : 0);
  };
  until(duration_, start_ + duration_);
  until(interval_, next_maps_);
  until(status_, next_status_);
  return static_cast<int>(wait);
}

}  // namespace btc::rt
