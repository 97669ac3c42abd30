// Lengths of x86 instructions: one of each form, bytes that are none, and whole programs against objdump.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "runtime-stub/src/x86_length.h"

namespace btc::rt {
namespace {

std::vector<uint8_t> bytes_of(const char* text) {
  std::vector<uint8_t> bytes;
  for (char* at = const_cast<char*>(text);;) {
    char* end = at;
    unsigned long byte = strtoul(at, &end, 16);
    if (end == at) return bytes;
    bytes.push_back(static_cast<uint8_t>(byte));
    at = end;
  }
}

// Each is whole: one byte less is none, and what follows does not matter.
void expect_whole(const char* text, bool is_64) {
  std::vector<uint8_t> bytes = bytes_of(text);
  std::vector<uint8_t> more = bytes;
  more.insert(more.end(), 16, 0x90);
  EXPECT_EQ(x86_length(bytes, is_64), bytes.size()) << text;
  EXPECT_EQ(x86_length(more, is_64), bytes.size()) << text;
  EXPECT_EQ(x86_length(std::span(bytes).first(bytes.size() - 1), is_64), 0u) << text;
}

TEST(X86Length, FormsOf64Bit) {
  for (const char* text : {
           "55", "c3", "90", "f3 0f 1e fa", "48 89 e5", "41 57", "cc", "f4", "c9", "0f 05", "0f a2", "0f 0b",
           "8b 45 f8", "8b 85 00 01 00 00", "8b 05 00 00 00 00", "8b 04 24", "8b 04 8d 00 00 00 00", "8b 44 24 08", "8b 84 24 00 01 00 00", "67 8b 00",
           "83 ec 08", "81 ec 00 01 00 00", "66 81 38 00 01", "48 81 c4 00 01 00 00", "66 c7 00 01 00", "c7 45 fc 00 00 00 00", "c6 45 ff 01",
           "f6 00 01", "f6 10", "f7 c0 00 00 00 00", "66 f7 c0 00 00", "48 f7 c0 00 00 00 00", "f7 d8", "48 f7 e1",
           "b0 01", "b8 00 00 00 00", "66 b8 00 00", "48 b8 00 00 00 00 00 00 00 00", "a1 00 00 00 00 00 00 00 00", "67 a1 00 00 00 00",
           "e8 00 00 00 00", "66 48 e8 00 00 00 00", "eb 00", "0f 84 00 00 00 00", "74 00", "c2 08 00", "c8 00 00 00", "6a 00", "68 00 00 00 00",
           "69 c0 00 01 00 00", "6b c0 10", "0f af c1", "0f b6 00", "0f ba e0 01", "0f a4 c1 04", "0f c7 0f", "0f 20 c0", "0f 20 00", "0f 22 05",
           "66 66 2e 0f 1f 84 00 00 00 00 00", "f0 48 0f c1 08", "f3 48 ab", "64 48 8b 04 25 28 00 00 00", "9b", "d9 7d fe", "c7 f8 00 00 00 00",
           "66 0f 6f 00", "66 0f 70 c0 00", "0f c6 c0 00", "66 0f 38 00 c1", "66 0f 3a 0f c1 08", "f2 0f 38 f0 c1", "0f 0f c1 bf", "0f 77",
           "c5 f8 77", "c5 f9 6f 00", "c5 fd 70 c0 00", "c4 e2 7d 58 00", "c4 e3 7d 39 c1 01", "c4 e3 71 4a c2 30", "c5 f8 92 c8",
           "62 f1 7c 48 10 00", "62 f1 fe 48 6f 44 24 01", "62 f3 7d 48 3f c1 04", "62 f2 7d 48 58 00", "62 f5 7c 48 58 c1", "8f 00", "8f e8 78 c0 c1 08",
           "8f e9 78 01 c8", "8f ea 78 10 c1 00 00 00 00"})
    expect_whole(text, true);
}

TEST(X86Length, FormsOf32Bit) {
  for (const char* text : {"40", "48", "06", "60", "27", "ce", "d4 0a", "37", "9a 00 00 00 00 00 00", "66 9a 00 00 00 00", "ea 00 00 00 00 00 00",
                           "c4 00", "c5 45 08", "62 45 08", "c5 f8 77", "a1 00 00 00 00", "67 a1 00 00", "67 8b 06 00 00", "67 8b 46 08", "67 8b 86 00 01",
                           "67 8b 07", "82 c0 01", "66 e8 00 00", "e8 00 00 00 00", "8b 05 00 00 00 00", "8b 04 24", "65 a1 14 00 00 00"})
    expect_whole(text, false);
}

TEST(X86Length, WhatIsNoInstruction) {
  for (const char* text : {"", "06 90 90", "60 90", "0f 04 90", "0f ff", "66", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", "c5", "62 ff 00 00 00 00", "d6 00", "9a 00 00 00 00 00 00"})
    EXPECT_EQ(x86_length(bytes_of(text), true), 0u) << text;
}

TEST(X86Length, Boundaries) {
  std::vector<uint8_t> function = bytes_of("55 48 89 e5 89 7d fc 0f 04 90");
  const Boundary expected[] = {Boundary::Begins, Boundary::Begins, Boundary::Inside, Boundary::Inside, Boundary::Begins, Boundary::Inside, Boundary::Inside, Boundary::Begins};
  for (size_t i = 0; i < std::size(expected); ++i) EXPECT_EQ(x86_boundary(function, i, true), expected[i]) << i;
  EXPECT_EQ(x86_boundary(function, 8, true), Boundary::Unknown);      // 0f 04 is no instruction
  EXPECT_EQ(x86_boundary(function, 1000, true), Boundary::Unknown);
}

bool is_prefix(uint8_t byte) { return memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", byte, 11) != nullptr || (byte & 0xf0) == 0x40; }

// Every instruction of a program, its bytes as objdump shows them. Data between functions it shows as (bad), .byte and lone prefixes; an
// FPU instruction with the fwait before it as one.
void compare_with_objdump(const std::string& path) {
  FILE* listing = popen(("objdump -d -w --no-addresses -j .text '" + path + "' 2>/dev/null").c_str(), "r");
  ASSERT_NE(listing, nullptr);
  char line[1024];
  size_t count = 0, wrong = 0;
  while (fgets(line, sizeof line, listing) != nullptr) {
    std::string text = line;
    size_t begin = text.find('\t'), end = begin == std::string::npos ? begin : text.find('\t', begin + 1);
    if (end == std::string::npos || text.find("(bad)") != std::string::npos || text.find(".byte") != std::string::npos || text.find("data16", end) != std::string::npos) continue;
    std::string shown = text.substr(begin + 1, end - begin - 1);
    std::vector<uint8_t> bytes = bytes_of(shown.c_str());
    if (std::all_of(bytes.begin(), bytes.end(), is_prefix) || (bytes[0] == 0x9b && bytes.size() > 1)) continue;
    ++count;
    if (x86_length(bytes, true) == bytes.size()) continue;
    if (++wrong <= 10) ADD_FAILURE() << path << ": " << text;
  }
  pclose(listing);
  EXPECT_EQ(wrong, 0u) << path;
  if (count == 0) GTEST_SKIP() << "objdump cannot read " << path;
  printf("%s: %zu instructions\n", path.c_str(), count);
}

std::string library_of_this_process(const char* name) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[4096], path[4096] = "";
  while (maps != nullptr && fgets(line, sizeof line, maps) != nullptr)
    if (char* at = strchr(line, '/'); at != nullptr && strstr(at, name) != nullptr) snprintf(path, sizeof path, "%.*s", static_cast<int>(strcspn(at, "\n")), at);
  if (maps != nullptr) fclose(maps);
  return path;
}

std::string program_itself() {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return std::string(path, size > 0 ? static_cast<size_t>(size) : 0);
}

TEST(X86Length, ThisProgram) { compare_with_objdump(program_itself()); }
TEST(X86Length, CLibrary) { compare_with_objdump(library_of_this_process("/libc.so")); }
TEST(X86Length, Shell) { compare_with_objdump("/bin/bash"); }

}  // namespace
}  // namespace btc::rt
