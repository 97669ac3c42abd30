// epoll and signals; see event_loop.h. Handlers write to an eventfd, so a signal that comes just before epoll_wait is not missed and
// children start with an ordinary signal mask.
#include "runtime-stub/src/event_loop.h"

#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

volatile int g_stop = 0;
volatile int g_user_signals = 0;
int g_wake = -1;

void on_signal(int signal) {
  int saved = errno;
  if (signal == SIGUSR1) g_user_signals = g_user_signals + 1;
  else if (signal != SIGCHLD) g_stop = 1;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = ::write(g_wake, &one, sizeof one);
  errno = saved;
}

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1, SIGCHLD};

}  // namespace

bool EventLoop::open(std::string* error) {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  g_wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!epoll_ || g_wake < 0) {
    *error = cat("cannot wait for events: ", error_text(errno));
    return false;
  }
  watch(g_wake);
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (int signal : kSignals) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return true;
}

EventLoop::~EventLoop() {
  for (int signal : kSignals) ::signal(signal, signal == SIGUSR1 ? SIG_IGN : SIG_DFL);
  if (g_wake >= 0) ::close(g_wake);
  g_wake = -1;
}

void EventLoop::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void EventLoop::watch_process(int pid) {
  pid_ = pid;
  int fd = sys::pidfd_open(pid);
  if (fd < 0) return;                            // asked with kill() at every round instead
  pidfd_ = Fd(fd);
  watch(fd);
}

void EventLoop::wait(int milliseconds) {
  epoll_event events[8];
  int n = ::epoll_wait(epoll_.get(), events, 8, milliseconds);
  for (int i = 0; i < n; ++i) {
    if (events[i].data.fd == pidfd_.get() && pidfd_) ended_ = true;
    uint64_t count;
    if (events[i].data.fd == g_wake)
      while (::read(g_wake, &count, sizeof count) > 0) {}
  }
}

bool EventLoop::stopped() const { return g_stop != 0; }
const volatile int* EventLoop::stop_flag() { return &g_stop; }
int EventLoop::take_user_signals() {
  int n = g_user_signals;
  g_user_signals = g_user_signals - n;
  return n;
}
bool EventLoop::process_ended() {
  if (pid_ != 0 && !ended_ && !pidfd_) ended_ = ::kill(pid_, 0) != 0 && errno == ESRCH;
  return ended_;
}

}  // namespace btc::rt
