// The loader on libbpf 1.1.
//
// libbpf parses the object, creates the maps and relocates; it never loads a
// program of ours. Every section is registered with a handler whose prepare
// hook runs when a program is relocated and about to be loaded: there the
// copies are made, edited and loaded with bpf_prog_load, and libbpf is left
// with a two-instruction stand-in. So N copies of one template share one
// relocation, the verifier's log is ours, and libbpf does not read the
// kernel's BTF (5 MB) for attach targets that we resolve ourselves.
//
// When all CO-RE records belong to accesses of tracepoint records, which are
// patched from the target's format files, they are dropped from the memory
// copy: then the kernel's BTF is not read at all.
//
// Programs of imported C are loaded by libbpf alone: foreign_programs.h.
#include "runtime-stub/src/loader.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <linux/bpf.h>
#include <unistd.h>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/foreign_programs.h"
#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/session_merge.h"

namespace btc::rt {
namespace {

struct Copy {
  CopyRequest request;
  Fd fd;
  ProgramCode entry, exit;                     // halves of a session, until both are relocated
};

// Section prefixes of our programs; libbpf's '+' means "this or this/anything".
constexpr const char* kSections[] = {"raw_tp+", "tracepoint+", "tp_btf+", "kprobe+", "kretprobe+", "kprobe.multi+", "kretprobe.multi+",
  "kprobe.session+", "uprobe+", "uretprobe+", "uprobe.s+", "uretprobe.s+", "uprobe.multi+", "uretprobe.multi+", "uprobe.multi.s+",
  "uretprobe.multi.s+", "usdt+", "usdt.s+", "fentry+", "fexit+", "fentry.s+", "fexit.s+", "perf_event+", "iter+", "iter.s+", "xdp+",
  "tp+", "raw_tracepoint+"};

class LibbpfLoader;
LibbpfLoader* g_loading = nullptr;             // the loader whose object is being loaded
std::string* g_messages = nullptr;             // libbpf's warnings while it works
bool g_show_debug = false;                     // -vvv: what libbpf says goes to stderr at once

// What libbpf found no counterpart for in the kernel's types; it says so only among its debug messages, in two lines:
// "... prog 'p': relo #4: <byte_off> [9] struct cfs_rq.nr_queued (0:1 @ offset 4)", "... prog 'p': relo #4: substituting insn #7 w/ ...".
struct LackingType { std::string program, name; uint64_t insn; };
std::string g_last_relocation;
std::vector<LackingType> g_lacking;

std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  size_t from = text.find(before);
  if (from == std::string_view::npos) return {};
  text.remove_prefix(from + before.size());
  return text.substr(0, text.find(after));
}

void keep_relocation(std::string_view line) {
  uint64_t insn;
  if (line.find("substituting insn #") == std::string_view::npos) g_last_relocation = line;
  else if (parse_u64(between(line, "substituting insn #", " "), &insn))
    g_lacking.push_back({std::string(between(line, "prog '", "'")), std::string(between(g_last_relocation, "] ", " (")), insn});
}

int keep_message(libbpf_print_level level, const char* format, va_list args) {
  constexpr std::string_view kSpec = "relo #%d: %s\n", kPoison = "relo #%d: substituting insn";
  std::string_view text(format);
  bool relocation = level == LIBBPF_DEBUG && g_messages != nullptr && (text.ends_with(kSpec) || text.find(kPoison) != std::string_view::npos);
  if (g_messages == nullptr || (level == LIBBPF_DEBUG && !relocation && !g_show_debug)) return 0;
  char line[1024];
  int n = vsnprintf(line, sizeof line, format, args);
  if (n <= 0) return 0;
  std::string_view said(line, std::min(static_cast<size_t>(n), sizeof line - 1));
  if (g_show_debug && level == LIBBPF_DEBUG) write_all(STDERR_FILENO, cat("libbpf: ", said));
  if (relocation) keep_relocation(said);
  else if (level != LIBBPF_DEBUG) g_messages->append(said);
  return 0;
}

// Which of them the verifier met: its last lines are "7: (85) call unknown#195896080" and the complaint about it.
std::string lacking_at(std::string_view program, std::string_view log) {
  size_t at = log.rfind(": (85) call unknown#195896080");
  uint64_t insn;
  if (at == std::string_view::npos || !parse_u64(log.substr(log.rfind('\n', at) + 1, at - log.rfind('\n', at) - 1), &insn)) return {};
  for (const LackingType& lacking : g_lacking)
    if (lacking.program == program && lacking.insn == insn) return lacking.name;
  return {};
}

class LibbpfLoader final : public Loader {
 public:
  LibbpfLoader(const Artifact& artifact, const LoaderOptions& options) : artifact_(artifact), options_(options) { g_show_debug = options.verbose >= 3; }
  ~LibbpfLoader() override { if (object_ != nullptr) bpf_object__close(object_); }

