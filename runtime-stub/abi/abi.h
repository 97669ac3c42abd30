// Names and constants that compiler and runtime share. See manifest.fbs for the manifest itself.
#pragma once

#include <cstdint>

namespace btc::abi {

inline constexpr uint32_t kManifestVersion = 1;
inline constexpr const char* kManifestSection = ".btc.manifest";   // in the object, not loaded
inline constexpr const char* kObjectSection = ".btc.object";       // in an executable: the whole object

// Symbols in the object.
inline constexpr const char* kFactsSymbol = "btc_facts";           // .rodata
inline constexpr const char* kExitedSymbol = "btc_exited";         // .bss, u64: 1 once a program called exit()
inline constexpr const char* kRingMap = "btc_events";              // BPF_MAP_TYPE_RINGBUF
inline constexpr const char* kScratchMap = "btc_scratch";          // PERCPU_ARRAY, kScratchLevels entries
inline constexpr const char* kLargeScratchMap = "btc_scratch_all";  // ARRAY, kScratchLevels entries per CPU: where one is larger than a per-CPU value may be
inline constexpr const char* kLossMap = "btc_lost";                // PERCPU_ARRAY of u64: see LossIndex
inline constexpr const char* kNestMap = "btc_nest";            // PERCPU_ARRAY, one entry: u64[kScratchLevels], how many programs hold a level, and one more: 1 while a guarded program runs
// Tables of dw_ustack(), see abi/unwind.h; sized and filled on the target.
inline constexpr const char* kUnwindProcs = "btc_unwind_procs";    // HASH
inline constexpr const char* kUnwindMaps = "btc_unwind_maps";      // ARRAY
inline constexpr const char* kUnwindRows = "btc_unwind_rows";      // ARRAY
inline constexpr const char* kUnwindState = "btc_unwind_state";    // PERCPU_ARRAY, 1 entry
inline constexpr const char* kUnwindNeed = "dwarf unwinding";      // in Program.needs of programs that use them
inline constexpr const char* kArgumentsNeed = "arguments:x86_64";  // likewise, of uprobes that read arguments where this architecture passes them
inline constexpr const char* kProbeNames = "btc_probe_names";      // ARRAY of char[kProbeTextBytes]: names of the attach targets, for `probe` as text in the kernel; filled on the target
inline constexpr uint32_t kProbeTextBytes = 256;                   // with the NUL
inline constexpr const char* kZeroMap = "btc_zero";                // ARRAY, one all-zero value: initial value of large entries
inline constexpr const char* kMapPrefix = "AT_";                   // script maps: "@x" is AT_x, "@" is AT_

// task, softirq, irq, nmi: a program that needs scratch deeper than this counts as lost.
inline constexpr uint32_t kScratchLevels = 4;
inline constexpr uint32_t kMostPerCpu = 32 * 1024;                 // PCPU_MIN_UNIT_SIZE: largest value of a per-CPU map

// Entries of btc_lost.
enum LossIndex : uint32_t {
  kLostEvents = 0,        // ring buffer full
  kLostNested = 1,        // scratch levels exhausted
  kLostMapFirst = 2,      // + manifest map index: entries that did not fit
};
// Behind the maps, in scripts of several programs: + manifest program index, the part of kLostEvents that the program lost.
constexpr uint32_t lost_program_first(uint32_t maps) { return kLostMapFirst + maps; }

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
  kCopyUsdtSpec = 1,      // first of the USDT argument constants: argument N has 1 + 2N (form) and 2 + 2N (number)
  kCopyResultShift = 100, // fexit of a pattern: 64 - bits of the function's result
  kCopyResultUnsigned = 101,  // 1 if it has no sign
  kCopyTypedReads = 102,  // 1 if pointers whose type the kernel knows are read directly; the loader's, in all code of a copy
  kCopyFunction = 103,    // address of the traced kernel function; 0 where the kernel tells it (get_func_ip, 5.15)
  kCopyNarrow = 104,      // uprobes: 1 if the traced program is a 32-bit one, which passes arguments on its stack
  kCopyWrapped = 105,     // kprobe of a system call by its plain name: 1 if the kernel's function is the wrapper, whose only argument points to the registers
  kCopySymbol = 1 << 16,  // uaddr(): from the attach target to the user symbol Manifest.strings[id - kCopySymbol] of its file
  kCopyFieldForm = 1 << 24,   // FieldForm on this machine of the record's field Manifest.strings[id - kCopyFieldForm]
};

// Where the bytes of a tracepoint's text field are.
enum FieldForm : uint8_t {
  kFieldInPlace = 0,
  kFieldDataLoc = 1,      // __data_loc: at an offset in the record
  kFieldRelLoc = 2,       // __rel_loc: at an offset from the field's end (5.16)
};

// Clock that a timestamp_t's nanoseconds come from (its `mode` member).
enum class ClockMode : uint32_t { Boot, Monotonic, Tai, SwTai };

// How a USDT argument is found, as the note of the probe's location says ("-4@-20(%rbp)"). The form is one 64-bit constant:
//   bits 0-7 kind, 8-15 bytes (1 2 4 8), 16 signed, 24-31 shift (of the index register to the left, of a register's value to the right), 32-47 offset of the (base) register in
//   pt_regs, 48-63 offset of the index register. The number is the constant, or the displacement of a memory operand.
enum UsdtArgKind : uint8_t {
  kUsdtNone = 0,          // this location has no such argument: reads as 0
  kUsdtConst = 1,
  kUsdtReg = 2,
  kUsdtMem = 3,           // *(base + number)
  kUsdtIndexed = 4,       // *(base + (index << shift) + number)
  kUsdtScaled = 5,        // *((index << shift) + number)
  kUsdtAbsolute = 6,      // *number
};
inline constexpr uint32_t usdt_form_const(uint32_t arg) { return kCopyUsdtSpec + 2 * arg; }
inline constexpr uint32_t usdt_number_const(uint32_t arg) { return kCopyUsdtSpec + 2 * arg + 1; }
inline constexpr uint32_t kUsdtMaxArgs = 12;

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
