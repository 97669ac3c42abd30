// Every row of the tables: its example is accepted, nonsense is refused.
#include <gtest/gtest.h>

#include "frontend/parse/parser.h"
#include "frontend/sema/program.h"

namespace btc {
namespace {

// The messages, or "" if the script is accepted.
std::string messages_of(const std::string& text, bool unsafe = true) {
  static std::unique_ptr<Profile> profile = [] {
    std::string error;
    return open_builtin_profile(&error);
  }();
  SourceManager sources;
  DiagEngine diags(sources);
  ast::Arena arena;
  ast::Script script;
  CompileOptions options;
  options.unsafe = unsafe;
  uint32_t file = sources.add("test", text);
  parse_script(arena, sources, file, diags, &script);
  if (!diags.has_errors()) analyse(arena, script, profile.get(), options, sources, diags);
  return diags.has_errors() ? diags.render_text(false) : "";
}

const char* a_probe_of(uint32_t set) {
  struct { uint32_t bit; const char* text; } probes[] = {
      {kInBegin, "begin"}, {kInKprobe, "kprobe:vfs_read"}, {kInKretprobe, "kretprobe:vfs_read"}, {kInUprobe, "uprobe:/bin/sh:main"},
      {kInTracepoint, "tracepoint:sched:sched_switch"}, {kInFentry, "fentry:vfs_read"}, {kInFexit, "fexit:vfs_read"}, {kInIter, "iter:task"}};
  for (auto& probe : probes)
    if (set & probe.bit) return probe.text;
  return "interval:s:1";
}

TEST(SemaTables, ExamplesAreAccepted) {
  for (size_t i = 0; i < static_cast<size_t>(Function::kCount); ++i) {
    const FunctionInfo& row = function_info(static_cast<Function>(i));
    if (row.flags & kFuncPending) continue;
    EXPECT_EQ(messages_of(row.example), "") << row.name << ": " << row.example;
  }
}

TEST(SemaTables, TooManyArgumentsAreRefused) {
  for (size_t i = 0; i < static_cast<size_t>(Function::kCount); ++i) {
    const FunctionInfo& row = function_info(static_cast<Function>(i));
    std::string call = std::string(row.name) + "(";
    for (int n = 0; n < 130; ++n) call += (n ? ", " : "") + std::to_string(n);
    std::string script = std::string(a_probe_of(row.probes)) + " { " + (row.phase == Phase::MapOperator ? "@ = " : "") + call + "); }";
    EXPECT_NE(messages_of(script), "") << row.name;
  }
}

TEST(SemaTables, UnsafeNeedsTheFlag) {
  for (size_t i = 0; i < static_cast<size_t>(Function::kCount); ++i) {
    const FunctionInfo& row = function_info(static_cast<Function>(i));
    if (row.flags & kFuncUnsafe) EXPECT_NE(messages_of(row.example, false), "") << row.name;
  }
}

TEST(SemaTables, PendingRowsSaySo) {
  for (size_t i = 0; i < static_cast<size_t>(Function::kCount); ++i) {
    const FunctionInfo& row = function_info(static_cast<Function>(i));
    if (row.flags & kFuncPending) EXPECT_NE(messages_of(row.example).find("not yet supported"), std::string::npos) << row.name;
  }
}

TEST(SemaTables, BuiltinsWhereTheyAreAllowed) {
  for (size_t i = 0; i < static_cast<size_t>(Builtin::kCount); ++i) {
    const BuiltinInfo& row = builtin_info(static_cast<Builtin>(i));
    std::string name = row.id == Builtin::Arg ? "arg0" : row.name;
    const char* probe = row.id == Builtin::Args ? "tracepoint:sched:sched_switch" : row.id == Builtin::Ctx ? "kprobe:vfs_read" : a_probe_of(row.probes);
    if (row.id == Builtin::Retval) probe = "fexit:vfs_read";
    EXPECT_EQ(messages_of(std::string(probe) + " { $x = " + name + "; }"), "") << name << " in " << probe;
    EXPECT_NE(messages_of(std::string(probe) + " { $x = " + name + "(1, 2, 3); }"), "") << name;
    if (row.probes != kInAny && row.id != Builtin::Usermode)
      EXPECT_NE(messages_of("self:signal:SIGUSR1 { $x = " + name + "; }"), "") << name;
  }
}

TEST(SemaTables, ConfigKeys) {
  for (size_t i = 0; i < static_cast<size_t>(ConfigKey::kCount); ++i) {
    const ConfigInfo& row = config_info(static_cast<ConfigKey>(i));
    std::string choices = row.choices, good = row.type == ConfigType::Bool ? "true" : row.type == ConfigType::Uint ? "17" : "\"" + choices.substr(0, choices.find('|')) + "\"";
    EXPECT_EQ(messages_of("config = { " + std::string(row.key) + " = " + good + " } begin { }"), "") << row.key;
    if (row.type != ConfigType::String) EXPECT_NE(messages_of("config = { " + std::string(row.key) + " = \"?\" } begin { }"), "") << row.key;
  }
}

}  // namespace
}  // namespace btc
