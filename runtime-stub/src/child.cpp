// Starts the command of -c; see child.h. The command line is split at blanks and nothing else, as bpftrace does: quotes are the program's.
#include "runtime-stub/src/child.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime-stub/src/resolve_files.h"

namespace btc::rt {
namespace {

std::vector<std::string> split_command(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

bool Child::prepare(const std::string& command, std::string* error) {
  std::vector<std::string> words = split_command(command);
  if (words.empty()) { *error = "ERROR: -c needs a command\n"; return false; }
  std::string path = find_program(words[0]);
  if (path.empty() && words[0].find('/') == std::string::npos) path = cat("./", words[0]);   // bpftrace looks here first
  if (path.empty() || ::access(path.c_str(), X_OK) != 0) {
    *error = cat("ERROR: Failed to fork child: Path '", words[0], "' does not exist or is not executable (No such file or directory)\n");
    return false;
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int go[2], failed[2];
  if (::pipe2(go, O_CLOEXEC) != 0 || ::pipe2(failed, O_CLOEXEC) != 0) { *error = cat("ERROR: pipe: ", error_text(errno), "\n"); return false; }
  int parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) { *error = cat("ERROR: fork: ", error_text(errno), "\n"); return false; }
  if (pid_ == 0) {
    ::close(go[1]);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (int signal : {SIGINT, SIGTERM, SIGUSR1, SIGPIPE, SIGCHLD}) ::signal(signal, SIG_DFL);
    char word;
    if (::getppid() != parent || ::read(go[0], &word, 1) != 1) ::_exit(127);
    ::execv(path.c_str(), argv.data());
    int problem = errno;
    [[maybe_unused]] ssize_t n = ::write(failed[1], &problem, sizeof problem);
    ::_exit(127);
  }
  ::close(go[0]);
  ::close(failed[1]);
  go_ = Fd(go[1]);
  failed_ = Fd(failed[0]);
  return true;
}

static uint64_t entry_point(int pid) {
  std::string words;
  if (!read_whole_file(cat("/proc/", pid, "/auxv").c_str(), &words)) return 0;
  for (size_t at = 0; at + 16 <= words.size(); at += 16) {
    uint64_t pair[2];
    memcpy(pair, words.data() + at, sizeof pair);
    if (pair[0] == AT_ENTRY) return pair[1];
  }
  return 0;
}

// By ptrace: stopped at exec, then by a breakpoint at the entry point.
bool Child::run_to_entry(std::string* error) {
  int status = 0;
  auto stopped_by_trap = [&] { return ::waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP; };
  bool good = ::ptrace(PTRACE_SEIZE, pid_, nullptr, PTRACE_O_TRACEEXEC) == 0;
  if (!release(error)) return false;
  uint64_t entry = 0;
  if (good && stopped_by_trap() && (entry = entry_point(pid_)) != 0) {
    errno = 0;
    long word = ::ptrace(PTRACE_PEEKTEXT, pid_, entry, nullptr);
    constexpr long kBreakpoint = 0xcc;
    if (errno == 0 && ::ptrace(PTRACE_POKETEXT, pid_, entry, (word & ~0xffl) | kBreakpoint) == 0 && ::ptrace(PTRACE_CONT, pid_, nullptr, nullptr) == 0 &&
        stopped_by_trap()) {
      user_regs_struct registers{};
      ::ptrace(PTRACE_POKETEXT, pid_, entry, word);
      if (::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) == 0 && registers.rip == entry + 1) {
        registers.rip = entry;
        ::ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
        return at_entry_ = true;
      }
    }
  }
  *error = cat("Failed to setup child: it cannot be stopped at its entry point");
  return false;
}

bool Child::release(std::string* error) {
  if (at_entry_) {
    at_entry_ = false;
    ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
    return true;
  }
  if (::write(go_.get(), "g", 1) != 1) { *error = "Failed to run child: it is gone"; return false; }
  go_.reset();
  int problem = 0;
  if (::read(failed_.get(), &problem, sizeof problem) == sizeof problem) {
    *error = cat("Failed to run child: ", error_text(problem));
    return false;
  }
  failed_.reset();
  return true;
}

bool Child::ended() {
  if (pid_ == 0 || ended_) return pid_ != 0;
  int status;
  ended_ = ::waitpid(pid_, &status, WNOHANG) == pid_;
  if (ended_) how_ = WIFSIGNALED(status) ? cat("Child terminated by signal: ", WTERMSIG(status)) : cat("Child exited with code: ", WEXITSTATUS(status));
  return ended_;
}

Child::~Child() {
  if (pid_ == 0 || ended()) return;
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 20 && !ended(); ++i) ::usleep(5000);
}

}  // namespace btc::rt
