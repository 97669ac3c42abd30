// The output stream; see sink.h.
#include "runtime-stub/src/output/sink.h"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/status_line.h"

namespace btc::rt {

static constexpr size_t kFullBuffer = 64 * 1024;

Sink::~Sink() {
  if (fd_ > 2) ::close(fd_);
}

bool Sink::open(const std::string& file, BufferMode mode, const volatile int* stop, std::string* error) {
  mode_ = mode;
  stop_ = stop;
  name_ = file.empty() ? "standard output" : "'" + file + "'";
  if (file.empty()) return true;
  fd_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ >= 0) return true;
  *error = "Failed to open output file: \"" + file + "\": ";
  *error += errno_text(errno);
  return false;
}

void Sink::written() {
  if (broken_) return buffer_.clear();
  if (mode_ == BufferMode::None)
    flush();
  else if (buffer_.size() >= kFullBuffer)
    mode_ == BufferMode::Line ? flush_lines() : flush();
}

void Sink::flush_lines() {
  if (mode_ == BufferMode::None) return flush();
  if (mode_ == BufferMode::Full) return;
  size_t newline = buffer_.rfind('\n');
  if (newline != std::string::npos)
    write_out(newline + 1);
  else if (buffer_.size() >= kFullBuffer)
    flush();
}

void Sink::flush() { write_out(buffer_.size()); }

// Once the run was told to stop, a reader that does not read gets two seconds in all before its output is given up.
bool Sink::wait_writable() {
  if (!stop_ || !*stop_) return true;
  while (grace_ms_ > 0) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 100) > 0) return true;
    grace_ms_ -= 100;
  }
  return false;
}

void Sink::write_out(size_t bytes) {
  size_t done = 0;
  while (!broken_ && done < bytes) {
    if (!wait_writable()) {
      fail(ETIMEDOUT);
      break;
    }
    ssize_t n = ::write(fd_, buffer_.data() + done, bytes - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      pollfd ready{fd_, POLLOUT, 0};
      ::poll(&ready, 1, 100);
    } else if (n == 0 || errno != EINTR) {
      fail(n == 0 ? EIO : errno);
    }
  }
  broken_ ? buffer_.clear() : (void)buffer_.erase(0, done);
}

void Sink::fail(int error) {
  if (broken_) return;
  broken_ = true;
  if (error == EPIPE) return;  // `| head`: the reader has what it wanted
  failed_ = true;
  error_ = "Failed to write to " + name_ + ": ";
  error_ += errno_text(error);
}

bool Sink::close() {
  flush();
  // Disk errors may only show when the file is closed (NFS, quotas).
  if (fd_ > 2) {
    if (::close(fd_) != 0) fail(errno);
    fd_ = -1;
  }
  return !failed_;
}

void write_stderr(std::string_view bytes) {
  clear_status_line();
  while (!bytes.empty()) {
    ssize_t n = ::write(2, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace btc::rt
