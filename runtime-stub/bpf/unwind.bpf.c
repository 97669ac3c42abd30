// dw_ustack(): the user stack of the current process, by the tables of abi/unwind.h.
//
// Starts from the registers at entry to the kernel (task_pt_regs, 5.15), so that
// it works in every kind of probe. Frames are found in a bpf_loop (5.17), whose
// body the kernel verifier sees once.
#include "runtime-stub/bpf/btc_helpers.h"

#include "runtime-stub/abi/unwind.h"

static void* (*const bpf_map_lookup_elem)(void* map, const void* key) = (void*)1;
static s64 (*const bpf_probe_read_user)(void* to, u64 bytes, const void* from) = (void*)112;
static void* (*const bpf_get_current_task_btf)(void) = (void*)158;
static void* (*const bpf_task_pt_regs)(void* task) = (void*)175;
static s64 (*const bpf_loop)(u32 count, void* body, void* context, u64 flags) = (void*)181;

// The runtime's maps; the backend puts its own definitions in their place.
extern char btc_unwind_procs[], btc_unwind_maps[], btc_unwind_rows[], btc_unwind_state[];

// Registers in struct pt_regs, x86-64.
enum { kBp = 32, kIp = 128, kSp = 152 };
// A signal's frame, from the stack pointer in its trampoline: ucontext.uc_mcontext.
enum { kSignalBp = 120, kSignalSp = 160, kSignalIp = 168 };

static __attribute__((always_inline)) u64 user_word(u64 address) {
  u64 value = 0;
  bpf_probe_read_user(&value, 8, (const void*)address);
  return value;
}

static __attribute__((always_inline)) struct btc_unwind_map* find_map(struct btc_unwind_state* state, u64 pc) {
  u64 low = state->first, high = low + state->maps;
  for (int i = 0; i < kUnwindMapSteps && high - low > 1; i++) {
    u32 middle = (u32)((low + high) / 2);
    struct btc_unwind_map* map = bpf_map_lookup_elem(btc_unwind_maps, &middle);
    if (!map) return 0;
    if (map->start <= pc) low = middle;
    else high = middle;
  }
  u32 found = (u32)low;
  struct btc_unwind_map* map = bpf_map_lookup_elem(btc_unwind_maps, &found);
  return map && pc >= map->start && pc < map->end ? map : 0;
}

static __attribute__((always_inline)) struct btc_unwind_row* find_row(const struct btc_unwind_map* map, u64 pc) {
  u64 low = map->first, high = low + map->count;
  for (int i = 0; i < kUnwindRowSteps && high - low > 1; i++) {
    u32 middle = (u32)((low + high) / 2);
    struct btc_unwind_row* row = bpf_map_lookup_elem(btc_unwind_rows, &middle);
    if (!row) return 0;
    if (row->pc <= pc) low = middle;
    else high = middle;
  }
  u32 found = (u32)low;
  struct btc_unwind_row* row = bpf_map_lookup_elem(btc_unwind_rows, &found);
  return row && row->pc <= pc ? row : 0;
}

static long btc_unwind_step(u64 index, void* context) {
  u32 zero = 0;
  (void)index;
  (void)context;
  struct btc_unwind_state* state = bpf_map_lookup_elem(btc_unwind_state, &zero);
  if (!state) return 1;
  u64 count = state->count;
  if (count >= kUnwindMostFrames || count >= state->most) return 1;
  state->frames[count] = state->ip;
  state->count = count + 1;
  // A caller's instruction is the one before the address that it is returned to.
  u64 pc = state->ip - state->is_call;
  struct btc_unwind_map* map = find_map(state, pc);
  if (!map || map->count == 0) return 1;
  pc -= map->bias;
  struct btc_unwind_row* row = find_row(map, pc);
  if (!row) return 1;
  u64 frame;
  switch (row->cfa_kind) {
    case kUnwindSp: frame = state->sp + (s64)row->cfa_offset; break;
    case kUnwindBp: frame = state->bp + (s64)row->cfa_offset; break;
    case kUnwindPlt: frame = state->sp + 8 + ((pc & 15) >= 11 ? 8 : 0); break;
    case kUnwindSignal: {
      u64 sp = state->sp;
      state->ip = user_word(sp + kSignalIp);
      state->bp = user_word(sp + kSignalBp);
      state->sp = user_word(sp + kSignalSp);
      state->is_call = 0;
      return state->ip == 0;
    }
    default: return 1;
  }
  u64 ip = user_word(frame - 8);
  if (row->bp_saved) state->bp = user_word(frame + (s64)row->bp_offset);
  state->ip = ip;
  state->sp = frame;
  state->is_call = 1;
  return ip == 0;
}

// Bytes of addresses written to `to`, which holds `most` zeroed ones; -2: the process has no tables.
BTC_LIBRARY s64 btc_unwind(void* to, u64 most, u64 pid) {
  u32 zero = 0, key = (u32)pid;
  struct btc_unwind_proc* proc = bpf_map_lookup_elem(btc_unwind_procs, &key);
  if (!proc) return -2;
  struct btc_unwind_state* state = bpf_map_lookup_elem(btc_unwind_state, &zero);
  if (!state) return -1;
  state->first = proc->first;
  state->maps = proc->count;
  state->count = 0;
  state->is_call = 0;
  state->most = most;
  const char* regs = bpf_task_pt_regs(bpf_get_current_task_btf());
  bpf_probe_read_kernel(&state->ip, 8, regs + kIp);
  bpf_probe_read_kernel(&state->sp, 8, regs + kSp);
  bpf_probe_read_kernel(&state->bp, 8, regs + kBp);
  bpf_loop(kUnwindMostFrames, btc_unwind_step, 0, 0);
  u64 bytes = btc_opaque(state->count) * 8;
  if (bytes > most * 8) bytes = most * 8;
  bpf_probe_read_kernel(to, bytes, state->frames);
  return (s64)bytes;
}
