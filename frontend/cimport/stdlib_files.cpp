#include "frontend/cimport/stdlib_files.h"

namespace btc {
namespace {

// Helpers of the kernel are called by their numbers: no header is read. Functions `btc_...` are those of runtime-stub/bpf.
constexpr char kBase[] = R"~(
long btc_mem_compare(const void *, const void *, unsigned long);
int __memcmp(const char *left, const char *right, unsigned long count) { return btc_mem_compare(left, right, count); }
)~";

constexpr char kMap[] = R"~(
void *__lookup_elem(void *map, void *key) { return ((void *(*)(void *, const void *))1)(map, key); }
long __delete(void *map, void *key) { return ((long (*)(void *, const void *))3)(map, key); }
static long one_more(void *map, const void *key, void *value, void *context) { return 0; }
long __elem_count(void *map) { return ((long (*)(void *, void *, void *, unsigned long))164)(map, one_more, 0, 0); }
)~";

constexpr char kProcess[] = R"~(
long __signal_process(unsigned int number) { return ((long (*)(unsigned int))109)(number); }
long __signal_thread(unsigned int number) { return ((long (*)(unsigned int))117)(number); }
unsigned long long __get_current_uid_gid(void) { return ((unsigned long long (*)(void))15)(); }
unsigned long long __get_cgroup(void) { return ((unsigned long long (*)(void))80)(); }
unsigned long long __get_current_task(void) { return ((unsigned long long (*)(void))35)(); }
)~";

// Texts may lie anywhere that can be read: they are copied first, 256 bytes at most.
constexpr char kStrings[] = R"~(
typedef char name_text[64];
unsigned long btc_strerror(char *, long);
unsigned long btc_signal_name(char *, long);
unsigned long btc_syscall_name(char *, long);
int __strerror(int number, name_text *out) { btc_strerror(*out, number); return 0; }
void __signal_name(int number, name_text *out) { btc_signal_name(*out, number); }
int __syscall_name(int number, name_text *out) { btc_syscall_name(*out, number); return 0; }

static long (*const read_text)(void *, unsigned int, const void *) = (void *)115;

long __bpf_strnlen(const char *text, unsigned long most) {
  char copy[256];
  long size = read_text(copy, most < 255 ? most + 1 : 256, text);
  return size > 0 ? size - 1 : size;
}
int __bpf_strnstr(const char *text, const char *part, unsigned long text_size, unsigned long part_size) {
  char wanted[16] = {}, here[16];
  long size = read_text(wanted, part_size < 16 ? part_size : 16, part);
  if (size <= 1) return size < 0 ? -1 : 0;
  for (int i = 0; i < 256 && i + size - 1 <= text_size; i++) {
    __builtin_memset(here, 0, sizeof here);
    if (read_text(here, 16, text + i) <= 1) return -1;
    int same = 0;
    for (int k = 0; k < 15; k++) same += k >= size - 1 || here[k] == wanted[k];
    if (same == 15) return i;
  }
  return -1;
}
long __bpf_str_concat(char *to, unsigned long size, const char *text) {
  long length = __bpf_strnlen(to, size);
  return length < 0 || length >= size ? 0 : read_text(to + length, size - length, text);
}
)~";

constexpr char kSystem[] = R"~(
long __get_numa_node_id(void) { return ((long (*)(void))42)(); }
void __override(void *context, unsigned long result) { ((long (*)(void *, unsigned long))58)(context, result); }
long __probe_write_user(void *to, const void *from, unsigned int size) { return ((long (*)(void *, const void *, unsigned int))36)(to, from, size); }
unsigned long long __get_jiffies(void) { return ((unsigned long long (*)(void))118)(); }
unsigned long long __get_rand(void) { return ((unsigned int (*)(void))7)(); }
)~";

constexpr StdlibFile kFiles[] = {
    {"stdlib/base.bpf.c", kBase},
    {"stdlib/map/map.bpf.c", kMap},
    {"stdlib/process/process.bpf.c", kProcess},
    {"stdlib/stack/dwunwind.bpf.c", ""},
    {"stdlib/strings/strings.bpf.c", kStrings},
    {"stdlib/system/system.bpf.c", kSystem},
    {"stdlib/task/task.bpf.c", ""},
    {"stdlib/task/vma.bpf.c", ""},
    {"stdlib/test/test.bpf.c", "// Shows that calls of C work.\nint __always_true(void) { return 1; }\n"},
    {"stdlib/usdt/usdt.bpf.c", ""},
};

}  // namespace

std::vector<const StdlibFile*> find_stdlib(std::string_view name) {
  std::vector<const StdlibFile*> found;
  for (const StdlibFile& file : kFiles)
    if (file.name == name || file.name.substr(0, file.name.rfind('/')) == name) found.push_back(&file);
  return found;
}

std::vector<std::string> stdlib_names() {
  std::vector<std::string> names;
  for (const StdlibFile& file : kFiles) names.emplace_back(file.name);
  return names;
}

}  // namespace btc
