// Output: the object behind output.h. Being filled in.
#include "runtime-stub/src/output/output.h"

namespace btc::rt {

struct Output::State {
  const abi::fb::Manifest* manifest = nullptr;
  Target* target = nullptr;
  OutputOptions options;
};

Output::Output() : state_(new State) {}
Output::~Output() = default;

bool parse_output_format(std::string_view text, OutputFormat* out) {
  constexpr std::string_view kNames[] = {"text", "json", "folded", "openmetrics"};
  for (size_t i = 0; i < std::size(kNames); i++)
    if (text == kNames[i]) return *out = static_cast<OutputFormat>(i), true;
  return false;
}
bool parse_buffer_mode(std::string_view text, BufferMode* out) {
  constexpr std::string_view kNames[] = {"line", "full", "none"};
  for (size_t i = 0; i < std::size(kNames); i++)
    if (text == kNames[i]) return *out = static_cast<BufferMode>(i), true;
  return false;
}

std::unique_ptr<Output> Output::open(const abi::fb::Manifest* manifest, Target* target, const OutputOptions& options, std::string*) {
  std::unique_ptr<Output> out(new Output);
  out->state_->manifest = manifest;
  out->state_->target = target;
  out->state_->options = options;
  return out;
}
Next Output::handle_event(const abi::EventHeader&, const uint8_t*, size_t) { return {}; }
void Output::flush_batch() {}
bool Output::broken() const { return false; }
void Output::attached(uint64_t) {}
void Output::lost(uint64_t) {}
void Output::total_lost(uint64_t) {}
void Output::map_lost(uint32_t, uint64_t) {}
void Output::raw(std::string_view) {}
void Output::test_result(const std::vector<std::string>&, size_t, uint64_t, bool, uint32_t) {}
void Output::bench_result(const std::vector<std::string>&, size_t, uint64_t, uint64_t) {}
void Output::begin_capture() {}
std::string Output::end_capture() { return {}; }
uint64_t Output::errorf_count() const { return 0; }
void Output::note_process(int32_t) {}
void Output::end() {}
void Output::dump_maps() {}
void Output::print_map(uint32_t, uint32_t, uint32_t) {}
int Output::close() { return 0; }
void Output::warning(std::string_view) {}
void Output::error(std::string_view) {}

}  // namespace btc::rt
