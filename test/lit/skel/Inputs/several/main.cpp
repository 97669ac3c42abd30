// Two scripts at a time, one after another, and one that goes out of scope while it is attached.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "calls.skel.hpp"
#include "steps.skel.hpp"

static unsigned long long number(unsigned long long n) { return n; }

static bool run_both(std::string* log) {
  calls first;
  steps second;
  first.params.arg1 = second.params.arg1 = getpid();
  first.events.printf_0 = [log, word = std::string("a word that is too long to lie in the string itself")](const calls::Printf0& e) {
    *log += word.substr(0, 6) + " " + std::to_string(e.f0) + "\n";
  };
  first.events.printf_1 = [log, word = std::string("the end, which comes while the object is destroyed")](const calls::Printf1&) {
    *log += word.substr(0, 7) + "\n";
  };
  if (!first.load() || !second.load() || !first.attach() || !second.attach()) return false;
  for (int pid : {5, 6}) static_cast<void>(getpgid(pid));
  first.poll(100);
  second.poll(0);
  std::printf("calls %llu steps %llu\n", number(first.maps.calls.value().value_or(0)), number(second.maps.steps.value().value_or(0)));
  return true;
}

int main() {
  for (int round = 0; round < 2; ++round) {
    std::string log;
    if (!run_both(&log)) return 1;
    std::printf("%s", log.c_str());
  }
  return 0;
}
