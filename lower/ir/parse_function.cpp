// Functions of a module's text: slots, blocks, instructions and their operands; see parser.h.
#include "lower/ir/names.h"
#include "lower/ir/parser.h"

namespace btc::ir {

void Parser::parse_function(size_t begin) {
  module_->functions.emplace_back();
  function_ = &module_->functions.back();
  values_.clear();
  defined_.assign(1, true);
  blocks_.clear();
  slots_.clear();
  function_->values.emplace_back();
  function_->name = take_name('&', "a function");
  if (!failed_ && !functions_.try_emplace(function_->name, module_->functions.size() - 1).second) {
    return fail_at(here(begin), fmt::format("function &{} is there twice", function_->name));
  }
  function_->kind = static_cast<Function::Kind>(take_enum(kFunctionNames, "a kind of function"));
  if (try_char('#')) {
    uint32_t program = take_u32();
    if (program >= module_->programs.size()) return fail("no such probe");
    function_->program = static_cast<int>(program);
  }
  expect('(');
  while (!failed_ && !try_char(')')) {
    if (!function_->params.empty()) expect(',');
    function_->params.push_back(define_value());
  }
  expect('-');
  expect('>');
  function_->return_type = take_value_type();
  function_->loc = take_place(begin);
  expect('{');
  while (try_next_word("slot")) parse_slot();
  while (!failed_ && !try_char('}')) parse_block_line();
  if (!failed_) check_function_complete();
}

void Parser::parse_slot() {
  Slot slot;
  slot.name = take_name('$', "a slot");
  expect_word("size");
  slot.size = take_u32();
  expect_word("align");
  slot.align = take_u32();
  if (try_keyword("stack")) slot.place = Slot::Stack;
  if (try_keyword("register")) slot.place = Slot::Register;
  if (try_keyword("scratch")) {
    slot.place = Slot::Scratch;
    slot.scratch_offset = take_u32();
  }
  if (failed_) return;
  if (!slots_.try_emplace(slot.name, function_->slots.size()).second) return fail(fmt::format("slot ${} is there twice", slot.name));
  function_->slots.push_back(std::move(slot));
}

// A `^name:` line starts a block; everything else is an instruction of the last one.
void Parser::parse_block_line() {
  skip_space();
  size_t begin = pos_;
  if (peek() != '^') return parse_inst();
  std::string name(take_name('^', "a block"));
  expect(':');
  if (failed_) return;
  BlockUse& use = block_use(name, here(begin));
  if (use.defined >= 0) return fail_at(here(begin), fmt::format("block ^{} is there twice", name));
  use.defined = static_cast<int64_t>(function_->blocks.size());
  function_->blocks.push_back({std::move(name), {}});
}

void Parser::parse_inst() {
  skip_space();
  size_t begin = pos_;
  if (function_->blocks.empty()) return fail("expected a block ('^name:')");
  Inst inst;
  if (peek() == '%') {
    inst.result = define_value();
    expect('=');
  }
  skip_space();
  size_t op_begin = pos_;
  std::string_view mnemonic = take_word("an operation");
  if (failed_) return;
  const OpInfo* info = find_op(mnemonic);
  if (!info) return fail_at(here(op_begin), fmt::format("unknown operation '{}'", mnemonic));
  inst.op = info->op;
  if ((info->result == '-') != (inst.result == kNoValue)) {
    return fail_at(here(op_begin), fmt::format("'{}' {} a result", mnemonic, info->result == '-' ? "has no" : "has"));
  }
  parse_operands(*info, inst);
  inst.loc = take_place(begin);
  if (!failed_) function_->blocks.back().insts.push_back(std::move(inst));
}

void Parser::parse_operands(const OpInfo& info, Inst& inst) {
  for (const char* letter = info.operands; *letter != '\0' && !failed_; ++letter) {
    if (*letter == '*') {
      bool first = inst.operands.empty();
      while (!failed_ && (first ? peek() == '%' : try_char(','))) {
        inst.operands.push_back(parse_operand('V'));
        first = false;
      }
      return;
    }
    if (!inst.operands.empty()) expect(',');
    inst.operands.push_back(parse_operand(*letter));
  }
}

Operand Parser::parse_operand(char letter) {
  Operand operand;
  switch (letter) {
    case 'V': operand.kind = Operand::Value; operand.number = use_value(); break;
    case 'I': operand.kind = Operand::Int; operand.number = static_cast<uint64_t>(take_int()); break;
    case 'S': operand.kind = Operand::Slot; operand.number = take_slot(); break;
    case 'M': operand.kind = Operand::Map; operand.number = take_map(); break;
    case 'E': operand.kind = Operand::Event; operand.number = take_index(module_->events.size(), "event"); break;
    case 'F': operand.kind = Operand::Fact; operand.number = take_fact(); break;
    case 'B': operand.kind = Operand::Block; operand.number = take_block(); break;
    case 'C': operand.kind = Operand::ChainRef; operand.chain = take_chain(); break;
    case 'T': operand.kind = Operand::CoreType; operand.number = take_index(module_->core_types.size(), "core type"); break;
    case 'N': operand.kind = Operand::Name; operand.text = take_word("a name"); break;
    case 'L': operand.kind = Operand::Func; operand.number = take_function(); break;
    default: operand.kind = Operand::Text; operand.text = take_string(); break;
  }
  return operand;
}

uint32_t Parser::take_index(size_t count, const char* what) {
  expect('#');
  uint32_t index = take_u32();
  if (!failed_ && index >= count) fail(fmt::format("no {} #{}", what, index));
  return index;
}

Chain Parser::take_chain() {
  Chain chain;
  chain.type = take_index(module_->core_types.size(), "core type");
  expect('[');
  while (!failed_ && !try_char(']')) {
    if (!chain.path.empty()) expect(',');
    chain.path.push_back(take_u32());
  }
  return chain;
}

uint64_t Parser::take_slot() {
  std::string name(take_name('$', "a slot"));
  auto found = slots_.find(name);
  if (!failed_ && found == slots_.end()) fail(fmt::format("unknown slot ${}", name));
  return failed_ ? 0 : found->second;
}

uint64_t Parser::take_fact() {
  std::string_view name = take_word("a fact");
  int index = find_fact(name);
  if (!failed_ && index < 0) fail(fmt::format("unknown fact {}", name));
  return static_cast<uint64_t>(std::max(index, 0));
}

// Functions are known only at the end of the file: the operand holds an index into function_uses_ until then.
uint64_t Parser::take_function() {
  skip_space();
  size_t begin = pos_;
  std::string name(take_name('&', "a function"));
  function_uses_.push_back({std::move(name), here(begin)});
  return function_uses_.size() - 1;
}

Parser::ValueUse& Parser::value_use(const std::string& name, SourceRange range) {
  auto [entry, is_new] = values_.try_emplace(name, ValueUse{static_cast<ValueId>(function_->values.size()), range});
  if (is_new) {
    function_->values.push_back({name, {}});
    defined_.push_back(false);
  }
  return entry->second;
}

ValueId Parser::use_value() {
  skip_space();
  size_t begin = pos_;
  std::string name(take_name('%', "a value"));
  return failed_ ? kNoValue : value_use(name, here(begin)).id;
}

// `%name: type`
ValueId Parser::define_value() {
  skip_space();
  size_t begin = pos_;
  std::string name(take_name('%', "a value"));
  if (failed_) return kNoValue;
  ValueId id = value_use(name, here(begin)).id;
  if (defined_[id]) fail_at(here(begin), fmt::format("value %{} is defined twice", name));
  defined_[id] = true;
  expect(':');
  function_->values[id].type = take_value_type();
  return id;
}

Parser::BlockUse& Parser::block_use(const std::string& name, SourceRange range) {
  return blocks_.try_emplace(name, BlockUse{static_cast<uint32_t>(blocks_.size()), -1, range}).first->second;
}

// Blocks are numbered by first mention while the function is read, then by their order.
uint32_t Parser::take_block() {
  skip_space();
  size_t begin = pos_;
  std::string name(take_name('^', "a block"));
  return failed_ ? 0 : block_use(name, here(begin)).id;
}

void Parser::check_function_complete() {
  for (const auto& [name, use] : values_) {
    if (!defined_[use.id]) return fail_at(use.first_use, fmt::format("value %{} is never defined", name));
  }
  std::vector<uint64_t> order(blocks_.size());
  for (const auto& [name, use] : blocks_) {
    if (use.defined < 0) return fail_at(use.first_use, fmt::format("block ^{} is never defined", name));
    order[use.id] = static_cast<uint64_t>(use.defined);
  }
  for (Block& block : function_->blocks) {
    for (Inst& inst : block.insts) {
      for (Operand& operand : inst.operands) {
        if (operand.kind == Operand::Block) operand.number = order[operand.number];
      }
    }
  }
}

void Parser::resolve_functions() {
  complete_records();
  if (failed_) return;
  for (Function& function : module_->functions) {
    for (Block& block : function.blocks) {
      for (Inst& inst : block.insts) {
        for (Operand& operand : inst.operands) {
          if (operand.kind != Operand::Func) continue;
          const auto& [name, range] = function_uses_[operand.number];
          auto found = functions_.find(name);
          if (found == functions_.end()) return fail_at(range, fmt::format("unknown function &{}", name));
          operand.number = found->second;
        }
      }
    }
  }
}

}  // namespace btc::ir
