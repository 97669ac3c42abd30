// Types: interning, text, layout.
#include <gtest/gtest.h>

#include "frontend/types/types.h"

using namespace btc;

namespace {

struct TypesTest : testing::Test {
  TypeTable types;

  void SetUp() override {
    Record task;
    task.name = "task_struct";
    task.origin = RecordOrigin::Kernel;
    task.size = 9792;
    task.align = 64;
    types.add_record(task);
    Record unnamed;
    unnamed.is_union = true;
    types.add_record(unnamed);
    EnumDef pid_type;
    pid_type.name = "pid_type";
    types.add_enum(pid_type);
  }
  TypeId read(std::string_view text) {
    auto type = types.parse_text(text);
    EXPECT_TRUE(type) << text;
    return type.value_or(TypeId{});
  }
  uint32_t size(std::string_view text) { return types.size_of(read(text)); }
};

}  // namespace

TEST_F(TypesTest, EveryKindPrintsAndReadsBack) {
  const char* texts[] = {
      "void", "bool", "int8", "uint16", "int64", "uint128", "string[16]", "string", "buffer[64]", "inet[16]", "int32[4]", "int32[4][2]", "int8*",
      "int8*kernel", "int8*user", "void*btf", "uint8*ctx", "int8*kernel[4]", "int8[4]*kernel", "struct task_struct*kernel", "union #1",
      "enum pid_type", "()", "(int32)", "(int32,string[16])", "(int8,(int8,int8))", "{}", "{a=int64,b={c=bool}}", "count_t", "sum_t", "usum_t", "min_t",
      "umin_t", "max_t", "umax_t", "avg_t", "uavg_t", "stats_t", "ustats_t", "hist_t(0)", "lhist_t(-10,2000,200)", "tseries_t(1000000000,10,avg)",
      "utseries_t(1,2,none)", "kstack_t(127,bpftrace)", "ustack_t(3,build_id)", "ksym_t", "usym_t", "username_t", "timestamp_t", "macaddr_t",
      "cgroup_path_t", "probe_t",
  };
  for (const char* text : texts) EXPECT_EQ(types.print(read(text)), text);
}

TEST_F(TypesTest, OtherTextIsNoType) {
  for (const char* text : {"", "int7", "struct nope", "enum nope", "int8[", "int8[x]", "(int8", "(int8,)", "{a}", "hist_t", "hist_t()", "tseries_t(1,2,3)",
                           "int8 int8", "*", "struct", "#0", "kstack_t(1,fast)"}) {
    EXPECT_FALSE(types.parse_text(text)) << text;
  }
  EXPECT_FALSE(types.parse_text(std::string(10000, '(')));
}

TEST_F(TypesTest, EqualTypesAreOneType) {
  EXPECT_EQ(types.string(16), read("string[16]"));
  EXPECT_EQ(types.pointer(types.i64(), AddrSpace::User), read("int64*user"));
  EXPECT_NE(types.pointer(types.i64(), AddrSpace::User), types.pointer(types.i64(), AddrSpace::Kernel));
  EXPECT_EQ(types.tuple({types.i64(), types.u64()}), types.tuple({types.i64(), types.u64()}));
  EXPECT_NE(types.tuple({types.i64(), types.u64()}), types.tuple({types.u64(), types.i64()}));
}

TEST_F(TypesTest, SignIsDroppedWhereItMeansNothing) {
  Type type;
  type.kind = TypeKind::Count;
  type.is_signed = true;
  EXPECT_EQ(types.intern(type), types.simple(TypeKind::Count));
}

TEST_F(TypesTest, RecordsOfOneTagAreToldApart) {
  Record own;
  own.name = "task_struct";
  own.origin = RecordOrigin::Script;
  TypeId script = types.struct_type(types.add_record(own));
  EXPECT_EQ(types.print(script), "struct task_struct@script");
  EXPECT_EQ(read("struct task_struct@script"), script);
  EXPECT_NE(read("struct task_struct"), script);
}

TEST_F(TypesTest, ReferencesSurviveGrowth) {
  const Type& first = types.get(types.i64());
  for (uint32_t i = 1; i < 5000; i++) types.string(i);
  EXPECT_EQ(first.kind, TypeKind::Int);
}

TEST_F(TypesTest, SizesFollowTheContract) {
  EXPECT_EQ(size("string[16]"), 16u);
  EXPECT_EQ(size("buffer[64]"), 68u);
  EXPECT_EQ(size("kstack_t(127,bpftrace)"), 8 + 127 * 8u);
  EXPECT_EQ(size("kstack_t(2,build_id)"), 8 + 2 * 32u);
  EXPECT_EQ(size("ustack_t(127,perf)"), 16 + 127 * 8u);
  EXPECT_EQ(size("usym_t"), 16u);
  EXPECT_EQ(size("inet[16]"), 24u);
  EXPECT_EQ(size("avg_t"), 16u);
  EXPECT_EQ(size("hist_t(0)"), 66 * 8u);
  EXPECT_EQ(size("lhist_t(0,2000,200)"), 12 * 8u);
  EXPECT_EQ(size("struct task_struct"), 9792u);
}

TEST_F(TypesTest, TuplesAreLaidOutLikeC) {
  Layout layout = types.layout(read("(int8,int64,int16)"));
  EXPECT_EQ(layout.offsets, (std::vector<uint32_t>{0, 8, 16}));
  EXPECT_EQ(layout.size, 24u);
  EXPECT_EQ(layout.align, 8u);
}

TEST_F(TypesTest, ByteTypesAreNotAlignedInTuples) {
  Layout layout = types.layout(read("(int8,usym_t,string[3],int32)"));
  EXPECT_EQ(layout.offsets, (std::vector<uint32_t>{0, 1, 17, 20}));
  EXPECT_EQ(layout.size, 24u);
  EXPECT_EQ(layout.align, 4u);
}

TEST_F(TypesTest, HugeSizesAreClamped) {
  EXPECT_GT(size("int64[4294967295]"), 0xfffffff0u);
  EXPECT_GT(size("lhist_t(-9223372036854775808,9223372036854775807,1)"), 0xfffffff0u);
}

TEST_F(TypesTest, UsersSeeBpftracesNames) {
  EXPECT_EQ(types.print_user(read("struct task_struct*kernel")), "struct task_struct *");
  EXPECT_EQ(types.print_user(read("{a=int64,b=bool}")), "record { .a = int64, .b = bool }");
  EXPECT_EQ(types.print_user(read("kstack_t(127,perf)")), "kstack_perf_127");
  EXPECT_EQ(types.print_user(read("(uint8,string[4])")), "(uint8,string[4])");
  EXPECT_EQ(types.print_user(read("hist_t(2)")), "hist_t");
}
