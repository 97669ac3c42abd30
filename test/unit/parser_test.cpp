// Scripts that are refused, with the first line of the message: text, columns and all. Accepted ones are test/lit/parse.
#include <gtest/gtest.h>

#include "frontend/parse/parser.h"

using namespace btc;

namespace {

std::string first_line(const std::string& script) {
  SourceManager sources;
  DiagEngine diags(sources);
  ast::Arena arena;
  ast::Script out;
  uint32_t file = sources.add("stdin", script);
  bool ok = parse_script(arena, sources, file, diags, &out);
  EXPECT_NE(ok, diags.has_errors());
  std::string text = diags.render_text(false);
  return text.substr(0, text.find('\n'));
}

struct Refused {
  const char* script;
  const char* message;
};

void expect(std::initializer_list<Refused> cases) {
  for (const Refused& refused : cases) EXPECT_EQ(first_line(refused.script), refused.message) << refused.script;
}

}  // namespace

TEST(Refused, Blocks) {
  expect({
      {"begin", "stdin:1:6-6: ERROR: syntax: expected '{'"},
      {"begin {", "stdin:1:8-8: ERROR: syntax: expected '}'"},
      {"begin { f()\n", "stdin:2:1-1: ERROR: syntax: expected ';'"},
      {"begin { f() g(); }", "stdin:1:13-14: ERROR: syntax: expected ';'"},
      {"begin { $x = 1 $y = 2; }", "stdin:1:16-18: ERROR: syntax: expected ';'"},
      {"begin { } }", "stdin:1:11-12: ERROR: syntax: unexpected input"},
      {"begin { if (1) f(); }", "stdin:1:16-17: ERROR: syntax: expected '{'"},
      {"begin { if (1) { } else f(); }", "stdin:1:25-26: ERROR: syntax: expected '{' or 'if' after 'else'"},
      {"begin { while (1 { } }", "stdin:1:18-19: ERROR: syntax: expected ')'"},
      {"begin { for x : @m { } }", "stdin:1:13-14: ERROR: syntax: expected variable in for loop"},
      {"begin { for $x @m { } }", "stdin:1:16-18: ERROR: syntax: expected ':'"},
      {"begin { for $x : $y { } }", "stdin:1:18-20: ERROR: syntax: expected map or range in for loop"},
      {"begin { for $x : @m[1] { } }", "stdin:1:18-23: ERROR: syntax: expected map or range in for loop"},
      {"begin { break f; }", "stdin:1:15-16: ERROR: syntax: expected ';'"},
      {"begin { let x = 1; }", "stdin:1:13-14: ERROR: syntax: expected variable after 'let'"},
      {"begin { let $x : ; }", "stdin:1:18-19: ERROR: syntax: expected type name"},
      {"begin { let $x : struct; }", "stdin:1:24-25: ERROR: syntax: expected identifier"},
  });
}

TEST(Refused, Assignments) {
  expect({
      {"begin { 1 = 2; }", "stdin:1:9-14: ERROR: syntax: invalid assignment target"},
      {"begin { f() = 2; }", "stdin:1:9-16: ERROR: syntax: invalid assignment target"},
      {"begin { $x[0] = 2; }", "stdin:1:9-18: ERROR: syntax: invalid assignment target"},
      {"begin { _ += 2; }", "stdin:1:9-15: ERROR: syntax: invalid assignment target"},
      {"begin { $x.y = 2; }",
       "stdin:1:9-17: ERROR: syntax: Tuples and records are immutable once created. Consider creating a new value and assigning it instead."},
      {"begin { $x.0 = 2; }",
       "stdin:1:9-17: ERROR: syntax: Tuples and records are immutable once created. Consider creating a new value and assigning it instead."},
      {"begin { ++f(); }", "stdin:1:11-14: ERROR: syntax: increment/decrement requires a variable or map"},
      {"begin { f()++; }", "stdin:1:12-14: ERROR: syntax: increment/decrement requires a variable or map"},
      {"begin { $x = &1; }", "stdin:1:15-16: ERROR: syntax: address-of operator (&) can only be used on a map or variable"},
  });
}

