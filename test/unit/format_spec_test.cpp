// printf format strings.
#include <gtest/gtest.h>

#include "runtime-stub/abi/format_spec.h"

using namespace btc::abi;

namespace {

// "literal|flags width . precision length conversion" per piece.
std::string shape(std::string_view format) {
  std::string out;
  for (const FormatPiece& piece : parse_format(format)) {
    out += "[" + piece.literal + "|";
    if (piece.has_conversion) {
      out += piece.left ? "-" : "";
      out += piece.plus ? "+" : "";
      out += piece.space ? "_" : "";
      out += piece.alt ? "#" : "";
      out += piece.zero ? "0" : "";
      if (piece.width != -1) out += piece.width == -2 ? "*" : std::to_string(piece.width);
      if (piece.precision != -1) out += piece.precision == -2 ? ".*" : "." + std::to_string(piece.precision);
      out += piece.length + piece.conversion;
    }
    out += "]";
  }
  return out;
}

}  // namespace

TEST(FormatSpec, Pieces) {
  EXPECT_EQ(shape(""), "");
  EXPECT_EQ(shape("plain"), "[plain|]");
  EXPECT_EQ(shape("a %d b"), "[a |d][ b|]");
  EXPECT_EQ(shape("%d%s"), "[|d][|s]");
  EXPECT_EQ(shape("100%%"), "[100%|]");
}

TEST(FormatSpec, FlagsWidthPrecisionLength) {
  EXPECT_EQ(shape("%-+ #08.3lld"), "[|-+_#08.3lld]");
  EXPECT_EQ(shape("%*d %-*.*s"), "[|*d][ |-*.*s]");
  EXPECT_EQ(shape("%hhx%zu%jd"), "[|hhx][|zu][|jd]");
  EXPECT_EQ(shape("50% done"), "[50|_d][one|]");
}

TEST(FormatSpec, BpftracesOwnConversions) { EXPECT_EQ(shape("%r %rx %rh %gr %g"), "[|r][ |rx][ |rh][ |gr][ |g]"); }

TEST(FormatSpec, WhatIsNoConversionIsText) {
  EXPECT_EQ(shape("%"), "[%|]");
  EXPECT_EQ(shape("%y %.d %5"), "[%y %.d %5|]");
  EXPECT_EQ(shape("%-%d"), "[%d|]");
}

TEST(FormatSpec, Offsets) {
  auto pieces = parse_format("ab%5dc%s");
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].begin, 2u);
  EXPECT_EQ(pieces[0].end, 5u);
  EXPECT_EQ(pieces[1].begin, 6u);
  EXPECT_EQ(pieces[1].end, 8u);
}

TEST(FormatSpec, HugeWidthsAreBounded) { EXPECT_LE(parse_format("%99999999999999999999d")[0].width, 1 << 20); }
