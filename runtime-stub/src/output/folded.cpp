// Folded stacks; see folded.h.
#include "runtime-stub/src/output/folded.h"

#include <algorithm>
#include <numeric>

#include "runtime-stub/src/output/append.h"

namespace btc::rt {

static bool is_stack(Kind kind) { return kind == Kind::KStack || kind == Kind::UStack; }

bool has_stack(const Types& types, const TypeInfo& type) {
  if (is_stack(type.kind)) return true;
  if (type.kind != Kind::Tuple && type.kind != Kind::AnonRecord) return false;
  return std::any_of(type.members.begin(), type.members.end(), [&](const Member& member) { return has_stack(types, types[member.type]); });
}

// `;` separates frames and a line break ends the line: neither may be part of a frame.
static void append_frame(std::string& out, std::string_view frame) {
  if (!out.empty()) out += ';';
  for (char c : frame) out += c == ';' ? ':' : c == '\n' || c == '\r' ? ' ' : c;
}

static void append_frames(std::string& out, Render& render, Value value) {
  bool user = value.type->kind == Kind::UStack;
  if (static_cast<StackMode>(value.type->stack_mode) == StackMode::BuildId) {
    // Only the place in the file is known.
    std::string text;
    append_stack(text, render, value, true);
    std::vector<std::string_view> lines;
    for (size_t at = 0; at < text.size();) {
      size_t end = std::min(text.find('\n', at), text.size());
      if (end > at) lines.push_back(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) append_frame(out, *line);
    return;
  }
  const uint8_t* frames = value.data + (user ? 16 : 8);
  uint64_t room = (value.type->size - (user ? 16 : 8)) / 8, count = std::min<uint64_t>(read_as<uint64_t>(frames - 8), room);
  for (uint64_t i = count; i-- > 0;) {
    uint64_t addr = read_as<uint64_t>(frames + i * 8);
    std::string name;
    if (user)
      render.user_symbols.append(name, addr, read_as<int32_t>(value.data), read_as<int32_t>(value.data + 4), false, false);
    else
      render.kernel_symbols.append(name, addr, false);
    // Addresses without a name would make one box each.
    if (name == "0" || name.compare(0, 2, "0x") == 0) name = "[unknown]";
    if (!user) name += "_[k]";
    append_frame(out, name);
  }
}

enum class Part : uint8_t { Words, UserFrames, KernelFrames };

// The members of the key that belong to `part`, in the key's order.
static void append_part(std::string& out, Render& render, Value key, Part part) {
  Kind kind = key.type->kind;
  if (has_stack(render.types, *key.type) && !is_stack(kind)) {
    for (const Member& member : key.type->members) append_part(out, render, {&render.types[member.type], key.data + member.offset}, part);
  } else if (is_stack(kind)) {
    if (part == (kind == Kind::UStack ? Part::UserFrames : Part::KernelFrames)) append_frames(out, render, key);
  } else if (part == Part::Words) {
    std::string text;
    append_text(text, render, key);
    append_frame(out, text);
  }
}

static int64_t weight(const TypeInfo& type, const MapRow& row, uint32_t div) {
  switch (type.kind) {
    case Kind::Hist: case Kind::LHist: return static_cast<int64_t>(std::accumulate(row.buckets.begin(), row.buckets.end(), uint64_t{0}));
    case Kind::Stats: case Kind::Avg: return static_cast<int64_t>(row.aggregate.total);
    case Kind::TSeries: return 0;
    default: return static_cast<int64_t>(divide(row.aggregate.value, div, type.is_signed));
  }
}

void append_map_folded(std::string& out, Render& render, const MapImage& image, uint32_t div, bool with_name) {
  const MapInfo& info = *image.info;
  for (const MapRow& row : image.rows) {
    int64_t number = weight(*info.value, row, div ? div : 1);
    if (number <= 0) continue;
    std::string line;
    if (with_name) append_frame(line, info.name);
    Value key{info.key, image.entries.key(row.entry)};
    for (Part part : {Part::Words, Part::UserFrames, Part::KernelFrames}) append_part(line, render, key, part);
    if (line.empty()) continue;
    out += line;
    out += ' ';
    append_dec(out, number);
    out += '\n';
  }
}

}  // namespace btc::rt
