// Map access; see maps.h. Whole maps are read with BPF_MAP_LOOKUP_BATCH (5.6 for hashes and arrays, per-CPU arrays 5.13), which
// gives a consistent bucket at a time; key by key where the kernel refuses it.
#include "runtime-stub/src/maps.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime-stub/src/support.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

bpf_attr zero_attr() {
  bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  return attr;
}
uint64_t address(const void* p) { return reinterpret_cast<uint64_t>(p); }

int element(int command, int fd, const void* key, void* value, uint64_t flags = 0) {
  bpf_attr attr = zero_attr();
  attr.map_fd = static_cast<uint32_t>(fd);
  attr.key = address(key);
  attr.value = address(value);
  attr.flags = flags;
  return sys::bpf(command, &attr, sizeof attr);
}

// Bytes that one entry's value takes in a system call.
uint32_t transfer_size(const MapShape& shape) {
  return is_percpu(shape.type) ? (shape.value_size + 7) / 8 * 8 * possible_cpus() : shape.value_size;
}

bool read_batches(int fd, const MapShape& shape, MapEntries* out) {
  uint32_t value_bytes = transfer_size(shape), room = std::clamp(shape.max_entries, 1u, std::max(16u, 4u << 20 >> 4) / std::max(1u, value_bytes / 16));
  room = std::max(room, 64u);
  std::vector<uint8_t> position(std::max(shape.key_size, 8u));
  bool first = true;
  while (true) {
    size_t keys = out->keys.size(), values = out->values.size();
    out->keys.resize(keys + size_t{room} * shape.key_size);
    out->values.resize(values + size_t{room} * value_bytes);
    bpf_attr attr = zero_attr();
    attr.batch.map_fd = static_cast<uint32_t>(fd);
    attr.batch.in_batch = first ? 0 : address(position.data());
    attr.batch.out_batch = address(position.data());
    attr.batch.keys = address(out->keys.data() + keys);
    attr.batch.values = address(out->values.data() + values);
    attr.batch.count = room;
    int result = sys::bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof attr);
    uint32_t got = result >= 0 || result == -ENOENT ? attr.batch.count : 0;
    out->keys.resize(keys + size_t{got} * shape.key_size);
    out->values.resize(values + size_t{got} * value_bytes);
    out->count += got;
    if (result == -ENOENT) return true;
    if (result == -ENOSPC && room < (1u << 20)) { room *= 4; continue; }   // a bucket holds more than fits
    if (result < 0) return false;
    first = false;
  }
}

template <typename Fn>
bool for_each_key(int fd, const MapShape& shape, Fn&& fn) {
  std::vector<uint8_t> key(shape.key_size), next(shape.key_size);
  const void* at = nullptr;
  for (uint64_t guard = 0; guard <= uint64_t{shape.max_entries} * 2 + 16; ++guard) {
    int result = element(BPF_MAP_GET_NEXT_KEY, fd, at, next.data());
    if (result == -ENOENT) return true;
    if (result < 0) return false;
    key = next;
    fn(key);
    at = key.data();
  }
  return true;
}

bool read_one_by_one(int fd, const MapShape& shape, MapEntries* out) {
  std::vector<uint8_t> value(transfer_size(shape));
  return for_each_key(fd, shape, [&](const std::vector<uint8_t>& key) {
    if (element(BPF_MAP_LOOKUP_ELEM, fd, key.data(), value.data()) < 0) return;   // deleted meanwhile
    out->keys.insert(out->keys.end(), key.begin(), key.end());
    out->values.insert(out->values.end(), value.begin(), value.end());
    ++out->count;
  });
}

std::vector<std::vector<uint8_t>> all_keys(int fd, const MapShape& shape) {
  std::vector<std::vector<uint8_t>> keys;
  for_each_key(fd, shape, [&](const std::vector<uint8_t>& key) { keys.push_back(key); });
  return keys;
}

}  // namespace

bool is_percpu(uint32_t type) { return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH; }
bool is_array(uint32_t type) { return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY; }

bool map_shape(int fd, MapShape* out) {
  bpf_map_info info;
  memset(&info, 0, sizeof info);
  if (fd < 0 || sys::info(fd, &info, sizeof info) < 0) return false;
  *out = {info.type, info.key_size, info.value_size, info.max_entries};
  return true;
}

bool read_map_entries(int fd, MapEntries* out) {
  MapShape shape;
  if (!map_shape(fd, &shape)) return false;
  *out = {};
  out->key_size = shape.key_size;
  out->value_size = is_percpu(shape.type) ? (shape.value_size + 7) / 8 * 8 : shape.value_size;
  out->cpus = is_percpu(shape.type) ? possible_cpus() : 1;
  if (!(is_array(shape.type) && shape.max_entries == 1) && read_batches(fd, shape, out)) return true;
  out->keys.clear();
  out->values.clear();
  out->count = 0;
  return read_one_by_one(fd, shape, out);
}

bool zero_map_entries(int fd) {
  MapShape shape;
  if (!map_shape(fd, &shape)) return false;
  std::vector<uint8_t> zeros(transfer_size(shape));
  for (const auto& key : all_keys(fd, shape)) element(BPF_MAP_UPDATE_ELEM, fd, key.data(), zeros.data(), BPF_EXIST);
  return true;
}

bool clear_map_entries(int fd) {
  MapShape shape;
  if (!map_shape(fd, &shape)) return false;
  if (is_array(shape.type)) return zero_map_entries(fd);
  for (const auto& key : all_keys(fd, shape)) element(BPF_MAP_DELETE_ELEM, fd, key.data(), nullptr);
  return true;
}

uint64_t sum_percpu_counter(int fd, uint32_t index) {
  std::vector<uint64_t> values(possible_cpus());
  if (fd < 0 || element(BPF_MAP_LOOKUP_ELEM, fd, &index, values.data()) < 0) return 0;
  uint64_t sum = 0;
  for (uint64_t value : values) sum += value;
  return sum;
}

}  // namespace btc::rt
