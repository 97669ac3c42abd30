// --emit=typed-ast: the symbols, then every body with the types of its expressions.
#include <fmt/format.h>

#include "frontend/sema/program.h"

namespace btc {

std::string dump_typed(const Program& program) {
  std::string out;
  auto type = [&](TypeId id) { return id ? program.types->print(id) : std::string("-"); };
  for (const auto& map : program.maps)
    out += map->key ? fmt::format("(map {} {} -> {})\n", map->name, type(map->key), type(map->value))
                    : fmt::format("(map {} {})\n", map->name, type(map->value));
  static constexpr const char* kKinds[] = {"int64", "string", "bool", "uint64"};
  for (const auto& param : program.params)
    out += fmt::format("(param {}{} {})\n", param->is_getopt ? "--" : "$", param->name, kKinds[param->kind]);
  for (const ast::Subprog* subprog : program.subprogs) {
    out += fmt::format("(fn {} : {}\n", subprog->name, type(subprog->return_type));
    out += ast::dump_node(subprog->body, program.types.get(), 1) + ")\n";
  }
  for (const TypedProbe& probe : program.probes) {
    out += fmt::format("(probe {}", probe.attach->text);
    if (probe.args_record) out += fmt::format(" (args {})", type(probe.args_record));
    if (probe.retval_type) out += fmt::format(" (retval {})", type(probe.retval_type));
    out += "\n" + ast::dump_node(probe.body, program.types.get(), 1) + ")\n";
  }
  return out;
}

}  // namespace btc
