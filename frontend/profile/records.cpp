#include "frontend/profile/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "frontend/profile/container.h"

namespace btc {
namespace {

// Cuts off and returns the text up to `separator`; all of it if there is none.
std::string_view cut(std::string_view& text, char separator) {
  size_t end = text.find(separator);
  std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return head;
}

uint32_t number(std::string_view text) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "field:__data_loc char[] name" / "field:unsigned long args[6]": the array part belongs to the type.
void split_declaration(std::string_view declaration, RecordField* field) {
  std::string_view suffix;
  if (declaration.ends_with("]")) {
    size_t open = declaration.rfind('[');
    if (open != std::string_view::npos) {
      suffix = declaration.substr(open);
      declaration = trim(declaration.substr(0, open));
    }
  }
  size_t begin = declaration.size();
  while (begin > 0 && (std::isalnum(static_cast<unsigned char>(declaration[begin - 1])) || declaration[begin - 1] == '_')) --begin;
  field->name = std::string(declaration.substr(begin));
  field->type = std::string(trim(declaration.substr(0, begin))) + std::string(suffix);
}

bool parse_field(std::string_view line, RecordField* field) {
  line = trim(line);
  if (!line.starts_with("field:")) return false;
  line.remove_prefix(6);
  split_declaration(trim(cut(line, ';')), field);
  while (!line.empty()) {
    std::string_view item = trim(cut(line, ';'));
    std::string_view key = cut(item, ':');
    if (key == "offset") field->offset = number(item);
    if (key == "size") field->size = number(item);
    if (key == "signed") field->is_signed = number(item) != 0;
  }
  return !field->name.empty();
}

}  // namespace

bool parse_format(std::string_view text, TracepointRecord* out) {
  bool named = false;
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (line.starts_with("name: ")) {
      out->event = std::string(trim(line.substr(6)));
      named = true;
    } else if (line.starts_with("print fmt:")) {
      break;
    }
    RecordField field;
    if (parse_field(line, &field) && !field.name.starts_with("common_")) out->fields.push_back(std::move(field));
  }
  return named;
}

RecordClasses::RecordClasses(BtfSet& set) {
  constexpr std::string_view kPrefix = "trace_event_raw_";
  set.each([&](BtfRef ref, const btf_type* type, const std::string& module) {
    if (!btf_is_struct(type)) return;
    std::string_view name = btf_name(ref, type->name_off);
    if (!name.starts_with(kPrefix)) return;
    std::string layout;
    const btf_member* member = btf_members(type);
    for (uint32_t i = 0; i < btf_vlen(type); ++i, ++member) {
      std::string_view field = btf_name(ref, member->name_off);
      if (field == "ent" || field == "__data") continue;  // the common header; where dynamic data begins
      // A dynamic field is `name` in the format file and `__data_loc_name` in the struct.
      for (std::string_view prefix : {"__data_loc_", "__rel_loc_"})
        if (field.starts_with(prefix)) field.remove_prefix(prefix.size());
      layout += fmt::format("{}@{};", field, btf_member_bit_offset(type, i) / 8);
    }
    by_layout_[layout].push_back({std::string(name), module});
  });
}

void RecordClasses::assign(TracepointRecord& record) const {
  record.record_class.clear();
  record.module.clear();
  if (record.category == "syscalls") return;
  std::string layout;
  for (const RecordField& field : record.fields) layout += fmt::format("{}@{};", field.name, field.offset);
  auto it = by_layout_.find(layout);
  if (it == by_layout_.end()) return;
  // Several classes may share a layout: the event's own name first, then the longest common prefix with it, then order.
  const Class* best = nullptr;
  size_t best_score = 0;
  for (const Class& candidate : it->second) {
    std::string_view name = std::string_view(candidate.name).substr(16);
    size_t common = 0;
    while (common < name.size() && common < record.event.size() && name[common] == record.event[common]) ++common;
    size_t score = name == record.event ? SIZE_MAX : common + 1;
    if (score > best_score) best = &candidate, best_score = score;
  }
  record.record_class = best->name;
  record.module = best->module;
}

std::string write_records(const std::vector<TracepointRecord>& records) {
  std::map<std::string, const TracepointRecord*> sorted;
  for (const TracepointRecord& record : records) sorted[record.category + ":" + record.event] = &record;
  std::string index, strings;
  uint32_t base = static_cast<uint32_t>(4 + sorted.size() * 8);
  put_u32(index, static_cast<uint32_t>(sorted.size()));
  for (const auto& [name, record] : sorted) {
    put_u32(index, base + static_cast<uint32_t>(strings.size()));
    strings += name;
    strings += '\0';
    put_u32(index, base + static_cast<uint32_t>(strings.size()));
    strings += fmt::format("{}\t{}\n", record->module, record->record_class);
    for (const RecordField& field : record->fields)
      strings += fmt::format("{}\t{}\t{}\t{}\t{}\n", field.type, field.name, field.offset, field.size, field.is_signed ? 1 : 0);
    strings += '\0';
  }
  return index + strings;
}

bool RecordIndex::open(std::string_view part) {
  if (part.size() < 4) return false;
  uint64_t count = get_u32(part.data());
  if (4 + count * 8 > part.size()) return false;
  part_ = part;
  count_ = count;
  return true;
}

std::string_view RecordIndex::text(size_t i, size_t column) const {
  uint32_t offset = get_u32(part_.data() + 4 + i * 8 + column * 4);
  if (offset >= part_.size()) return {};
  std::string_view rest = part_.substr(offset);
  return rest.substr(0, rest.find('\0'));
}

bool RecordIndex::read(size_t i, TracepointRecord* out) const {
  std::string_view key = name(i), body = text(i, 1);
  out->category = std::string(cut(key, ':'));
  out->event = std::string(key);
  std::string_view head = cut(body, '\n');
  out->module = std::string(cut(head, '\t'));
  out->record_class = std::string(head);
  while (!body.empty()) {
    std::string_view line = cut(body, '\n');
    RecordField field;
    field.type = std::string(cut(line, '\t'));
    field.name = std::string(cut(line, '\t'));
    field.offset = number(cut(line, '\t'));
    field.size = number(cut(line, '\t'));
    field.is_signed = line == "1";
    if (field.name.empty()) return false;
    out->fields.push_back(std::move(field));
  }
  return true;
}

}  // namespace btc
