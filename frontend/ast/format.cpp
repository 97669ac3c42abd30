// `btc fmt`: prints a tree in the one layout.
//
//   - two blanks per level; the body of a probe, macro or function opens on its own line, inner blocks on theirs
//   - one attach point a line, the predicate on a line of its own
//   - parentheses where precedence needs them or readers stumble (`a & b` beside other operators, `&&` in `||`)
//   - literals, attach points and C definitions as written
//   - at most one blank line between lines, exactly one between probes, macros and functions
//
// Comments are not in the tree. They are merged by position: one that stands
// behind something on its line stays there, others get lines of their own; one
// inside a statement moves behind it.
#include "frontend/ast/format.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace btc {
namespace {

using namespace ast;

constexpr size_t kLineLength = 100;

// Binding strength: what an operand must have to stand without parentheses.
enum Level : int { kAny = 0, kBinary = 1, kUnary = 11, kPostfix = 12, kPrimary = 13 };

int precedence(BinaryOp op) { return op_info(op).precedence; }
bool is_bitwise(BinaryOp op) { return op_info(op).op_class == OpClass::Bitwise; }

int level_of(const Expr* node) {
  switch (node->kind) {
    case NodeKind::Ternary:
    case NodeKind::IfExpr:
    case NodeKind::Block: return kAny;
    case NodeKind::Binary: return precedence(as<Binary>(node)->op);
    case NodeKind::Cast:
    case NodeKind::Comptime: return kUnary;
    case NodeKind::Unary: {
      UnaryOp op = as<Unary>(node)->op;
      return op == UnaryOp::PostInc || op == UnaryOp::PostDec ? kPostfix : kUnary;
    }
    case NodeKind::FieldAccess:
    case NodeKind::TupleAccess:
    case NodeKind::ArrayAccess: return kPostfix;
    default: return kPrimary;
  }
}

class Formatter {
 public:
  Formatter(const SourceManager& sources, uint32_t file, const Script& script)
      : sources_(sources), file_(sources.file(file)), script_(script), last_end_(file_.base) {}

  std::string run() {
    if (!script_.shebang.empty()) {
      last_end_ = file_.base + static_cast<uint32_t>(file_.text.find(script_.shebang) + script_.shebang.size());
      out_ = script_.shebang + "\n";
    }
    header();
    for (const Script::Item& item : script_.items) main_item(item);
    comments_before(UINT32_MAX);
    return std::move(out_);
  }

 private:
  // ---- lines and comments -------------------------------------------------------

  std::string indent() const { return std::string(static_cast<size_t>(depth_) * 2, ' '); }
  std::string_view source(uint32_t begin, uint32_t end) const { return end > begin ? sources_.text({begin, end}) : std::string_view(); }
  bool comment_pending(uint32_t until) const { return next_comment_ < script_.comments.size() && script_.comments[next_comment_].range.begin < until; }

  // A blank line if the source has one since what was printed last, or an item asks for one; never first in a block.
  void separate(uint32_t begin) {
    std::string_view gap = source(last_end_, begin);
    bool blank = want_blank_ || std::count(gap.begin(), gap.end(), '\n') > 1;
    if (blank && !at_block_start_ && !out_.empty()) out_ += '\n';
    want_blank_ = at_block_start_ = false;
  }

  void comments_before(uint32_t until) {
    for (; comment_pending(until); next_comment_++) {
      SourceRange range = script_.comments[next_comment_].range;
      std::string_view gap = source(last_end_, range.begin);
      bool behind_something = !out_.empty() && gap.find('\n') == std::string_view::npos && !line_comment_last_;
      if (!behind_something) separate(range.begin);
      add_comment(range, behind_something);
    }
  }

  void add_comment(SourceRange range, bool behind_something) {
    std::string text(sources_.text(range));
    line_comment_last_ = text.starts_with("//");
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.pop_back();
    if (behind_something) {
      if (out_.ends_with('\n')) out_.pop_back();
      out_ += " " + text + "\n";
    } else {
      out_ += indent() + text + "\n";
    }
    last_end_ = std::max(last_end_, range.end);
  }

  // Begins a line for what stands at `begin` in the source.
  void start(uint32_t begin) {
    comments_before(begin);
    separate(begin);
  }
  // Ends it; comments from within follow on the line, but behind a `//` comment on lines of their own.
  void finish(const std::string& text, uint32_t end) {
    out_ += indent() + text + "\n";
    line_comment_last_ = false;
    while (!line_comment_last_ && comment_pending(end)) add_comment(script_.comments[next_comment_++].range, true);
    last_end_ = std::max(last_end_, end);
  }

