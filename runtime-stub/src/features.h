// What this kernel's BPF can do, found by trying and kept. A program of two or
// three instructions is loaded per question, so each costs some 50 us once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace btc::rt {

class Features {
 public:
  // Names that the user switched off (--no-feature): the answers to these are "no".
  void disable(std::string_view name) { disabled_.emplace_back(name); }
  bool disabled(std::string_view name) const;

  bool helper(uint32_t prog_type, uint32_t helper_id);
  bool helper(uint32_t prog_type, std::string_view name);   // "ktime_get_boot_ns"
  bool prog_type(uint32_t type);
  bool kfunc(std::string_view name);                        // is in the kernel's BTF
  bool attach_cookie(uint32_t prog_type);                   // perf links and kprobes 5.15; tracing 5.19 and raw 6.10 through links
  bool perf_link();                                         // BPF_LINK_CREATE on perf events (5.15)
  bool kprobe_multi();                                      // 5.18, and CONFIG_FPROBE
  bool kprobe_session();                                    // 6.10, and CONFIG_FPROBE
  bool uprobe_multi();                                      // 6.6
  bool kprobes();                                           // perf PMU "kprobe"
  bool uprobes();
  bool trampolines();                                       // fentry loads
  bool kernel_btf();
  bool typed_reads(uint32_t prog_type);                     // bpf_get_current_task_btf (5.11), and BTF for the verifier

 private:
  struct Known { uint64_t question; bool answer; };
  template <typename Ask>
  bool ask(uint64_t question, Ask&& fn);
  std::vector<Known> known_;
  std::vector<std::string> disabled_;
};

// Id of a BPF helper by name without bpf_; 0 if this build knows none.
uint32_t helper_id(std::string_view name);

}  // namespace btc::rt