  bool open(LoadFailure* failure);
  bool has_map(std::string_view name) const override { return find_map(name) != nullptr; }
  bool set_map_entries(std::string_view name, uint32_t entries) override {
    bpf_map* map = find_map(name);
    return map != nullptr && bpf_map__set_max_entries(map, entries) == 0;
  }
  uint8_t* facts(size_t* size) override;
  uint32_t add(CopyRequest request) override {
    copies_.emplace_back().request = std::move(request);
    return static_cast<uint32_t>(copies_.size() - 1);
  }
  bool load(LoadFailure* failure) override;
  int map_fd(std::string_view name) const override {
    bpf_map* map = find_map(name);
    return map != nullptr ? bpf_map__fd(map) : -1;
  }
  int copy_fd(uint32_t copy) const override { return copies_[copy].fd.get(); }

  Attached attach_foreign(uint32_t index, std::string* why) override {
    return foreign_->attach(artifact_.manifest->foreign_programs()->Get(index)->name()->string_view(), why);
  }
  void detach_foreign() override {
    if (foreign_ != nullptr) foreign_->detach();
  }

  int load_copies(bpf_program* program, bpf_prog_load_opts* opts);

 private:
  bpf_map* find_map(std::string_view name) const { return bpf_object__find_map_by_name(object_, std::string(name).c_str()); }
  void drop_core_records();
  int load_code(const char* name, ProgramCode& code, const bpf_prog_load_opts& base, Copy& copy);
  int load_copy(const char* name, const bpf_prog_load_opts& base, Copy& copy);
  void find_place(const ProgramCode& code, std::string_view log);
  void report(std::string_view name, const CopyRequest& request, int error, std::string_view log);

