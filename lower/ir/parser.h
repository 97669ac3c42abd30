// Text -> module. Reads what print.cpp writes; docs/bir.md has the grammar. parse.cpp reads items, parse_function.cpp functions.
//
// Items may refer only to what stands before them, except functions (by name, anywhere) and, within a function, blocks and
// values: those are looked up when the function, or the file, is complete. The first error ends the reading: a .bir file is
// written by a program, so one message is what its reader needs.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "lower/ir/ir.h"
#include "lower/ir/text_reader.h"

namespace btc::ir {

class Parser final : TextReader {
 public:
  Parser(std::string_view text, uint32_t base, SourceManager& sources, DiagEngine& diags);
  std::unique_ptr<Module> run();

 private:
  TypeId parse_type(std::string_view text, SourceRange range);
  TypeId take_type(std::string_view stop);
  ValueType take_value_type();
  SourceRange take_place(size_t item_begin);

  void parse_first_line();
  void parse_item();
  void parse_arch(size_t) { module_->arch = take_string(); }
  void parse_script(size_t) { module_->script_name = take_string(); }
  void parse_license(size_t) { module_->license = take_string(); }
  void parse_warnings(size_t) { module_->warning_level = static_cast<uint8_t>(std::min<uint32_t>(take_u32(), 2)); }
  void parse_unsafe(size_t) { module_->unsafe_ok = true; }
  void parse_without(size_t) { module_->no_features.push_back(take_string()); }
  void parse_scratch(size_t) { module_->scratch_size = take_u32(); }
  void parse_zero(size_t) { module_->zero_size = take_u32(); }
  void parse_config(size_t);
  void parse_input(size_t) { module_->inputs.push_back(take_string()); }
  void parse_foreign(size_t begin);
  void parse_foreign_program(size_t begin);
  void parse_strings(size_t) { module_->strings.push_back(take_string()); }
  void parse_source(size_t begin);
  void parse_record(size_t);
  void parse_field(uint32_t record);
  void complete_records();
  void parse_enum(size_t);
  void parse_core(size_t begin);
  void parse_map(size_t begin);
  int find_map(std::string_view name) const;
  uint64_t take_map();
  void parse_event(size_t begin);
  void parse_param(size_t begin);
  void parse_fact(size_t begin);
  int find_fact(std::string_view name) const;
  void parse_probe(size_t begin);

  void parse_function(size_t begin);
  void parse_slot();
  void parse_block_line();
  void parse_inst();
  void parse_operands(const OpInfo& info, Inst& inst);
  Operand parse_operand(char letter);
  uint32_t take_index(size_t count, const char* what);
  Chain take_chain();
  uint64_t take_slot();
  uint64_t take_fact();
  uint64_t take_function();
  struct ValueUse { ValueId id; SourceRange first_use; };
  ValueUse& value_use(const std::string& name, SourceRange range);
  ValueId use_value();
  ValueId define_value();
  struct BlockUse { uint32_t id; int64_t defined; SourceRange first_use; };
  BlockUse& block_use(const std::string& name, SourceRange range);
  uint32_t take_block();
  void check_function_complete();
  void resolve_functions();

  SourceManager& sources_;
  std::unique_ptr<Module> module_;
  struct PendingField { uint32_t record, field; std::string_view type; SourceRange range; };
  std::vector<PendingField> pending_fields_;
  std::unordered_map<std::string, uint64_t> functions_;
  std::vector<std::pair<std::string, SourceRange>> function_uses_;
  // Of the function that is being read.
  Function* function_ = nullptr;
  std::unordered_map<std::string, ValueUse> values_;
  std::vector<bool> defined_;
  std::unordered_map<std::string, BlockUse> blocks_;
  std::unordered_map<std::string, uint64_t> slots_;
};

}  // namespace btc::ir
