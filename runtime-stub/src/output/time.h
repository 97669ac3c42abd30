// Wall-clock time: what the kernel's clocks mean in it, and strftime.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace btc::rt {

class WallClock {
 public:
  void start();                                       // measures the offsets of the kernel's clocks
  // Nanoseconds since 1970 of a reading of the clock `mode` (abi::ClockMode).
  int64_t to_wall(uint32_t mode, uint64_t nsecs) const;

 private:
  int64_t boot_ = 0, monotonic_ = 0;                  // wall clock minus that clock
};

// strftime of a wall-clock time in local time (TZ or /etc/localtime) or UTC, with bpftrace's %f (6 digits of microseconds),
// %k (9 of nanoseconds) and %l (3 of milliseconds). A time of zero seconds is "(?)".
void append_strftime(std::string& out, std::string_view format, int64_t wall_nsecs, bool utc);
// The same without the extensions, for time(): there %k and %l are hours, as in C.
void append_time(std::string& out, std::string_view format, int64_t wall_nsecs);

int64_t now_wall();
int64_t monotonic_now();

}  // namespace btc::rt
