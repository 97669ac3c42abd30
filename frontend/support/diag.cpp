// The diagnostics engine: the table's lookups, warning switches, collecting.
//
// A diagnostic that was already reported with the same text at the same place
// is dropped: a probe with ten attach points has its body checked ten times.
#include "frontend/support/diag.h"

#include <algorithm>

namespace btc {
namespace {

constexpr DiagInfo kDiags[] = {
#define BTC_DIAG(Kind, Number, Sev, Slug, Format) {DiagKind::Kind, Number, Severity::Sev, Slug, Format},
#include "frontend/defs/diag_all.def"
#undef BTC_DIAG
};
static_assert(std::size(kDiags) == static_cast<size_t>(DiagKind::kCount));

constexpr bool numbers_ascend() {
  for (size_t i = 1; i < std::size(kDiags); i++) {
    if (kDiags[i].number <= kDiags[i - 1].number) return false;
  }
  return true;
}
static_assert(numbers_ascend(), "rows of diag_*.def are sorted by number, and numbers are unique");

enum Switch : uint8_t { kDefault, kOff, kAsError };

}  // namespace

const DiagInfo& diag_info(DiagKind kind) { return kDiags[static_cast<size_t>(kind)]; }

const DiagInfo* find_diag_by_number(uint16_t number) {
  for (const DiagInfo& info : kDiags) {
    if (info.number == number) return &info;
  }
  return nullptr;
}

const DiagInfo* find_diag_by_slug(std::string_view slug) {
  for (const DiagInfo& info : kDiags) {
    if (info.slug == slug) return &info;
  }
  return nullptr;
}

DiagBuilder& DiagBuilder::fix(SourceRange range, std::string replacement) {
  if (index_ != kDropped) engine_.diagnostics_[index_].fixes.push_back({range, std::move(replacement)});
  return *this;
}

// Slug "all" sets every warning.
bool DiagEngine::set_warning(std::string_view slug, bool enabled, bool as_error) {
  switches_.resize(static_cast<size_t>(DiagKind::kCount), kDefault);
  bool found = false;
  for (const DiagInfo& info : kDiags) {
    if (info.severity != Severity::Warning || (slug != "all" && slug != info.slug)) continue;
    switches_[static_cast<size_t>(info.kind)] = !enabled ? kOff : as_error ? kAsError : kDefault;
    found = true;
  }
  return found;
}

DiagBuilder DiagEngine::add(DiagKind kind, SourceRange range, std::string message) {
  Severity severity = diag_info(kind).severity;
  uint8_t setting = switches_.empty() ? uint8_t{kDefault} : switches_[static_cast<size_t>(kind)];
  if (setting == kOff) return {*this, DiagBuilder::kDropped};
  if (setting == kAsError) severity = Severity::Error;
  if (severity == Severity::Warning && hide_warnings_) return {*this, DiagBuilder::kDropped};

  std::vector<SourceRange> expanded_from;   // innermost first; what stands in the call itself, its arguments, needs no telling
  for (auto site = expansion_.rbegin(); site != expansion_.rend(); ++site)
    if (range.begin < site->begin || range.end > site->end) expanded_from.push_back(*site);
  std::string key = fmt::format("{}:{}:{}:{}", static_cast<unsigned>(kind), range.begin, range.end, message);
  for (SourceRange call_site : expanded_from) key += fmt::format(":{}", call_site.begin);
  if (!seen_.insert(std::move(key)).second) return {*this, DiagBuilder::kDropped};
  if (severity == Severity::Error) error_count_++;
  diagnostics_.push_back({kind, severity, range, std::move(message), {}, {}, std::move(expanded_from)});
  return {*this, diagnostics_.size() - 1};
}

void DiagEngine::absorb(const DiagEngine& other) {
  for (const Diagnostic& diagnostic : other.diagnostics_) {
    DiagBuilder added = add(diagnostic.kind, diagnostic.range, diagnostic.message);
    if (added.index_ == DiagBuilder::kDropped) continue;
    diagnostics_[added.index_].attached = diagnostic.attached;
    diagnostics_[added.index_].fixes = diagnostic.fixes;
    diagnostics_[added.index_].expanded_from = diagnostic.expanded_from;
  }
}

std::vector<const Diagnostic*> DiagEngine::in_source_order() const {
  std::vector<const Diagnostic*> ordered;
  ordered.reserve(diagnostics_.size());
  for (const Diagnostic& diagnostic : diagnostics_) ordered.push_back(&diagnostic);
  // Inside a macro the place that counts is the outermost call.
  auto place = [](const Diagnostic* diagnostic) {
    return diagnostic->expanded_from.empty() ? diagnostic->range.begin : diagnostic->expanded_from.back().begin;
  };
  // Addresses ascend in the order of reporting and break ties. (std::stable_sort of GCC 12 warns under clang.)
  std::sort(ordered.begin(), ordered.end(), [&](const Diagnostic* a, const Diagnostic* b) {
    return place(a) != place(b) ? place(a) < place(b) : a < b;
  });
  return ordered;
}

}  // namespace btc
