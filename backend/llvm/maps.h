// Global data of the object: BTF-defined maps in .maps, facts and strings in .rodata.
#pragma once

#include <map>
#include <string>

#include "backend/llvm/debug_info.h"

namespace btc::backend {

class ForeignCode;

class Globals {
 public:
  Globals(llvm::Module& llvm, const ir::Module& bir, DebugInfo& debug) : llvm_(llvm), bir_(bir), debug_(debug) {}

  void emit_license(const ForeignCode& foreign);
  void emit_script_maps();              // all of them, in order: the runtime prints those that no program uses, too

  llvm::GlobalVariable* script_map(uint32_t index) const { return script_maps_[index]; }
  // The runtime's own maps (abi.h), made on first use.
  llvm::GlobalVariable* events();
  llvm::GlobalVariable* losses();
  llvm::GlobalVariable* scratch();
  bool large_scratch() const;          // one entry per CPU and level, instead of one per-CPU entry per level
  llvm::GlobalVariable* nest();
  llvm::GlobalVariable* zero();
  llvm::GlobalVariable* probe_names();
  llvm::GlobalVariable* unwind_table(const std::string& name);
  // By its name in abi.h ("btc_zero"); null if there is none.
  llvm::GlobalVariable* runtime_map(const std::string& name);
  llvm::GlobalVariable* facts();
  llvm::GlobalVariable* exited();       // a number in .bss
  llvm::GlobalVariable* string_constant(const std::string& text);  // NUL-terminated
  llvm::GlobalVariable* kernel_variable(const std::string& name, uint64_t shape);

 private:
  struct MapSpec {
    std::string name;
    uint32_t type = 0, max_entries = 0, flags = 0;
    llvm::DIType* key = nullptr;
    llvm::DIType* value = nullptr;
  };
  llvm::GlobalVariable* define_map(const MapSpec& spec);
  llvm::DIType* value_type(const ir::Map& map);
  llvm::DIType* key_type(const ir::Map& map);

  llvm::Module& llvm_;
  const ir::Module& bir_;
  DebugInfo& debug_;
  std::vector<llvm::GlobalVariable*> script_maps_;
  llvm::GlobalVariable* events_ = nullptr;
  llvm::GlobalVariable* losses_ = nullptr;
  llvm::GlobalVariable* scratch_ = nullptr;
  llvm::GlobalVariable* nest_ = nullptr;
  llvm::GlobalVariable* zero_ = nullptr;
  llvm::GlobalVariable* probe_names_ = nullptr;
  llvm::GlobalVariable* exited_ = nullptr;
  llvm::GlobalVariable* facts_ = nullptr;
  std::map<std::string, llvm::GlobalVariable*> unwind_;
  std::map<std::string, llvm::GlobalVariable*> strings_;
};

}  // namespace btc::backend
