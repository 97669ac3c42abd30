// Finds the instructions that the runtime rewrites.
//
// An access to a tracepoint's record carries a CO-RE record against the record's
// class (CoreType::record says which types are such); which relocation kind it is
// says what the number means:
//
//   FIELD_BYTE_OFFSET on a load   -> RecordOffset (`off`) and RecordSize (the access's width)
//   FIELD_BYTE_OFFSET on a mov    -> RecordOffset (`imm`)
//   FIELD_LSHIFT/RSHIFT_U64       -> RecordLshift / RecordRshift (`imm`)
//
// Loads of fentry's, fexit's and raw tracepoints' arguments are those from the context itself (ArgumentOffset).
//
// Per-copy constants are lddw instructions with the marked immediate (abi.h).
// Only programs are described; subprograms and callbacks are shared by all of them. The choice of
// typed reads may stand in those, too: the loader finds its marks by itself.
#include "backend/obj/patches.h"

#include "backend/obj/verify_context.h"

#include <set>

#include "manifest_generated.h"

namespace btc::backend {

namespace {

enum CoreKind : uint32_t { kByteOffset = 0, kByteSize = 1, kLshift = 4, kRshift = 5 };
constexpr uint8_t kClassMask = 7, kClassLdx = 1, kClassStx = 3, kLddw = 0x18;

std::set<std::string> record_classes(const ir::Module& module) {
  std::set<std::string> names;
  for (const ir::CoreType& type : module.core_types) {
    if (!type.record.empty()) names.insert(type.name);
  }
  return names;
}

int program_index(const ir::Module& module, const std::string& symbol) {
  for (const ir::Function& function : module.functions) {
    if (function.kind == ir::Function::Program && function.name == symbol) return function.program;
  }
  return -1;
}

using PatchKind = abi::fb::PatchKind;

// What the format file calls a member: BTF marks fields of variable length in the name.
std::string format_name(const std::string& member) {
  for (const char* prefix : {"__data_loc_", "__rel_loc_"}) {
    if (member.starts_with(prefix)) return member.substr(std::string(prefix).size());
  }
  return member;
}

void add_record_patches(const CodeSection& code, const CoreRecord& record, uint32_t program, uint32_t start,
                        std::vector<lower::Patch>& patches) {
  auto add = [&](PatchKind kind) {
    patches.push_back({program, record.insn - start, static_cast<uint8_t>(kind), format_name(record.member), 0, code.raw[record.insn]});
  };
  uint8_t instruction_class = code.insns[record.insn].code & kClassMask;
  switch (record.kind) {
    case kByteOffset:
      add(PatchKind::RecordOffset);
      if (instruction_class == kClassLdx || instruction_class == kClassStx) add(PatchKind::RecordSize);
      break;
    case kLshift: add(PatchKind::RecordLshift); break;
    case kRshift: add(PatchKind::RecordRshift); break;
    default: break;
  }
}

void add_copy_constants(const CodeSection& code, const CodeSection::Symbol& symbol, uint32_t program,
                        std::vector<lower::Patch>& patches) {
  for (uint32_t i = symbol.insn; i + 1 < symbol.insn + symbol.count; ++i) {
    if (code.insns[i].code != kLddw) continue;
    uint64_t high = static_cast<uint32_t>(code.insns[i + 1].imm);
    bool is_choice = static_cast<uint32_t>(code.insns[i].imm) == abi::kCopyTypedReads;
    if (high == abi::kCopyConstMagic >> 32 && !is_choice) {
      patches.push_back({program, i - symbol.insn, static_cast<uint8_t>(PatchKind::CopyConst), "",
                         static_cast<uint32_t>(code.insns[i].imm), code.raw[i]});
    }
    ++i;  // second half
  }
}

// The name of what lies in a word of the context: ProgramInfo::func_args has "3:name:shape".
std::string argument_name(const ir::ProgramInfo& program, int16_t offset) {
  for (const std::string& entry : program.func_args) {
    size_t colon = entry.find(':');
    if (std::to_string(offset / 8) == entry.substr(0, colon)) return entry.substr(colon + 1, entry.find(':', colon + 1) - colon - 1);
  }
  return "";
}

void add_argument_patches(const CodeSection& code, const CodeSection::Symbol& symbol, const ir::ProgramInfo& info, uint32_t program, bool big_endian,
                          std::vector<lower::Patch>& patches) {
  if (info.func_args.empty()) return;
  for (const ContextLoad& load : find_context_loads(code, symbol, big_endian)) {
    std::string name = argument_name(info, load.offset);
    if (name.empty()) continue;
    patches.push_back({program, load.insn, static_cast<uint8_t>(PatchKind::ArgumentOffset), name, static_cast<uint32_t>(load.offset % 8),
                       code.raw[symbol.insn + load.insn]});
  }
}

}  // namespace

lower::BackendFacts find_patches(const ir::Module& module, const ObjectInfo& object) {
  lower::BackendFacts facts;
  std::set<std::string> records = record_classes(module);
  for (const CodeSection& code : object.sections) {
    std::set<const CoreRecord*> patched;
    for (const CodeSection::Symbol& symbol : code.functions) {
      int program = program_index(module, symbol.name);
      if (program < 0) continue;
      bool reads_record = module.programs[static_cast<size_t>(program)].probe == abi::ProbeKind::Tracepoint;
      for (const CoreRecord& record : code.core) {
        bool inside = record.insn >= symbol.insn && record.insn < symbol.insn + symbol.count;
        if (!inside || !reads_record || records.count(record.type) == 0) continue;
        add_record_patches(code, record, static_cast<uint32_t>(program), symbol.insn, facts.patches);
        patched.insert(&record);
      }
      add_copy_constants(code, symbol, static_cast<uint32_t>(program), facts.patches);
      add_argument_patches(code, symbol, module.programs[static_cast<size_t>(program)], static_cast<uint32_t>(program), object.big_endian, facts.patches);
    }
    facts.core_relocations += static_cast<uint32_t>(code.core.size() - patched.size());
  }
  return facts;
}

}  // namespace btc::backend
