// Maps the ring buffer: one page to write (consumer position), then, read-only, the producer's page and the data twice in a row.
#include "runtime-stub/src/ring.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime-stub/src/support.h"

namespace btc::rt {

bool Ring::open(int map_fd, uint32_t size, std::string* error) {
  page_ = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* consumer = ::mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer != MAP_FAILED) consumer_ = static_cast<std::atomic<uint64_t>*>(consumer);
  mapped_ = page_ + 2 * size_t{size};
  void* rest = consumer_ == nullptr ? MAP_FAILED : ::mmap(nullptr, mapped_, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page_));
  if (rest == MAP_FAILED) {
    *error = cat("cannot map the event buffer: ", error_text(errno));
    return false;
  }
  producer_ = static_cast<std::atomic<uint64_t>*>(rest);
  data_ = static_cast<uint8_t*>(rest) + page_;
  mask_ = size - 1;
  return true;
}

Ring::~Ring() {
  if (producer_ != nullptr) ::munmap(producer_, mapped_);
  if (consumer_ != nullptr) ::munmap(consumer_, page_);
}

}  // namespace btc::rt
