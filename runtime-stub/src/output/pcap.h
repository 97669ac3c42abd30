// A packet capture file as tcpdump reads it: link type RAW (IP packets), microseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace btc::rt {

class PcapFile {
 public:
  ~PcapFile();
  bool open(const std::string& file);          // false: errno
  bool write(int64_t wall_nsecs, const uint8_t* packet, uint32_t size);

 private:
  int fd_ = -1;
};

}  // namespace btc::rt
