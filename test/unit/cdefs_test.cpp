// C definitions: what preambles give, with headers, without them, and from the profile.
#include <gtest/gtest.h>

#include "frontend/cdefs/cdefs.h"

using namespace btc;

namespace {

// A preamble as the parser hands it over: one definition per line or record.
struct Preamble {
  SourceManager sources;
  DiagEngine diags{sources};
  TypeTable types;
  CDefinitions defs;
  std::unique_ptr<Profile> profile;

  explicit Preamble(std::vector<std::string> definitions, std::unordered_set<std::string> names = {}, CompileOptions options = {}, bool with_profile = true) {
    std::string script, error;
    std::vector<ast::CDefinition> parsed;
    for (const std::string& text : definitions) {
      auto begin = static_cast<uint32_t>(script.size()) + 1;
      parsed.push_back({{begin, begin + static_cast<uint32_t>(text.size())}, text});
      script += text + "\n";
    }
    sources.add("x.bt", script);
    if (with_profile) profile = open_builtin_profile(&error);
    CDefinitionsInput input;
    input.definitions = &parsed;
    input.names = std::move(names);
    read_c_definitions(input, options, profile.get(), types, diags, &defs);
  }
  const CDefinitions::Macro* macro(std::string_view name) {
    for (const auto& each : defs.macros)
      if (each.name == name) return &each;
    return nullptr;
  }
  std::string field(std::string_view record, std::string_view name) {
    auto index = types.find_record(record, false, RecordOrigin::Script);
    if (!index) return "no record";
    for (const Field& each : types.record(*index).fields)
      if (each.name == name) return fmt::format("{}{} {}", each.bit_offset, each.bit_size ? fmt::format(":{}", each.bit_size) : "", types.print(each.type));
    return "no field";
  }
  std::string errors() { return diags.render_text(false); }
};

}  // namespace

TEST(CDefinitions, Records) {
  Preamble p({"struct Foo { char c; int x, *p; char str[32]; unsigned char mac[6]; short m[2][3]; void (*fn)(int); struct Foo *next; };",
              "struct Bits { int a:1, b:1, c:3, d:20, e:7; int :4; long f; };",
              "struct Packed { char a; long b; } __attribute__((packed));",
              "struct Outer { struct { int x; } in; union { int y; long z; }; enum E { NONE, SOME = 99 } e; };",
              "union U { char c; long l; };"});
  EXPECT_EQ(p.errors(), "");
  EXPECT_EQ(p.field("Foo", "x"), "32 int32");
  EXPECT_EQ(p.field("Foo", "p"), "64 int32*");
  EXPECT_EQ(p.field("Foo", "str"), "128 string[32]");
  EXPECT_EQ(p.field("Foo", "mac"), "384 uint8[6]");
  EXPECT_EQ(p.field("Foo", "fn"), "576 void*");
  EXPECT_EQ(p.field("Foo", "next"), "640 struct Foo*");
  EXPECT_EQ(p.field("Bits", "d"), "5:20 int32");
  EXPECT_EQ(p.field("Bits", "f"), "64 int64");
  EXPECT_EQ(p.field("Packed", "b"), "8 int64");
  EXPECT_EQ(p.field("Outer", ""), "64 union Outer.1");
  EXPECT_EQ(p.field("Outer", "e"), "128 enum E");
  EXPECT_TRUE(p.types.find_record("U", true, RecordOrigin::Script));
  ASSERT_EQ(p.defs.enum_constants.size(), 2u);
  EXPECT_EQ(p.defs.enum_constants[1].second.second, 99);
}

TEST(CDefinitions, Macros) {
  Preamble p({"#include <stdint.h>", "#define ONE 1", "#define NEG (-5)", "#define SUM (ONE + sizeof(long) * 2)", "#define TEXT \"abc\" \"d\"",
              "#define EXPR (curtask->pid)", "#define TYPE size_t", "#define CAST ((unsigned char)300)", "enum { ANON = 7 };"},
             {"ONE", "NEG", "SUM", "TEXT", "EXPR", "TYPE", "CAST", "UINTPTR_MAX", "INT64_MIN", "UNKNOWN"});
  EXPECT_EQ(p.errors(), "");
  EXPECT_EQ(p.macro("ONE")->value, 1);
  EXPECT_EQ(p.macro("NEG")->value, -5);
  EXPECT_EQ(p.macro("SUM")->value, 17);
  EXPECT_EQ(p.macro("TEXT")->text, "abcd");
  EXPECT_EQ(p.macro("CAST")->value, 44);
  ASSERT_EQ(p.defs.enum_constants.size(), 1u);  // of a nameless enum: a constant with a name, not a macro
  EXPECT_EQ(p.defs.enum_constants[0].first, "ANON");
  EXPECT_EQ(p.defs.enum_constants[0].second.second, 7);
  EXPECT_EQ(static_cast<uint64_t>(*p.macro("UINTPTR_MAX")->value), UINT64_MAX);
  EXPECT_TRUE(p.macro("UINTPTR_MAX")->is_unsigned);
  EXPECT_EQ(p.macro("INT64_MIN")->value, INT64_MIN);
  EXPECT_EQ(p.macro("EXPR")->body, "(curtask->pid)");
  EXPECT_FALSE(p.macro("EXPR")->value);
  EXPECT_EQ(p.macro("TYPE")->body, "size_t");
  EXPECT_FALSE(p.macro("UNKNOWN"));
}

