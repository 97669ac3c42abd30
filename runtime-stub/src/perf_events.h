// Software and hardware events by name; rows in perf_events.def.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime-stub/abi/attach_point.h"

namespace btc::rt {

struct PerfEventInfo { abi::ProbeKind kind; const char* name; const char* alias; uint32_t type; uint64_t config; uint64_t default_count; };
std::span<const PerfEventInfo> perf_events();
const PerfEventInfo* find_perf_event(abi::ProbeKind kind, std::string_view name);

}  // namespace btc::rt
