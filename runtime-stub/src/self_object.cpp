// Finds the object in this executable; see self_object.h. The section is not
// loaded with the program, so it is read from the file: /proc/self/exe, or the
// path the kernel was given where /proc is not mounted.
#include "runtime-stub/src/self_object.h"

#include <cerrno>
#include <sys/auxv.h>

#include "runtime-stub/abi/abi.h"

namespace btc::rt {

Bytes find_self_object(std::string* error) {
  static MappedFile self;
  const char* path = "/proc/self/exe";
  if (!self.open(path)) {
    path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    if (path == nullptr || !self.open(path)) {
      *error = cat("cannot read this executable: ", error_text(errno));
      return {};
    }
  }
  ElfImage elf(self.bytes());
  if (!elf.ok() || elf.section_count() == 0) {
    *error = "this executable is cut off: its section table is missing";
    return {};
  }
  int index = elf.find_section(abi::kObjectSection);
  if (index < 0) return {};
  Bytes object = elf.section_bytes(static_cast<uint32_t>(index));
  if (object.empty()) *error = "this executable is cut off: its object is missing";
  return object;
}

}  // namespace btc::rt
