// `analyse()`: the order of the steps.
#include "frontend/sema/sema.h"

#include <algorithm>

namespace btc::sema {

Sema::Sema(Arena& arena, Script& script, Profile* profile, const CompileOptions& options, SourceManager& sources,
           DiagEngine& diags, Program& program)
    : arena_(arena), script_(script), profile_(profile), options_(options), sources_(sources), diags_(diags),
      program_(program), types_(*program.types), lattice_(*program.types) {}

void Sema::run() {
  collect_config();
  collect_imports();
  collect_c_definitions();
  collect_foreign();
  register_macros();
  collect_maps();
  collect_subprogs();
  make_bodies();
  for (auto& body : bodies_) {
    body_ = body.get();
    expand_body(body->block);
    resolve_body(*body);
  }
  for (auto& [map, state] : maps_) state.scalar = state.scalar ? state.scalar : state.scalar_in_branch;
  solve();
  finish();
}

DiagEngine& Sema::scratch() {
  if (!scratch_ || scratch_->all().size() > 256) scratch_ = std::make_unique<DiagEngine>(sources_);
  return *scratch_;
}

// Edit distance with transpositions, stopped at `limit`.
static size_t distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = previous;
    std::swap(previous, row);
  }
  return previous[b.size()];
}

const std::string* Sema::closest(std::string_view name, const std::vector<std::string>& candidates) {
  size_t letters = name.size() - (name.starts_with('$') || name.starts_with('@'));
  size_t limit = letters <= 1 ? 0 : name.size() <= 4 ? 1 : name.size() <= 8 ? 2 : 3, best = limit + 1;   // one letter is no misspelling of another
  const std::string* found = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate == name) continue;
    size_t d = distance(name, candidate, limit);
    bool closer = d < best || (d == best && found != nullptr && found->size() != name.size() && candidate.size() == name.size());
    if (closer) best = d, found = &candidate;
  }
  return found;
}

void Sema::suggest(DiagBuilder builder, std::string_view name, const std::vector<std::string>& candidates) {
  if (const std::string* found = closest(name, candidates)) builder.hint(DiagKind::DidYouMean, *found);
}

std::string Sema::show(TypeId type) {
  if (lattice_.unknown(type)) return "none";
  return types_.print_user(lattice_.settle(type));
}

// The word for a type's kind, as typeinfo and argument messages use it.
std::string Sema::base_name(TypeId id) {
  if (lattice_.unknown(id)) return "none";
  switch (types_[id].kind) {
    case TypeKind::Int:
    case TypeKind::Enum: return "int";
    case TypeKind::Struct: return "c_type";
    case TypeKind::KStack: return "kstack";
    case TypeKind::UStack: return "ustack";
    case TypeKind::Timestamp: return "timestamp";
    case TypeKind::MacAddr: return "mac_address";
    default: return type_kind_name(types_[id].kind);
  }
}

Integer* Sema::make_int(SourceRange range, uint64_t value, bool negative) {
  auto* node = make<Integer>(range, lattice_.literal(value, negative));
  node->value = value;
  node->negative = negative;
  return node;
}

String* Sema::make_string(SourceRange range, std::string text) {
  auto* node = make<String>(range, types_.string(static_cast<uint32_t>(text.size() + 1)));
  node->value = std::move(text);
  return node;
}

}  // namespace btc::sema

namespace btc {

std::unique_ptr<Program> analyse(ast::Arena& arena, ast::Script& script, Profile* profile, const CompileOptions& options,
                                 SourceManager& sources, DiagEngine& diags) {
  auto program = std::make_unique<Program>();
  program->types = std::make_unique<TypeTable>();
  program->arena = &arena;
  program->options = options;
  sema::Sema(arena, script, profile, options, sources, diags, *program).run();
  return program;
}

}  // namespace btc
