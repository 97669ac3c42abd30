// Bytes that the runtime prints. The expected texts are what bpftrace 0.27.1 prints for the same script, except where a comment says so.
#include "test/unit/output_fixture.h"

#include <sys/stat.h>

#include "runtime-stub/abi/aggregates.h"

namespace btc::rt::test {
namespace {

using abi::EventKind;
using fb::TypeKind;

class OutputTest : public ::testing::Test {
 protected:
  Fixture f;

  // The value of print((...)) of one member of the given type.
  std::string print_value(uint32_t type, const Bytes& value, OutputFormat format = OutputFormat::Text) {
    uint32_t payload = f.tuple(static_cast<uint32_t>(value.size()), {{type, 0}});
    uint32_t event = f.event(EventKind::PrintValue, payload);
    OutputOptions options;
    options.format = format;
    f.open(options);
    f.send(event, value);
    return f.printed();
  }
  std::string print_int(const std::string& format, uint64_t value, bool is_signed = true) {
    Fixture own;
    uint32_t payload = own.tuple(8, {{own.integer(8, is_signed), 0}});
    uint32_t event = own.event(EventKind::Printf, payload, format);
    own.open();
    own.send(event, bytes_of(value));
    return own.printed();
  }
  std::string print_text(const std::string& format, const std::string& value) {
    Fixture own;
    uint32_t payload = own.tuple(16, {{own.string(16), 0}});
    uint32_t event = own.event(EventKind::Printf, payload, format);
    own.open();
    own.send(event, string_bytes(value, 16));
    return own.printed();
  }
};

TEST_F(OutputTest, PrintfIntegers) {
  uint64_t minus5 = static_cast<uint64_t>(-5);
  EXPECT_EQ(print_int("[%d]", minus5), "[-5]");
  EXPECT_EQ(print_int("[%5d]", minus5), "[   -5]");
  EXPECT_EQ(print_int("[%-5d]", minus5), "[-5   ]");
  EXPECT_EQ(print_int("[%05d]", 42), "[00042]");
  EXPECT_EQ(print_int("[%+d|]", 42), "[+42|]");
  EXPECT_EQ(print_int("[% d]", 42), "[42]");
  EXPECT_EQ(print_int("[%u]", minus5), "[4294967291]");
  EXPECT_EQ(print_int("[%lu]", minus5), "[18446744073709551611]");
  EXPECT_EQ(print_int("[%#x]", 255), "[0xff]");
  EXPECT_EQ(print_int("[%#X]", 255), "[0XFF]");
  EXPECT_EQ(print_int("[%#o]", 8), "[010]");
  EXPECT_EQ(print_int("[%#x]", 0), "[0]");
  EXPECT_EQ(print_int("[%hhd]", 300), "[44]");
  EXPECT_EQ(print_int("[%hd]", 70000), "[4464]");
  EXPECT_EQ(print_int("[%d]", 9223372036854775807), "[-1]");
  EXPECT_EQ(print_int("[%lld]", ~0ull), "[-1]");
  EXPECT_EQ(print_int("[%c]", 65), "[A]");
  EXPECT_EQ(print_int("[%5c]", 66), "[    B]");
  EXPECT_EQ(print_int("[%p]", 0), "[0]");
  EXPECT_EQ(print_int("[%20p]", 4096), "[              0x1000]");
  EXPECT_EQ(print_int("[%-20p|]", 4096), "[0x1000              |]");
  EXPECT_EQ(print_int("[%08x]", 255), "[000000ff]");
  EXPECT_EQ(print_int("[%+u]", 42), "[42]");
  EXPECT_EQ(print_int("[%*d]", 7), "[7]");
  EXPECT_EQ(print_int("[%5.3d]", 7), "[    7]");
  EXPECT_EQ(print_int("100%% %z 50% done", 7), "100% %z 507one");
  EXPECT_EQ(print_int("[%gr]", 0xcc0), "[GFP_KERNEL]");
  EXPECT_EQ(print_int("[%gr]", 0xdc0), "[GFP_KERNEL|__GFP_ZERO]");
  EXPECT_EQ(print_int("[%gr]", 0), "[0]");
}

// bpftrace fills with zeros before the sign and the prefix, and behind a left-aligned number.
TEST_F(OutputTest, PrintfZeroFillAsInC) {
  EXPECT_EQ(print_int("[%05d]", static_cast<uint64_t>(-5)), "[-0005]");
  EXPECT_EQ(print_int("[%+05d]", 7), "[+0007]");
  EXPECT_EQ(print_int("[%#08x]", 255), "[0x0000ff]");
  EXPECT_EQ(print_int("[%-05d]", 7), "[7    ]");
}

TEST_F(OutputTest, PrintfStrings) {
  EXPECT_EQ(print_text("[%s]", "abc"), "[abc]");
  EXPECT_EQ(print_text("[%10s]", "abc"), "[       abc]");
  EXPECT_EQ(print_text("[%-10s]", "abc"), "[abc       ]");
  EXPECT_EQ(print_text("[%.2s]", "abc"), "[abc]");
  EXPECT_EQ(print_text("[%010s]", "abc"), "[0000000abc]");
  EXPECT_EQ(print_text("[%s]", "0123456789abcdef"), "[0123456789abcdef..]");
}

TEST_F(OutputTest, PrintfBuffers) {
  uint32_t buffer = f.type(TypeKind::Buffer, 12);
  uint32_t payload = f.tuple(12, {{buffer, 0}});
  const char* formats[] = {"[%r]", "[%rx]", "[%rh]", "[%20r]", "[%-30rx|]"};
  std::vector<uint32_t> events;
  for (const char* format : formats) events.push_back(f.event(EventKind::Printf, payload, format));
  f.open();
  for (uint32_t event : events) f.send(event, concat({bytes_of(uint32_t{5}), {'a', 1, ' ', 'b', 0xff, 0, 0, 0}}));
  EXPECT_EQ(f.printed(), "[a\\x01 b\\xff][\\x61\\x01\\x20\\x62\\xff][61 01 20 62 ff][         a\\x01 b\\xff][\\x61\\x01\\x20\\x62\\xff          |]");
}

TEST_F(OutputTest, ShortPayloadReadsAsZeros) {
  uint32_t payload = f.tuple(16, {{f.integer(8, true), 0}, {f.integer(8, true), 8}});
  uint32_t event = f.event(EventKind::Printf, payload, "%d %d\n");
  f.open();
  f.send(event, bytes_of(uint32_t{3}));
  f.send(77, {});  // no such event
  EXPECT_EQ(f.printed(), "3 0\n");
}

TEST_F(OutputTest, TupleAndRecordText) {
  uint32_t i64 = f.integer(8, true), text = f.string(8), color = f.enumeration(4, {{"RED", 1}, {"NEG", -1}});
  uint32_t inner = f.tuple(16, {{i64, 0}, {color, 8}});
  uint32_t rec = f.record(TypeKind::AnonRecord, 16, {{i64, 0, "a"}, {text, 8, "b"}});
  uint32_t outer = f.tuple(56, {{i64, 0}, {text, 8}, {inner, 16}, {rec, 32}, {color, 48}});
  Bytes value = concat({bytes_of(int64_t{1}), string_bytes("hi", 8), bytes_of(int64_t{2}), bytes_of(uint64_t{1}), bytes_of(int64_t{3}), string_bytes("x", 8),
                        bytes_of(uint64_t{0xffffffff})});
  EXPECT_EQ(print_value(outer, value), "(1, hi, (2, RED), { .a = 3, .b = x }, NEG)\n");
}

TEST_F(OutputTest, TupleJson) {
  uint32_t i64 = f.integer(8, true), text = f.string(8);
  uint32_t rec = f.record(TypeKind::AnonRecord, 16, {{i64, 0, "a"}, {text, 8, "b"}});
  uint32_t outer = f.tuple(24, {{i64, 0}, {rec, 8}});
  Bytes value = concat({bytes_of(int64_t{1}), bytes_of(int64_t{9007199254740993}), string_bytes("\"\x01\n\\", 8)});
  EXPECT_EQ(print_value(outer, value, OutputFormat::Json),
            "{\"type\": \"value\", \"data\": [1,{\"a\": \"9007199254740993\", \"b\": \"\\\"\\u0001\\n\\\\\"}]}\n");
}

TEST_F(OutputTest, SignedBitfields) {
  uint32_t i32 = f.integer(4, true), u32 = f.integer(4, false);
  uint32_t rec = f.record(TypeKind::Struct, 4, {{i32, 0, "a", 0, 4}, {u32, 0, "b", 4, 4}, {i32, 1, "c", 0, 3}});
  EXPECT_EQ(print_value(rec, bytes_of(uint32_t{0x3f7 + 0x8})), "{ .a = -1, .b = 15, .c = 3 }\n");
}

TEST_F(OutputTest, OddTypes) {
  uint32_t pointer = f.type(TypeKind::Pointer, 8), boolean = f.type(TypeKind::Bool, 1), inet4 = f.type(TypeKind::Inet, 12), inet6 = f.type(TypeKind::Inet, 24);
  uint32_t mac = f.type(TypeKind::MacAddr, 6), bytes = f.array(f.integer(1, false), 3), probe = f.type(TypeKind::ProbeName, 8);
  uint32_t outer = f.tuple(8 + 1 + 12 + 24 + 6 + 3 + 8, {{pointer, 0}, {boolean, 8}, {inet4, 9}, {inet6, 21}, {mac, 45}, {bytes, 51}, {probe, 54}});
  Bytes v6(16);
  v6[15] = 1;
  Bytes value = concat({bytes_of(uint64_t{0x1234}), {1}, bytes_of(uint64_t{2}), {1, 2, 3, 4}, bytes_of(uint64_t{10}), v6, {0xff, 2, 0xab, 4, 5, 6}, {7, 8, 9}, bytes_of(uint64_t{1})});
  EXPECT_EQ(print_value(outer, value), "(0x1234, true, 1.2.3.4, ::1, FF:02:AB:04:05:06, [7,8,9], kprobe:vfs_read)\n");
}

TEST_F(OutputTest, RawAndBuildIdStacks) {
  uint32_t raw = f.stack(TypeKind::KStack, 8 + 3 * 8, 2);
  Bytes value = concat({bytes_of(uint64_t{2}), bytes_of(uint64_t{0xffffffff81000000}), bytes_of(uint64_t{0x10}), bytes_of(uint64_t{0})});
  EXPECT_EQ(print_value(raw, value), "\nffffffff81000000\n10\n\n");
}

TEST_F(OutputTest, MapsSortByValueThenKey) {
  uint32_t i64 = f.integer(8, true), i8 = f.integer(1, true);
  Fixture::MapData data{8, 1, 1, {}};
  for (int key = 0; key < 5; key++) data.entries.push_back({bytes_of(int64_t{4 - key}), bytes_of(static_cast<int8_t>(key % 2 ? -key : key))});
  f.map("m", static_cast<int>(i64), i8, data, fb::MapKind::Hash);
  Output& out = f.open();
  out.dump_maps();
  EXPECT_EQ(f.printed(), "@m[1]: -3\n@m[3]: -1\n@m[4]: 0\n@m[2]: 2\n@m[0]: 4\n");
}

TEST_F(OutputTest, MapsWithTextValuesSortByKey) {
  uint32_t i64 = f.integer(8, true), text = f.string(4);
  uint32_t key = f.tuple(12, {{text, 0}, {i64, 4}});
  Fixture::MapData data{12, 4, 1, {}};
  for (auto& [name, number] : std::vector<std::pair<std::string, int64_t>>{{"b", 1}, {"a", 2}, {"a", -1}})
    data.entries.push_back({concat({string_bytes(name, 4), bytes_of(number)}), string_bytes("v", 4)});
  f.map("m", static_cast<int>(key), text, data, fb::MapKind::Hash);
  f.open().dump_maps();
  EXPECT_EQ(f.printed(), "@m[a, -1]: v\n@m[a, 2]: v\n@m[b, 1]: v\n");
}

// bpftrace removes all blanks, so that "a b" and "ab" are one key; here only those between members go.
TEST_F(OutputTest, JsonKeysKeepBlanksInStrings) {
  uint32_t i64 = f.integer(8, true);
  uint32_t key = f.tuple(12, {{f.string(4), 0}, {i64, 4}});
  f.map("m", static_cast<int>(key), i64, {12, 8, 1, {{concat({string_bytes("a b", 4), bytes_of(int64_t{1})}), bytes_of(int64_t{5})}}}, fb::MapKind::Hash);
  OutputOptions options;
  options.format = OutputFormat::Json;
  f.open(options).dump_maps();
  EXPECT_EQ(f.printed(), "{\"type\": \"map\", \"data\": {\"@m\": {\"a b,1\": 5}}}\n");
}

TEST_F(OutputTest, AggregatesAddUpOverCpus) {
  uint32_t count = f.type(TypeKind::Count, 8), sum = f.type(TypeKind::Sum, 8, true), avg = f.type(TypeKind::Avg, 16, true);
  uint32_t stats = f.type(TypeKind::Stats, 16, true), min = f.type(TypeKind::Min, 16, true), max = f.type(TypeKind::Max, 16, true);
  Bytes key(8);
  auto two = [&](int64_t a, int64_t b) { return concat({bytes_of(a), bytes_of(b)}); };
  f.map("a", -1, avg, {8, 16, 2, {{key, concat({two(7, 1), two(-2, 1)})}}});
  f.map("c", -1, count, {8, 8, 2, {{key, two(2, 40)}}});
  f.map("mn", -1, min, {8, 16, 3, {{key, concat({two(9, 1), two(4, 1), two(0, 0)})}}});
  f.map("mx", -1, max, {8, 16, 2, {{key, concat({two(-9, 1), two(-4, 1)})}}});
  f.map("s", -1, sum, {8, 8, 2, {{key, two(5, -7)}}});
  f.map("st", -1, stats, {8, 16, 2, {{key, concat({two(10, 1), two(5, 1)})}}});
  f.open().dump_maps();
  EXPECT_EQ(f.printed(), "@a: 2\n@c: 42\n@mn: 4\n@mx: -4\n@s: -2\n@st: { .count = 2, .average = 7, .total = 15 }\n");
}

TEST_F(OutputTest, TopAndDiv) {
  uint32_t u32 = f.integer(4, false), count = f.type(TypeKind::Count, 8);
  Fixture::MapData data{4, 8, 1, {}};
  for (uint32_t i = 1; i < 6; i++) data.entries.push_back({bytes_of(i), bytes_of(uint64_t{i} * 10)});
  uint32_t map = f.map("m", static_cast<int>(u32), count, data);
  uint32_t event = f.event(EventKind::PrintMap, f.tuple(8, {{u32, 0}, {u32, 4}}), "", static_cast<int>(map));
  f.open();
  f.send(event, concat({bytes_of(uint32_t{2}), bytes_of(uint32_t{3})}));
  EXPECT_EQ(f.printed(), "@m[4]: 13\n@m[5]: 16\n");
}

TEST_F(OutputTest, PrintOfOneEntry) {
  uint32_t i64 = f.integer(8, true), stats = f.type(TypeKind::Stats, 16, true);
  Bytes value = concat({bytes_of(int64_t{10}), bytes_of(int64_t{1}), bytes_of(int64_t{5}), bytes_of(int64_t{1})});
  uint32_t map = f.map("s", static_cast<int>(i64), stats, {8, 16, 2, {{bytes_of(int64_t{7}), value}}});
  uint32_t event = f.event(EventKind::PrintMapItem, f.tuple(8, {{i64, 0}}), "", static_cast<int>(map));
  f.open();
  f.send(event, bytes_of(int64_t{7}));
  f.send(event, bytes_of(int64_t{8}));
  EXPECT_EQ(f.printed(), "{ .count = 2, .average = 7, .total = 15 }\n{ .count = 0, .average = 0, .total = 0 }\n");
}

TEST_F(OutputTest, EmptyMaps) {
  uint32_t u32 = f.integer(4, false), count = f.type(TypeKind::Count, 8), stats = f.type(TypeKind::Stats, 16), hist = f.type(TypeKind::Hist, 66 * 8);
  std::vector<uint32_t> events;
  uint32_t payload = f.tuple(8, {{u32, 0}, {u32, 4}});
  uint32_t maps[] = {f.map("a", -1, count, {8, 8, 1, {}}), f.map("b", static_cast<int>(u32), count, {4, 8, 1, {}}), f.map("c", -1, stats, {8, 16, 1, {}}),
                     f.map("d", -1, hist, {8, 66 * 8, 1, {}})};
  for (uint32_t map : maps) events.push_back(f.event(EventKind::PrintMap, payload, "", static_cast<int>(map)));
  Output& out = f.open();
  for (uint32_t event : events) f.send(event, Bytes(8));
  out.dump_maps();
  EXPECT_EQ(f.printed(), "@a: 0\n@c: { .count = 0, .average = 0, .total = 0 }\n");
}

// An array's entry exists from the start: it shows once it was written, also after zero().
TEST_F(OutputTest, ScalarsInArrays) {
  uint32_t count = f.type(TypeKind::Count, 8);
  f.map("a", -1, count, {4, 8, 1, {{Bytes(4), Bytes(8)}}}, fb::MapKind::PercpuArray);
  uint32_t b = f.map("b", -1, count, {4, 8, 1, {{Bytes(4), bytes_of(uint64_t{5})}}}, fb::MapKind::PercpuArray);
  uint32_t zero = f.event(EventKind::Zero, 0, "", static_cast<int>(b));
  Output& out = f.open();
  f.send(zero);
  out.dump_maps();
  EXPECT_EQ(f.printed(), "@b: 0\n");
}

TEST_F(OutputTest, HistText) {
  uint32_t type = f.type(TypeKind::Hist, 66 * 8, false, 0);
  Bytes value(2 * 66 * 8);
  auto add = [&](int64_t n, size_t cpu) { value[(cpu * 66 + abi::hist_bucket(n, 0)) * 8]++; };
  for (int64_t n : {0, 1, 2, 3, 5, -3}) add(n, 0);
  add(17, 1);
  f.map("h", -1, type, {8, 66 * 8, 2, {{Bytes(8), value}}});
  f.open().dump_maps();
  EXPECT_EQ(f.printed(),
            "@h:\n"
            "(..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[0]                    1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[1]                    1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[2, 4)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "[4, 8)                 1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[8, 16)                0 |                                                    |\n"
            "[16, 32)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "\n");
}

TEST_F(OutputTest, HistUnitsAndJson) {
  uint32_t type = f.type(TypeKind::Hist, ((65u << 3) + 1) * 8, false, 3);
  Bytes value(((65u << 3) + 1) * 8);
  for (int64_t n : {7700, 8200}) value[abi::hist_bucket(n, 3) * 8]++;
  f.map("h", -1, type, {8, static_cast<uint32_t>(value.size()), 1, {{Bytes(8), value}}});
  uint32_t top = f.type(TypeKind::Hist, 66 * 8, false, 0);
  Bytes high(66 * 8);
  high[abi::hist_bucket(INT64_MAX, 0) * 8]++;
  f.map("max", -1, top, {8, 66 * 8, 1, {{Bytes(8), high}}});
  OutputOptions options;
  options.format = OutputFormat::Json;
  f.open(options).dump_maps();
  EXPECT_EQ(f.printed(),
            "{\"type\": \"hist\", \"data\": {\"@h\": [{\"min\": 7680, \"max\": 8191, \"count\": 1},{\"min\": 8192, \"max\": 9215, \"count\": 1}]}}\n"
            "{\"type\": \"hist\", \"data\": {\"@max\": [{\"min\": 4611686018427387904, \"max\": \"9223372036854775807\", \"count\": 1}]}}\n");
}

// Every value lies in the row whose limits the labels name, for each number of bits.
TEST_F(OutputTest, HistLabelsMatchBuckets) {
  for (uint32_t bits = 0; bits <= 5; bits++) {
    Fixture own;
    uint32_t size = abi::hist_buckets(bits) * 8;
    uint32_t type = own.type(TypeKind::Hist, size, false, bits);
    std::vector<int64_t> values;
    for (int shift = 0; shift < 63; shift++)
      for (int64_t around : {-1, 0, 1}) values.push_back((int64_t{1} << shift) + around);
    std::vector<std::pair<Bytes, Bytes>> entries;
    for (int64_t n : values) {
      Bytes value(size);
      value[abi::hist_bucket(n, bits) * 8]++;
      entries.push_back({bytes_of(n), value});
    }
    own.map("h", static_cast<int>(own.integer(8, true)), type, {8, size, 1, entries});
    OutputOptions options;
    options.format = OutputFormat::Json;
    own.open(options).dump_maps();
    std::string text = own.printed();
    for (int64_t n : values) {
      size_t at = text.find("\"" + std::to_string(n) + "\": [{\"min\": ");
      ASSERT_NE(at, std::string::npos) << n;
      at = text.find("\"min\": ", at) + 7;
      long long low = std::stoll(text.substr(at));
      at = text.find("\"max\": ", at) + 7;
      long long high = std::stoll(text.substr(text[at] == '"' ? at + 1 : at));
      EXPECT_LE(low, n);
      EXPECT_GE(high, n);
      EXPECT_LE(static_cast<double>(high - low), static_cast<double>(low >> bits)) << "bits " << bits << " value " << n;
    }
  }
}

TEST_F(OutputTest, LhistText) {
  uint32_t type = f.type(TypeKind::LHist, 12 * 8, false, 0, 100, 10);
  Bytes value(12 * 8);
  for (int64_t n : {5, -4, 100, 99, 500}) value[abi::lhist_bucket(n, 0, 100, 10) * 8]++;
  f.map("l", -1, type, {8, 12 * 8, 1, {{Bytes(8), value}}});
  uint32_t kilo = f.type(TypeKind::LHist, 12 * 8, false, 0, 10240, 1024);
  Bytes other(12 * 8);
  for (int64_t n : {7000, 7000000}) other[abi::lhist_bucket(n, 0, 10240, 1024) * 8]++;
  f.map("lk", -1, kilo, {8, 12 * 8, 1, {{Bytes(8), other}}});
  uint32_t uneven = f.type(TypeKind::LHist, 4 * 8, false, 0, 25, 10);
  Bytes third(4 * 8);
  for (int64_t n : {14, 24, 25}) third[abi::lhist_bucket(n, 0, 25, 10) * 8]++;
  f.map("lm", -1, uneven, {8, 4 * 8, 1, {{Bytes(8), third}}});
  f.open().dump_maps();
  EXPECT_EQ(f.printed(),
            "@l:\n"
            "(..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[0, 10)                1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[10, 20)               0 |                                                    |\n"
            "[20, 30)               0 |                                                    |\n"
            "[30, 40)               0 |                                                    |\n"
            "[40, 50)               0 |                                                    |\n"
            "[50, 60)               0 |                                                    |\n"
            "[60, 70)               0 |                                                    |\n"
            "[70, 80)               0 |                                                    |\n"
            "[80, 90)               0 |                                                    |\n"
            "[90, 100)              1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[100, ...)             2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "\n"
            "@lk:\n"
            "[6K, 7K)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "[7K, 8K)               0 |                                                    |\n"
            "[8K, 9K)               0 |                                                    |\n"
            "[9K, 10K)              0 |                                                    |\n"
            "[10K, ...)             1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "\n"
            "@lm:\n"
            "[10, 20)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[20, ...)              2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "\n");
}

TEST_F(OutputTest, TimeSeriesText) {
  setenv("TZ", "UTC", 1);
  uint32_t type = f.type(TypeKind::TSeries, 3 * 24, true, 100'000'000, 3, 0);
  Bytes value;
  for (int64_t slot = 0; slot < 3; slot++) {
    int64_t epoch = 6 + slot;  // slots are filled round robin
    put(value, static_cast<size_t>(epoch % 3) * 24, slot * 2 - 2);
    put(value, static_cast<size_t>(epoch % 3) * 24 + 8, uint64_t{1});
    put(value, static_cast<size_t>(epoch % 3) * 24 + 16, epoch);
  }
  f.map("t", -1, type, {8, 3 * 24, 1, {{Bytes(8), value}}});
  f.open().dump_maps();
  EXPECT_EQ(f.printed(),
            "@t:\n"
            "             -2                                                  2\n"
            "hh:mm:ss.ms  |___________________________________________________|\n"
            "00:00:00.600 *                         .                         | -2\n"
            "00:00:00.700 |                         *                         | 0\n"
            "00:00:00.800 |                         .                         * 2\n"
            "             v___________________________________________________v\n"
            "             -2                                                  2\n"
            "\n");
}

TEST_F(OutputTest, JoinCatTimeExit) {
  uint32_t u32 = f.integer(4, false), slot = f.string(8);
  uint32_t join = f.event(EventKind::Join, f.tuple(4 + 24, {{u32, 0}, {slot, 4}, {slot, 12}, {slot, 20}}), ", ");
  uint32_t cat = f.event(EventKind::Cat, f.tuple(16, {{f.string(16), 0}}), "%s");
  uint32_t time = f.event(EventKind::Time, 0, "no conversion\n");
  uint32_t exit = f.event(EventKind::Exit, f.tuple(1, {{f.integer(1, false), 0}}));
  std::ofstream("/tmp/btc-cat") << "12345678";
  OutputOptions options;
  options.max_cat_bytes = 5;
  f.open(options);
  f.send(join, concat({bytes_of(uint32_t{3}), string_bytes("ls", 8), string_bytes("-l", 8), string_bytes("", 8)}));
  f.send(cat, string_bytes("/tmp/btc-cat", 16));
  f.send(time);
  f.send(exit, {7});
  EXPECT_TRUE(f.last().exit);
  EXPECT_EQ(f.last().code, 7);
  EXPECT_EQ(f.printed(), "ls, -l\n12345no conversion\n");
}

TEST_F(OutputTest, MessagesNameTheirPlace) {
  f.source("x.bt", "begin {\n\terrorf(\"bad\");\n}\nmacro m() { }\n");
  int outer = f.location(4, 1, 4, 6), inner = f.location(2, 2, 2, 15, outer);
  uint32_t event = f.event(EventKind::Errorf, f.tuple(0, {}), "bad\n", -1, inner);
  uint32_t error = f.event(EventKind::RuntimeError, f.tuple(4, {{f.integer(4, true), 0}}), "", -1, inner, static_cast<uint8_t>(abi::RuntimeErrorKind::MapDeleteMissing),
                           "map_delete_elem");
  Output& out = f.open();
  out.begin_capture();
  f.send(event);
  EXPECT_EQ(out.end_capture(), "x.bt:2:2-15: ERROR: bad\nx.bt:4:1-6: ERROR: expanded from\nmacro m() { }\n~~~~~\n");
  out.begin_capture();
  f.send(error, bytes_of(int32_t{-2}));
  EXPECT_EQ(out.end_capture(),
            "x.bt:2:2-15: WARNING: Can't delete map element because it does not exist.\nAdditional Info - helper: map_delete_elem, retcode: -2\n"
            "    errorf(\"bad\");\n    ~~~~~~~~~~~~~\nx.bt:4:1-6: WARNING: expanded from\nmacro m() { }\n~~~~~\n");
  EXPECT_EQ(out.errorf_count(), 1u);
}

TEST_F(OutputTest, ErrorJson) {
  f.source("stdin", "begin { errorf(\"bad\"); }");
  int place = f.location(1, 9, 1, 22);
  uint32_t event = f.event(EventKind::Errorf, f.tuple(0, {}), "bad", -1, place);
  uint32_t error = f.event(EventKind::RuntimeError, f.tuple(4, {{f.integer(4, true), 0}}), "", -1, place, static_cast<uint8_t>(abi::RuntimeErrorKind::HelperFailed), "probe_read_user");
  OutputOptions options;
  options.format = OutputFormat::Json;
  options.warning_level = 2;
  f.open(options);
  f.send(event);
  f.send(error, bytes_of(int32_t{-14}));
  EXPECT_EQ(f.printed(),
            "{\"type\": \"errorf\", \"msg\": \"bad\", \"filename\": \"stdin\", \"line\": 1, \"col\": 9}\n"
            "{\"type\": \"helper_error\", \"msg\": \"Bad address\", \"helper\": \"probe_read_user\", \"retcode\": -14, \"filename\": \"stdin\", \"line\": 1, \"col\": 9}\n");
}

TEST_F(OutputTest, StrftimeExtensions) {
  setenv("TZ", "UTC", 1);
  uint32_t format = f.constant("%Y-%m-%d %H:%M:%S.%f|%k|%l|%%f");
  uint32_t stamp = f.type(TypeKind::Timestamp, 16);
  Bytes value = concat({bytes_of(format), bytes_of(uint32_t{2}), bytes_of(uint64_t{1'000'000'123'456'789})});
  EXPECT_EQ(print_value(stamp, value), "1970-01-12 13:46:40.123456|123456789|123|%f\n");
}

TEST_F(OutputTest, InvalidUtf8IsReplacedInJson) {
  uint32_t text = f.string(8);
  EXPECT_EQ(print_value(text, string_bytes("\xc3\xa9\xff\x7f", 8), OutputFormat::Json), "{\"type\": \"value\", \"data\": \"\xc3\xa9\xef\xbf\xbd\x7f\"}\n");
}

TEST_F(OutputTest, FoldedStacks) {
  uint32_t text = f.string(8), stack = f.stack(TypeKind::KStack, 8 + 3 * 8, 0), count = f.type(TypeKind::Count, 8);
  uint32_t key = f.tuple(40, {{stack, 0}, {text, 32}});
  Bytes frames = concat({bytes_of(uint64_t{2}), bytes_of(uint64_t{0x10}), bytes_of(uint64_t{0x20}), bytes_of(uint64_t{0})});
  f.map("s", static_cast<int>(key), count, {40, 8, 1, {{concat({frames, string_bytes("a;b", 8)}), bytes_of(uint64_t{7})}}});
  OutputOptions options;
  options.format = OutputFormat::Folded;
  Output& out = f.open(options);
  out.end();
  out.dump_maps();
  EXPECT_EQ(f.printed(), "a:b;[unknown]_[k];[unknown]_[k] 7\n");
}

TEST_F(OutputTest, OpenMetrics) {
  uint32_t i64 = f.integer(8, true), text = f.string(8), count = f.type(TypeKind::Count, 8), hist = f.type(TypeKind::Hist, 66 * 8), stats = f.type(TypeKind::Stats, 16, true);
  uint32_t key = f.tuple(16, {{text, 0}, {i64, 8}});
  Bytes buckets(66 * 8);
  for (int64_t n : {0, 5, 5, 9}) buckets[abi::hist_bucket(n, 0) * 8]++;
  f.map("", static_cast<int>(text), count, {8, 8, 1, {{string_bytes("a\"\\\n", 8), bytes_of(uint64_t{3})}}});
  f.map("h", static_cast<int>(key), hist, {16, 66 * 8, 1, {{concat({string_bytes("x", 8), bytes_of(int64_t{-1})}), buckets}}});
  f.map("name", -1, text, {8, 8, 1, {{Bytes(8), string_bytes("hi", 8)}}}, fb::MapKind::Hash);
  f.map("st", -1, stats, {8, 16, 1, {{Bytes(8), concat({bytes_of(int64_t{-5}), bytes_of(uint64_t{2})})}}});
  OutputOptions options;
  options.format = OutputFormat::OpenMetrics;
  Output& out = f.open(options);
  out.lost(2);
  out.end();
  out.dump_maps();
  std::string printed = f.printed();
  EXPECT_EQ(printed.substr(printed.find("# HELP btc_lost")),
            "# HELP btc_lost_events Events that were lost because the buffer was full\n# TYPE btc_lost_events gauge\nbtc_lost_events 2\n"
            "# HELP btc_map Map @ of stdin\n# TYPE btc_map gauge\nbtc_map{key=\"a\\\"\\\\\\n\"} 3\n"
            "# HELP btc_h Map @h of stdin\n# TYPE btc_h histogram\n"
            "btc_h_bucket{key0=\"x\",key1=\"-1\",le=\"0\"} 1\nbtc_h_bucket{key0=\"x\",key1=\"-1\",le=\"1\"} 1\nbtc_h_bucket{key0=\"x\",key1=\"-1\",le=\"3\"} 1\n"
            "btc_h_bucket{key0=\"x\",key1=\"-1\",le=\"7\"} 3\nbtc_h_bucket{key0=\"x\",key1=\"-1\",le=\"15\"} 4\nbtc_h_bucket{key0=\"x\",key1=\"-1\",le=\"+Inf\"} 4\n"
            "# HELP btc_name Map @name of stdin\n# TYPE btc_name gauge\nbtc_name{value=\"hi\"} 1\n"
            "# HELP btc_st_count Map @st of stdin\n# TYPE btc_st_count gauge\nbtc_st_count 2\n"
            "# HELP btc_st_sum Map @st of stdin\n# TYPE btc_st_sum gauge\nbtc_st_sum -5\n"
            "# EOF\n");
  std::ofstream("/tmp/btc-openmetrics.prom") << printed;
}

TEST_F(OutputTest, FullDisk) {
  uint32_t event = f.event(EventKind::Printf, f.tuple(0, {}), "hello\n");
  f.open();
  f.printed();
  OutputOptions options;
  options.file = "/dev/full";
  std::string error;
  auto out = Output::open(f.manifest(), &f, options, &error);
  ASSERT_TRUE(out) << error;
  out->handle_event({event, 0}, nullptr, 0);
  EXPECT_FALSE(out->broken());
  testing::internal::CaptureStderr();
  out->flush_batch();
  EXPECT_TRUE(out->broken());
  out->handle_event({event, 0}, nullptr, 0);
  EXPECT_EQ(out->close(), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "ERROR: Failed to write to '/dev/full': No space left on device\n");
}

TEST_F(OutputTest, OutputFileThatCannotBeOpened) {
  f.open();
  f.printed();
  OutputOptions options;
  options.file = "/nonexistent/x";
  std::string error;
  EXPECT_FALSE(Output::open(f.manifest(), &f, options, &error));
  EXPECT_EQ(error, "Failed to open output file: \"/nonexistent/x\": No such file or directory");
}

TEST_F(OutputTest, CgroupPathOfTheRoot) {
  std::string device, mount, kind, rest;
  std::ifstream mounts("/proc/mounts");
  while (mounts >> device >> mount >> kind && std::getline(mounts, rest) && kind != "cgroup2") {
  }
  struct stat info;
  if (kind != "cgroup2" || stat(mount.c_str(), &info) != 0) GTEST_SKIP();
  uint32_t filter = f.constant("uni*"), type = f.type(TypeKind::CgroupPath, 16);
  EXPECT_EQ(print_value(type, concat({bytes_of(uint64_t{filter}), bytes_of(uint64_t{info.st_ino})})), "unified:/\n");
}

TEST_F(OutputTest, Username) {
  uint32_t type = f.type(TypeKind::Username, 8);
  EXPECT_EQ(print_value(type, bytes_of(uint64_t{0})), "root\n");
}

TEST_F(OutputTest, DamagedTypesAreRefused) {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<fb::TypeField>> fields{fb::CreateTypeField(b, b.CreateString(""), 1, 0)};
  auto vector = b.CreateVector(fields);
  std::vector<flatbuffers::Offset<fb::Type>> types{fb::CreateType(b), fb::CreateType(b, TypeKind::Tuple, 0, 8, false, 0, 0, vector)};
  auto all = b.CreateVector(types);
  fb::ManifestBuilder manifest(b);
  manifest.add_types(all);
  b.Finish(manifest.Finish());
  std::string error;
  EXPECT_FALSE(Output::open(fb::GetManifest(b.GetBufferPointer()), &f, {}, &error));
  EXPECT_EQ(error, "The manifest is damaged");
}

}  // namespace
}  // namespace btc::rt::test
