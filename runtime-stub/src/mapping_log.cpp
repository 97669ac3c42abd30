// Reads perf's side-band records; see mapping_log.h.
#include "runtime-stub/src/mapping_log.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

constexpr size_t kMostEntries = 1 << 14, kMostPaths = 1 << 12;
constexpr uint64_t kPages = 8, kManyCpus = 64;   // a page per CPU where there are many

// The kernel's records (include/uapi/linux/perf_event.h). The time follows at the end of each, as the event asks for it.
struct MapRecord {
  perf_event_header header;
  uint32_t pid, tid;
  uint64_t start, bytes, offset;
  uint32_t major, minor;
  uint64_t inode, generation;
  uint32_t protection, flags;
  char path[];
};
struct TaskRecord {
  perf_event_header header;
  uint32_t pid, parent, tid, parent_tid;
};

}  // namespace

MappingLog::~MappingLog() {
  for (Ring& ring : rings_) ::munmap(ring.pages, page_ + bytes_);
}

void MappingLog::open(EventLoop& loop, bool with_news) {
  with_news_ = with_news;
  std::vector<int> cpus = online_cpus();
  page_ = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  bytes_ = (cpus.size() > kManyCpus ? 1 : kPages) * page_;
  perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.sample_type = PERF_SAMPLE_TIME;
  attr.sample_id_all = attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = attr.exclude_kernel = 1;
  attr.use_clockid = 1;                          // the same clock on every CPU: processes move between them
  attr.clockid = CLOCK_MONOTONIC;
  attr.watermark = 1;
  attr.wakeup_watermark = with_news ? 1 : static_cast<uint32_t>(bytes_ / 2);
  for (int cpu : cpus) {
    Fd event(sys::perf_open(&attr, -1, cpu));
    if (!event) continue;
    void* pages = ::mmap(nullptr, page_ + bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, event.get(), 0);
    if (pages == MAP_FAILED) continue;
    loop.watch(event.get());
    rings_.push_back({std::move(event), static_cast<uint8_t*>(pages)});
  }
}

uint32_t MappingLog::path_number(std::string_view path) {
  auto found = numbers_.find(path);
  if (found != numbers_.end()) return found->second;
  paths_.emplace_back(path);
  return numbers_[paths_.back()] = static_cast<uint32_t>(paths_.size() - 1);
}

// What came first is forgotten.
void MappingLog::make_room() {
  if (entries_.size() > kMostEntries) entries_.erase(entries_.begin(), entries_.end() - kMostEntries / 2);
  if (paths_.size() <= kMostPaths) return;
  entries_.clear();
  numbers_.clear();
  paths_.clear();
}

void MappingLog::add(const uint8_t* record, uint32_t size) {
  perf_event_header header;
  Entry entry{};
  memcpy(&header, record, sizeof header);
  if (size < sizeof(TaskRecord) + sizeof entry.time) return;
  memcpy(&entry.time, record + size - sizeof entry.time, sizeof entry.time);
  if (header.type == PERF_RECORD_MMAP2 && size > sizeof(MapRecord) + sizeof entry.time) {
    auto* map = reinterpret_cast<const MapRecord*>(record);
    std::string_view path(map->path, ::strnlen(map->path, size - sizeof(MapRecord) - sizeof entry.time));
    entry.pid = static_cast<int32_t>(map->pid);
    entry.kind = Kind::Map;
    entry.start = map->start;
    entry.end = map->start + map->bytes;
    entry.offset = map->offset;
    entry.device = uint64_t{map->major} << 32 | map->minor;
    entry.inode = map->inode;
    entry.path = path_number(path);
  } else if (header.type == PERF_RECORD_FORK) {
    auto* task = reinterpret_cast<const TaskRecord*>(record);
    if (task->pid == task->parent) return;       // a thread
    entry.pid = static_cast<int32_t>(task->pid);
    entry.kind = Kind::Fork;
    entry.parent = static_cast<int32_t>(task->parent);
  } else if (header.type == PERF_RECORD_COMM && (header.misc & PERF_RECORD_MISC_COMM_EXEC) != 0) {
    memcpy(&entry.pid, record + sizeof header, sizeof entry.pid);
    entry.kind = Kind::Exec;
  } else {
    return;
  }
  fresh_.push_back(entry);
  ++stamps_[static_cast<uint32_t>(entry.pid) % kStamps];
}

void MappingLog::read_ring(const Ring& ring) {
  auto* page = reinterpret_cast<perf_event_mmap_page*>(ring.pages);
  const uint8_t* data = ring.pages + page_;
  uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), tail = page->data_tail;
  while (tail < head) {
    uint64_t at = tail & (bytes_ - 1);
    perf_event_header header;                    // records are multiples of 8 bytes: never cut
    memcpy(&header, data + at, sizeof header);
    if (header.size < sizeof header) break;
    const uint8_t* record = data + at;
    if (at + header.size > bytes_) {
      record_.assign(record, data + bytes_);
      record_.insert(record_.end(), data, data + (at + header.size - bytes_));
      record = record_.data();
    }
    add(record, header.size);
    tail += header.size;
  }
  __atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

void MappingLog::drain() {
  for (const Ring& ring : rings_) read_ring(ring);
  if (fresh_.empty()) return;
  std::sort(fresh_.begin(), fresh_.end(), [](const Entry& a, const Entry& b) { return a.time < b.time; });   // each ring is in order
  if (with_news_)
    for (const Entry& entry : fresh_) news_.push_back({entry.pid, entry.parent});
  entries_.insert(entries_.end(), fresh_.begin(), fresh_.end());
  fresh_.clear();
  make_room();
}

int32_t MappingLog::collect(int32_t pid, uint64_t before, int depth, CodeMappings* out) const {
  constexpr int kMostParents = 16;
  int32_t oldest = pid;
  for (const Entry& entry : entries_) {
    if (entry.pid != pid || entry.time >= before) continue;
    if (entry.kind != Kind::Map) {
      out->clear();
      oldest = entry.kind == Kind::Fork && depth < kMostParents ? collect(entry.parent, entry.time, depth + 1, out) : 0;
      continue;
    }
    std::erase_if(*out, [&](const CodeMapping& old) { return old.start < entry.end && entry.start < old.end; });
    CodeMapping mapping{entry.start, entry.end, entry.offset, entry.device, entry.inode, paths_[entry.path]};
    out->insert(std::upper_bound(out->begin(), out->end(), mapping.start, [](uint64_t start, const CodeMapping& m) { return start < m.start; }), std::move(mapping));
  }
  return oldest;
}

}  // namespace btc::rt