TEST(Refused, Expressions) {
  expect({
      {"begin { $x = ; }", "stdin:1:14-15: ERROR: syntax: expected expression"},
      {"begin { f(1; }", "stdin:1:12-13: ERROR: syntax: expected ')'"},
      {"begin { f(,); }", "stdin:1:11-12: ERROR: syntax: expected expression"},
      {"begin { @[; }", "stdin:1:11-12: ERROR: syntax: expected expression"},
      {"begin { @[1; }", "stdin:1:12-13: ERROR: syntax: expected ']'"},
      {"begin { $ = 1; }", "stdin:1:9-10: ERROR: syntax: expected identifier after '$'"},
      {"begin { $x.; }", "stdin:1:12-13: ERROR: syntax: expected field name after '.'"},
      {"begin { $x->; }", "stdin:1:13-14: ERROR: syntax: expected field name after '->'"},
      {"begin { $x ? 1; }", "stdin:1:15-16: ERROR: syntax: expected ':'"},
      {"begin { (1, 2; }", "stdin:1:14-15: ERROR: syntax: expected ')'"},
      {"begin { (a = 1, a = 2); }", "stdin:1:17-22: ERROR: syntax: Named argument list already contains name: a"},
      {"begin { (a = 1, 2); }", "stdin:1:17-18: ERROR: syntax: expected identifier"},
      {"begin { offsetof(struct x); }", "stdin:1:25-26: ERROR: syntax: expected ','"},
      {"begin { $0; }", "stdin:1:9-11: ERROR: syntax: param $0 is out of integer range [1, 9223372036854775807]"},
      {"begin { \xe2\x82\xac; }", "stdin:1:9-12: ERROR: syntax: expected expression"},
  });
}

TEST(Refused, Literals) {
  expect({
      {"begin { f(\"a); }", "stdin:1:17-17: ERROR: syntax: unterminated string"},
      {"begin { f(\"a\n\"); }", "stdin:2:1-2: ERROR: syntax: unterminated string"},
      {"begin { $x = 08; }", "stdin:1:14-16: ERROR: syntax: invalid trailing bytes: 08"},
      {"begin { f(\"\\q\"); }", "stdin:1:13-14: ERROR: syntax: invalid escape character '\\q'"},
      {"begin { f(\"\\777\"); }", "stdin:1:12-16: ERROR: syntax: octal escape sequence out of range '\\777'"},
      {"begin { f(\"\\xg\"); }", "stdin:1:14-15: ERROR: syntax: invalid hex escape sequence"},
      {"begin { f(1x); }", "stdin:1:12-13: ERROR: syntax: invalid integer suffix 'x'"},
      {"begin { f(1_); }", "stdin:1:12-13: ERROR: syntax: trailing underscore in integer literal"},
      {"begin { f(12e3); }", "stdin:1:11-15: ERROR: syntax: coefficient part of scientific literal must be 1-9: 12e3"},
      {"begin { f(0x); }", "stdin:1:11-13: ERROR: syntax: invalid integer: 0x"},
      {"begin { f(18446744073709551616); }",
       "stdin:1:11-31: ERROR: syntax: overflow error, maximum value is 18446744073709551615: 18446744073709551616"},
      {"begin { /* f(); }", "stdin:1:9-11: ERROR: syntax: unterminated comment"},
  });
}

