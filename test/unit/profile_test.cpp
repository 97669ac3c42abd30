// Kernel profiles: what the built-in one answers, and that damaged ones are refused or harmless.
#include <gtest/gtest.h>

#include "frontend/profile/btf.h"
#include "frontend/profile/container.h"
#include "frontend/profile/file_profile.h"
#include "frontend/profile/profile.h"
#include "frontend/profile/records.h"
#include "frontend/support/sha256.h"

using namespace btc;

namespace {

std::unique_ptr<Profile> builtin() {
  std::string error;
  auto profile = open_builtin_profile(&error);
  EXPECT_TRUE(profile) << error;
  return profile;
}

const Field* field(const Record& record, std::string_view name) {
  for (const Field& each : record.fields)
    if (each.name == name) return &each;
  return nullptr;
}

// BTF by hand: `struct s { struct s inner; }`, which no compiler makes.
std::string self_containing_btf() {
  std::string types, strings("\0s\0inner\0", 9), out;
  put_u32(types, 1), put_u32(types, 4u << 24 | 1), put_u32(types, 8);   // struct s, one member, 8 bytes
  put_u32(types, 3), put_u32(types, 1), put_u32(types, 0);              // inner: type 1 at 0
  put_u32(out, 0x0001eb9f), put_u32(out, 24), put_u32(out, 0), put_u32(out, static_cast<uint32_t>(types.size()));
  put_u32(out, static_cast<uint32_t>(types.size())), put_u32(out, static_cast<uint32_t>(strings.size()));
  return out + types + strings;
}

std::string small_profile(const std::string& btf) {
  ContainerWriter writer;
  writer.add("meta", "release=1.0\narch=x86_64\n");
  TracepointRecord record{"cat", "ev", "trace_event_raw_ev", "", {{"char[16]", "comm", 8, 16, false}}};
  writer.add("records", write_records({record}));
  writer.add("btf/vmlinux", btf);
  return writer.finish();
}

void ask_everything(Profile& profile) {
  TypeTable types;
  if (auto id = profile.find_struct(types, "s", false)) profile.complete(types, types.get(*id).record);
  profile.find_typedef(types, "t");
  profile.find_enum_constant(types, "X");
  profile.find_function(types, "f", "");
  profile.match_tracepoints("*", "*");
  profile.names("struct");
}

}  // namespace

TEST(Profile, Records) {
  auto profile = builtin();
  TypeTable types;
  auto id = profile->find_struct(types, "task_struct", false);
  ASSERT_TRUE(id);
  profile->complete(types, types.get(*id).record);
  const Record& task = types.record(types.get(*id).record);
  ASSERT_TRUE(field(task, "comm"));
  EXPECT_EQ(types.print(field(task, "comm")->type), "string[16]");
  EXPECT_EQ(types.print(field(task, "mm")->type), "struct mm_struct*kernel");
  EXPECT_EQ(field(task, "in_execve")->bit_size, 1);
  // The same type again is the same id, and anonymous members are there at once.
  EXPECT_EQ(profile->find_struct(types, "task_struct", false), id);
  auto sock = profile->find_struct(types, "sock_common", false);
  profile->complete(types, types.get(*sock).record);
  const Field& first = types.record(types.get(*sock).record).fields[0];
  EXPECT_EQ(first.name, "");
  EXPECT_TRUE(types.record(types.get(first.type).record).complete);
}

TEST(Profile, NamesOfAllKinds) {
  auto profile = builtin();
  TypeTable types;
  EXPECT_EQ(types.print(*profile->find_typedef(types, "pid_t")), "int32");
  auto atomic = profile->find_typedef(types, "atomic_t");
  EXPECT_EQ(types.record(types.get(*atomic).record).typedef_name, "atomic_t");
  EXPECT_EQ(profile->find_enum_constant(types, "PIDTYPE_TGID")->second, 1);
  EXPECT_FALSE(profile->find_enum_constant(types, "NO_SUCH_CONSTANT"));
  auto read = profile->find_function(types, "vfs_read", "");
  ASSERT_TRUE(read);
  EXPECT_EQ(types.record(read->args_record).fields[0].name, "file");
  EXPECT_EQ(profile->find_function(types, "ext4_file_open", "")->module, "ext4");
  auto raw = profile->find_raw_tracepoint(types, "sched_switch");
  ASSERT_TRUE(raw);
  EXPECT_EQ(types.record(raw->args_record).fields[1].name, "prev");
  EXPECT_TRUE(profile->find_iter_context(types, "task"));
  EXPECT_EQ(types.print(*profile->find_c_type(types, "const struct page *", AddrSpace::Kernel)), "struct page*kernel");
  EXPECT_EQ(types.print(*profile->find_c_type(types, "unsigned long[6]", AddrSpace::Kernel)), "uint64[6]");
}

TEST(Profile, Tracepoints) {
  auto profile = builtin();
  auto found = profile->match_tracepoints("sched", "sched_switch");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->record_class, "trace_event_raw_sched_switch");
  EXPECT_EQ(found[0]->fields[0].name, "prev_comm");
  EXPECT_EQ(found[0]->fields[0].type, "char[16]");
  EXPECT_EQ(found[0]->fields[0].offset, 8u);
  EXPECT_EQ(profile->match_tracepoints("syscalls", "sys_enter_openat")[0]->fields[2].name, "filename");
  EXPECT_GT(profile->match_tracepoints("sched", "sched_*").size(), 20u);
  EXPECT_TRUE(profile->match_tracepoints("sched", "nothing").empty());
}

TEST(Profile, HashIsTheFiles) { EXPECT_EQ(builtin()->hash().size(), 64u); }

TEST(Profile, DamagedFilesAreRefusedOrHarmless) {
  std::string good = small_profile(self_containing_btf()), error;
  auto profile = open_profile_bytes(good, "", "", &error);
  ASSERT_TRUE(profile) << error;
  ask_everything(*profile);
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(open_profile_bytes(good.substr(0, size), "", "", &error)) << size;
  for (size_t i = 0; i < good.size(); ++i) {
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      if (auto opened = open_profile_bytes(std::move(bad), "", "", &error)) ask_everything(*opened);
    }
  }
}

TEST(Profile, DamagedBtfIsRefusedOrHarmless) {
  std::string good = self_containing_btf(), error;
  for (size_t i = 0; i < good.size(); ++i) {
    for (int flip : {0x01, 0x08, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      auto opened = open_profile_bytes(small_profile(bad), "", "", &error);
      ASSERT_TRUE(opened);
      ask_everything(*opened);
    }
  }
}

TEST(Format, FieldsOfAFormatFile) {
  TracepointRecord record;
  ASSERT_TRUE(parse_format("name: x\nID: 1\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"
                           "\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;\n"
                           "\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n\nprint fmt: \"field:int no;\"\n", &record));
  ASSERT_EQ(record.fields.size(), 2u);
  EXPECT_EQ(record.fields[0].type, "__data_loc char[]");
  EXPECT_EQ(record.fields[0].name, "name");
  EXPECT_EQ(record.fields[1].type, "unsigned long[6]");
  EXPECT_EQ(record.fields[1].size, 48u);
}

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
