// Reads format files and turns manifest patches into edits; see records.h.
//
//   field:__data_loc char[] name;	offset:8;	size:4;	signed:0;
#include "runtime-stub/src/records.h"

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/facts.h"
#include "runtime-stub/src/signature.h"
#include "runtime-stub/src/resolve.h"

namespace btc::rt {
namespace {

uint32_t number_after(std::string_view line, std::string_view key) {
  size_t at = line.find(key);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = line.substr(at + key.size());
  uint64_t value = 0;
  parse_u64(rest.substr(0, rest.find(';')), &value);
  return static_cast<uint32_t>(value);
}

// "unsigned long args[6]" -> "args"; "char *" declarations end with the name.
std::string_view declared_name(std::string_view declaration) {
  declaration = declaration.substr(0, declaration.find('['));
  if (declaration.ends_with(' ')) declaration = trim(declaration);
  size_t blank = declaration.find_last_of(" *");
  return blank == std::string_view::npos ? declaration : declaration.substr(blank + 1);
}

// "__data_loc char[] name": the brackets belong to the type.
std::string_view field_name(std::string_view declaration) {
  if (declaration.starts_with("__data_loc") || declaration.starts_with("__rel_loc")) {
    size_t blank = declaration.rfind(' ');
    return declaration.substr(blank + 1);
  }
  return declared_name(declaration);
}

struct Layout { std::string record; std::vector<RecordField> fields; };

const Layout& layout_of(std::string_view record) {
  static std::vector<std::unique_ptr<Layout>> known;
  for (const auto& layout : known)
    if (layout->record == record) return *layout;
  known.push_back(std::make_unique<Layout>());
  known.back()->record = record;
  read_record(record, &known.back()->fields);
  return *known.back();
}

}  // namespace

bool read_record(std::string_view record, std::vector<RecordField>* out) {
  size_t colon = record.find(':');
  if (colon == std::string_view::npos) return false;
  std::string text;
  std::string path = cat(tracefs(), "/events/", record.substr(0, colon), "/", record.substr(colon + 1), "/format");
  if (!read_whole_file(path.c_str(), &text)) return false;
  for_each_line(text, [&](std::string_view line) {
    size_t at = line.find("field:");
    if (at == std::string_view::npos) return !line.starts_with("print fmt");
    std::string_view declaration = line.substr(at + 6);
    declaration = declaration.substr(0, declaration.find(';'));
    RecordField field;
    field.name = field_name(declaration);
    field.declaration = declaration;
    field.offset = number_after(line, "offset:");
    field.size = number_after(line, "size:");
    field.is_signed = number_after(line, "signed:") != 0;
    out->push_back(std::move(field));
    return true;
  });
  return true;
}

static const RecordField* field_of(const Layout& layout, std::string_view name) {
  for (const RecordField& field : layout.fields)
    if (field.name == name) return &field;
  return nullptr;
}

static std::string_view constant_text(const RunState& run, uint32_t number) {
  return number < count_of(run.manifest().strings()) ? text_of(run.manifest().strings()->Get(number)) : std::string_view();
}

static abi::FieldForm form_of(const RecordField& field) {
  return field.declaration.starts_with("__data_loc") ? abi::kFieldDataLoc : field.declaration.starts_with("__rel_loc") ? abi::kFieldRelLoc : abi::kFieldInPlace;
}

// Whether the program asks for the field's form, and so is ready for each.
static bool has_form(const RunState& run, const fb::Program& program, std::string_view field) {
  for (uint32_t i = 0; i < count_of(program.patches()); ++i) {
    const fb::Patch* patch = program.patches()->Get(i);
    if (patch->kind() == fb::PatchKind::CopyConst && patch->id() >= abi::kCopyFieldForm && constant_text(run, patch->id() - abi::kCopyFieldForm) == field) return true;
  }
  return false;
}

static bool is_of_record(fb::PatchKind kind) { return kind != fb::PatchKind::CopyConst && kind != fb::PatchKind::ArgumentOffset; }

static std::string no_field(std::string_view record, std::string_view field) { return cat("the tracepoint ", record, " has no field ", field, " on this machine"); }

std::string missing_field(const fb::Program& program, std::string_view record) {
  for (uint32_t i = 0; i < count_of(program.patches()); ++i) {
    const fb::Patch* patch = program.patches()->Get(i);
    if (is_of_record(patch->kind()) && field_of(layout_of(record), text_of(patch->field())) == nullptr) return no_field(record, text_of(patch->field()));
  }
  return {};
}

// A 64-bit shift by an immediate: keeps the destination, takes the direction.
static uint64_t right_shift_opcode(bool is_signed) { return is_signed ? 0xc7 /* ALU64 ARSH K */ : 0x77 /* ALU64 RSH K */; }

// Raw tracepoints have their prototype in a typedef without names; the function that calls the probes has the names (5.10).
static bool signature_of(const Binding& binding, Signature* out) {
  const BtfFile* btf = binding.prog_fd == 0 ? module_btf(binding.btf_module) : nullptr;
  if (btf == nullptr) return false;
  if (binding.point.kind != abi::ProbeKind::Rawtracepoint) return read_signature(*btf, binding.btf_id, 0, out);
  uint32_t caller = btf->find(cat("__traceiter_", binding.point.func), BTF_KIND_FUNC);
  return caller != 0 && read_signature(*btf, caller, 1, out);
}

static bool is_power_of_two(uint32_t n) { return n == 1 || n == 2 || n == 4 || n == 8; }

bool make_edits(RunState& run, const Binding& binding, uint32_t index, std::vector<InsnEdit>* out, std::string* problem) {
  const fb::Program* program = run.manifest().programs()->Get(index);
  // Relocation may have failed on accesses that are patched anyway: start from the instructions as compiled.
  for (uint32_t i = 0; i < count_of(program->patches()); ++i)
    if (uint64_t original = program->patches()->Get(i)->original(); original != 0 && program->patches()->Get(i)->kind() != fb::PatchKind::CopyConst)
      out->push_back({program->patches()->Get(i)->insn(), InsnEdit::Restore, original});
  Signature signature;
  bool known_signature = count_of(program->func_args()) > 0 && signature_of(binding, &signature);
  for (uint32_t i = 0; i < count_of(program->patches()); ++i) {
    const fb::Patch* patch = program->patches()->Get(i);
    if (patch->kind() == fb::PatchKind::CopyConst) {
      uint64_t value = 0;
      if (patch->id() == abi::kCopyTargetIndex) value = reads_cookie(run, *program) ? 0 : binding.name_index;
      else if (patch->id() == abi::kCopyResultShift) value = 64 - result_bits(signature);
      else if (patch->id() == abi::kCopyResultUnsigned) value = !signature.result_signed;
      else if (patch->id() == abi::kCopyFunction) value = run.features.helper(prog_type_of(binding), "get_func_ip") ? 0 : kernel_symbol(binding.point.func);
      else if (patch->id() == abi::kCopyNarrow) value = binding.is_narrow;
      else if (patch->id() == abi::kCopyWrapped) value = binding.is_wrapped;
      else if (patch->id() >= abi::kCopyFieldForm) {
        std::string_view name = constant_text(run, patch->id() - abi::kCopyFieldForm);
        const RecordField* field = field_of(layout_of(binding.record), name);
        if (field == nullptr) {
          *problem = no_field(binding.record, name);
          return false;
        }
        value = form_of(*field);
      } else if (patch->id() >= abi::kCopySymbol) {
        std::string_view symbol = constant_text(run, patch->id() - abi::kCopySymbol);
        if (!symbol_distance(binding, symbol, &value)) {
          *problem = cat("Could not resolve symbol: ", binding.file, ":", symbol);
          return false;
        }
      } else {
        uint32_t arg = (patch->id() - abi::kCopyUsdtSpec) / 2;
        bool form = (patch->id() - abi::kCopyUsdtSpec) % 2 == 0;
        if (arg < binding.usdt_args.size()) value = form ? binding.usdt_args[arg].form : binding.usdt_args[arg].number;
      }
      out->push_back({patch->insn(), InsnEdit::Imm64, value});
      continue;
    }
    if (patch->kind() == fb::PatchKind::ArgumentOffset) {
      uint32_t offset = 0;                       // without a signature it stays where it was compiled for
      if (known_signature && argument_offset(signature, text_of(patch->field()), &offset)) out->push_back({patch->insn(), InsnEdit::Offset, offset + patch->id()});
      continue;
    }
    const RecordField* field = field_of(layout_of(binding.record), text_of(patch->field()));
    if (field == nullptr) {
      *problem = no_field(binding.record, text_of(patch->field()));
      return false;
    }
    if (form_of(*field) != abi::kFieldInPlace && !has_form(run, *program, field->name)) {
      *problem = cat("field ", field->name, " of ", binding.record, " is a text behind the record on this machine: compile the script with --profile of this kernel");
      return false;
    }
    bool scalar = is_power_of_two(field->size);
    // The low three bits of the class tell loads and stores (offset in `off`) from arithmetic (offset in `imm`).
    bool is_memory = (patch->original() & 7) != 7 && (patch->original() & 7) != 4;
    uint32_t bits = 64 - 8 * field->size;
    switch (patch->kind()) {
      case fb::PatchKind::RecordOffset:
        out->push_back({patch->insn(), is_memory ? InsnEdit::Offset : InsnEdit::Imm, field->offset});
        break;
      case fb::PatchKind::RecordSize:
        if (!scalar && has_form(run, *program, field->name)) break;   // of the code for the form that it has not
        if (!scalar) { *problem = cat("field ", field->name, " of ", binding.record, " has an unexpected size on this machine"); return false; }
        out->push_back({patch->insn(), InsnEdit::Size, field->size});
        break;
      case fb::PatchKind::RecordLshift:
        out->push_back({patch->insn(), InsnEdit::Imm, scalar ? bits : 0});
        break;
      case fb::PatchKind::RecordRshift:
        out->push_back({patch->insn(), InsnEdit::Opcode, right_shift_opcode(field->is_signed)});
        out->push_back({patch->insn(), InsnEdit::Imm, scalar ? bits : 0});
        break;
      case fb::PatchKind::CopyConst: case fb::PatchKind::ArgumentOffset: break;
    }
  }
  return true;
}

}  // namespace btc::rt
