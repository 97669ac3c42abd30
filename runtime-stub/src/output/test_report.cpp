// Results of --test and --bench, in bpftrace's layout.
#include <algorithm>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/files.h"
#include "runtime-stub/src/output/state.h"

namespace btc::rt {

static constexpr std::string_view kBar = "\033[32m[==========]\033[0m ", kRun = "\033[32m[ RUN      ]\033[0m ", kOk = "\033[32m[       OK ]\033[0m ",
                                  kPassed = "\033[32m[  PASSED  ]\033[0m ", kFailed = "\033[31m[  FAILED  ]\033[0m ";

static void append_count(std::string& out, size_t count) {
  append_dec(out, count);
  out += count == 1 ? " test" : " tests";
}

static void append_duration(std::string& out, uint64_t nsecs) {
  struct Unit { uint64_t nsecs; std::string_view name; };
  constexpr Unit kUnits[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1000, "\u03bcs"}, {1, "ns"}};
  const Unit* unit = kUnits;
  while (unit->nsecs > 1 && nsecs < unit->nsecs) unit++;
  out += " (";
  append_dec(out, nsecs / unit->nsecs);
  out += ' ';
  out += unit->name;
  out += ")\n";
}

static void append_summary(std::string& out, const std::vector<std::string>& names, const std::vector<bool>& passed) {
  size_t good = static_cast<size_t>(std::count(passed.begin(), passed.end(), true)), bad = names.size() - good;
  out += kBar;
  append_count(out, names.size());
  out += " ran.\n";
  out += kPassed;
  append_count(out, good);
  out += ".\n";
  if (bad == 0) return;
  out += kFailed;
  append_count(out, bad);
  out += ", listed below:\n";
  for (size_t i = 0; i < names.size(); i++)
    if (i >= passed.size() || !passed[i]) ((out += kFailed) += names[i]) += '\n';
}

void Output::test_result(const std::vector<std::string>& names, size_t index, uint64_t nsecs, const std::vector<bool>& passed, std::string_view captured) {
  bool good = index < passed.size() && passed[index];
  std::string out;
  if (state_->json()) {
    out = "{\"type\": \"test_result\", \"data\": {";
    append_json_string(out, names[index]);
    out += ": {\"duration\": ";
    append_dec(out, nsecs);
    out += good ? ", \"passed\": true, \"output\": " : ", \"passed\": false, \"output\": ";
    append_json_string(out, captured);
    out += "}}}\n";
    return state_->put(out);
  }
  if (index == 0) {
    out += kBar;
    out += "Running ";
    append_dec(out, names.size());
    out += " tests.\n";
  }
  ((out += kRun) += names[index]) += '\n';
  if (!good)
    for (std::string_view line : Lines(captured))
      if (!line.empty()) (out += line) += '\n';
  (out += good ? kOk : kFailed) += names[index];
  append_duration(out, nsecs);
  if (index + 1 == names.size()) append_summary(out, names, passed);
  state_->put(out);
}

void Output::bench_result(const std::vector<std::string>& names, size_t index, uint64_t average_nsecs, uint64_t iterations) {
  constexpr size_t kTimeWidth = 15;
  std::string out;
  if (state_->json()) {
    out = "{\"type\": \"benchmark_result\", \"data\": {";
    append_json_string(out, names[index]);
    out += ": {\"average\": ";
    append_dec(out, average_nsecs);
    out += ", \"iters\": ";
    append_dec(out, iterations);
    out += "}}}\n";
    return state_->put(out);
  }
  size_t width = 40;
  for (const std::string& name : names) width = std::max(width, name.size());
  auto append_row = [&](std::string_view name, std::string_view time, std::string_view count) {
    size_t start = out.size();
    out += name;
    pad_right(out, start, width + 1);
    start = out.size();
    out += time;
    pad_right(out, start, kTimeWidth);
    out += count;
    out += '\n';
  };
  if (index == 0) {
    append_row("Benchmark", "Time(ns)", "Iterations");
    out.append(width + 1 + kTimeWidth + std::string_view("Iterations").size(), '-');
    out += '\n';
  }
  std::string time, count;
  append_dec(time, average_nsecs);
  append_dec(count, iterations);
  append_row(names[index], time, count);
  state_->put(out);
}

}  // namespace btc::rt