TEST(CDefinitions, KernelHeadersAreNeverNeeded) {
  Preamble p({"#include <linux/sched.h>", "#include <net/sock.h>", "#include <linux/nothing_like_this.h>", "#include \"../fs/mount.h\"",
              "#define ROOT MKDEV(8, 1)", "struct mine { struct sock *sk; struct list_head list; pid_t pid; atomic_t n; enum pid_type t; char comm[TASK_COMM_LEN]; __aligned_u64 a; };"},
             {"AF_INET6", "ROOT", "S_IFMT"});
  EXPECT_EQ(p.errors(), "");
  EXPECT_EQ(p.macro("AF_INET6")->value, 10);
  EXPECT_EQ(p.macro("ROOT")->value, 8 << 20 | 1);
  EXPECT_EQ(p.macro("S_IFMT")->value, 0170000);
  EXPECT_EQ(p.field("mine", "sk"), "0 struct sock*");
  EXPECT_EQ(p.field("mine", "list"), "64 struct list_head");
  EXPECT_EQ(p.field("mine", "pid"), "192 int32");
  EXPECT_EQ(p.field("mine", "n"), "224 struct atomic_t");
  EXPECT_EQ(p.field("mine", "t"), "256 enum pid_type");
  EXPECT_EQ(p.field("mine", "comm"), "288 string[16]");
  EXPECT_TRUE(p.types.find_record("list_head", false, RecordOrigin::Kernel));
  EXPECT_FALSE(p.types.find_record("list_head", false, RecordOrigin::Script));
}

TEST(CDefinitions, AScriptsTypeWins) {
  Preamble p({"struct task_struct { int mine; };"});
  EXPECT_EQ(p.errors(), "");
  EXPECT_EQ(p.field("task_struct", "mine"), "0 int32");
}

TEST(CDefinitions, GuardForBtf) {
  Preamble with({"#ifndef BPFTRACE_HAVE_BTF", "#include <lol/sock.h>", "#endif"});
  EXPECT_EQ(with.errors(), "");
  Preamble without({"#ifndef BPFTRACE_HAVE_BTF", "#define NO_BTF 1", "#endif"}, {"NO_BTF"}, {}, false);
  EXPECT_TRUE(without.macro("NO_BTF"));
}

TEST(CDefinitions, IncludeOption) {
  CompileOptions options;
  options.includes = {"linux/sched.h", "sys/types.h"};
  Preamble p({}, {"AF_INET"}, options);
  EXPECT_EQ(p.errors(), "");
  EXPECT_EQ(p.macro("AF_INET")->value, 2);
}

TEST(CDefinitions, Errors) {
  Preamble missing({"#include <lol/no.h>"});
  EXPECT_NE(missing.errors().find("x.bt:1:10-20: ERROR: 'lol/no.h' file not found\ndefinitions.h:2:10: fatal error: 'lol/no.h' file not found"), std::string::npos) << missing.errors();
  Preamble twice({"struct a { int a; };", "struct a { int a; };"});
  EXPECT_NE(twice.errors().find("x.bt:2:8"), std::string::npos) << twice.errors();
  EXPECT_NE(twice.errors().find("redefinition of 'a'"), std::string::npos) << twice.errors();
  Preamble incomplete({"struct a { int a; struct b b; };"});
  EXPECT_NE(incomplete.errors().find("field has incomplete type 'struct b'"), std::string::npos) << incomplete.errors();
}

TEST(CDefinitions, HeadersOfTheMachine) {
  Preamble p({"#include <stdint.h>", "#include <linux/types.h>", "#include <sys/socket.h>", "#include <linux/perf_event.h>", "struct s { __aligned_u64 a; __u32 b; size_t c; };"},
             {"UINTPTR_MAX", "AF_UNIX"});
  EXPECT_EQ(p.errors(), "");
  EXPECT_EQ(p.field("s", "c"), "128 uint64");
  EXPECT_EQ(p.macro("AF_UNIX")->value, 1);
}