TEST(Refused, Probes) {
  expect({
      {"{ }", "stdin:1:1-2: ERROR: syntax: expected attach point"},
      {"kprobe:f /1 { }", "stdin:1:13-14: ERROR: syntax: expected '/' to close predicate"},
      {"kprobe:f // { }", "stdin:1:16-16: ERROR: syntax: expected '{'"},
      {"kprobe:f { } , { }", "stdin:1:14-15: ERROR: syntax: expected attach point"},
      {"kprobe:f kprobe:g { }", "stdin:1:10-16: ERROR: syntax: expected '{'"},
      {"foo { }", "stdin:1:1-4: ERROR: Invalid probe type: foo"},
      {"x*:f { }", "stdin:1:1-5: ERROR: No probe type matched for x*"},
      {"kprobe:\"f { }", "stdin:1:14-14: ERROR: syntax: expected '{'"},
  });
}

TEST(Refused, Items) {
  expect({
      {"begin { } #include <a.h>", "stdin:1:11-25: ERROR: syntax: C definitions must appear before probes and functions"},
      {"begin { } struct a { int x; };", "stdin:1:11-31: ERROR: syntax: C definitions must appear before probes and functions"},
      {"begin { } config = { }", "stdin:1:11-17: ERROR: syntax: config must appear before probes and functions"},
      {"begin { } import \"x\";", "stdin:1:11-17: ERROR: syntax: root imports must appear before probes and functions"},
      {"config = { } config = { } begin { }", "stdin:1:14-20: ERROR: syntax: duplicate config block"},
      {"config { }", "stdin:1:8-9: ERROR: syntax: expected '='"},
      {"config = { a } begin { }", "stdin:1:14-15: ERROR: syntax: expected '='"},
      {"config = { a = } begin { }", "stdin:1:16-17: ERROR: syntax: expected string, int, boolean, or ident"},
      {"config = { a = 1 b = 2 } begin { }", "stdin:1:18-19: ERROR: syntax: expected ';'"},
      {"import x; begin { }", "stdin:1:8-9: ERROR: syntax: expected string after 'import'"},
      {"import \"x\" begin { }", "stdin:1:12-17: ERROR: syntax: expected ';' after import"},
      {"let $x = 1;", "stdin:1:5-7: ERROR: syntax: root-level let statements need to be map declarations, e.g. let @a = hash(2);"},
      {"let @a = 1;", "stdin:1:10-11: ERROR: syntax: expected map type name"},
      {"let @a = hash();", "stdin:1:15-16: ERROR: syntax: expected positive integer for map declaration max entries"},
      {"struct a { int x; begin { }", "stdin:1:28-28: ERROR: syntax: expected '}'"},
      {"struct a { int x; } __attribute__(x) begin { }", "stdin:1:34-35: ERROR: syntax: __attribute__ syntax error, expected '(('"},
      {"macro { }", "stdin:1:7-8: ERROR: syntax: expected macro name"},
      {"macro m { }", "stdin:1:9-10: ERROR: syntax: expected '('"},
      {"macro m(1) { }", "stdin:1:9-10: ERROR: syntax: expected macro argument ($var, @map, or identifier)"},
      {"macro m(pid) { }", "stdin:1:9-12: ERROR: syntax: builtin 'pid' can't be used as a macro argument"},
      {"fn f(a : int8) : int8 { }", "stdin:1:6-7: ERROR: syntax: expected variable in function argument"},
      {"fn f($a) : int8 { }", "stdin:1:8-9: ERROR: syntax: expected ':'"},
      {"fn f() { }", "stdin:1:8-9: ERROR: syntax: expected ':'"},
  });
}

TEST(ParseExpressionText, WholeTextOrNothing) {
  for (auto [text, ok] : std::initializer_list<std::pair<const char*, bool>>{
           {"1 + 2", true}, {"(1 << 3)", true}, {"", false}, {"1 2", false}, {"{", false}, {"do { } while (0)", false}}) {
    SourceManager sources;
    DiagEngine diags(sources);
    ast::Arena arena;
    uint32_t file = sources.add("M", text);
    EXPECT_EQ(parse_expression_text(arena, sources, file, diags) != nullptr, ok) << text;
    EXPECT_EQ(diags.has_errors(), !ok) << text;
  }
}