  const Artifact& artifact_;
  LoaderOptions options_;
  std::vector<uint8_t> memory_;                // our copy of the object
  bpf_object* object_ = nullptr;
  std::vector<Copy> copies_;
  std::unique_ptr<ForeignPrograms> foreign_;
  LoadFailure* failure_ = nullptr;
  std::string messages_;
};

int prepare(bpf_program* program, bpf_prog_load_opts* opts, long) { return g_loading->load_copies(program, opts); }

// libbpf's handlers are the process's: ours are there from open() to load(), which follow each other.
int g_handlers[std::size(kSections)];

void unregister_sections() {
  for (int& handler : g_handlers) {
    if (handler > 0) libbpf_unregister_prog_handler(handler);
    handler = 0;
  }
}

void register_sections() {
  // libbpf before 1.2.2 frees its table of handlers twice when the last one goes: this one stays.
  [[maybe_unused]] static const int kept = libbpf_register_prog_handler("btc.kept", BPF_PROG_TYPE_RAW_TRACEPOINT, static_cast<bpf_attach_type>(0), nullptr);
  unregister_sections();                       // of a loader that was given up
  libbpf_set_print(keep_message);
  for (size_t i = 0; i < std::size(kSections); ++i) {
    libbpf_prog_handler_opts opts{};
    opts.sz = sizeof opts;
    opts.prog_prepare_load_fn = prepare;
    g_handlers[i] = libbpf_register_prog_handler(kSections[i], BPF_PROG_TYPE_RAW_TRACEPOINT, static_cast<bpf_attach_type>(0), &opts);
  }
}

// .BTF.ext: header { u16 magic; u8 version, flags; u32 hdr_len, func_off, func_len, line_off, line_len, core_off, core_len }.
void LibbpfLoader::drop_core_records() {
  ElfImage elf{Bytes(memory_)};
  int index = elf.find_section(".BTF.ext");
  if (index < 0) return;
  Bytes bytes = elf.section_bytes(static_cast<uint32_t>(index));
  if (bytes.size() < 32) return;
  uint32_t header_size;
  memcpy(&header_size, bytes.data() + 4, 4);
  if (header_size >= 32) memset(const_cast<uint8_t*>(bytes.data()) + 28, 0, 4);
}

bool LibbpfLoader::open(LoadFailure* failure) {
  register_sections();
  memory_.assign(artifact_.object.begin(), artifact_.object.end());
  if (artifact_.manifest->core_relocations() == 0) drop_core_records();
  bpf_object_open_opts opts{};
  opts.sz = sizeof opts;
  opts.object_name = "btc";
  if (!options_.btf_path.empty()) opts.btf_custom_path = options_.btf_path.c_str();
  g_messages = &messages_;
  object_ = bpf_object__open_mem(memory_.data(), memory_.size(), &opts);
  g_messages = nullptr;
  if (object_ != nullptr) return true;
  failure->error = errno;
  failure->message = cat("the object cannot be opened: ", error_text(errno));
  failure->log = messages_;
  return false;
}

uint8_t* LibbpfLoader::facts(size_t* size) {
  const ElfImage& elf = artifact_.elf;
  int symbols = elf.find_section_type(SHT_SYMTAB);
  if (symbols < 0) return nullptr;
  uint8_t* found = nullptr;
  elf.for_each_symbol(static_cast<uint32_t>(symbols), [&](std::string_view name, const Elf64_Sym& symbol) {
    if (name != abi::kFactsSymbol || symbol.st_shndx >= elf.section_count()) return true;
    // An object may have several sections of one name; the map with the section's very bytes is the one.
    Bytes section = elf.section_bytes(symbol.st_shndx);
    if (symbol.st_value > section.size() || symbol.st_size > section.size() - symbol.st_value) return false;
    uint8_t* data = nullptr;
    bpf_map* map;
    bpf_object__for_each_map(map, object_) {
      if (std::string_view(bpf_map__name(map)).ends_with(".bss")) continue;
      size_t bytes = 0;
      auto* value = static_cast<uint8_t*>(const_cast<void*>(bpf_map__initial_value(map, &bytes)));
      if (value != nullptr && bytes == section.size() && memcmp(value, section.data(), bytes) == 0) data = value;
    }
    if (data == nullptr) return false;
    found = data + symbol.st_value;
    *size = symbol.st_size;
    return false;
  });
  return found;
}

void apply(std::vector<bpf_insn>& insns, const InsnEdit& edit) {
  if (edit.insn >= insns.size()) return;
  bpf_insn& insn = insns[edit.insn];
  switch (edit.what) {
    case InsnEdit::Restore: memcpy(&insn, &edit.value, sizeof insn); break;
    case InsnEdit::Offset: insn.off = static_cast<int16_t>(edit.value); break;
    case InsnEdit::Imm: insn.imm = static_cast<int32_t>(edit.value); break;
    case InsnEdit::Opcode: insn.code = static_cast<uint8_t>(edit.value); break;
    case InsnEdit::Size: {
      uint8_t size = edit.value == 1 ? BPF_B : edit.value == 2 ? BPF_H : edit.value == 4 ? BPF_W : BPF_DW;
      insn.code = static_cast<uint8_t>((insn.code & ~0x18) | size);
      break;
    }
    case InsnEdit::Imm64:
      if (insn.code != (BPF_LD | BPF_IMM | BPF_DW) || edit.insn + 1 >= insns.size()) break;
      insn.src_reg = 0;
      insn.imm = static_cast<int32_t>(edit.value);
      insns[edit.insn + 1].imm = static_cast<int32_t>(edit.value >> 32);
      break;
  }
}

// The program as libbpf has relocated it, subprograms behind its own instructions.
ProgramCode code_of(const bpf_program* program, const bpf_prog_load_opts& opts) {
  ProgramCode code;
  const bpf_insn* first = bpf_program__insns(program);
  code.insns.assign(first, first + bpf_program__insn_cnt(program));
  auto copy = [](const void* from, uint32_t count, uint32_t size, auto* to) {
    to->resize(from != nullptr ? count : 0);
    for (uint32_t i = 0; i < to->size(); ++i)
      memcpy(&(*to)[i], static_cast<const uint8_t*>(from) + size_t{i} * size, std::min<size_t>(size, sizeof (*to)[i]));
  };
  copy(opts.func_info, opts.func_info_cnt, opts.func_info_rec_size, &code.functions);
  copy(opts.line_info, opts.line_info_cnt, opts.line_info_rec_size, &code.lines);
  return code;
}

// Where a program, or what it calls, chooses between typed and guarded reads.
std::vector<uint32_t> read_choices(const std::vector<bpf_insn>& insns) {
  std::vector<uint32_t> found;
  constexpr uint64_t kMark = abi::kCopyConstMagic | abi::kCopyTypedReads;
  for (uint32_t i = 0; i + 1 < insns.size(); ++i)
    if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insns[i].imm == static_cast<int32_t>(kMark) && insns[i + 1].imm == static_cast<int32_t>(kMark >> 32)) found.push_back(i);
  return found;
}

