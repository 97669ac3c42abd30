// The names that --no-feature takes, of the compiler and of artifacts alike. bpftrace has the first three.
#pragma once

#include <string_view>

namespace btc::abi {

inline constexpr std::string_view kFeatureNames[] = {"kprobe_multi", "kprobe_session", "uprobe_multi", "cookie", "typed_reads"};
inline constexpr char kFeatureUsage[] =
    "ERROR: USAGE: --no-feature can only have values 'kprobe_multi,kprobe_session,uprobe_multi,cookie,typed_reads'.\n";

constexpr bool is_feature_name(std::string_view name) {
  for (std::string_view one : kFeatureNames)
    if (one == name) return true;
  return false;
}

}  // namespace btc::abi
