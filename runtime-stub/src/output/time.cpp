// Wall-clock time; see time.h.
//
// glibc's localtime_r and strftime work in a static executable: they read TZ or
// /etc/localtime themselves and, without setlocale, use the built-in C locale.
#include "runtime-stub/src/output/time.h"

#include <time.h>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/output/append.h"

namespace btc::rt {

static constexpr int64_t kSecond = 1'000'000'000;

static int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}
int64_t now_wall() { return read_clock(CLOCK_REALTIME); }
int64_t monotonic_now() { return read_clock(CLOCK_MONOTONIC); }

// Wall clock minus `clock`: of several tries the one that was disturbed least.
static int64_t offset_of(clockid_t clock) {
  int64_t best = 0, best_span = INT64_MAX;
  for (int i = 0; i < 5; i++) {
    int64_t before = read_clock(CLOCK_REALTIME), there = read_clock(clock), after = read_clock(CLOCK_REALTIME);
    if (after - before >= best_span) continue;
    best_span = after - before;
    best = before + best_span / 2 - there;
  }
  return best;
}

void WallClock::start() {
  boot_ = offset_of(CLOCK_BOOTTIME);
  monotonic_ = offset_of(CLOCK_MONOTONIC);
}

int64_t WallClock::to_wall(uint32_t mode, uint64_t nsecs) const {
  // TAI readings are shown as they are, as bpftrace does: on most machines the kernel's TAI offset is 0.
  uint64_t offset = 0;
  if (mode == static_cast<uint32_t>(abi::ClockMode::Boot)) offset = static_cast<uint64_t>(boot_);
  if (mode == static_cast<uint32_t>(abi::ClockMode::Monotonic)) offset = static_cast<uint64_t>(monotonic_);
  return static_cast<int64_t>(nsecs + offset);
}

// bpftrace's own conversions replaced by digits; `%%f` stays what it is for strftime.
static std::string expand_fractions(std::string_view format, uint64_t nsecs) {
  std::string out;
  for (size_t i = 0; i < format.size(); i++) {
    char c = format[i], next = i + 1 < format.size() ? format[i + 1] : '\0';
    if (c != '%' || next == '\0') {
      out += c;
      continue;
    }
    i++;
    if (next == 'k') append_dec_width(out, nsecs, 9);
    else if (next == 'f') append_dec_width(out, nsecs / 1000, 6);
    else if (next == 'l') append_dec_width(out, nsecs / 1000000, 3);
    else out += c, out += next;
  }
  return out;
}

static void append_expanded(std::string& out, std::string format, const tm& parts) {
  if (format.empty()) return;
  // strftime returns 0 both for "no room" and for an empty result: a marker tells them apart.
  format += '.';
  for (size_t room = format.size() + 128; room < 1 << 20; room *= 4) {
    std::string text(room, '\0');
    size_t length = strftime(text.data(), room, format.c_str(), &parts);
    if (length == 0) continue;
    out.append(text, 0, length - 1);
    return;
  }
}

void append_strftime(std::string& out, std::string_view format, int64_t wall_nsecs, bool utc) {
  int64_t fraction = wall_nsecs % kSecond;
  if (fraction < 0) fraction += kSecond;
  time_t seconds = (wall_nsecs - fraction) / kSecond;
  tm parts{};
  if (seconds == 0 || !(utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)))
    out += "(?)";
  else
    append_expanded(out, expand_fractions(format, static_cast<uint64_t>(fraction)), parts);
}

void append_time(std::string& out, std::string_view format, int64_t wall_nsecs) {
  time_t seconds = wall_nsecs / kSecond;
  tm parts{};
  if (localtime_r(&seconds, &parts)) append_expanded(out, std::string(format), parts);
}

}  // namespace btc::rt
