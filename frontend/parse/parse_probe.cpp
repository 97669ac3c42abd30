// Probes: attach points, predicates, bodies.
//
// An attach point is raw text here; its inner grammar is runtime-stub/abi's,
// since the runtime parses it again after putting parameters in.
#include "frontend/parse/parser_impl.h"

namespace btc::parse {
namespace {

// `$1` outside quotes, as the attach point's own grammar sees it.
bool has_params(std::string_view text) {
  bool in_quotes = false;
  for (size_t i = 0; i < text.size(); i++) {
    if (in_quotes && text[i] == '\\') i++;
    else if (text[i] == '"') in_quotes = !in_quotes;
    else if (text[i] == '$' && !in_quotes) return true;
  }
  return false;
}

}  // namespace

// probe ::= attach_point {',' attach_point} [','] [predicate] block
void Parser::parse_probe() {
  auto* probe = arena_.make<ast::Probe>();
  parse_attach_point(probe);
  while (match(',')) {
    skip_layout();
    if (peek() == '/' || peek() == '{') break;
    parse_attach_point(probe);
  }
  if (stopped()) return;
  if (!probe->attach_points.empty()) {
    probe->range = join(probe->attach_points.front().range, probe->attach_points.back().range);
  }
  // predicate ::= '/' expression '/'
  skip_layout();
  uint32_t predicate_begin = here();
  if (match('/')) {
    in_predicate_ = true;
    probe->predicate = parse_expression();
    in_predicate_ = false;
    if (!match('/')) error(DiagKind::SyntaxExpected, "'/' to close predicate");
    probe->predicate_range = {predicate_begin, here()};
  }
  probe->body = parse_block(BlockUse::NoValue);
  if (stopped()) return;
  // Only now: a probe that is none (`max_strlen=64; ...`) should not be called an invalid attach point.
  std::vector<ast::AttachPoint> written = std::move(probe->attach_points);
  probe->attach_points.clear();
  for (ast::AttachPoint& point : written) add_attach_point(probe, std::move(point));
  script_->items.push_back({ast::Script::Item::Probe, script_->probes.size()});
  script_->probes.push_back(probe);
}

// End of the attach point that begins here: a blank, ',' or '{' outside quotes. A '/' before the first ':' begins a predicate.
size_t Parser::scan_attach_point() const {
  bool seen_colon = false;
  bool in_quotes = false;
  size_t pos = pos_;
  for (; pos < text_.size(); pos++) {
    char c = text_[pos];
    if (in_quotes) {
      if (c == '\\') pos++;
      else if (c == '"') in_quotes = false;
      else if (c == '\n') break;
      continue;
    }
    if (c == '{' || c == ',' || is_space(c)) break;
    if (c == '/' && !seen_colon && pos > pos_) break;
    if (c == ':') seen_colon = true;
    if (c == '"') in_quotes = true;
  }
  return std::min(pos, text_.size());
}

// attach_point ::= [identifier '='] provider {':' part}
void Parser::parse_attach_point(ast::Probe* probe) {
  skip_layout();
  if (stopped()) return;
  uint32_t begin = here();
  size_t start = pos_;
  size_t end = scan_attach_point();
  if (end == pos_) return error(DiagKind::SyntaxExpectedAttachPoint);
  ast::AttachPoint point;
  std::string_view raw = text(start, end);
  pos_ = end;
  point.range = since(begin);
  std::string_view front = raw.substr(0, std::min(raw.find(':'), raw.size()));
  size_t equals = front.find('=');
  if (equals != std::string_view::npos && equals + 1 != front.size()) {
    point.name = std::string(raw.substr(0, equals));
    raw.remove_prefix(equals + 1);
  }
  point.text = std::string(raw);
  point.has_params = has_params(raw);
  probe->attach_points.push_back(std::move(point));
}

void Parser::warn_if_deprecated(const ast::AttachPoint& point, std::string_view provider) {
  bool deprecated = false;
  const abi::ProbeInfo* info = abi::find_probe(provider, &deprecated);
  if (!info || !deprecated) return;
  uint32_t begin = point.range.end - static_cast<uint32_t>(point.text.size());
  SourceRange range{begin, begin + static_cast<uint32_t>(provider.size())};
  diags_.report(DiagKind::DeprecatedProbeType, point.range, provider).hint(DiagKind::UseInstead, info->name).fix(range, info->name);
}

// A provider with wildcards stands for several attach points: each probe type for which the rest makes sense.
void Parser::add_attach_point(ast::Probe* probe, ast::AttachPoint point) {
  size_t colon = std::min(point.text.find(':'), point.text.size());
  std::string provider = point.text.substr(0, colon);
  if (provider.find('*') == std::string::npos) {
    warn_if_deprecated(point, provider);
    size_t errors_before = diags_.error_count();
    check_attach_point(point, diags_);
    errors_ += diags_.error_count() - errors_before;
    probe->attach_points.push_back(std::move(point));
    return;
  }
  bool is_alone = colon == point.text.size();
  std::string rest = is_alone ? ":" + point.text : point.text.substr(colon);
  bool user_space = rest.substr(0, rest.find(':', 1)).find('/') != std::string::npos;
  auto types = abi::expand_provider(is_alone ? "*" : std::string_view(provider), user_space);
  if (types.empty()) {
    complain(point.range, DiagKind::BadAttachPoint, "No probe type matched for " + provider);
    return;
  }
  for (const abi::ProbeInfo* info : types) {
    ast::AttachPoint one = point;
    one.text = info->name + rest;
    one.parse_ok = abi::parse_attach_point(one.text, &one.parsed, nullptr, one.has_params);
    if (one.parse_ok) probe->attach_points.push_back(std::move(one));
  }
  if (probe->attach_points.empty()) complain(point.range, DiagKind::BadAttachPoint, "No attach points for probe");
}

}  // namespace btc::parse

namespace btc {

void check_attach_point(ast::AttachPoint& point, DiagEngine& diags, std::string_view hint) {
  abi::AttachPointError error;
  point.parse_ok = abi::parse_attach_point(point.text, &point.parsed, &error, point.has_params);
  if (point.parse_ok && point.parsed.of_process) diags.report(DiagKind::NeedsProcess, point.range, point.text);
  if (point.parse_ok) return;
  // `$1:x`: with baked parameters it may still become one.
  size_t colon = std::min(point.text.find(':'), point.text.size());
  if (point.has_params && point.text.substr(0, colon).find('$') != std::string::npos) return;
  DiagBuilder builder = diags.report(DiagKind::BadAttachPoint, point.range, error.message);
  if (hint.empty()) hint = error.hint;
  if (!hint.empty()) builder.hint(DiagKind::AttachPointHint, hint);
}

}  // namespace btc
