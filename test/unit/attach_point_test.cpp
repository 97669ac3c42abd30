// The grammar of attach points, integers, wildcards.
#include <gtest/gtest.h>

#include "runtime-stub/abi/attach_point.h"
#include "runtime-stub/abi/int_parse.h"

using namespace btc::abi;

namespace {

std::string name_of(std::string_view text) {
  AttachPoint point;
  AttachPointError error;
  return parse_attach_point(text, &point, &error) ? point.display_name() : "ERROR: " + error.message;
}
std::string error_of(std::string_view text, bool allow_params = false) {
  AttachPoint point;
  AttachPointError error;
  return parse_attach_point(text, &point, &error, allow_params) ? "" : error.message;
}
AttachPoint parsed(std::string_view text) {
  AttachPoint point;
  AttachPointError error;
  EXPECT_TRUE(parse_attach_point(text, &point, &error)) << text << ": " << error.message;
  return point;
}

}  // namespace

TEST(AttachPoint, NamesAreThoseOfTheProbeBuiltin) {
  const std::pair<const char*, const char*> cases[] = {
      {"begin", "begin"}, {"BEGIN", "begin"}, {"End", "end"}, {"begin:*", "begin"},
      {"self:signal:SIGUSR1", "self:signal:SIGUSR1"}, {"test:a", "test:a"}, {"bench:a", "bench:a"},
      {"k:vfs_read", "kprobe:vfs_read"}, {"kprobe:ext4:f", "kprobe:ext4:f"}, {"kprobe:f+0x10", "kprobe:f+16"}, {"kprobe:0x12345678", "kprobe:305419896"},
      {"kr:vfs_*", "kretprobe:vfs_*"}, {"u:/bin/sh:main", "uprobe:/bin/sh:main"}, {"uprobe:/bin/sh:main+4", "uprobe:/bin/sh:main+4"},
      {"uprobe:/bin/sh:0x40", "uprobe:/bin/sh:64"}, {"uprobe:/a:cpp:\"f(int)\"", "uprobe:/a:cpp:f(int)"}, {"uprobe:\"/a:b\":f", "uprobe:/a:b:f"},
      {"ur:libc:f", "uretprobe:libc:f"}, {"U:/a:ns:p", "usdt:/a:ns:p"}, {"usdt:/a:p", "usdt:/a:p"},
      {"t:sched:sched_switch", "tracepoint:sched:sched_switch"}, {"t:*switch", "tracepoint:*:*switch"},
      {"rt:sched_switch", "rawtracepoint:sched_switch"}, {"rt:mod:ev", "rawtracepoint:mod:ev"}, {"f:vfs_read", "fentry:vfs_read"},
      {"fexit:mod:f", "fexit:mod:f"}, {"fentry:bpf:prog", "fentry:bpf:prog"}, {"fentry:bpf:12:prog", "fentry:bpf:12:prog"},
      {"fentry:bpf:*:prog", "fentry:bpf:prog"}, {"p:hz:99", "profile:hz:99"}, {"profile:10ms", "profile:us:10000"}, {"i:s:1", "interval:s:1"},
      {"interval:1s", "interval:us:1000000"}, {"interval:1000000", "interval:us:1000"}, {"s:cpu:100000", "software:cpu:100000"},
      {"software:faults", "software:faults"}, {"h:cycles:1e6", "hardware:cycles:1000000"}, {"w:0x1000:8:wr", "watchpoint:4096:8:rw"},
      {"it:task", "iter:task"}, {"iter:task_file:pin", "iter:task_file"},
  };
  for (auto [text, name] : cases) EXPECT_EQ(name_of(text), name) << text;
}

