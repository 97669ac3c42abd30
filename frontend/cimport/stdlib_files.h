// What `import "stdlib/..."` may name. bpftrace keeps C behind its functions
// there; btc has its functions built in. The C functions of those files that a
// script can call are here under the same names; the files of the others are
// known by name, so that importing them adds nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace btc {

struct StdlibFile { std::string_view name; std::string_view text; };   // "stdlib/test/test.bpf.c"; text "": built in

// The files that a name stands for: one file, or those directly in a folder. Empty: there is no such name.
std::vector<const StdlibFile*> find_stdlib(std::string_view name);
// All names of files, for suggestions.
std::vector<std::string> stdlib_names();

}  // namespace btc
