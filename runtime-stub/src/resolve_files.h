// Finding programs and libraries by the names people give them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace btc::rt {

std::string find_program(std::string_view name);     // "" or a path: as given if it has a '/', else from PATH
std::string find_library(std::string_view name);     // "libc", "libc.so.6": from ld.so's cache, then the usual folders
std::vector<std::string> mapped_files(int pid);      // executable mappings of a process, each once
std::vector<std::string> all_mapped_files();         // of all processes
std::vector<std::string> match_paths(std::string_view pattern);  // '*' in any part
std::string path_in_process(int pid, const std::string& path);   // /proc/PID/root/... when it lives in another mount namespace

}  // namespace btc::rt
