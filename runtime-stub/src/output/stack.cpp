// Stacks: frames from the innermost out, in the four modes.
//
//   bpftrace  "        vfs_read+24\n"          perf  "\tffffffff8123 vfs_read+24 (module)\n"
//   raw       "ffffffff8123\n"                 build_id  "<40 hex digits> 0x<offset>\n"
#include <algorithm>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/render.h"

namespace btc::rt {

static constexpr std::string_view kIndent = "        ";
static constexpr uint64_t kUnwindFailure = ~0ull;

// struct bpf_stack_build_id of the kernel: i32 status; u8 build_id[20]; u64 offset or ip.
static constexpr size_t kBuildIdFrame = 32, kBuildIdBytes = 20;
static constexpr int32_t kBuildIdValid = 1;

static void append_build_id_frame(std::string& out, const uint8_t* frame) {
  uint64_t offset = read_as<uint64_t>(frame + 24);
  if (read_as<int32_t>(frame) != kBuildIdValid) {
    append_hex(out, offset);
    out += '\n';
    return;
  }
  for (size_t i = 0; i < kBuildIdBytes; i++) append_hex_byte(out, frame[4 + i]);
  out += " 0x";
  size_t start = out.size();
  append_hex(out, offset);
  pad_left(out, start, 2, '0');
  out += '\n';
}

void append_stack(std::string& out, Render& render, Value value, bool compact) {
  bool user = value.type->kind == Kind::UStack;
  auto mode = static_cast<StackMode>(value.type->stack_mode);
  const uint8_t* frames = value.data + (user ? 16 : 8);
  size_t room = value.type->size - (user ? 16 : 8), frame_size = mode == StackMode::BuildId ? kBuildIdFrame : 8;
  uint64_t count = std::min<uint64_t>(read_as<uint64_t>(frames - 8), room / frame_size);
  int32_t pid = user ? read_as<int32_t>(value.data) : -1, probe = user ? read_as<int32_t>(value.data + 4) : -1;
  std::string_view indent = compact ? std::string_view() : kIndent;
  out += '\n';
  for (uint64_t i = 0; i < count; i++) {
    const uint8_t* frame = frames + i * frame_size;
    if (mode == StackMode::BuildId) {
      append_build_id_frame(out, frame);
      continue;
    }
    uint64_t addr = read_as<uint64_t>(frame);
    if (addr == kUnwindFailure) {
      out += indent;
      out += "<unwind failure>\n";
      break;
    }
    if (mode == StackMode::Raw) {
      append_hex(out, addr);
      out += '\n';
      continue;
    }
    std::string prefix(indent);
    if (mode == StackMode::Perf) {
      prefix = "\t";
      append_hex(prefix, addr);
      prefix += ' ';
    }
    if (user) {
      render.user_symbols.append_frame(out, prefix, addr, pid, probe, i > 0, mode == StackMode::Perf);
      continue;
    }
    out += prefix;
    render.kernel_symbols.append(out, addr, true);
    out += '\n';
  }
}

}  // namespace btc::rt
