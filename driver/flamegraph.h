// Flame graphs: folded stacks or btc's JSON in, one self-contained SVG out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace btc {

struct FoldedStack {
  std::vector<std::string> frames;   // outermost first; kernel frames end in "_[k]"
  uint64_t weight = 0;
};

// Reads lines "a;b;c 17" or the lines of `-f json`. False: `error` names the line.
bool read_stacks(std::string_view text, std::vector<FoldedStack>* stacks, std::string* error);

struct FlameGraphOptions {
  std::string title = "Flame graph";
  uint32_t width = 1200;
  double min_pixels = 0.1;      // narrower boxes are left out
  bool inverted = false;        // outermost frames on top
};
// The drawing: boxes can be clicked to zoom, Ctrl-F searches, tooltips show numbers. No network, no other files.
std::string draw_flame_graph(const std::vector<FoldedStack>& stacks, const FlameGraphOptions& options);

}  // namespace btc