int LibbpfLoader::load_code(const char* name, ProgramCode& code, const bpf_prog_load_opts& base, Copy& copy) {
  bpf_prog_load_opts opts = base;
  opts.func_info = code.functions.data();
  opts.func_info_cnt = static_cast<uint32_t>(code.functions.size());
  opts.func_info_rec_size = sizeof(bpf_func_info);
  opts.line_info = code.lines.data();
  opts.line_info_cnt = static_cast<uint32_t>(code.lines.size());
  opts.line_info_rec_size = sizeof(bpf_line_info);
  opts.expected_attach_type = static_cast<bpf_attach_type>(copy.request.attach_type);
  opts.attach_btf_id = copy.request.attach_btf_id;
  opts.attach_btf_obj_fd = static_cast<uint32_t>(copy.request.attach_btf_fd);
  opts.attach_prog_fd = static_cast<uint32_t>(copy.request.attach_prog_fd);
  if (copy.request.attach_prog_fd != 0) opts.attach_btf_obj_fd = 0;
  opts.prog_flags |= copy.request.flags;
  std::string log;
  if (options_.verbose >= 2) {
    log.resize(options_.log_size);
    opts.log_buf = log.data();
    opts.log_size = options_.log_size;
    opts.log_level = 1;
  }
  auto type = static_cast<bpf_prog_type>(copy.request.prog_type);
  const char* license = artifact_.license.c_str();
  std::vector<uint32_t> choices = read_choices(code.insns);
  bool typed = !choices.empty() && options_.typed_reads && options_.typed_reads(copy.request.prog_type);
  auto choose = [&](uint64_t value) { for (uint32_t at : choices) apply(code.insns, {at, InsnEdit::Imm64, value}); };
  choose(typed ? 1 : 0);
  int fd = bpf_prog_load(type, name, license, code.insns.data(), code.insns.size(), &opts);
  // The kernel's types may say less about a pointer than ours: whatever it was, guarded reads always are an answer.
  if (fd < 0 && typed) {
    choose(0);
    fd = bpf_prog_load(type, name, license, code.insns.data(), code.insns.size(), &opts);
  }
  if (fd < 0 && errno != EPERM && log.empty()) {
    log.resize(options_.log_size);
    opts.log_buf = log.data();
    opts.log_size = options_.log_size;
    opts.log_level = 1;
    fd = bpf_prog_load(type, name, license, code.insns.data(), code.insns.size(), &opts);
  }
  int error = errno;
  log.resize(strnlen(log.c_str(), log.size()));
  if (fd < 0) {
    report(name, copy.request, error, log);
    find_place(code, log);
    return -error;
  }
  if (options_.verbose >= 2) write_all(STDERR_FILENO, cat("\nThe verifier on ", name, ":\n", log, "\n"));
  copy.fd = Fd(fd);
  return 0;
}

// The log names instructions as "12: (85) call bpf_d_path#147"; the last one is where the verifier stopped.
void LibbpfLoader::find_place(const ProgramCode& code, std::string_view log) {
  uint64_t stopped = UINT64_MAX;
  for_each_line(log, [&](std::string_view line) {
    uint64_t insn;
    size_t colon = line.find(": (");
    if (colon != std::string_view::npos && parse_u64(line.substr(0, colon), &insn)) stopped = insn;
    return true;
  });
  const bpf_line_info* found = nullptr;
  for (const bpf_line_info& line : code.lines)
    if (line.insn_off <= stopped) found = &line;
  const char* file = found != nullptr && stopped != UINT64_MAX ? btf__str_by_offset(bpf_object__btf(object_), found->file_name_off) : nullptr;
  if (file == nullptr) return;
  failure_->file = file;
  failure_->line = BPF_LINE_INFO_LINE_NUM(found->line_col);
  failure_->column = BPF_LINE_INFO_LINE_COL(found->line_col);
}

