// Tracepoint records: reading a `format` file, naming the BTF struct of the
// same layout, and the profile part that stores them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/profile/btf_set.h"
#include "frontend/profile/profile.h"

namespace btc {

// Text of events/CATEGORY/EVENT/format. The common_ fields are left out. False if it is no format file.
bool parse_format(std::string_view text, TracepointRecord* out);

// Which trace_event_raw_* struct has a record's layout.
class RecordClasses {
 public:
  explicit RecordClasses(BtfSet& set);
  // Sets record_class and module. Syscall tracepoints have no struct: their layout is the same everywhere.
  void assign(TracepointRecord& record) const;

 private:
  struct Class { std::string name, module; };
  std::map<std::string, std::vector<Class>> by_layout_;
};

// The "records" part: u32 count, then count × (u32 name offset, u32 body offset), sorted by "category:event", then the strings.
// A body is lines: "module\tclass", then per field "type\tname\toffset\tsize\tsigned".
std::string write_records(const std::vector<TracepointRecord>& records);
class RecordIndex {
 public:
  bool open(std::string_view part);
  size_t size() const { return count_; }
  std::string_view name(size_t i) const { return text(i, 0); }
  // False if the body is damaged.
  bool read(size_t i, TracepointRecord* out) const;

 private:
  std::string_view text(size_t i, size_t column) const;
  std::string_view part_;
  size_t count_ = 0;
};

}  // namespace btc
