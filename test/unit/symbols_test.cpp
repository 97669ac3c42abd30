// Names of addresses and symbols: this process, its own kernel symbols' form, mangled names.
#include <csignal>
#include <fstream>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/demangle.h"
#include "runtime-stub/src/output/symbols_kernel.h"
#include "runtime-stub/src/output/symbols_user.h"

namespace btc::rt {
namespace {

std::string demangled(std::string_view symbol) {
  std::string out;
  append_demangled(out, symbol);
  return out;
}

__attribute__((noinline, used)) int some_function(int x) { return x * 3; }

std::string name_of(const void* addr, int32_t pid, bool offset = false, bool module = false) {
  UserSymbols symbols;
  symbols.configure({}, nullptr);
  std::string out;
  symbols.append(out, reinterpret_cast<uint64_t>(addr), pid, -1, offset, module);
  return out;
}

TEST(Symbols, OwnFunction) {
  auto addr = reinterpret_cast<const char*>(&some_function);
  EXPECT_EQ(name_of(addr, getpid()), "btc::rt::(anonymous namespace)::some_function(int)");
  EXPECT_EQ(name_of(addr + 1, getpid(), true), "btc::rt::(anonymous namespace)::some_function(int)+1");
  std::string perf = name_of(addr, getpid(), true, true);
  EXPECT_NE(perf.find("+0 (/"), std::string::npos) << perf;
  EXPECT_NE(perf.find("btc-unit)"), std::string::npos) << perf;
}

TEST(Symbols, Library) { EXPECT_EQ(name_of(reinterpret_cast<const void*>(&::getppid), getpid()), "getppid"); }

TEST(Symbols, UnknownAddress) {
  EXPECT_EQ(name_of(reinterpret_cast<const void*>(0x10), getpid()), "0x10");
  EXPECT_EQ(name_of(nullptr, getpid(), true, true), "0 ([unknown])");
  EXPECT_EQ(name_of(reinterpret_cast<const void*>(0x10), 0x7fffffff), "0x10");
}

TEST(Symbols, ProcessThatIsGone) {
  UserSymbols symbols;
  symbols.configure({}, nullptr);
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  symbols.note_process(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  std::string out;
  symbols.append(out, reinterpret_cast<uint64_t>(&::getppid), child, -1, false, false);
  EXPECT_EQ(out, "getppid");
}

TEST(Symbols, JitMap) {
  void* code = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::string file = "/tmp/perf-" + std::to_string(getpid()) + ".map", line;
  append_hex(line, reinterpret_cast<uint64_t>(code) + 16);
  std::ofstream(file) << line << " 20 Lcom/example/Main;::run\n";
  EXPECT_EQ(name_of(static_cast<char*>(code) + 24, getpid(), true), "Lcom/example/Main;::run+8");
  unlink(file.c_str());
  munmap(code, 4096);
}

TEST(Symbols, Demangling) {
  EXPECT_EQ(demangled("main"), "main");
  EXPECT_EQ(demangled("_ZN3foo3barEi"), "foo::bar(int)");
  EXPECT_EQ(demangled("_Z"), "_Z");
  EXPECT_EQ(demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"), "core::fmt::Formatter::pad");
  EXPECT_EQ(demangled("_ZN60_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..Drop$GT$4drop17h0123456789abcdefE"), "<alloc::vec::Vec<T> as core::ops::Drop>::drop");
}

TEST(Symbols, RustV0) {
  EXPECT_EQ(demangled("_RNvC6_123foo3bar"), "123foo::bar");
  EXPECT_EQ(demangled("_RNvNtCs1234_7mycrate3foo3bar"), "mycrate::foo::bar");
  EXPECT_EQ(demangled("_RNCC4main0"), "main::{closure#0}");
  EXPECT_EQ(demangled("_RNCNvC7mycrate3foos_0"), "mycrate::foo::{closure#1}");
  EXPECT_EQ(demangled("_RINvC7mycrate3fooReQlE"), "mycrate::foo::<&str, &mut i32>");
  EXPECT_EQ(demangled("_RNvMs_C7mycrateNtB4_3Foo3new"), "<mycrate::Foo>::new");
  EXPECT_EQ(demangled("_RNvXs_C7mycrateNtB4_3FooNtNtC4core3fmt7Display3fmt"), "<mycrate::Foo as core::fmt::Display>::fmt");
  EXPECT_EQ(demangled("_RNvC"), "_RNvC");
  EXPECT_EQ(demangled("_RB_"), "_RB_");
}

TEST(Symbols, KernelAddressWithoutName) {
  KernelSymbols symbols;
  std::string out;
  symbols.append(out, 0x10, true);
  EXPECT_EQ(out, "0x10");
}

}  // namespace
}  // namespace btc::rt
