// Module helpers: the op table, value types, the layout of facts, places.
#include "lower/ir/ir.h"

#include <algorithm>
#include <unordered_map>

namespace btc::ir {
namespace {

constexpr OpInfo kOps[] = {
#define BTC_OP(Enum, Mnemonic, Result, Operands, Flags, Doc) {Op::Enum, Mnemonic, Result, Operands, Flags, Doc},
#include "lower/ir/ops.def"
#undef BTC_OP
};

constexpr const char* kSpaceNames[] = {"ctx", "mem", "map", "kernel", "user", "btf", "ro"};

uint32_t align_up(uint32_t offset, uint32_t align) { return (offset + align - 1) / align * align; }

// Scalars by their width; strings (and anything else) need no alignment.
uint32_t fact_align(const Fact& fact) {
  bool is_scalar = fact.size == 1 || fact.size == 2 || fact.size == 4 || fact.size == 8;
  return is_scalar ? fact.size : 1;
}

}  // namespace

const OpInfo& op_info(Op op) { return kOps[static_cast<size_t>(op)]; }

const OpInfo* find_op(std::string_view mnemonic) {
  static const std::unordered_map<std::string_view, const OpInfo*> by_name = [] {
    std::unordered_map<std::string_view, const OpInfo*> map;
    for (const OpInfo& info : kOps) map.emplace(info.mnemonic, &info);
    return map;
  }();
  auto found = by_name.find(mnemonic);
  return found == by_name.end() ? nullptr : found->second;
}

uint32_t bytes_of(ValueType type) {
  switch (type.kind) {
    case ScalarKind::None: return 0;
    case ScalarKind::I1:
    case ScalarKind::I8: return 1;
    case ScalarKind::I16: return 2;
    case ScalarKind::I32: return 4;
    case ScalarKind::I64:
    case ScalarKind::Ptr: return 8;
  }
  return 0;
}

std::string print(ValueType type) {
  switch (type.kind) {
    case ScalarKind::None: return "none";
    case ScalarKind::I1: return "i1";
    case ScalarKind::I8: return "i8";
    case ScalarKind::I16: return "i16";
    case ScalarKind::I32: return "i32";
    case ScalarKind::I64: return "i64";
    case ScalarKind::Ptr: break;
  }
  return std::string("ptr.") + kSpaceNames[static_cast<size_t>(type.space)] + (type.nullable ? "?" : "");
}

std::optional<ValueType> parse_value_type(std::string_view text) {
  for (ScalarKind kind : {ScalarKind::None, ScalarKind::I1, ScalarKind::I8, ScalarKind::I16, ScalarKind::I32, ScalarKind::I64}) {
    if (text == print(ValueType{kind})) return ValueType{kind};
  }
  for (size_t space = 0; space < std::size(kSpaceNames); ++space) {
    for (bool nullable : {false, true}) {
      ValueType type{ScalarKind::Ptr, static_cast<PtrSpace>(space), nullable};
      if (text == print(type)) return type;
    }
  }
  return std::nullopt;
}

uint32_t Module::fact_offset(uint32_t fact) const {
  uint32_t offset = 0;
  for (uint32_t i = 0; i < facts.size(); ++i) {
    offset = align_up(offset, fact_align(facts[i]));
    if (i == fact) break;
    offset += facts[i].size;
  }
  return offset;
}

uint32_t Module::facts_size() const {
  if (facts.empty()) return 0;
  auto last = static_cast<uint32_t>(facts.size() - 1);
  return align_up(fact_offset(last) + facts[last].size, 8);
}

std::optional<Place> Module::locate(SourceRange range) const {
  if (!range.valid() || places_in_bir || range.begin < place_base || range.end < range.begin) return std::nullopt;
  uint32_t begin = range.begin - place_base;
  uint32_t end = range.end - place_base;
  for (size_t i = 0; i < sources.size(); ++i) {
    const SourceText& source = sources[i];
    if (begin < source.base || begin > source.base + source.text.size()) continue;
    if (source.lines.empty()) {
      source.lines.push_back(0);
      for (size_t at = source.text.find('\n'); at != std::string::npos; at = source.text.find('\n', at + 1)) source.lines.push_back(static_cast<uint32_t>(at + 1));
    }
    Place place;
    place.file = static_cast<uint32_t>(i);
    auto walk = [&](uint32_t offset, uint32_t* line, uint32_t* col) {
      auto local = static_cast<uint32_t>(std::min<size_t>(offset - source.base, source.text.size()));
      auto next = std::upper_bound(source.lines.begin(), source.lines.end(), local);
      *line = static_cast<uint32_t>(next - source.lines.begin());
      *col = local - *std::prev(next) + 1;
    };
    walk(begin, &place.line, &place.col);
    walk(std::max(end, begin), &place.end_line, &place.end_col);
    return place;
  }
  return std::nullopt;
}

}  // namespace btc::ir
