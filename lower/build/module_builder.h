// What all functions of one module share while it is built: maps, facts, events, strings, core types.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "frontend/sema/program.h"
#include "lower/build/core_types.h"
#include "lower/build/struct_uses.h"
#include "lower/ir/ir.h"

namespace btc::lower {

class ModuleBuilder {
 public:
  ModuleBuilder(const Program& program, const SourceManager& sources, DiagEngine& diags);
  std::unique_ptr<ir::Module> run();

  const Program& program;
  TypeTable& types;          // the program's; the module gets its own when it is complete
  DiagEngine& diags;
  ir::Module& module() { return *module_; }
  CoreTypes& core() { return core_; }
  const StructUses& uses() const { return uses_; }

  uint32_t map_index(const ast::MapSymbol* map) const { return maps_.at(map); }
  // A fact of that kind and argument; made at first use.
  // `loc`: what in the script asks for it first; a message about the fact points there.
  uint32_t fact(abi::FactKind kind, std::string_view name, uint32_t size, std::string_view arg = "", SourceRange loc = {});
  uint32_t param_fact(const ast::Param* param);
  uint32_t param_fact(abi::FactKind kind, const ast::Param* param, uint32_t size, std::string_view arg, SourceRange loc);
  uint32_t event(ir::Event event);
  // The event that reports an error at a place; `helper` is the BPF helper's name.
  uint32_t error_event(abi::RuntimeErrorKind kind, std::string_view helper, SourceRange place, std::vector<SourceRange> expanded_from = {});
  uint32_t string_index(std::string_view text);
  uint32_t subprog_index(const ast::Subprog* subprog) const { return subprogs_.at(subprog); }
  uint32_t new_function(ir::Function::Kind kind, std::string name, SourceRange place, int program);
  // A callback for map.for_each that does nothing: its number of calls counts the entries.
  uint32_t count_callback(int program_index, SourceRange place);
  // exit() can happen while other probes fire: they ask whether it did.
  bool stops_at_exit() const { return stops_at_exit_; }
  // The map is read or deleted entry-wise, so "no entry" and "all zero" must differ: no array.
  void map_needs_hash(uint32_t map);

 private:
  static ir::MapKind hash_of(ir::MapKind kind);
  void find_exits();
  void add_header();
  void add_maps();
  void add_params();
  void add_subprogs();
  void add_programs();
  ir::ProgramInfo program_info(const TypedProbe& probe) const;
  std::string program_name(const TypedProbe& probe) const;
  void drop_unused_sources();

  const SourceManager& sources_;
  std::unique_ptr<ir::Module> module_;
  CoreTypes core_;
  StructUses uses_;
  std::unordered_map<const ast::MapSymbol*, uint32_t> maps_;
  std::unordered_map<const ast::Param*, uint32_t> params_;
  std::unordered_map<const ast::Subprog*, uint32_t> subprogs_;
  std::map<std::pair<abi::FactKind, std::string>, uint32_t> facts_;
  std::unordered_multimap<uint32_t, uint32_t> error_events_;   // by where the place begins
  bool stops_at_exit_ = false;
};

// Moves the module's types into a table of its own: only what maps and events mention, in the order they mention it.
void compact_types(ir::Module& module);

}  // namespace btc::lower
