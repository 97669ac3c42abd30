// Symbols of user-space files; see user_symbols.h. A separate debug file (debug_file.h) has what was stripped; without one there may
// be a packed symbol table in the file itself (.gnu_debugdata).
#include "runtime-stub/src/user_symbols.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cxxabi.h>

#include "runtime-stub/abi/attach_point.h"
#include "runtime-stub/src/debug_file.h"
#include "runtime-stub/src/output/unxz.h"
#include "runtime-stub/src/zip_member.h"

namespace btc::rt {

std::string demangle(std::string_view name) {
  if (!name.starts_with("_Z")) return {};
  int status = 0;
  char* text = __cxxabiv1::__cxa_demangle(std::string(name).c_str(), nullptr, nullptr, &status);
  std::string out = status == 0 && text != nullptr ? text : "";
  ::free(text);
  return out;
}

bool UserBinary::open(const std::string& path, std::string* error) {
  if (!file_.open(archive_of(path).c_str())) {
    *error = errno == EINVAL ? cat(path, " is no file with anything in it") : cat("cannot open ", path, ": ", error_text(errno));
    return false;
  }
  Bytes program = file_.bytes();
  if (std::string_view member = member_of(path); !member.empty() && !find_stored_member(file_.bytes(), member, &program, &base_)) {
    *error = cat(archive_of(path), " holds no uncompressed ", member);
    return false;
  }
  elf_ = ElfImage(program, ElfClass::Any);
  if (!elf_.ok() || (elf_.header().e_machine != EM_X86_64 && elf_.header().e_machine != EM_386)) {
    *error = cat(path, " is not an ELF file of an x86 program");
    return false;
  }
  if (elf_.find_section_type(SHT_SYMTAB) < 0) open_debug_file(path);
  return true;
}

void UserBinary::open_debug_file(const std::string& path) {
  for (const std::string& candidate : debug_file_candidates(elf_, path)) {
    MappedFile file;
    if (candidate == path || !file.open(candidate.c_str())) continue;
    ElfImage image(file.bytes(), ElfClass::Any);
    if (!is_debug_file_of(elf_, image)) continue;
    debug_file_ = std::move(file);
    debug_ = std::move(image);
    return;
  }
  int packed = elf_.find_section(".gnu_debugdata");
  if (packed >= 0 && unpack_xz(elf_.section_bytes(static_cast<uint32_t>(packed)), unpacked_)) debug_ = ElfImage(unpacked_, ElfClass::Any);
}

bool UserBinary::file_offset(uint64_t address, uint64_t* offset) const {
  if (!elf_.file_offset(address, offset)) return false;
  *offset += base_;
  return true;
}

// False if it lies in no part of the file that is loaded.
bool UserBinary::place(std::string_view name, const Elf64_Sym& symbol, bool old, UserFunction* out) const {
  uint64_t offset;
  if (!file_offset(symbol.st_value, &offset)) return false;
  *out = {std::string(name), symbol.st_value, symbol.st_size, offset, ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC, old};
  return true;
}

bool UserBinary::find_function(std::string_view wanted, UserFunction* out) const {
  bool found = false;
  for_each_function([&](std::string_view name, const Elf64_Sym& symbol, bool old) {
    if (name != wanted || (found && old) || !place(name, symbol, old, out)) return true;
    found = true;
    return old;
  });
  return found;
}

bool UserBinary::function_at(uint64_t address, UserFunction* out) const {
  bool found = false;
  for_each_function([&](std::string_view name, const Elf64_Sym& symbol, bool old) {
    if (address < symbol.st_value || address - symbol.st_value >= std::max<uint64_t>(symbol.st_size, 1)) return true;
    found = place(name, symbol, old, out);
    return !found;
  });
  return found;
}

Boundary UserBinary::boundary(const UserFunction& function, uint64_t offset) const {
  Bytes code = elf_.bytes();
  uint64_t begin = function.offset - base_;
  return begin <= code.size() ? x86_boundary(code.subspan(begin), offset, elf_.header().e_machine != EM_386) : Boundary::Unknown;
}

// fn(value) for each symbol of that name; until it returns false.
template <typename Fn>
void UserBinary::for_each_called(std::string_view wanted, Fn&& fn) const {
  bool go_on = true;
  for (const ElfImage* image : {&elf_, &debug_})
    for (uint32_t i = 1; image->ok() && go_on && i < image->section_count(); ++i) {
      uint32_t type = image->section(i).sh_type;
      if (type != SHT_SYMTAB && type != SHT_DYNSYM) continue;
      image->for_each_symbol(i, [&](std::string_view name, const Elf64_Sym& symbol) {
        if (name != wanted || symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_TLS) return true;
        return go_on = fn(symbol.st_value);
      });
    }
}

bool UserBinary::find_symbol(std::string_view wanted, uint64_t* value) const {
  bool found = false;
  for_each_called(wanted, [&](uint64_t address) {
    *value = address;
    found = true;
    return false;
  });
  return found;
}

bool UserBinary::find_only_symbol(std::string_view wanted, uint64_t* value) const {
  bool found = false, several = false;
  for_each_called(wanted, [&](uint64_t address) {
    several |= found && address != *value;
    *value = address;
    found = true;
    return !several;
  });
  return found && !several;
}

// C++ names, and those that are none as they are: main, functions of C.
static bool matches_demangled(std::string_view pattern, std::string_view name) {
  if (abi::wildcard_match(pattern, name)) return true;
  std::string plain = demangle(name);
  return !plain.empty() && abi::cpp_name_match(pattern, plain);
}

std::vector<UserFunction> UserBinary::match(std::string_view pattern, bool demangled) const {
  std::vector<UserFunction> found;
  for_each_function([&](std::string_view name, const Elf64_Sym& symbol, bool old) {
    if (demangled ? !matches_demangled(pattern, name) : !abi::wildcard_match(pattern, name)) return true;
    UserFunction function;
    if (place(name, symbol, old, &function)) found.push_back(std::move(function));
    return true;
  });
  auto less = [](const UserFunction& a, const UserFunction& b) {
    if (a.name != b.name) return a.name < b.name;
    return a.is_old != b.is_old ? b.is_old : a.offset < b.offset;
  };
  auto same = [](const UserFunction& a, const UserFunction& b) { return a.name == b.name; };
  std::sort(found.begin(), found.end(), less);
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  return found;
}

}  // namespace btc::rt
