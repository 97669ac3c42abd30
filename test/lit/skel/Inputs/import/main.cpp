#include <cstdio>

#include "agent.skel.hpp"

int main() {
  int seen = 0;
  agent script;
  script.events.printf_0 = [&](const agent::Printf0& event) {
    if (seen++ < 2) std::printf("event %lld %lld %lld\n", static_cast<long long>(event.f0), static_cast<long long>(event.f1),
                                static_cast<long long>(event.f2));
  };
  if (!script.load() || !script.attach()) return 1;
  for (int i = 0; i < 50 && seen < 2; ++i) script.poll(100);
  script.detach();
  return 0;
}
