// An agent that watches itself open files. The script is part of this program: nothing is installed beside it.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "opens.skel.hpp"

int main() {
  int seen = 0;                            // before the script, whose handler uses it
  opens script;
  script.params.process = getpid();
  script.events.printf_0 = [&](const opens::Printf0& event) {
    std::string_view path = event.f1;
    if (!path.starts_with("/nonexistent/btc-")) return;
    ++seen;
    std::printf("opened %.*s: %lld\n", static_cast<int>(path.size()), path.data(), static_cast<long long>(event.f0));
  };
  if (!script.load() || !script.attach()) return 1;   // what went wrong is on stderr

  for (int i = 0; i < 3; ++i) {
    std::string path = "/nonexistent/btc-" + std::to_string(i);
    close(open(path.c_str(), O_RDONLY));
  }
  for (int i = 0; i < 20 && seen < 3; ++i) script.poll(100);
  script.detach();

  for (auto& [failed, count] : script.maps.failed.entries()) {
    if (failed) std::printf("failed: %llu\n", static_cast<unsigned long long>(count));
  }
  std::printf("lost: %llu\n", static_cast<unsigned long long>(script.lost_events()));
  return seen == 3 ? 0 : 1;
}
