// Finding debug files; see debug_file.h. The places are those that GDB documents: the build id below /usr/lib/debug, then the debug link's
// name beside the program, in .debug, and below /usr/lib/debug in the program's folder. Left out: debuginfod, files packed by dwz.
#include "runtime-stub/src/debug_file.h"

#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "runtime-stub/src/resolve_files.h"

namespace btc::rt {
namespace {

constexpr std::string_view kDebugFolder = "/usr/lib/debug";

// As debug files lie beside the file itself.
std::string behind_links(const std::string& path, const std::string& root) {
  char real[PATH_MAX];
  if (!root.empty()) return follow_links(root, std::string_view(path).substr(root.size()));
  return ::realpath(path.c_str(), real) != nullptr ? std::string(real) : path;
}

Bytes debug_link(const ElfImage& program) {
  int section = program.find_section(".gnu_debuglink");
  return section < 0 ? Bytes{} : program.section_bytes(static_cast<uint32_t>(section));
}

uint32_t crc32(Bytes bytes) {
  constexpr uint32_t kPolynomial = 0xedb88320;
  std::array<uint32_t, 256> table;
  for (uint32_t i = 0; i < table.size(); ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ (table[i] & 1 ? kPolynomial : 0);
  }
  uint32_t crc = ~0u;
  for (uint8_t byte : bytes) crc = crc >> 8 ^ table[(crc ^ byte) & 0xff];
  return ~crc;
}

}  // namespace

std::vector<std::string> debug_file_candidates(const ElfImage& program, const std::string& path) {
  std::vector<std::string> found;
  std::string root = root_in(path);
  if (Bytes id = program.build_id(); id.size() > 2) {
    std::string text = hex_text(id), file = cat(kDebugFolder, "/.build-id/", text.substr(0, 2), "/", text.substr(2), ".debug");
    if (!root.empty()) found.push_back(root + file);
    found.push_back(file);
  }
  std::string_view link = ElfImage::string_at(debug_link(program), 0);
  if (link.empty() || link.find('/') != std::string_view::npos) return found;
  for (const std::string& file : {behind_links(path, root), path}) {
    std::string folder = file.substr(0, file.rfind('/') + 1);      // with its '/'
    for (const std::string& where : {folder, cat(folder, ".debug/")}) found.push_back(cat(where, link));
    if (folder.starts_with('/')) found.push_back(cat(root, kDebugFolder, folder.substr(root.size()), link));
  }
  return found;
}

bool is_debug_file_of(const ElfImage& program, const ElfImage& debug) {
  if (!debug.ok() || debug.header().e_machine != program.header().e_machine) return false;
  Bytes wanted = program.build_id(), have = debug.build_id();
  if (!wanted.empty()) return wanted.size() == have.size() && memcmp(wanted.data(), have.data(), have.size()) == 0;
  Bytes link = debug_link(program);
  uint64_t at = (ElfImage::string_at(link, 0).size() + 1 + 3) / 4 * 4;
  uint32_t checksum;
  if (link.size() < at + sizeof checksum) return false;
  memcpy(&checksum, link.data() + at, sizeof checksum);
  return crc32(debug.bytes()) == checksum;
}

}  // namespace btc::rt
