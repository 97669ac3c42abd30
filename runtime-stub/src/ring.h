// Consumer of the BPF ring buffer: both ends in shared memory, woken through
// epoll on the map's descriptor. Records are handed out in place, in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <linux/bpf.h>
#include <string>

namespace btc::rt {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();
  bool open(int map_fd, uint32_t size, std::string* error);

  // fn(data, size) for every record that is there; stops early when it returns false. Returns whether anything was read.
  template <typename Fn>
  bool drain(Fn&& fn) {
    bool any = false;
    uint64_t at = consumer_->load(std::memory_order_acquire);
    while (at < producer_->load(std::memory_order_acquire)) {
      auto* header = reinterpret_cast<std::atomic<uint32_t>*>(data_ + (at & mask_));
      uint32_t length = header->load(std::memory_order_acquire);
      if (length & BPF_RINGBUF_BUSY_BIT) break;          // reserved and not yet submitted: keep the order
      uint32_t size = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
      bool go_on = true;
      if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
        any = true;
        go_on = fn(data_ + (at & mask_) + BPF_RINGBUF_HDR_SZ, size);
      }
      at += (size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
      consumer_->store(at, std::memory_order_release);
      if (!go_on) break;
    }
    return any;
  }

 private:
  std::atomic<uint64_t>* consumer_ = nullptr;
  std::atomic<uint64_t>* producer_ = nullptr;
  uint8_t* data_ = nullptr;
  uint64_t mask_ = 0;
  size_t page_ = 0, mapped_ = 0;
};

}  // namespace btc::rt
