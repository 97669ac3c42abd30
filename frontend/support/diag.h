// Diagnostics: declared in frontend/defs/diag_*.def, reported with typed
// arguments, rendered as text (bpftrace's form) or JSON.
//
//   diags.report(DiagKind::UnknownMap, range, name)
//        .hint(DiagKind::DidYouMean, candidate)
//        .note(DiagKind::DefinedHere, other_range);
//
// renders as
//
//   opensnoop.bt:3:9-15: ERROR: Undefined map: @strat
//     @strat[tid] = 1;
//     ~~~~~~
//   HINT: did you mean '@start'?
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "frontend/support/source.h"

namespace btc {

enum class Severity : uint8_t { Error, Warning, Note, Hint };

enum class DiagKind : uint16_t {
#define BTC_DIAG(Kind, Number, Severity, Slug, Format) Kind,
#include "frontend/defs/diag_all.def"
#undef BTC_DIAG
  kCount
};

struct DiagInfo {
  DiagKind kind;
  uint16_t number;        // `btc explain 2104`; never reused
  Severity severity;
  const char* slug;       // "unknown-map": name for -W switches
  const char* format;     // fmt string, positional arguments {0} {1} ...
};

const DiagInfo& diag_info(DiagKind kind);
const DiagInfo* find_diag_by_number(uint16_t number);
const DiagInfo* find_diag_by_slug(std::string_view slug);

struct FixIt {
  SourceRange range;
  std::string replacement;
};

struct Diagnostic {
  DiagKind kind;
  Severity severity;      // after -W switches
  SourceRange range;
  std::string message;
  struct Attached { DiagKind kind; Severity severity; SourceRange range; std::string message; };
  std::vector<Attached> attached;         // notes and hints, in order
  std::vector<FixIt> fixes;
  std::vector<SourceRange> expanded_from; // macro call sites, innermost first
};

class DiagEngine;

// Lets `report(...)` be continued; holds an index, not a reference.
class DiagBuilder {
 public:
  static constexpr size_t kDropped = SIZE_MAX;  // switched off or a repetition: what follows goes nowhere
  DiagBuilder(DiagEngine& engine, size_t index) : engine_(engine), index_(index) {}
  template <typename... Args>
  DiagBuilder& note(DiagKind kind, SourceRange range, const Args&... args);
  template <typename... Args>
  DiagBuilder& hint(DiagKind kind, const Args&... args);
  DiagBuilder& fix(SourceRange range, std::string replacement);

 private:
  friend class DiagEngine;
  DiagEngine& engine_;
  size_t index_;
};

class DiagEngine {
 public:
  explicit DiagEngine(const SourceManager& sources) : sources_(sources) {}

  template <typename... Args>
  DiagBuilder report(DiagKind kind, SourceRange range, const Args&... args) {
    return add(kind, range, format(kind, args...));
  }

  // While a macro body is being checked its call sites are pushed here and
  // appear as "expanded from" under every diagnostic reported meanwhile.
  void push_expansion(SourceRange call_site) { expansion_.push_back(call_site); }
  void pop_expansion() { expansion_.pop_back(); }

  // -Wno-SLUG / -Werror=SLUG; false if there is no such warning.
  bool set_warning(std::string_view slug, bool enabled, bool as_error);

  // Takes over what another engine collected.
  void absorb(const DiagEngine& other);

  void hide_warnings() { hide_warnings_ = true; }

  bool has_errors() const { return error_count_ > 0; }
  size_t error_count() const { return error_count_; }
  const std::vector<Diagnostic>& all() const { return diagnostics_; }
  const SourceManager& sources() const { return sources_; }

  // Renderers. Text order is source order; JSON is one object a line.
  std::string render_text(bool colour) const;
  std::string render_json() const;

 private:
  friend class DiagBuilder;
  template <typename... Args>
  static std::string format(DiagKind kind, const Args&... args) {
    return fmt::format(fmt::runtime(diag_info(kind).format), args...);
  }
  DiagBuilder add(DiagKind kind, SourceRange range, std::string message);
  std::vector<const Diagnostic*> in_source_order() const;

  const SourceManager& sources_;
  std::vector<Diagnostic> diagnostics_;
  std::vector<SourceRange> expansion_;
  std::unordered_set<std::string> seen_;  // what was reported, to drop repetitions
  std::vector<uint8_t> switches_;  // per DiagKind: 0 default, 1 off, 2 error
  size_t error_count_ = 0;
  bool hide_warnings_ = false;
};

template <typename... Args>
DiagBuilder& DiagBuilder::note(DiagKind kind, SourceRange range, const Args&... args) {
  if (index_ == kDropped) return *this;
  engine_.diagnostics_[index_].attached.push_back(
      {kind, Severity::Note, range, DiagEngine::format(kind, args...)});
  return *this;
}
template <typename... Args>
DiagBuilder& DiagBuilder::hint(DiagKind kind, const Args&... args) {
  if (index_ == kDropped) return *this;
  engine_.diagnostics_[index_].attached.push_back(
      {kind, Severity::Hint, {}, DiagEngine::format(kind, args...)});
  return *this;
}

}  // namespace btc
