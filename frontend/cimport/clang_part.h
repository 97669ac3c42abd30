// What btc asks of Clang's code generator, and the one function that answers.
//
// Clang's C++ library is 60 MB whose loading costs more than most compiles, and
// only scripts that import C need it. So what calls it is a shared object of its
// own (clang_part.cpp), carried inside btc and loaded when the first C file is
// compiled (clang_loader.cpp). This header is all that both sides know; they are
// built by the same compiler, so plain C++ types cross.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace btc {

struct ClangJob {
  std::vector<std::string> arguments;                                   // of `clang -cc1`, without the input
  std::string input;                                                    // path of the C file, one of `files`
  std::vector<std::pair<std::string, std::string_view>> files;          // files that exist only here, or hide those of the machine
  // One more, large one: asked for when Clang first looks at the path.
  std::string made_path;
  std::function<std::string()> make;
};

struct ClangMessage {
  enum Level { Note, Warning, Error } level = Error;
  std::string file;                                                     // "" = no place
  unsigned line = 0, col = 0;
  std::string text;
};

struct ClangOutput {
  std::string bitcode;                                                  // before any optimisation
  std::string object;                                                   // its functions without code: read for their types, never linked
  std::vector<ClangMessage> messages;
  std::vector<std::string> files_read;                                  // of the machine, as Clang named them
};

// False if there were errors; they are among the messages.
using ClangCompile = bool (*)(const ClangJob& job, ClangOutput* out);
inline constexpr const char* kClangCompileSymbol = "btc_clang_compile";

}  // namespace btc
