/* Tables that dw_ustack() unwinds with: what the runtime makes of .eh_frame and
 * runtime-stub/bpf/unwind.bpf.c walks. Plain C: read by both.
 *
 * btc_unwind_procs  process id -> its mappings, a run of btc_unwind_maps
 * btc_unwind_maps   code of a process, sorted by address; its rows, a run of btc_unwind_rows
 * btc_unwind_rows   for each place where the rule changes, sorted by pc: how the caller's frame is found */
#pragma once

enum {
  kUnwindEnd = 0,      /* no rule: the outermost function, or code without a description */
  kUnwindSp = 1,       /* caller's frame begins at sp + cfa_offset */
  kUnwindBp = 2,       /* at bp + cfa_offset */
  kUnwindPlt = 3,      /* a jump table: sp + 8, and 8 more behind the first push of an entry */
  kUnwindSignal = 4    /* a signal's trampoline: registers lie in the frame that the kernel made */
};

struct btc_unwind_proc { unsigned int first, count; };
struct btc_unwind_map {
  unsigned long long start, end;
  unsigned long long bias;             /* address in the process - address in the file */
  unsigned int first, count;           /* rows */
};
struct btc_unwind_row {
  unsigned int pc;                     /* address in the file */
  int cfa_offset;
  int bp_offset;                       /* bp is saved at the frame's beginning + this */
  unsigned char cfa_kind, bp_saved;
  unsigned short unused;
};

enum { kUnwindMostFrames = 127, kUnwindMapSteps = 12, kUnwindRowSteps = 23 };   /* of binary search: 4096 mappings, 8 million rows */
struct btc_unwind_state {
  unsigned long long ip, sp, bp, count, most, first, maps;
  unsigned long long is_call;          /* ip is where a call returns to */
  unsigned long long frames[kUnwindMostFrames];
};
