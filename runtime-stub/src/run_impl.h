// One run of an artifact; run.cpp says in which order its parts come.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "runtime-stub/src/attach.h"
#include "runtime-stub/src/child.h"
#include "runtime-stub/src/event_loop.h"
#include "runtime-stub/src/mapping_log.h"
#include "runtime-stub/src/maps.h"
#include "runtime-stub/src/run.h"
#include "runtime-stub/src/schedule.h"

namespace btc::rt {

constexpr int kFailed = 255;                   // bpftrace's run() returning -1
constexpr int kUsage = 1;

class Run final : public Target {
 public:
  explicit Run(RunState& state) : state_(state) {}
  int go();

  // Target, for the output.
  bool read_map(uint32_t map, MapEntries* out) override { return read_map_entries(map_fd(map), out); }
  bool clear_map(uint32_t map) override { return clear_map_entries(map_fd(map)); }
  bool zero_map(uint32_t map) override { return zero_map_entries(map_fd(map)); }
  void unwatch(uint64_t address) override;
  std::string_view probe_name(uint64_t index) override {
    return index < state_.names.size() ? std::string_view(state_.names[index]) : std::string_view();
  }
  std::string_view probe_file(int32_t probe) override;
  bool recorded_mappings(int32_t pid, uint32_t* stamp, CodeMappings* out, int32_t* forebear) override;

 private:
  int map_fd(uint32_t map) const { return state_.loader->map_fd(text_of(state_.manifest().maps()->Get(map)->bpf_name())); }
  int prepare();
  bool collect_unwind_tables();                  // of dw_ustack()
  bool open_output();
  bool start_server();
  bool run_programs(abi::ProbeKind kind);
  int run_tests();
  bool attach_pass(uint8_t pass);
  bool attach_one(size_t index);
  void drain();
  void poll(bool only_drain);
  void let_calls_end();
  void keep_time();
  void show_status();
  void read_iterators();
  uint64_t count(abi::ProbeKind kind) const;
  uint64_t lost_events() const;
  void report_losses();
  uint64_t stop_deadline();
  void report_probe_losses();
  void finish();
  void notify_service(std::string_view text) const;

  RunState& state_;
  Child child_;
  EventLoop loop_;
  Ring ring_;
  MappingLog mapping_log_;                     // open if the script shows user addresses
  bool has_ring_ = false, serving_ = false;
  std::unique_ptr<Output> output_;
  std::vector<Attached> attached_;             // by binding
  Schedule schedule_;
  uint64_t attached_count_ = 0, lost_shown_ = 0, handled_ = 0;
  bool exiting_ = false, finishing_ = false;
  uint64_t stop_deadline_ = 0, lost_in_backlog_ = 0, next_loss_check_ = 0;
  int exit_code_ = 0;
  abi::ProbeKind left_out_ = abi::ProbeKind::kCount;   // Test or Bench: the script has such probes, which this run is not for
  int attach_code_ = kFailed;                  // exit status when attaching fails
};

}  // namespace btc::rt
