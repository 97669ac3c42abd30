#include "backend/obj/object_reader.h"

#include <algorithm>
#include <cstring>

#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/DataExtractor.h>
#include <llvm/Support/MemoryBuffer.h>

namespace btc::backend {

namespace {

using llvm::StringRef;

enum BtfKind : uint32_t {
  kInt = 1, kPtr, kArray, kStruct, kUnion, kEnum, kFwd, kTypedef, kVolatile, kConst, kRestrict, kFunc, kFuncProto,
  kVar, kDatasec, kFloat, kDeclTag, kTypeTag, kEnum64
};

// Just enough of BTF to name types and their members.
class BtfReader {
 public:
  BtfReader(StringRef bytes, bool little) : data_(bytes, little, 8) {
    uint64_t at = 4;
    uint32_t header = data_.getU32(&at);
    uint32_t type_offset = data_.getU32(&at), type_bytes = data_.getU32(&at);
    uint32_t string_offset = data_.getU32(&at);
    strings_ = header + string_offset;
    types_.push_back(0);
    for (uint64_t type = header + type_offset, end = type + type_bytes; type < end; type += bytes_of(type)) {
      types_.push_back(type);
    }
  }
  std::string text(uint32_t offset) const {
    uint64_t at = strings_ + offset;
    const char* found = data_.getCStr(&at);
    return found == nullptr ? "" : found;
  }
  std::string name(uint32_t type) const { return type < types_.size() && type != 0 ? text(word(types_[type])) : ""; }
  std::string member(uint32_t type, uint32_t index) const {
    if (type == 0 || type >= types_.size()) return "";
    uint32_t info = word(types_[type] + 4), kind = info >> 24 & 31, count = info & 0xffff;
    if ((kind != kStruct && kind != kUnion) || index >= count) return "";
    return text(word(types_[type] + 12 + 12ull * index));
  }

 private:
  uint32_t word(uint64_t at) const { return data_.getU32(&at); }
  uint64_t bytes_of(uint64_t at) const {
    uint32_t info = word(at + 4), kind = info >> 24 & 31, count = info & 0xffff;
    switch (kind) {
      case kInt: case kVar: case kDeclTag: return 16;
      case kArray: return 24;
      case kStruct: case kUnion: case kDatasec: case kEnum64: return 12 + 12ull * count;
      case kEnum: case kFuncProto: return 12 + 8ull * count;
      default: return 12;
    }
  }