  // ---- top level ------------------------------------------------------------------

  void header() {
    for (const CDefinition& definition : script_.c_definitions) {
      start(definition.range.begin);
      finish(std::string(sources_.text(definition.range)), definition.range.end);
    }
    size_t next_import = 0;
    auto imports_before = [&](uint32_t until) {
      for (; next_import < script_.imports.size() && script_.imports[next_import].range.begin < until; next_import++) {
        const Import& import = script_.imports[next_import];
        start(import.range.begin);
        finish("import " + quoted(import.path) + ";", import.range.end);
      }
    };
    if (script_.config_range) {
      imports_before(script_.config_range->begin);
      config(*script_.config_range);
    }
    imports_before(UINT32_MAX);
  }

  void config(SourceRange range) {
    want_blank_ = true;
    start(range.begin);
    finish("config = {", range.begin);
    depth_++;
    at_block_start_ = true;
    for (const ConfigEntry& entry : script_.config) {
      start(entry.range.begin);
      finish(entry.key + " = " + std::string(sources_.text(entry.value_range)) + ";", entry.range.end);
    }
    comments_before(range.end);
    depth_--;
    at_block_start_ = false;
    finish("}", range.end);
    want_blank_ = true;
  }

  void main_item(const Script::Item& item) {
    if (item.kind == Script::Item::MapDecl) {
      const MapDecl& decl = script_.map_decls[item.index];
      start(decl.range.begin);
      finish("let " + decl.name + " = " + decl.kind + "(" + expr(decl.max_entries) + ");", decl.range.end);
      return;
    }
    want_blank_ = true;
    if (item.kind == Script::Item::Macro) macro(*script_.macros[item.index]);
    if (item.kind == Script::Item::Subprog) subprog(*script_.subprogs[item.index]);
    if (item.kind == Script::Item::Probe) probe(*script_.probes[item.index]);
    want_blank_ = true;
  }

  void macro(const Macro& macro) {
    start(macro.range.begin);
    std::string head = "macro " + macro.name + "(";
    for (const MacroParam& param : macro.params) head += (head.ends_with('(') ? "" : ", ") + param.name;
    finish(head + ")", macro.body->range.begin);
    body(macro.body, true);
  }

  void subprog(const Subprog& subprog) {
    start(subprog.range.begin);
    std::string head = "fn " + subprog.name + "(";
    for (const SubprogParam& param : subprog.params) head += (head.ends_with('(') ? "" : ", ") + param.name + " : " + spec(param.spec);
    finish(head + ") : " + spec(subprog.return_spec), subprog.body->range.begin);
    body(subprog.body, false);
  }

  void probe(const Probe& probe) {
    // A provider with wildcards has become several attach points with one place.
    std::vector<SourceRange> places;
    for (const AttachPoint& point : probe.attach_points) {
      if (places.empty() || places.back() != point.range) places.push_back(point.range);
    }
    for (size_t i = 0; i < places.size(); i++) {
      start(places[i].begin);
      finish(std::string(sources_.text(places[i])) + (i + 1 < places.size() ? "," : ""), places[i].end);
    }
    if (probe.predicate) {
      comments_before(probe.predicate->range.begin);
      std::string text = expr(probe.predicate);
      // "/*" would begin a comment.
      finish((text.starts_with('*') ? "/ " : "/") + text + "/", probe.predicate_range.end);
    }
    body(probe.body, false);
  }

  // A block whose braces have lines of their own.
  void body(const Block* block, bool has_value) {
    comments_before(block->range.begin);
    finish("{", block->range.begin + 1);
    contents(block, has_value);
    out_ += indent() + "}\n";
  }

  // ---- statements -----------------------------------------------------------------

  void contents(const Block* block, bool has_value) {
    depth_++;
    last_end_ = std::max(last_end_, block->range.begin + 1);
    line_comment_last_ = false;
    at_block_start_ = true;
    for (size_t i = 0; i < block->stmts.size(); i++) {
      bool is_last = i + 1 == block->stmts.size() && !block->value;
      stmt(block->stmts[i], has_value && is_last);
    }
    if (block->value) {
      start(block->value->range.begin);
      finish(top_expr(block->value, ""), block->value->range.end);
    }
    comments_before(block->range.end - 1);
    depth_--;
    at_block_start_ = want_blank_ = line_comment_last_ = false;
    last_end_ = block->range.end;
  }