TEST(AttachPoint, ErrorsAreBpftraces) {
  const std::pair<const char*, const char*> cases[] = {
      {"foo:bar", "Invalid probe type: foo"},
      {"kprobe", "kprobe probe type requires 1 or 2 arguments, found 0"},
      {"kprobe:a:b:c", "kprobe probe type requires 1 or 2 arguments, found 3"},
      {"kprobe:f+1+2", "Cannot take more than one offset"},
      {"kprobe:f+x", "Invalid offset: invalid integer: x"},
      {"kretprobe:f+1", "Offset not allowed"},
      {"begin:x", "begin probe type requires 0 arguments, found 1"},
      {"self:signal:SIGINT", "SIGINT is not a supported signal"},
      {"self:alarm:SIGUSR1", "alarm is not a supported trigger"},
      {"uprobe:/bin/sh", "uprobe probe type requires 2 or 3 arguments, found 1"},
      {"uprobe", "uprobe probe type requires 2 or 3 arguments, found 0"},
      {"uprobe:/a:go:f", "unsupported language type: go"},
      {"uprobe:/a*:0x10", "Cannot use wildcards with absolute address"},
      {"tracepoint:sched", "tracepoint probe type requires 2 arguments, found 1"},
      {"profile:hz", "Invalid rate of profile probe: invalid integer: hz"},
      {"profile:min:1", "min is not an accepted unit of time"},
      {"profile:hz:0", "profile frequency should be a positive integer"},
      {"interval:999", "Invalid rate of interval probe. Minimum is 1000 or 1us. Found: 999 nanoseconds"},
      {"software:nope", "nope is not a software probe"},
      {"software:c*", "wildcards are not allowed for software probe type"},
      {"hardware:cycles:x", "Invalid count for hardware probe: invalid integer: x"},
      {"watchpoint:0:8:w", "watchpoint must be attached to a non-zero address"},
      {"watchpoint:1:3:w", "watchpoint length must be one of (1,2,4,8)"},
      {"watchpoint:1:8:q", "watchpoint mode must be combination of (r,w,x)"},
      {"watchpoint:1:8:ww", "watchpoint modes may not be duplicated"},
      {"watchpoint:1:8:r", "invalid watchpoint mode: r"},
      {"iter:task*", "iter probe type does not support wildcards"},
      {"fentry:bpf", "the 'bpf' variant of this probe requires a bpf program name and optional bpf program id"},
      {"fentry:a:b:c", "Only the 'bpf' variant of this probe supports 4 arguments"},
      {"fentry:bpf:x:c", "bpf program id must be a number or '*'"},
  };
  for (auto [text, message] : cases) EXPECT_EQ(error_of(text), message) << text;
}

TEST(AttachPoint, TheErrorsPlaceIsThePart) {
  AttachPoint point;
  AttachPointError error;
  EXPECT_FALSE(parse_attach_point("watchpoint:0x1000:3:w", &point, &error));
  EXPECT_EQ(error.offset, 18u);
  EXPECT_EQ(error.length, 1u);
  EXPECT_FALSE(parse_attach_point("watchpoint:0x1000:8:r", &point, &error));
  EXPECT_EQ(error.hint, "supported modes: rw,w,x");
}

TEST(AttachPoint, PartsThatAreNotInTheName) {
  EXPECT_EQ(parsed("iter:task:my_pin").pin, "my_pin");
  AttachPoint source = parsed("uprobe:/bin/a@dir/f.c:12:3");
  EXPECT_EQ(source.source_file, "dir/f.c");
  EXPECT_EQ(source.source_line, 12u);
  EXPECT_EQ(source.source_col, 3u);
  EXPECT_TRUE(parsed("uprobe:/bin/a:0").has_address);
}

TEST(AttachPoint, Wildcards) {
  EXPECT_TRUE(parsed("kprobe:vfs_*").wildcard);
  EXPECT_TRUE(parsed("tracepoint:*:x").wildcard);
  EXPECT_TRUE(parsed("usdt:/a:p").wildcard);
  EXPECT_FALSE(parsed("usdt:/a:ns:p").wildcard);
  EXPECT_FALSE(parsed("kprobe:vfs_read").wildcard);
}

TEST(AttachPoint, ParametersLeaveTheRestChecked) {
  EXPECT_EQ(error_of("kprobe:$1"), "positional parameter is not known here: $1");
  for (const char* text : {"kprobe:$1", "kprobe:$1+$2", "uprobe:$1:f", "profile:hz:$1", "profile:$1", "watchpoint:$1:$2:$3", "software:$1", "fentry:$1:$2:$3"}) {
    EXPECT_EQ(error_of(text, true), "") << text;
  }
  EXPECT_EQ(error_of("profile:min:$1", true), "min is not an accepted unit of time");
  EXPECT_EQ(error_of("$1:f", true), "the probe type cannot be a positional parameter");
  EXPECT_EQ(error_of("kprobe:$x", true),
            "invalid trailing character for positional param: x. Try quoting this entire part if this is intentional e.g. \"$x\".");
  EXPECT_EQ(error_of("kprobe:\"a$x\"", true), "");
  EXPECT_EQ(error_of("kprobe:$99999999999999999999", true),
            "positional parameter is not valid: overflow error, maximum value is 18446744073709551615: 99999999999999999999");
}

