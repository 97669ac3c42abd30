// The tree as s-expressions, one node a line, children indented:
//
//   (probe "kprobe:vfs_read"
//     (block
//       (assign "="
//         (map-access
//           (map "@start")
//           (identifier "tid"))
//         (identifier "nsecs"))))
//
// With types (after sema) each expression ends in `: type` before its children.
#include <fmt/format.h>

#include "frontend/ast/ast.h"

namespace btc::ast {
namespace {

// "MapAccess" -> "map-access"
std::string kebab(std::string_view name) {
  std::string out;
  for (char c : name) {
    bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper && !out.empty()) out += '-';
    out += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

class Dumper {
 public:
  explicit Dumper(const TypeTable* types) : types_(types) {}

  std::string one(const Expr* node, int depth) {
    depth_ = depth;
    expr(node);
    return std::move(out_);
  }

  std::string script(const Script& script) {
    for (const CDefinition& definition : script.c_definitions) leaf("c-definition", quoted(definition.text));
    if (script.config_range) {
      open("config");
      for (const ConfigEntry& entry : script.config) {
        leaf(entry.key, entry.quoted ? quoted(entry.value) : entry.value);
      }
      close();
    }
    for (const Import& import : script.imports) leaf("import", quoted(import.path));
    for (const Script::Item& item : script.items) this->item(script, item);
    if (!out_.empty()) out_ += '\n';
    return std::move(out_);
  }

 private:
  // ---- lines ------------------------------------------------------------------
  void open(std::string_view head, std::string_view rest = {}) {
    if (!out_.empty()) out_ += '\n';
    out_.append(static_cast<size_t>(depth_) * 2, ' ');
    out_ += '(';
    out_ += head;
    if (!rest.empty()) out_.append(" ").append(rest);
    depth_++;
  }
  void close() {
    out_ += ')';
    depth_--;
  }
  void leaf(std::string_view head, std::string_view rest = {}) {
    open(head, rest);
    close();
  }

  // ---- main items -----------------------------------------------------------------
  void item(const Script& script, const Script::Item& item) {
    switch (item.kind) {
      case Script::Item::MapDecl: return map_decl(script.map_decls[item.index]);
      case Script::Item::Macro: return macro(*script.macros[item.index]);
      case Script::Item::Subprog: return subprog(*script.subprogs[item.index]);
      case Script::Item::Probe: return probe(*script.probes[item.index]);
    }
  }
  void map_decl(const MapDecl& decl) {
    open("map-decl", quoted(decl.name) + " " + decl.kind);
    expr(decl.max_entries);
    close();
  }
  void macro(const Macro& macro) {
    std::string head = macro.name;
    for (const MacroParam& param : macro.params) head += " " + param.name;
    open("macro", head);
    expr(macro.body);
    close();
  }
  void subprog(const Subprog& subprog) {
    open("fn", subprog.name + " " + spec(subprog.return_spec));
    for (const SubprogParam& param : subprog.params) {
      open("param", param.name + " " + spec(param.spec));
      typeof_part(param.spec);
      close();
    }
    typeof_part(subprog.return_spec);
    expr(subprog.body);
    close();
  }
  void probe(const Probe& probe) {
    std::string head;
    for (const AttachPoint& point : probe.attach_points) {
      if (!head.empty()) head += ' ';
      if (!point.name.empty()) head += point.name + "=";
      head += quoted(point.parse_ok && !point.has_params ? point.parsed.display_name() : point.text);
    }
    open("probe", head);
    if (probe.predicate) {
      open("predicate");
      expr(probe.predicate);
      close();
    }
    expr(probe.body);
    close();
  }

  // ---- nodes ------------------------------------------------------------------------
  static std::string spec(const TypeSpec* spec) {
    if (!spec) return "?";
    std::string text = spec->typeof_expr ? "typeof" : spec->name;
    if (spec->is_struct) text = "struct " + text;
    if (spec->is_union) text = "union " + text;
    if (spec->is_enum) text = "enum " + text;
    for (const TypeSpec::Suffix& suffix : spec->suffixes) {
      text += suffix.pointer ? "*" : suffix.count < 0 ? "[]" : fmt::format("[{}]", suffix.count);
    }
    return quoted(text);
  }
  void typeof_part(const TypeSpec* spec) {
    if (spec && spec->typeof_expr) expr(spec->typeof_expr);
  }

  // What stands behind the node's name.
  static std::string detail(const Expr* node) {
    switch (node->kind) {
      case NodeKind::Integer: {
        auto* integer = as<Integer>(node);
        std::string value = integer->negative ? fmt::format("{}", static_cast<int64_t>(integer->value)) : fmt::format("{}", integer->value);
        return value + (integer->is_duration ? " ns" : "");
      }
      case NodeKind::Boolean: return as<Boolean>(node)->value ? "true" : "false";
      case NodeKind::String: return quoted(as<String>(node)->value);
      case NodeKind::Identifier: return quoted(as<Identifier>(node)->name);
      case NodeKind::Positional: return as<Positional>(node)->n ? fmt::format("${}", as<Positional>(node)->n) : "$#";
      case NodeKind::VariableRef: return quoted(as<VariableRef>(node)->name);
      case NodeKind::MapRef: return quoted(as<MapRef>(node)->name);
      case NodeKind::Call: return quoted(as<Call>(node)->name);
      case NodeKind::Unary: return unary_detail(as<Unary>(node)->op);
      case NodeKind::Binary: return quoted(op_text(as<Binary>(node)->op));
      case NodeKind::Cast: return as<Cast>(node)->implicit ? "implicit" : spec(as<Cast>(node)->spec);
      case NodeKind::FieldAccess: return quoted((as<FieldAccess>(node)->arrow ? "->" : ".") + as<FieldAccess>(node)->field);
      case NodeKind::TupleAccess: return fmt::format("{}", as<TupleAccess>(node)->index);
      case NodeKind::Sizeof: return as<Sizeof>(node)->spec ? spec(as<Sizeof>(node)->spec) : "";
      case NodeKind::Typeinfo: return as<Typeinfo>(node)->spec ? spec(as<Typeinfo>(node)->spec) : "";
      case NodeKind::TypeArg: return spec(as<TypeArg>(node)->spec);
      case NodeKind::IfExpr: return as<IfExpr>(node)->comptime ? "comptime" : "";
      case NodeKind::Offsetof: {
        std::string text = as<Offsetof>(node)->exists ? "exists" : "";
        if (as<Offsetof>(node)->spec) text += (text.empty() ? "" : " ") + spec(as<Offsetof>(node)->spec);
        for (const std::string& field : as<Offsetof>(node)->fields) text += " ." + field;
        return text.starts_with(' ') ? text.substr(1) : text;
      }
      default: return "";
    }
  }
  static std::string unary_detail(UnaryOp op) {
    if (op == UnaryOp::PostInc) return "\"post++\"";
    if (op == UnaryOp::PostDec) return "\"post--\"";
    return quoted(op_text(op));
  }

  void expr(const Expr* node) {
    if (!node) return leaf("none");
    std::string head = detail(node);
    if (types_ && node->type) head += (head.empty() ? ": " : " : ") + types_->print(node->type);
    std::string name = kebab(node_kind_name(node->kind));
    if (node->kind == NodeKind::MapRef) name = "map";
    if (node->kind == NodeKind::VariableRef) name = "variable";
    if (node->kind == NodeKind::IfExpr) name = "if";
    if (node->kind == NodeKind::RecordLit) name = "record";
    open(name, head);
    children(node);
    close();
  }

  void spec_or_operand(const TypeSpec* spec, const Expr* operand) {
    if (spec) typeof_part(spec);
    else expr(operand);
  }

  void children(const Expr* node) {
    switch (node->kind) {
      case NodeKind::MapAccess:
        expr(as<MapAccess>(node)->map);
        if (as<MapAccess>(node)->key) expr(as<MapAccess>(node)->key);
        return;
      case NodeKind::Call:
        for (const Expr* arg : as<Call>(node)->args) expr(arg);
        return;
      case NodeKind::Unary: return expr(as<Unary>(node)->operand);
      case NodeKind::Binary:
        expr(as<Binary>(node)->left);
        return expr(as<Binary>(node)->right);
      case NodeKind::Ternary:
        expr(as<Ternary>(node)->cond);
        if (as<Ternary>(node)->then_value) expr(as<Ternary>(node)->then_value);
        return expr(as<Ternary>(node)->else_value);
      case NodeKind::Cast:
        typeof_part(as<Cast>(node)->spec);
        return expr(as<Cast>(node)->operand);
      case NodeKind::FieldAccess: return expr(as<FieldAccess>(node)->base);
      case NodeKind::TupleAccess: return expr(as<TupleAccess>(node)->base);
      case NodeKind::ArrayAccess:
        expr(as<ArrayAccess>(node)->base);
        return expr(as<ArrayAccess>(node)->index);
      case NodeKind::Tuple:
        for (const Expr* element : as<Tuple>(node)->elements) expr(element);
        return;
      case NodeKind::RecordLit:
        for (const auto& [name, value] : as<RecordLit>(node)->fields) {
          open("field", name);
          expr(value);
          close();
        }
        return;
      case NodeKind::Sizeof: return spec_or_operand(as<Sizeof>(node)->spec, as<Sizeof>(node)->operand);
      case NodeKind::Offsetof: return spec_or_operand(as<Offsetof>(node)->spec, as<Offsetof>(node)->operand);
      case NodeKind::Typeinfo: return spec_or_operand(as<Typeinfo>(node)->spec, as<Typeinfo>(node)->operand);
      case NodeKind::TypeArg: return typeof_part(as<TypeArg>(node)->spec);
      case NodeKind::Comptime: return expr(as<Comptime>(node)->operand);
      case NodeKind::IfExpr:
        expr(as<IfExpr>(node)->cond);
        expr(as<IfExpr>(node)->then_block);
        if (as<IfExpr>(node)->else_block) expr(as<IfExpr>(node)->else_block);
        return;
      case NodeKind::Block:
        for (const Stmt* item : as<Block>(node)->stmts) stmt(item);
        if (as<Block>(node)->value) {
          open("value");
          expr(as<Block>(node)->value);
          close();
        }
        return;
      default: return;
    }
  }

  void stmt(const Stmt* node) {
    switch (node->kind) {
      case NodeKind::ExprStmt: return expr(as<ExprStmt>(node)->expr);
      case NodeKind::VarDecl: {
        auto* decl = as<VarDecl>(node);
        open("let", quoted(decl->var->name) + (decl->spec ? " " + spec(decl->spec) : ""));
        typeof_part(decl->spec);
        if (decl->init) expr(decl->init);
        return close();
      }
      case NodeKind::Assign: {
        auto* assign = as<Assign>(node);
        open("assign", quoted((assign->op ? op_text(*assign->op) : "") + std::string("=")));
        if (assign->target) expr(assign->target);
        else leaf("discard");
        expr(assign->value);
        return close();
      }
      case NodeKind::While:
        open("while");
        expr(as<While>(node)->cond);
        expr(as<While>(node)->body);
        return close();
      case NodeKind::ForMap:
        open("for-map");
        expr(as<ForMap>(node)->decl);
        expr(as<ForMap>(node)->map);
        expr(as<ForMap>(node)->body);
        return close();
      case NodeKind::ForRange:
        open("for-range");
        expr(as<ForRange>(node)->decl);
        expr(as<ForRange>(node)->begin);
        expr(as<ForRange>(node)->end);
        expr(as<ForRange>(node)->body);
        return close();
      case NodeKind::Unroll:
        open("unroll");
        expr(as<Unroll>(node)->count);
        expr(as<Unroll>(node)->body);
        return close();
      case NodeKind::Jump: {
        static constexpr const char* kNames[] = {"break", "continue", "return"};
        open(kNames[static_cast<size_t>(as<Jump>(node)->jump)]);
        if (as<Jump>(node)->value) expr(as<Jump>(node)->value);
        return close();
      }
      case NodeKind::ImportStmt: return leaf("import", quoted(as<ImportStmt>(node)->path));
      default: return;
    }
  }

  const TypeTable* types_;
  std::string out_;
  int depth_ = 0;
};

}  // namespace

std::string dump(const Script& script, const TypeTable* types) { return Dumper(types).script(script); }

std::string dump_node(const Expr* node, const TypeTable* types, int depth) { return Dumper(types).one(node, depth); }

}  // namespace btc::ast