  // "{ ... }" of an inner block, from the brace on.
  std::string block_text(const Block* block, bool has_value) {
    bool is_plain = !comment_pending(block->range.end);
    if (is_plain && block->stmts.empty() && !block->value) return last_end_ = block->range.end, "{}";
    if (is_plain && has_value && block->stmts.empty()) {
      std::string value = expr(block->value);
      if (value.find('\n') == std::string::npos) return "{ " + value + " }";
    }
    std::string outside = std::exchange(out_, "{\n");
    contents(block, has_value);
    std::string text = std::exchange(out_, std::move(outside));
    return text + indent() + "}";
  }

  void stmt(const Stmt* node, bool must_not_be_value) {
    start(node->range.begin);
    finish(stmt_text(node, must_not_be_value), node->range.end);
  }

  std::string stmt_text(const Stmt* node, bool must_not_be_value) {
    switch (node->kind) {
      case NodeKind::ExprStmt: {
        const Expr* inner = as<ExprStmt>(node)->expr;
        bool ends_itself = inner->kind == NodeKind::IfExpr || inner->kind == NodeKind::Block;
        if (ends_itself) return block_statement(inner) + (must_not_be_value ? ";" : "");
        return top_expr(inner, "") + ";";
      }
      case NodeKind::VarDecl: {
        auto* decl = as<VarDecl>(node);
        std::string head = "let " + decl->var->name + (decl->spec ? " : " + spec(decl->spec) : "");
        return decl->init ? top_expr(decl->init, head + " = ") + ";" : head + ";";
      }
      case NodeKind::Assign: {
        auto* assign = as<Assign>(node);
        std::string head = (assign->target ? expr(assign->target) : "_") + " " + (assign->op ? op_text(*assign->op) : "") + "= ";
        return top_expr(assign->value, head) + ";";
      }
      case NodeKind::While: {
        std::string head = "while (" + expr(as<While>(node)->cond) + ") ";
        return head + block_text(as<While>(node)->body, false);
      }
      case NodeKind::ForMap: {
        auto* loop = as<ForMap>(node);
        return "for " + loop->decl->name + " : " + loop->map->name + " " + block_text(loop->body, false);
      }
      case NodeKind::ForRange: {
        auto* loop = as<ForRange>(node);
        std::string head = "for " + loop->decl->name + " : " + expr(loop->begin, kBinary) + ".." + expr(loop->end, kBinary) + " ";
        return head + block_text(loop->body, false);
      }
      case NodeKind::Unroll: {
        std::string head = "unroll (" + expr(as<Unroll>(node)->count) + ") ";
        return head + block_text(as<Unroll>(node)->body, false);
      }
      case NodeKind::Jump: {
        auto* jump = as<Jump>(node);
        if (jump->jump == JumpKind::Break) return "break;";
        if (jump->jump == JumpKind::Continue) return "continue;";
        return jump->value ? top_expr(jump->value, "return ") + ";" : "return;";
      }
      case NodeKind::ImportStmt: return "import " + quoted(as<ImportStmt>(node)->path) + ";";
      default: return "";
    }
  }

  // An `if` or block whose value nobody takes.
  std::string block_statement(const Expr* node) {
    return node->kind == NodeKind::IfExpr ? if_text(as<IfExpr>(node), false) : block_text(as<Block>(node), false);
  }

  std::string if_text(const IfExpr* node, bool has_value) {
    std::string text = std::string("if ") + (node->comptime ? "comptime " : "") + "(" + expr(node->cond) + ") ";
    text += block_text(node->then_block, has_value);
    if (!node->else_block) return text;
    const IfExpr* nested = else_if(node->else_block);
    return text + " else " + (nested ? if_text(nested, has_value) : block_text(node->else_block, has_value));
  }

  // `else if` arrives as a block that holds one `if` and has its place.
  static const IfExpr* else_if(const Block* block) {
    const Expr* only = block->value;
    if (!only && block->stmts.size() == 1 && block->stmts[0]->kind == NodeKind::ExprStmt) only = as<ExprStmt>(block->stmts[0])->expr;
    auto* nested = dyn<IfExpr>(only);
    return nested && nested->range == block->range ? nested : nullptr;
  }

  // ---- expressions ------------------------------------------------------------------

