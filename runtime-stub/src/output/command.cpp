// system(): a shell command run to its end, its output caught.
#include <cerrno>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "runtime-stub/src/output/state.h"

namespace btc::rt {

[[noreturn]] static void run_child(const char* command, int output, pid_t parent) {
  // The command must not outlive the tracer; the second line catches a tracer that is already gone.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  // What the tracer blocks or ignores is not the command's business.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  if (dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(127);
  execlp("sh", "sh", "-c", command, nullptr);
  _exit(127);
}

bool run_command(const std::string& command, std::string* output, int* status) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  pid_t parent = getpid(), child = fork();
  if (child == 0) run_child(command.c_str(), ends[1], parent);
  int fork_error = errno;
  close(ends[1]);
  char chunk[4096];
  while (child > 0) {
    ssize_t n = read(ends[0], chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    output->append(chunk, static_cast<size_t>(n));
  }
  close(ends[0]);
  while (child > 0 && waitpid(child, status, 0) < 0 && errno == EINTR) {
  }
  errno = fork_error;
  return child > 0;
}

}  // namespace btc::rt
