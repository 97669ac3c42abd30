// docs/embedding.md in use: parameters, events, every kind of map, a probe that is not there, and what is left after detach().
#include <unistd.h>

#include <cstdio>
#include <string>

#include "watch.skel.hpp"

template <typename Counts>
void print_counts(const char* name, const Counts& counts) {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) std::printf("%s [%zu] %llu\n", name, i, static_cast<unsigned long long>(counts[i]));
  }
}

int main() {
  std::string log;
  watch script;
  script.params.limit = 12;
  script.params.name = "agent";
  script.params.verbose = true;
  script.params.arg1 = getpid();
  script.params.arg2 = "asked for";
  script.print_output(false);
  script.events.printf_0 = [&log](const watch::Printf0& e) {
    log += "limit " + std::to_string(e.f0) + " " + std::string(e.f1.view()) + " " + std::to_string(e.f2) + "\n";
  };
  script.events.printf_1 = [&log](const watch::Printf1& e) { log += std::string(e.f0.view()) + " " + std::to_string(e.f1) + "\n"; };
  script.events.printf_3 = [&log](const watch::Printf3&) { log += "end\n"; };
  if (!script.load() || !script.attach()) return 1;
  std::printf("probes %u\n", script.probe_count());

  for (int pid : {0, 5, 5, 64}) static_cast<void>(getpgid(pid));
  script.poll(100);
  script.detach();
  static_cast<void>(getpgid(77));
  std::printf("after detach: poll %d\n%s", script.poll(0), log.c_str());

  auto& maps = script.maps;
  unsigned long long fives = 0;
  for (auto& [key, count] : maps.calls.entries()) {
    if (key.f0 == 5 && key.f1.view() == "x") fives = count;
  }
  std::printf("calls %llu of %zu\n", fives, maps.calls.entries().size());
  print_counts("hist", maps.hist.value().value());
  print_counts("lhist", maps.lhist.value().value());
  std::printf("min %lld max %lld avg %lld of %lld last %lld\n", static_cast<long long>(maps.min.value().value()),
              static_cast<long long>(maps.max.value().value()), static_cast<long long>(maps.avg.value()->average()),
              static_cast<long long>(maps.avg.value()->count), static_cast<long long>(maps.last.value().value()));
  std::printf("tuple %d %s\n", maps.at.value()->f0, maps.at.value()->f1.bytes);
  bool cleared = maps.calls.clear();
  std::printf("cleared %d, %zu left, fd %d\n", cleared, maps.calls.entries().size(), script.map_fd("AT_last") >= 0);
  return 0;
}
