// Timers, software and hardware events, watchpoints; see resolve.h.
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "runtime-stub/src/perf_events.h"
#include "runtime-stub/src/resolve.h"

namespace btc::rt {
namespace {

constexpr PerfEventInfo kEvents[] = {
#define RT_PERF(Kind, Name, Alias, Type, Config, Count) {abi::ProbeKind::Kind, Name, Alias, Type, Config, Count},
#include "runtime-stub/src/perf_events.def"
#undef RT_PERF
};

struct Unit { const char* name; uint64_t ns; };
constexpr Unit kUnits[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};

void set_timer(const abi::AttachPoint& point, Binding* binding) {
  binding->perf_type = PERF_TYPE_SOFTWARE;
  binding->perf_config = PERF_COUNT_SW_CPU_CLOCK;
  binding->perf_freq = point.unit == "hz";
  binding->perf_period = point.value;
  for (const Unit& unit : kUnits)
    if (point.unit == unit.name) binding->perf_period = point.value * unit.ns;
}

}  // namespace

std::span<const PerfEventInfo> perf_events() { return kEvents; }

const PerfEventInfo* find_perf_event(abi::ProbeKind kind, std::string_view name) {
  for (const PerfEventInfo& event : kEvents)
    if (event.kind == kind && (name == event.name || (event.alias[0] != 0 && name == event.alias))) return &event;
  return nullptr;
}

void resolve_perf(RunState& run, const abi::AttachPoint& point, Resolution* out) {
  Binding& binding = out->add(point.kind == abi::ProbeKind::Watchpoint ? How::Breakpoint : How::PerfEvent, point);
  binding.pid = run.target_pid() != 0 ? run.target_pid() : -1;
  switch (point.kind) {
    case abi::ProbeKind::Interval:
      binding.pid = -1;
      set_timer(point, &binding);
      return;
    case abi::ProbeKind::Profile:
      binding.every_cpu = true;
      set_timer(point, &binding);
      return;
    case abi::ProbeKind::Watchpoint: {
      uint32_t type = 0;
      for (char c : point.mode) type |= c == 'r' ? HW_BREAKPOINT_R : c == 'w' ? HW_BREAKPOINT_W : HW_BREAKPOINT_X;
      binding.perf_type = PERF_TYPE_BREAKPOINT;
      binding.perf_config = type;
      return;
    }
    default: break;
  }
  const PerfEventInfo* event = find_perf_event(point.kind, point.func);
  if (event == nullptr) { out->found.clear(); return; }
  binding.every_cpu = true;
  binding.perf_type = event->type;
  binding.perf_config = event->config;
  binding.perf_period = point.value != 0 ? point.value : event->default_count;
}

}  // namespace btc::rt
