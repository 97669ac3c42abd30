// Packet capture files; see pcap.h. Each packet is one write, so that a reader can follow the file.
#include "runtime-stub/src/output/pcap.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace btc::rt {

namespace {
struct FileHeader { uint32_t magic = 0xa1b2c3d4; uint16_t major = 2, minor = 4; int32_t zone = 0; uint32_t accuracy = 0, limit = 65535, link = 101; };
struct PacketHeader { uint32_t seconds, microseconds, captured, length; };
static_assert(sizeof(FileHeader) == 24 && sizeof(PacketHeader) == 16);
}  // namespace

PcapFile::~PcapFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool PcapFile::open(const std::string& file) {
  fd_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  FileHeader header;
  return fd_ >= 0 && ::write(fd_, &header, sizeof header) == sizeof header;
}

bool PcapFile::write(int64_t wall_nsecs, const uint8_t* packet, uint32_t size) {
  PacketHeader header{static_cast<uint32_t>(wall_nsecs / 1'000'000'000), static_cast<uint32_t>(wall_nsecs / 1000 % 1'000'000), size, size};
  iovec parts[] = {{&header, sizeof header}, {const_cast<uint8_t*>(packet), size}};
  return ::writev(fd_, parts, 2) == static_cast<ssize_t>(sizeof header + size);
}

}  // namespace btc::rt
