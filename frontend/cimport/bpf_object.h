// A BPF object file, as far as the front end wants to know it: what it defines,
// what it lacks, and its types. It may be anybody's file: every offset is checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace btc {

struct BpfObject {
  struct Symbol {
    std::string name;
    std::string section;       // "" if the symbol is only used, not defined
    bool is_function = false, is_global = false;
  };
  struct Program { std::string name, section; bool is_known = false; };   // is_known: libbpf has a rule for the section
  std::vector<Symbol> symbols; // with a name; not those of sections and files
  std::string btf;
  std::vector<Program> programs;      // global functions in sections of their own
  std::vector<std::string> maps;
  bool license_is_writable = false;   // `char LICENSE[]` rather than `const char LICENSE[]`
};

// False with `error` set: what is wrong with the file.
bool read_bpf_object(std::string_view bytes, BpfObject* out, std::string* error);

}  // namespace btc
