// The BPF target of LLVM: one place that knows triple, CPU level and architecture.
#pragma once

#include <memory>
#include <string>

#include <llvm/Target/TargetMachine.h>

namespace btc::backend {

// v3: 32-bit ALU and jumps; accepted by every kernel from 5.1 on.
inline constexpr const char* kBpfCpu = "v3";

// BPF has the byte order of the machine that it runs on; `arch` is the artifact's ("x86_64", "aarch64", "s390x").
std::string bpf_triple(const std::string& arch);

// A switch that LLVM has among its command line options only; it holds for the process.
void set_option(const char* name, const char* value);

// What goes wrong in practice; LLVM's own words speak to C programmers.
std::string in_plain_words(std::string text);
bool is_over_stack(const std::string& text);

// Registers the target on first use. Null only if LLVM was built without BPF.
std::unique_ptr<llvm::TargetMachine> make_target_machine(const std::string& arch);

}  // namespace btc::backend
