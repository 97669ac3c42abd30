// Functions of a program or library, by name: .symtab and .dynsym of the file,
// and of its separate debug file where there is one.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/elf_image.h"
#include "runtime-stub/src/x86_length.h"

namespace btc::rt {

struct UserFunction {
  std::string name;
  uint64_t address = 0, size = 0;
  uint64_t offset = 0;                           // in the file
  bool is_indirect = false;                      // an ifunc: its code chooses, once, the function that is called
  bool is_old = false;                           // a version that only programs linked long ago call
};

class UserBinary {
 public:
  // False with `*error`. The path may name a member of an archive (zip_member.h).
  bool open(const std::string& path, std::string* error);
  const ElfImage& elf() const { return elf_; }
  // Between addresses as the program numbers them and places in the file that the kernel opens.
  bool file_offset(uint64_t address, uint64_t* offset) const;
  uint64_t base() const { return base_; }
  bool address_of(uint64_t offset, uint64_t* address) const { return offset >= base_ && elf_.address_of(offset - base_, address); }

  // fn(name, symbol, old) over function symbols, each table in turn; until it returns false. Libraries keep several versions of a function
  // under one name: `old` ones are those that the linker does not choose ("f@V1", not "f@@V2"). Names have no version.
  template <typename Fn>
  void for_each_function(Fn&& fn) const {
    bool go_on = true;
    for (const ElfImage* image : {&elf_, &debug_}) {
      for (uint32_t i = 1; image->ok() && go_on && i < image->section_count(); ++i) {
        uint32_t type = image->section(i).sh_type;
        if (type != SHT_SYMTAB && type != SHT_DYNSYM) continue;
        Bytes versions = image->symbol_versions(i);
        size_t index = 0;
        image->for_each_symbol(i, [&](std::string_view name, const Elf64_Sym& symbol) {
          bool hidden = 2 * index + 1 < versions.size() && versions[2 * index + 1] & 0x80;
          ++index;
          uint8_t kind = ELF64_ST_TYPE(symbol.st_info);
          if ((kind != STT_FUNC && kind != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0 || name.empty()) return true;
          size_t at = name.find('@', 1);
          bool old = hidden || (at != std::string_view::npos && !name.substr(at).starts_with("@@"));
          return go_on = fn(name.substr(0, at), symbol, old);
        });
      }
    }
  }
  // Exact name; of several versions the one that programs call today. False if there is none.
  bool find_function(std::string_view name, UserFunction* out) const;
  // The function that an address lies in.
  bool function_at(uint64_t address, UserFunction* out) const;
  // Whether an instruction begins that many bytes into a function.
  Boundary boundary(const UserFunction& function, uint64_t offset) const;
  bool find_symbol(std::string_view name, uint64_t* value) const;   // also data
  // Also false if several symbols of that name (local ones of several sources) lie at different addresses.
  bool find_only_symbol(std::string_view name, uint64_t* value) const;
  std::vector<UserFunction> match(std::string_view pattern, bool demangled) const;

 private:
  void open_debug_file(const std::string& path);
  bool place(std::string_view name, const Elf64_Sym& symbol, bool old, UserFunction* out) const;
  template <typename Fn>
  void for_each_called(std::string_view wanted, Fn&& fn) const;
  MappedFile file_, debug_file_;
  std::vector<uint8_t> unpacked_;                // of .gnu_debugdata
  ElfImage elf_, debug_;
  uint64_t base_ = 0;                            // of the program in an archive
};

std::string demangle(std::string_view name);     // "" if it is no C++ name

}  // namespace btc::rt
