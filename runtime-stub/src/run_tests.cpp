// --test and --bench: the kernel runs the programs (BPF_PROG_TEST_RUN) and says how long they took.
#include <algorithm>

#include "runtime-stub/src/run_impl.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {

int Run::run_tests() {
  int code = 0;
  std::vector<std::string> names;
  std::vector<const Binding*> bindings;
  abi::ProbeKind kind = state_.options.test ? abi::ProbeKind::Test : abi::ProbeKind::Bench;
  for (const Binding& binding : state_.bindings) {
    if (binding.point.kind != kind) continue;
    names.push_back(binding.point.func);
    bindings.push_back(&binding);
  }
  std::vector<bool> passed;
  uint8_t packet[14] = {};                       // XDP wants an Ethernet header
  for (size_t i = 0; i < bindings.size(); ++i) {
    int program = state_.loader->copy_fd(bindings[i]->copy);
    uint64_t repeat = 1;
    while (true) {
      uint32_t retval = 0, duration = 0;
      uint64_t errors = output_->errorf_count();
      output_->begin_capture();
      int result = sys::test_run(program, packet, sizeof packet, static_cast<uint32_t>(repeat), &retval, &duration);
      drain();
      std::string captured = output_->end_capture();
      if (result < 0) {
        state_.messages.error(cat("Cannot run ", bindings[i]->name, ": ", error_text(-result)));
        return kFailed;
      }
      bool good = exit_code_ == 0 && output_->errorf_count() == errors;
      exiting_ = false;
      int code_of_exit = exit_code_;
      exit_code_ = 0;
      if (state_.options.test) {
        passed.push_back(good && retval == 0);
        if (!passed.back()) code = 1;
        output_->test_result(names, i, duration, passed, captured);
        break;
      }
      if (code_of_exit == 0 && retval != 0) break;           // a benchmark may skip itself
      uint64_t total = uint64_t{duration} * repeat;
      if (total < 1000) repeat *= 1000;
      else if (total < 10000) repeat *= 100;
      else if (total < 100000) repeat *= 10;
      else if (total < 1000000) repeat *= 2;
      else {
        if (good) output_->bench_result(names, i, duration, repeat);
        else { state_.messages.error(cat("Benchmark '", names[i], "' failed.")); code = 1; }
        break;
      }
      repeat = std::min<uint64_t>(repeat, 1u << 30);
    }
  }
  return code;
}

}  // namespace btc::rt
