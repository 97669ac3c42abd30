// What a user program's DWARF says: parameters of its functions, its types, the
// addresses of its source lines. The types of `args.x` in uprobes, of casts like
// `(struct request *)arg0`, and `uprobe:PROGRAM@file.c:12` come from here.
//
// Read on the build host, from a copy of the traced program. Every file that was
// opened is an input of the compilation; the program's build id goes into the
// artifact, which refuses a target whose file has another one.
//
// Types get RecordOrigin::Program: layout as in the program, members filled in
// when asked for (complete()), pointers without an address space (they point where
// the object that holds them lies). Enumerations are integers, floating-point
// members are bytes, C++ references are pointers and base classes are members
// without a name.
//
// Left out: values that moved away from where they were passed (location lists).
// A parameter is read where the calling convention puts it at the function's first
// instruction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/types/types.h"

namespace btc {

// Where programs of scripts and their debug files are on the build host.
struct ProgramSearch {
  std::string sysroot;                                         // a copy of the target's files; "" = the build host's own
  std::vector<std::pair<std::string, std::string>> copies;     // name in the script -> file to read instead
  std::vector<std::string> debug_dirs;                         // --debuginfo
};

// Where a parameter is when its function is entered.
struct ParameterPlace {
  enum Kind : uint8_t { Register, Stack, Unreadable } kind = Register;
  uint32_t first = 0;     // Register: number among the integer argument registers; Stack: bytes above the return address
  uint32_t count = 1;     // registers, or 8-byte words on the stack
};

class DebugInfo {
 public:
  struct Parameter { std::string name; TypeId type; ParameterPlace place; };

  // `name` as an attach point has it. Null if there is no such program or it has no debug information.
  static std::unique_ptr<DebugInfo> open(const std::string& name, const ProgramSearch& search);
  virtual ~DebugInfo() = default;

  virtual std::string build_id() const = 0;                    // hexadecimal; "" if the linker wrote none
  virtual std::vector<std::string> files_read() const = 0;

  // Names of functions (linkage names of C++, so that they attach) that match a pattern; of demangled names where `demangled`.
  virtual std::vector<std::string> match_functions(std::string_view pattern, bool demangled) = 0;
  // By name or linkage name.
  virtual std::optional<std::vector<Parameter>> parameters(TypeTable& types, std::string_view function) = 0;
  // "int* n" for listings.
  virtual std::vector<std::string> parameter_texts(std::string_view function) = 0;

  enum class Tag : uint8_t { Struct, Union, Enum, Name };      // Name: a typedef or base type, else a class without its keyword
  virtual std::optional<TypeId> find_type(TypeTable& types, Tag tag, std::string_view name) = 0;
  // Fills in the members of a record that this object made; false if it is not one of its own.
  virtual bool complete(TypeTable& types, uint32_t record) = 0;

  // First instruction of a source line; column 0 = any. Nothing with `*error` in bpftrace's wording.
  virtual std::optional<uint64_t> line_address(std::string_view file, uint32_t line, uint32_t column, std::string* error) = 0;
};

}  // namespace btc