  // A statement's expression behind `head`; arguments of a call that is too long are broken into lines.
  std::string top_expr(const Expr* node, const std::string& head) {
    if (node->kind == NodeKind::Call) {
      auto* call = as<Call>(node);
      std::vector<std::string> args;
      size_t length = indent().size() + head.size() + call->name.size() + 3;
      bool has_lines = false;
      for (const Expr* arg : call->args) {
        args.push_back(expr(arg));
        length += args.back().size() + 2;
        has_lines |= args.back().find('\n') != std::string::npos;
      }
      return head + (length <= kLineLength || has_lines ? call_text(call->name, args) : filled(head, call->name, args));
    }
    return head + expr(node);
  }

  static std::string call_text(const std::string& name, const std::vector<std::string>& args) {
    std::string text = name + "(";
    for (size_t i = 0; i < args.size(); i++) text += (i ? ", " : "") + args[i];
    return text + ")";
  }

  std::string filled(const std::string& head, const std::string& name, const std::vector<std::string>& args) const {
    std::string text = name + "(";
    std::string pad(indent().size() + head.size() + text.size(), ' ');
    size_t column = pad.size();
    for (size_t i = 0; i < args.size(); i++) {
      if (i > 0 && column + args[i].size() + 3 > kLineLength) {
        text += ",\n" + pad;
        column = pad.size();
      } else if (i > 0) {
        text += ", ";
        column += 2;
      }
      text += args[i];
      column += args[i].size();
    }
    return text + ")";
  }

  std::string expr(const Expr* node, int level = kAny) {
    std::string text = bare(node);
    return level_of(node) < level ? "(" + text + ")" : text;
  }

  std::string list(const std::vector<Expr*>& items) {
    std::string text;
    for (size_t i = 0; i < items.size(); i++) text += (i ? ", " : "") + expr(items[i]);
    return text;
  }

  static std::string suffix_text(const TypeSpec::Suffix& suffix) {
    return suffix.count < 0 ? "[]" : fmt::format("[{}]", suffix.count);
  }

  std::string spec(const TypeSpec* spec) {
    std::string text = spec->name;
    if (spec->typeof_expr) text = "typeof(" + measured(spec->typeof_expr) + ")";
    if (spec->is_struct) text = "struct " + text;
    if (spec->is_union) text = "union " + text;
    if (spec->is_enum) text = "enum " + text;
    for (const TypeSpec::Suffix& suffix : spec->suffixes) {
      if (!suffix.pointer) text += suffix_text(suffix);
      else text += text.ends_with('*') ? "*" : " *";
    }
    return text;
  }

  // `sizeof(x[1])` measures a type; of an expression it is `sizeof((x[1]))`.
  std::string measured(const Expr* operand) { return expr(operand, operand->kind == NodeKind::ArrayAccess ? kPrimary : kAny); }
  std::string spec_or_expr(const TypeSpec* type, const Expr* operand) { return type ? spec(type) : measured(operand); }

