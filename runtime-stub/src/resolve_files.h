// Finding programs and libraries by the names people give them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace btc::rt {

bool is_file(const std::string& path);               // a regular one
std::string find_program(std::string_view name);     // "" or a path: as given if it has a '/', else from PATH, rather a program than a script
std::string find_library(std::string_view name);     // "libc", "libc.so.6": from ld.so's cache, then the usual folders
// Paths are those that the process itself would use; path_in_process() opens them.
std::string program_of(int pid);
std::vector<std::string> mapped_files(int pid);      // executable mappings of a process, each once; also of files that are gone
std::string mapped_file_called(int pid, std::string_view name);  // "libc", "libc.so.6", "bash": the one of them, or ""
std::vector<std::string> all_mapped_files();         // of all processes, as this one can open them
std::vector<std::string> match_paths(std::string_view pattern, int pid);  // '*' in any part; among the files of the process, if it is not 0
std::string path_in_process(int pid, const std::string& path);   // /proc/PID/root/... when it has another root or other mounts; the file that it maps, if another took its place
std::string root_in(const std::string& path);        // "/proc/12/root" of "/proc/12/root/bin/x"; else ""
// `path` (absolute) in the file tree `root`, behind all symbolic links. Those that are absolute count from there: the kernel, which
// follows them for us, would take them from our own root, to another file.
std::string follow_links(const std::string& root, std::string_view path);

}  // namespace btc::rt