TEST(AttachPoint, SubstitutesParameters) {
  std::string out;
  EXPECT_TRUE(substitute_params("uprobe:$1:f$2:\"$1\"", {"/bin/sh", "oo"}, &out));
  EXPECT_EQ(out, "uprobe:/bin/sh:foo:\"$1\"");
  std::string missing;
  EXPECT_TRUE(substitute_params("a$3b$10", {"x"}, &out, &missing));
  EXPECT_EQ(missing, "$3");
  EXPECT_TRUE(substitute_params("a$1", {"x"}, &out, &missing));
  EXPECT_EQ(missing, "");
  EXPECT_TRUE(substitute_params("a$3b$10", {"x"}, &out));
  EXPECT_EQ(out, "ab");
  EXPECT_FALSE(substitute_params("$x", {"x"}, &out));
  EXPECT_FALSE(substitute_params("$", {"x"}, &out));
}

TEST(AttachPoint, OldNamesAreKnownAsSuch) {
  bool deprecated = false;
  EXPECT_EQ(find_probe("kfunc", &deprecated)->kind, ProbeKind::Fentry);
  EXPECT_TRUE(deprecated);
  EXPECT_EQ(find_probe("f", &deprecated)->kind, ProbeKind::Fentry);
  EXPECT_FALSE(deprecated);
  EXPECT_EQ(find_probe("U")->kind, ProbeKind::Usdt);
  EXPECT_EQ(find_probe("u")->kind, ProbeKind::Uprobe);
  EXPECT_EQ(find_probe("nope"), nullptr);
}

TEST(CppNames, Match) {
  EXPECT_TRUE(cpp_name_match("f", "f(int) const"));
  EXPECT_TRUE(cpp_name_match("f(int) const", "f(int) const"));
  EXPECT_TRUE(cpp_name_match("*::f", "(anonymous namespace)::f(void (*)(int))"));
  EXPECT_TRUE(cpp_name_match("(anonymous namespace)::f", "(anonymous namespace)::f(int)"));
  EXPECT_TRUE(cpp_name_match("Op::operator()", "Op::operator()(int) const"));
  EXPECT_FALSE(cpp_name_match("f", "f(int) [clone .cold]"));
  EXPECT_TRUE(cpp_name_match("f*", "f(int) [clone .constprop.0]"));
  EXPECT_EQ(without_parameters("unbalanced)"), "");
  EXPECT_EQ(without_parameters("(anonymous namespace)::f"), "(anonymous namespace)::f");
  EXPECT_EQ(without_parameters("typeinfo for A"), "typeinfo for A");
}

TEST(WildcardMatch, LikeAShellWithStarOnly) {
  EXPECT_TRUE(wildcard_match("*", ""));
  EXPECT_TRUE(wildcard_match("a*b", "abb"));
  EXPECT_TRUE(wildcard_match("*a*b*", "xaybz"));
  EXPECT_TRUE(wildcard_match("abc", "abc"));
  EXPECT_FALSE(wildcard_match("abc", "abcd"));
  EXPECT_FALSE(wildcard_match("a*c", "ab"));
  EXPECT_FALSE(wildcard_match("", "a"));
  EXPECT_FALSE(wildcard_match("a?c", "abc"));
  EXPECT_FALSE(wildcard_match("*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(IntParse, Values) {
  const std::pair<const char*, uint64_t> cases[] = {
      {"0", 0}, {"123", 123}, {"0x1F", 31}, {"0X1f", 31}, {"017", 15}, {"0b101", 5}, {"1_000", 1000}, {"1e6", 1000000}, {"1e0", 1}, {"5U", 5}, {"5uLL", 5},
      {"0xffu", 255}, {"2us", 2000}, {"1m", 60000000000}, {"18446744073709551615", UINT64_MAX},
  };
  for (auto [text, value] : cases) {
    IntParse parsed = parse_uint(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error;
    EXPECT_EQ(parsed.value, value) << text;
  }
}

TEST(IntParse, Errors) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "invalid integer: "}, {"a1111", "invalid integer: a1111"}, {"111a1", "invalid trailing bytes: 111a1"},
      {"18446744073709551616", "overflow error, maximum value is 18446744073709551615: 18446744073709551616"},
      {"5000000000u", "overflow error, maximum value is 4294967295: 5000000000u"},
      {"12e3", "coefficient part of scientific literal must be 1-9: 12e3"}, {"1MS", "invalid trailing bytes: 1MS"},
  };
  for (auto [text, message] : cases) EXPECT_EQ(parse_uint(text).error, message) << text;
}

TEST(IntParse, Negative) {
  bool negative = false;
  EXPECT_EQ(static_cast<int64_t>(parse_int("-5", &negative).value), -5);
  EXPECT_TRUE(negative);
  EXPECT_EQ(static_cast<int64_t>(parse_int("-9223372036854775808", &negative).value), INT64_MIN);
  EXPECT_FALSE(parse_int("-9223372036854775809", &negative).ok());
}
