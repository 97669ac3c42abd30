// Drawing flame graphs; see flamegraph.h.
//
// Stacks are merged into a tree whose children are sorted by name, so that the same input always gives the same
// bytes. Every box carries its place (x, width as fractions of the whole, depth) for the script in the SVG, which only moves and hides boxes.
#include "driver/flamegraph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

extern "C" const char btc_flamegraph_js[], btc_flamegraph_js_end[];

namespace btc {
namespace {

constexpr int kBox = 18, kTop = 46, kBottom = 34, kSide = 12;
constexpr double kCharWidth = 7.3;  // a monospaced letter of 12 pixels is 7.2 wide in the common fonts
constexpr double kPadding = 6;

struct Node {
  uint64_t total = 0;
  std::map<std::string, std::unique_ptr<Node>> children;
};

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20) out += ' ';
    else out += c;
  }
  return out;
}

// Warm colours for user code, cold ones for the kernel; a name always has the same shade.
std::string color(std::string_view name, bool kernel) {
  uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  unsigned a = hash & 0xff, b = hash >> 8 & 0xff;
  if (name == "[unknown]") return "#c8c8c8";
  if (kernel) return fmt::format("rgb({},{},{})", 90 + a * 50 / 255, 160 + b * 60 / 255, 205 + a * 45 / 255);
  return fmt::format("rgb({},{},{})", 215 + a * 40 / 255, 90 + b * 110 / 255, 50 + a * 30 / 255);
}

std::string with_commas(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

class Drawing {
 public:
  Drawing(const std::vector<FoldedStack>& stacks, const FlameGraphOptions& options) : options_(options) {
    for (const FoldedStack& stack : stacks) {
      root_.total += stack.weight;
      Node* node = &root_;
      for (const std::string& frame : stack.frames) {
        std::unique_ptr<Node>& child = node->children[frame];
        if (!child) child = std::make_unique<Node>();
        node = child.get();
        node->total += stack.weight;
      }
    }
    usable_ = std::max(100.0, static_cast<double>(options.width) - 2.0 * kSide);
    measure(root_, 0);
  }

  std::string draw() {
    int height = kTop + (depth_ + 1) * kBox + kBottom;
    out_ = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"graph\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" data-usable=\"{2:.1f}\" data-side=\"{3}\">\n"
        "<style>text{{font:12px monospace;fill:#000}} #title{{font:bold 16px sans-serif}} .b{{font:12px sans-serif;cursor:pointer;fill:#06c}} "
        ".f{{cursor:pointer}} .f:hover rect{{stroke:#000}} .f text{{pointer-events:none}} .dim{{opacity:.45}} .hit rect{{fill:#e040fb}} .hide{{display:none}}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fafafa\"/>\n"
        "<text id=\"title\" x=\"50%\" y=\"26\" text-anchor=\"middle\">{4}</text>\n"
        "<text id=\"reset\" class=\"b hide\" x=\"{3}\" y=\"26\">Reset zoom</text>\n"
        "<text id=\"search\" class=\"b\" x=\"{5}\" y=\"26\" text-anchor=\"end\">Search</text>\n"
        "<text id=\"details\" x=\"{3}\" y=\"{6}\"> </text>\n"
        "<text id=\"matched\" x=\"{5}\" y=\"{6}\" text-anchor=\"end\"> </text>\n<g id=\"frames\">\n",
        options_.width, height, usable_, kSide, escape(options_.title), static_cast<int>(options_.width) - kSide, height - 12);
    if (root_.total == 0)
      out_ += fmt::format("<text x=\"50%\" y=\"{}\" text-anchor=\"middle\">no stacks</text>\n", kTop + 13);
    else
      box("all", root_, 0, 0);
    out_ += "</g>\n<script><![CDATA[\n";
    out_.append(btc_flamegraph_js, static_cast<size_t>(btc_flamegraph_js_end - btc_flamegraph_js));
    out_ += "]]></script>\n</svg>\n";
    return std::move(out_);
  }

 private:
  bool visible(const Node& node) const { return root_.total && static_cast<double>(node.total) / static_cast<double>(root_.total) * usable_ >= options_.min_pixels; }

  void measure(const Node& node, int depth) {
    depth_ = std::max(depth_, depth);
    for (auto& [name, child] : node.children)
      if (visible(*child)) measure(*child, depth + 1);
  }

  void box(std::string_view name, const Node& node, uint64_t start, int depth) {
    bool kernel = name.size() > 4 && name.substr(name.size() - 4) == "_[k]";
    std::string_view shown = kernel ? name.substr(0, name.size() - 4) : name;
    double all = static_cast<double>(root_.total), x = static_cast<double>(start) / all, width = static_cast<double>(node.total) / all;
    int y = options_.inverted ? kTop + depth * kBox : kTop + (depth_ - depth) * kBox;
    size_t room = static_cast<size_t>(std::max(0.0, width * usable_ - kPadding) / kCharWidth);
    std::string label(room < 3 ? "" : shown.size() <= room ? shown : std::string(shown.substr(0, room - 2)) + "..");
    out_ += fmt::format(
        "<g class=\"f\" data-x=\"{:.9f}\" data-w=\"{:.9f}\" data-d=\"{}\" data-n=\"{}\"><title>{} ({} samples, {:.2f}%)</title>"
        "<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" rx=\"2\" fill=\"{}\"/><text x=\"{:.2f}\" y=\"{}\">{}</text></g>\n",
        x, width, depth, escape(shown), escape(shown), with_commas(node.total), width * 100, kSide + x * usable_, y, width * usable_, kBox - 1,
        depth ? color(shown, kernel) : "#d8d8d8", kSide + x * usable_ + 3, y + 13, escape(label));
    for (auto& [child_name, child] : node.children) {
      if (visible(*child)) box(child_name, *child, start, depth + 1);
      start += child->total;
    }
  }

  const FlameGraphOptions& options_;
  Node root_;
  double usable_ = 0;
  int depth_ = 0;
  std::string out_;
};

}  // namespace

std::string draw_flame_graph(const std::vector<FoldedStack>& stacks, const FlameGraphOptions& options) { return Drawing(stacks, options).draw(); }

}  // namespace btc
