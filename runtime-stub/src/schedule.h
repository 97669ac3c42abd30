// The clock of a run that nobody watches: when --duration is over, when
// --interval shows the maps again, when a status line on the terminal is due.
// Times are CLOCK_MONOTONIC milliseconds; the first event loop round starts it.
#pragma once

#include <cstdint>
#include <string_view>

namespace btc::rt {

// "10s", "500ms", "2m", "1h"; a bare number is seconds. False: not one, or 0, or more than a year.
bool parse_time_span(std::string_view text, uint64_t* milliseconds);

uint64_t monotonic_ms();

class Schedule {
 public:
  // 0: never.
  void start(uint64_t duration, uint64_t interval, uint64_t status);
  bool over() const { return duration_ != 0 && now() >= start_ + duration_; }
  bool maps_due() { return due(interval_, &next_maps_); }
  bool status_due() { return due(status_, &next_status_); }
  uint64_t running() const { return now() - start_; }
  // How long the loop may sleep, at most `idle`.
  int sleep(int idle) const;

 private:
  static uint64_t now() { return monotonic_ms(); }
  bool due(uint64_t every, uint64_t* next);

  uint64_t start_ = 0, duration_ = 0, interval_ = 0, status_ = 0;
  uint64_t next_maps_ = 0, next_status_ = 0;
};

}  // namespace btc::rt
