// Waits for whatever may end or feed a run: the ring buffer, signals, the
// traced process, the child of -c. One epoll set, woken at once by each.
#pragma once

#include <csignal>

#include "runtime-stub/src/ring.h"
#include "runtime-stub/src/support.h"

namespace btc::rt {

class EventLoop {
 public:
  bool open(std::string* error);               // installs the signal handlers
  ~EventLoop();                                // and takes them away
  void watch(int fd);                          // wakes when readable: the ring, a server
  void watch_process(int pid);
  void wait(int milliseconds);                 // returns early when something happens
  bool stopped() const;                        // SIGINT or SIGTERM came
  static const volatile int* stop_flag();
  int take_user_signals();                     // SIGUSR1s since the last call
  bool process_ended();

 private:
  Fd epoll_, pidfd_;
  int pid_ = 0;
  bool ended_ = false;
};

}  // namespace btc::rt