void LibbpfLoader::report(std::string_view name, const CopyRequest& request, int error, std::string_view log) {
  failure_->program = static_cast<int>(request.program);
  failure_->error = error;
  failure_->log = log;
  failure_->lacking = lacking_at(name, log);
  failure_->message = cat("the kernel refused a program: ", error_text(error));
}

// A copy of one program, or of the two of a session made one.
int LibbpfLoader::load_copy(const char* name, const bpf_prog_load_opts& base, Copy& copy) {
  if (copy.request.session_exit >= 0) {
    BtfPlace is_return;
    find_btf_function("bpf_session_is_return", &is_return);
    copy.entry = merge_session(copy.entry, copy.exit, is_return.id);
  }
  int result = load_code(name, copy.entry, base, copy);
  copy.entry = copy.exit = {};
  return result;
}

int LibbpfLoader::load_copies(bpf_program* program, bpf_prog_load_opts* opts) {
  std::string_view name = bpf_program__name(program);
  const auto* programs = artifact_.manifest->programs();
  for (Copy& copy : copies_) {
    bool is_entry = programs->Get(copy.request.program)->name()->string_view() == name;
    bool is_exit = copy.request.session_exit >= 0 && programs->Get(static_cast<uint32_t>(copy.request.session_exit))->name()->string_view() == name;
    if (!is_entry && !is_exit) continue;
    ProgramCode code = code_of(program, *opts);
    for (const InsnEdit& edit : is_entry ? copy.request.edits : copy.request.exit_edits) apply(code.insns, edit);
    (is_entry ? copy.entry : copy.exit) = std::move(code);
    if (copy.request.session_exit >= 0 && (copy.entry.insns.empty() || copy.exit.insns.empty())) continue;
    int result = load_copy(programs->Get(copy.request.program)->name()->c_str(), *opts, copy);
    if (result < 0) return result;
  }
  bpf_insn nothing[2] = {};
  nothing[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  nothing[1].code = BPF_JMP | BPF_EXIT;
  opts->func_info_cnt = opts->line_info_cnt = 0;
  opts->func_info = opts->line_info = nullptr;
  opts->prog_btf_fd = 0;
  opts->expected_attach_type = static_cast<bpf_attach_type>(0);
  return bpf_program__set_insns(program, nothing, 2);
}

bool LibbpfLoader::load(LoadFailure* failure) {
  failure_ = failure;
  const auto* programs = artifact_.manifest->programs();
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    std::string_view name = bpf_program__name(program);
    bool wanted = std::any_of(copies_.begin(), copies_.end(), [&](const Copy& copy) {
      return programs->Get(copy.request.program)->name()->string_view() == name ||
             (copy.request.session_exit >= 0 && programs->Get(static_cast<uint32_t>(copy.request.session_exit))->name()->string_view() == name);
    });
    bpf_program__set_autoload(program, wanted);
  }
  g_loading = this;
  g_messages = &messages_;
  messages_.clear();
  int result = bpf_object__load(object_);
  g_loading = nullptr;
  g_messages = nullptr;
  bpf_object__for_each_program(program, object_) bpf_program__unload(program);   // the stand-ins
  unregister_sections();
  if (result == 0 && count_of(artifact_.manifest->foreign_programs()) != 0) {
    foreign_ = ForeignPrograms::load(memory_, *artifact_.manifest, options_, object_, failure);
    return foreign_ != nullptr;
  }
  if (result == 0) return true;
  if (failure->program < 0) {
    failure->error = -result;
    failure->message = cat("the object cannot be loaded: ", error_text(-result));
    failure->log = messages_;
  }
  return false;
}

}  // namespace

LibbpfMessages::LibbpfMessages(std::string* to) { g_messages = to; }
LibbpfMessages::~LibbpfMessages() { g_messages = nullptr; }

std::unique_ptr<Loader> Loader::open(const Artifact& artifact, const LoaderOptions& options, LoadFailure* failure) {
  std::unique_ptr<LibbpfLoader> loader(new LibbpfLoader(artifact, options));
  if (!loader->open(failure)) return nullptr;
  return loader;
}

}  // namespace btc::rt