  llvm::DataExtractor data_;
  uint64_t strings_ = 0;
  std::vector<uint64_t> types_;   // offset of each type
};

CodeSection* find_section(ObjectInfo& info, const std::string& name) {
  auto found = std::find_if(info.sections.begin(), info.sections.end(),
                            [&](const CodeSection& section) { return section.name == name; });
  return found == info.sections.end() ? nullptr : &*found;
}

// Calls `use(section, at)` for each record of one of .BTF.ext's tables: u32 record size, then per section
// { u32 section name, u32 count, records }.
template <typename Use>
void for_each_record(const llvm::DataExtractor& data, uint64_t at, uint64_t length, const BtfReader& btf,
                     ObjectInfo& info, Use use) {
  if (length < 4) return;
  uint64_t end = at + length;
  uint32_t record_bytes = data.getU32(&at);
  while (at + 8 <= end) {
    CodeSection* section = find_section(info, btf.text(data.getU32(&at)));
    uint32_t count = data.getU32(&at);
    for (uint32_t i = 0; i < count && at + record_bytes <= end; ++i, at += record_bytes) {
      if (section != nullptr) use(*section, at);
    }
  }
}

void read_btf_ext(StringRef bytes, bool little, const BtfReader& btf, ObjectInfo& info) {
  llvm::DataExtractor data(bytes, little, 8);
  uint64_t at = 4;
  uint32_t header = data.getU32(&at);
  at += 8;  // function records: symbols say as much
  uint32_t line_offset = data.getU32(&at), line_bytes = data.getU32(&at);
  uint32_t core_offset = data.getU32(&at), core_bytes = data.getU32(&at);
  for_each_record(data, header + line_offset, line_bytes, btf, info, [&](CodeSection& section, uint64_t record) {
    LineRecord line;
    line.insn = data.getU32(&record) / 8;
    line.file = btf.text(data.getU32(&record));
    line.text = btf.text(data.getU32(&record));
    uint32_t place = data.getU32(&record);
    line.line = place >> 10;
    line.column = place & 1023;
    section.lines.push_back(line);
  });
  if (header < 32) return;  // no relocations
  for_each_record(data, header + core_offset, core_bytes, btf, info, [&](CodeSection& section, uint64_t record) {
    CoreRecord core;
    core.insn = data.getU32(&record) / 8;
    uint32_t type = data.getU32(&record);
    core.type = btf.name(type);
    core.access = btf.text(data.getU32(&record));
    core.kind = data.getU32(&record);
    core.path_length = static_cast<uint32_t>(std::count(core.access.begin(), core.access.end(), ':'));
    constexpr uint32_t kLastFieldKind = 5;  // BPF_CORE_FIELD_RSHIFT_U64
    if (core.kind <= kLastFieldKind && core.path_length > 0) {
      core.member = btf.member(type, static_cast<uint32_t>(std::strtoul(core.access.c_str() + core.access.find(':') + 1, nullptr, 10)));
    }
    section.core.push_back(core);
  });
}

}  // namespace

bool read_object(const std::string& object, ObjectInfo* out, std::string* error) {
  auto file = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(object, "object"));
  if (!file) {
    *error = llvm::toString(file.takeError());
    return false;
  }
  const auto& elf = llvm::cast<llvm::object::ELFObjectFileBase>(**file);
  bool little = elf.isLittleEndian();
  out->big_endian = !little;
  StringRef btf_bytes, ext_bytes;
  for (const llvm::object::SectionRef& section : elf.sections()) {
    StringRef name = llvm::cantFail(section.getName());
    StringRef bytes = llvm::cantFail(section.getContents());
    if (name == ".BTF") btf_bytes = bytes;
    if (name == ".BTF.ext") ext_bytes = bytes;
    if (!section.isText() || bytes.empty()) continue;
    CodeSection code;
    code.name = name.str();
    code.insns.resize(bytes.size() / 8);
    code.raw.resize(bytes.size() / 8);
    std::memcpy(code.insns.data(), bytes.data(), code.insns.size() * 8);
    std::memcpy(code.raw.data(), bytes.data(), code.raw.size() * 8);
    if (!little) {
      for (Insn& insn : code.insns) {
        insn.off = static_cast<int16_t>(__builtin_bswap16(static_cast<uint16_t>(insn.off)));
        insn.imm = static_cast<int32_t>(__builtin_bswap32(static_cast<uint32_t>(insn.imm)));
      }
    }
    out->sections.push_back(std::move(code));
  }
  for (const llvm::object::ELFSymbolRef& symbol : elf.symbols()) {
    if (symbol.getELFType() != llvm::ELF::STT_FUNC) continue;
    auto section = llvm::cantFail(symbol.getSection());
    if (section == elf.section_end()) continue;
    CodeSection* code = find_section(*out, llvm::cantFail(section->getName()).str());
    if (code == nullptr) continue;
    code->functions.push_back({llvm::cantFail(symbol.getName()).str(),
                               static_cast<uint32_t>(llvm::cantFail(symbol.getValue()) / 8),
                               static_cast<uint32_t>(symbol.getSize() / 8)});
  }
  for (CodeSection& code : out->sections) {
    std::sort(code.functions.begin(), code.functions.end(),
              [](const auto& a, const auto& b) { return a.insn < b.insn; });
  }
  if (!btf_bytes.empty() && !ext_bytes.empty()) read_btf_ext(ext_bytes, little, BtfReader(btf_bytes, little), *out);
  return true;
}

}  // namespace btc::backend
