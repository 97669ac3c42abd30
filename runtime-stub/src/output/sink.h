// The output stream: stdout or the file of -o, with bpftrace's flush policies.
//
// Line mode hands over complete lines after each drained batch of events (and
// before anything goes to stderr), not one write per line: a reader sees lines
// as promptly, at a fraction of the cost. A failed write is reported once; from
// then on everything is dropped and broken() tells the loop to end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime-stub/src/output/output.h"

namespace btc::rt {

class Sink {
 public:
  Sink() = default;
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // "" is stdout. False: `error` says why.
  bool open(const std::string& file, BufferMode mode, const volatile int* stop, std::string* error);

  std::string& buffer() { return buffer_; }   // append here, then call written()
  void written();                             // after each event
  void write(std::string_view bytes) { buffer_ += bytes, written(); }
  void flush_lines();                         // line mode: up to the last newline; none: everything
  void flush();                               // everything
  bool broken() const { return broken_; }
  bool failed() const { return failed_; }     // broken by an error rather than by a reader that left
  std::string take_error() { return std::move(error_); }  // message to show, once
  bool close();

 private:
  void write_out(size_t bytes);
  bool wait_writable();
  void fail(int error);

  int fd_ = 1;
  std::string name_;
  BufferMode mode_ = BufferMode::Line;
  const volatile int* stop_ = nullptr;
  bool broken_ = false, failed_ = false;
  int grace_ms_ = 2000;
  std::string buffer_, error_;
};

// Writes everything to stderr; failures are ignored.
void write_stderr(std::string_view bytes);

}  // namespace btc::rt
