// The command of -c: forked at once, so that its pid is known, and stopped
// before exec until everything is attached.
#pragma once

#include <string>

#include "runtime-stub/src/support.h"

namespace btc::rt {

class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();                                    // SIGTERM, if it still runs
  bool prepare(const std::string& command, std::string* error);
  // Lets it exec, but only up to its first own instruction: its libraries are mapped then. release() lets it go on.
  bool run_to_entry(std::string* error);
  bool release(std::string* error);            // lets it exec
  int pid() const { return pid_; }
  bool ended();                                // reaps
  const std::string& how() const { return how_; }   // of a child that ended: for -v

 private:
  int pid_ = 0;
  bool ended_ = false, at_entry_ = false;
  std::string how_;
  Fd go_, failed_;
};

}  // namespace btc::rt
