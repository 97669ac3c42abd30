// Names and constants that compiler and runtime share. See manifest.fbs for the manifest itself.
#pragma once

#include <cstdint>

namespace btc::abi {

inline constexpr uint32_t kManifestVersion = 1;
inline constexpr const char* kManifestSection = ".btc.manifest";   // in the object, not loaded
inline constexpr const char* kObjectSection = ".btc.object";       // in an executable: the whole object

// Symbols in the object.
inline constexpr const char* kFactsSymbol = "btc_facts";           // .rodata
inline constexpr const char* kRingMap = "btc_events";              // BPF_MAP_TYPE_RINGBUF
inline constexpr const char* kScratchMap = "btc_scratch";          // PERCPU_ARRAY, kScratchLevels entries
inline constexpr const char* kLossMap = "btc_lost";                // PERCPU_ARRAY of u64: see LossIndex
inline constexpr const char* kNestMap = "btc_nest";                // PERCPU_ARRAY, one u64: nesting level on this CPU
inline constexpr const char* kZeroMap = "btc_zero";                // ARRAY, one all-zero value: initial value of large entries
inline constexpr const char* kMapPrefix = "AT_";                   // script maps: "@x" is AT_x, "@" is AT_

// task, softirq, irq, nmi: a program that needs scratch deeper than this counts as lost.
inline constexpr uint32_t kScratchLevels = 4;

// Entries of btc_lost.
enum LossIndex : uint32_t {
  kLostEvents = 0,        // ring buffer full
  kLostNested = 1,        // scratch levels exhausted
  kLostMapFirst = 2,      // + manifest map index: entries that did not fit
};

// Every record in the ring buffer starts with this.
struct EventHeader {
  uint32_t event;         // index into Manifest.events
  uint32_t size;          // payload bytes
};
static_assert(sizeof(EventHeader) == 8);

// An lddw whose 64-bit immediate is kCopyConstMagic | id is per-copy constant `id` (PatchKind CopyConst).
inline constexpr uint64_t kCopyConstMagic = 0x6274632d00000000ull;  // "btc-"
enum CopyConst : uint32_t {
  kCopyTargetIndex = 0,   // index of the attach target: which name `probe` shows
  kCopyUsdtSpec = 1,      // first of the USDT argument constants
};

// Clock that a timestamp_t's nanoseconds come from (its `mode` member).
enum class ClockMode : uint32_t { Boot, Monotonic, Tai, SwTai };

enum class EventKind : uint8_t {
#define BTC_EVENT(Kind, ...) Kind,
#include "runtime-stub/abi/events.def"
#undef BTC_EVENT
  kCount
};
enum class RuntimeErrorKind : uint8_t {
#define BTC_RUNTIME_ERROR(Kind, ...) Kind,
#include "runtime-stub/abi/runtime_errors.def"
#undef BTC_RUNTIME_ERROR
  kCount
};
enum class FactKind : uint8_t {
#define BTC_FACT(Kind, ...) Kind,
#include "runtime-stub/abi/facts.def"
#undef BTC_FACT
  kCount
};

}  // namespace btc::abi
