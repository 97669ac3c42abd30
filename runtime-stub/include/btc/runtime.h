// Running a compiled script inside another program.
//
// `btc compile --emit=skel x.bt` writes a class that derives from btc::Script,
// embeds the script and gives it types: its parameters, its events, its maps.
//
//   opens script;
//   script.params.limit = 10;
//   script.events.printf_0 = [](const opens::Printf0& e) { ... };
//   if (!script.load() || !script.attach()) return 1;      // what went wrong is on stderr
//   while (script.poll(100)) {}
//   script.detach();
//   for (auto& [key, count] : script.maps.at.entries()) ...
//
// Events that have no handler of their own do what they do in the executable:
// they print to stdout (or nowhere, see print_output). One thread; needs the
// rights of the executable (root, or CAP_BPF and CAP_PERFMON).
//
// This header is self-contained C++20: the library behind it is btc::runtime of
// the installed CMake package.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace btc {

// All entries of a map as the kernel holds them.
struct MapBytes {
  uint32_t key_size = 0, value_size = 0;  // value_size: of one CPU
  uint32_t cpus = 1;                      // values per entry
  uint32_t count = 0;
  std::vector<uint8_t> keys, values;
};

class Script {
 public:
  using Handler = std::function<void(std::span<const uint8_t> payload)>;

  // `object`: what the compiler made; it must outlive the script.
  explicit Script(std::span<const uint8_t> object);
  ~Script();                              // detaches
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Before load().
  void set_param(std::string_view name, std::string value);       // getopt's, by name
  void set_positional(uint32_t number, std::string value);        // $1 is 1
  void set_target_pid(int pid);                                   // what `-p` says
  void print_output(bool enabled);                                // events without a handler: print them (default) or drop them
  void allow_unsafe(bool enabled);                                // system() may run

  // Each returns false when it failed; messages are on stderr.
  bool load();                            // binds probes to this machine, loads programs and maps
  bool attach();                          // runs `begin`, then attaches
  // Handles what has come, waits up to `timeout_ms` for more. False when the script has ended (exit()).
  bool poll(int timeout_ms);
  void detach();                          // detaches, runs `end`, handles the last events
  void print_maps();                      // as the executable does when it ends

  uint32_t probe_count() const;           // attached
  uint64_t lost_events() const;
  int exit_code() const;
  int map_fd(std::string_view bpf_name) const;

  // By index in the manifest; the generated class names them.
  void on_event(uint32_t event, Handler handler);
  bool read_map(uint32_t map, MapBytes* out) const;
  bool clear_map(uint32_t map);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// ---- Types of the generated classes ----

// A string of the script: ends at its first NUL.
template <size_t N>
struct Text {
  char bytes[N];
  std::string_view view() const { return {bytes, strnlen(bytes, N)}; }
  operator std::string_view() const { return view(); }
};
// buf(): `size` bytes are filled.
template <size_t N>
struct __attribute__((packed)) Buffer {
  uint32_t size;
  uint8_t bytes[N];
  std::span<const uint8_t> view() const { return {bytes, size < N ? size : N}; }
};
// Addresses of a stack, innermost first.
template <size_t N>
struct __attribute__((packed)) KernelStack {
  uint64_t depth;
  uint64_t frames[N];
};
template <size_t N>
struct __attribute__((packed)) UserStack {
  int32_t pid, probe;
  uint64_t depth;
  uint64_t frames[N];
};
struct NoKey {};

// ---- What lies in maps: how the CPUs' parts of a value become one ----

namespace detail {
template <typename T>
T read(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
}  // namespace detail

// Not per CPU, or one CPU's part is as good as another's.
template <typename T>
struct Plain {
  using type = T;
  static T combine(const uint8_t* part, uint32_t, uint32_t) { return detail::read<T>(part); }
};
template <typename T>
struct Sum {                              // count(), sum()
  using type = T;
  static T combine(const uint8_t* part, uint32_t cpus, uint32_t stride) {
    uint64_t total = 0;
    for (uint32_t cpu = 0; cpu < cpus; ++cpu) total += detail::read<uint64_t>(part + size_t{cpu} * stride);
    return static_cast<T>(total);
  }
};
template <typename T, bool kLargest>
struct Extreme {                          // min(), max()
  using type = T;
  static T combine(const uint8_t* part, uint32_t cpus, uint32_t stride) {
    T best = 0;
    bool any = false;
    for (uint32_t cpu = 0; cpu < cpus; ++cpu) {
      const uint8_t* at = part + size_t{cpu} * stride;
      if (detail::read<uint64_t>(at + 8) == 0) continue;
      T value = detail::read<T>(at);
      if (!any || (kLargest ? value > best : value < best)) best = value;
      any = true;
    }
    return best;
  }
};
template <typename T>
struct Average {                          // avg(), stats()
  struct type {
    T total;
    uint64_t count;
    T average() const { return count == 0 ? T{0} : total / static_cast<T>(count); }
  };
  static type combine(const uint8_t* part, uint32_t cpus, uint32_t stride) {
    type sum{};
    for (uint32_t cpu = 0; cpu < cpus; ++cpu) {
      sum.total += detail::read<T>(part + size_t{cpu} * stride);
      sum.count += detail::read<uint64_t>(part + size_t{cpu} * stride + 8);
    }
    return sum;
  }
};
template <size_t kBuckets>
struct Buckets {                          // hist(), lhist(): one count per bucket, as in abi/aggregates.h
  using type = std::array<uint64_t, kBuckets>;
  static type combine(const uint8_t* part, uint32_t cpus, uint32_t stride) {
    type sum{};
    for (uint32_t cpu = 0; cpu < cpus; ++cpu) {
      for (size_t i = 0; i < kBuckets; ++i) sum[i] += detail::read<uint64_t>(part + size_t{cpu} * stride + i * 8);
    }
    return sum;
  }
};

// A map of the script. `Value` is one of the rules above.
template <typename Key, typename Value>
class Map {
 public:
  using value_type = typename Value::type;
  Map(Script* script, uint32_t index) : script_(script), index_(index) {}

  std::vector<std::pair<Key, value_type>> entries() const {
    std::vector<std::pair<Key, value_type>> result;
    MapBytes bytes;
    if (!script_->read_map(index_, &bytes)) return result;
    for (uint32_t i = 0; i < bytes.count; ++i) {
      Key key{};
      size_t size = sizeof(Key) < bytes.key_size ? sizeof(Key) : bytes.key_size;
      if constexpr (!std::is_same_v<Key, NoKey>) std::memcpy(&key, bytes.keys.data() + size_t{i} * bytes.key_size, size);
      const uint8_t* value = bytes.values.data() + size_t{i} * bytes.cpus * bytes.value_size;
      result.emplace_back(key, Value::combine(value, bytes.cpus, bytes.value_size));
    }
    return result;
  }
  // A map without keys: its value, if it was ever set.
  std::optional<value_type> value() const {
    std::vector<std::pair<Key, value_type>> all = entries();
    if (all.empty()) return std::nullopt;
    return all.front().second;
  }
  bool clear() { return script_->clear_map(index_); }

 private:
  Script* script_;
  uint32_t index_;
};

}  // namespace btc
