// What code processes map, recorded while they run: user addresses of processes that end at once can be named by it, when
// /proc/PID/maps is gone.
//
// The kernel tells it of every process by records beside those of a perf event that counts nothing (PERF_RECORD_MMAP2, 3.12): a mapping,
// a fork, an exec. They are kept as they come, up to a limit; the mappings of one process are put together when somebody asks. What a
// process had mapped before the log was opened is not in it, nor are unmappings. Where perf events are not allowed the log stays empty.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime-stub/src/event_loop.h"
#include "runtime-stub/src/output/code_mapping.h"
#include "runtime-stub/src/support.h"

namespace btc::rt {

class MappingLog {
 public:
  MappingLog() = default;
  MappingLog(const MappingLog&) = delete;
  MappingLog& operator=(const MappingLog&) = delete;
  ~MappingLog();
  // `with_news`: the loop wakes at once for each record, and take_news() tells of it.
  void open(EventLoop& loop, bool with_news);
  // Reads what the kernel has recorded, before its buffers are full.
  void drain();
  // A process that mapped something, became another program, or (with `parent`, else 0) was forked.
  struct News { int32_t pid, parent; };
  std::vector<News> take_news() { return std::move(news_); }
  // Changes whenever something new is known of `pid` (and sometimes besides).
  uint32_t stamp(int32_t pid) { return drain(), stamps_[static_cast<uint32_t>(pid) % kStamps]; }
  // Adds what `pid` mapped since its last exec and returns 0. Without an exec it also has what `pid`, or the oldest parent that is known, had mapped
  // before the log was opened: that process is returned.
  int32_t mappings_of(int32_t pid, CodeMappings* out) const { return collect(pid, UINT64_MAX, 0, out); }

 private:
  static constexpr uint32_t kStamps = 1024;
  enum class Kind : uint32_t { Map, Exec, Fork };
  struct Entry {
    uint64_t time;
    int32_t pid;
    Kind kind;
    uint64_t start, end, offset, device, inode;  // of a mapping
    uint32_t path;                               // index into paths_
    int32_t parent;                              // of a fork
  };
  struct Ring { Fd event; uint8_t* pages; };
  void read_ring(const Ring& ring);
  void add(const uint8_t* record, uint32_t size);
  uint32_t path_number(std::string_view path);
  void make_room();
  int32_t collect(int32_t pid, uint64_t before, int depth, CodeMappings* out) const;

  std::vector<Ring> rings_;
  uint64_t page_ = 0, bytes_ = 0;                // of a ring: its first page, its data
  std::vector<Entry> entries_, fresh_;           // by time; what is being read
  std::map<std::string, uint32_t, std::less<>> numbers_;
  std::vector<std::string> paths_;
  std::vector<uint8_t> record_;                  // one that goes over the end of its ring
  uint32_t stamps_[kStamps] = {};                // by process ids
  bool with_news_ = false;
  std::vector<News> news_;
};

}  // namespace btc::rt
