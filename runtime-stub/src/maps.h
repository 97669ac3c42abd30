// The script's maps by file descriptor: all entries, cleared, zeroed.
#pragma once

#include "runtime-stub/src/output/output.h"

namespace btc::rt {

struct MapShape { uint32_t type = 0, key_size = 0, value_size = 0, max_entries = 0; };
bool map_shape(int fd, MapShape* out);
bool is_percpu(uint32_t map_type);
bool is_array(uint32_t map_type);

bool read_map_entries(int fd, MapEntries* out);
bool clear_map_entries(int fd);
bool zero_map_entries(int fd);

// Sum over CPUs of element `index` of a per-CPU array of u64.
uint64_t sum_percpu_counter(int fd, uint32_t index);

}  // namespace btc::rt