  std::string bare(const Expr* node) {
    switch (node->kind) {
      case NodeKind::Integer: {
        const std::string& text = as<Integer>(node)->text;
        return text.empty() ? fmt::format("{}", as<Integer>(node)->value) : text;
      }
      case NodeKind::Boolean: return as<Boolean>(node)->value ? "true" : "false";
      case NodeKind::String: return std::string(sources_.text(node->range));
      case NodeKind::Identifier: return as<Identifier>(node)->name;
      case NodeKind::Positional: return as<Positional>(node)->n ? fmt::format("${}", as<Positional>(node)->n) : "$#";
      case NodeKind::VariableRef: return as<VariableRef>(node)->name;
      case NodeKind::MapRef: return as<MapRef>(node)->name;
      case NodeKind::MapAccess: return map_access(as<MapAccess>(node));
      case NodeKind::Call: {
        std::vector<std::string> args;
        for (const Expr* arg : as<Call>(node)->args) args.push_back(expr(arg));
        return call_text(as<Call>(node)->name, args);
      }
      case NodeKind::Unary: return unary(as<Unary>(node));
      case NodeKind::Binary: return binary(as<Binary>(node));
      case NodeKind::Ternary: {
        auto* ternary = as<Ternary>(node);
        std::string text = expr(ternary->cond, kBinary);
        text += ternary->then_value ? " ? " + expr(ternary->then_value) + " : " : " ?: ";
        return text + expr(ternary->else_value);
      }
      case NodeKind::Cast: {
        std::string type = spec(as<Cast>(node)->spec);
        return "(" + type + ")" + expr(as<Cast>(node)->operand, kUnary);
      }
      case NodeKind::FieldAccess: {
        auto* access = as<FieldAccess>(node);
        return expr(access->base, kPostfix) + (access->arrow ? "->" : ".") + access->field;
      }
      case NodeKind::TupleAccess: return expr(as<TupleAccess>(node)->base, kPostfix) + fmt::format(".{}", as<TupleAccess>(node)->index);
      case NodeKind::ArrayAccess: {
        auto* access = as<ArrayAccess>(node);
        // `(@m)[1]` is not `@m[1]`.
        std::string base = access->base->kind == NodeKind::MapRef ? "(" + expr(access->base) + ")" : expr(access->base, kPostfix);
        return base + "[" + expr(access->index) + "]";
      }
      case NodeKind::Tuple: {
        auto* tuple = as<Tuple>(node);
        return "(" + list(tuple->elements) + (tuple->elements.size() == 1 ? ",)" : ")");
      }
      case NodeKind::RecordLit: {
        std::string text;
        for (const auto& [name, value] : as<RecordLit>(node)->fields) text += (text.empty() ? "(" : ", ") + name + " = " + expr(value);
        return text + ")";
      }
      case NodeKind::Sizeof: return "sizeof(" + spec_or_expr(as<Sizeof>(node)->spec, as<Sizeof>(node)->operand) + ")";
      case NodeKind::Typeinfo: return "typeinfo(" + spec_or_expr(as<Typeinfo>(node)->spec, as<Typeinfo>(node)->operand) + ")";
      case NodeKind::Offsetof: {
        std::string text = (as<Offsetof>(node)->exists ? "has_field(" : "offsetof(") + spec_or_expr(as<Offsetof>(node)->spec, as<Offsetof>(node)->operand) + ", ";
        for (size_t i = 0; i < as<Offsetof>(node)->fields.size(); i++) text += (i ? "." : "") + as<Offsetof>(node)->fields[i];
        return text + ")";
      }
      case NodeKind::TypeArg: return "typeof(" + type_arg(as<TypeArg>(node)->spec) + ")";
      case NodeKind::Comptime: return "comptime " + expr(as<Comptime>(node)->operand, kUnary);
      case NodeKind::IfExpr: return if_text(as<IfExpr>(node), true);
      case NodeKind::Block: return block_text(as<Block>(node), true);
      default: return "";
    }
  }

  // `typeof(T)` with a plain type arrives as that type.
  std::string type_arg(const TypeSpec* type) { return type->typeof_expr ? measured(type->typeof_expr) : spec(type); }

  std::string map_access(const MapAccess* access) {
    if (!access->key) return access->map->name;
    auto* keys = dyn<Tuple>(access->key);
    return access->map->name + "[" + (keys && keys->elements.size() > 1 ? list(keys->elements) : expr(access->key)) + "]";
  }

  std::string unary(const Unary* node) {
    bool is_postfix = node->op == UnaryOp::PostInc || node->op == UnaryOp::PostDec;
    std::string operand = expr(node->operand, is_postfix ? kPostfix : kUnary);
    if (is_postfix) return operand + op_text(node->op);
    // "- -x" would read as "--x".
    if (node->op == UnaryOp::Neg && operand.starts_with('-')) operand = "(" + operand + ")";
    return op_text(node->op) + operand;
  }

  std::string operand(const Expr* node, BinaryOp parent, int level) {
    auto* child = dyn<Binary>(node);
    bool stumbles = child && child->op != parent &&
                    (is_bitwise(parent) || is_bitwise(child->op) || (parent == BinaryOp::LogicalOr && child->op == BinaryOp::LogicalAnd));
    return stumbles ? "(" + expr(node) + ")" : expr(node, level);
  }

  std::string binary(const Binary* node) {
    int level = precedence(node->op);
    std::string left = operand(node->left, node->op, level);
    return left + " " + op_text(node->op) + " " + operand(node->right, node->op, level + 1);
  }

  const SourceManager& sources_;
  const SourceFile& file_;
  const Script& script_;
  std::string out_;
  int depth_ = 0;
  uint32_t last_end_;               // source position behind what was printed last
  size_t next_comment_ = 0;
  bool want_blank_ = false;
  bool at_block_start_ = false;
  bool line_comment_last_ = false;  // the last line ends in a `//` comment: nothing may follow on it
};

}  // namespace

std::string format_script(const SourceManager& sources, uint32_t file, const ast::Script& script) {
  return Formatter(sources, file, script).run();
}

}  // namespace btc
