// btc run: bpftrace's command line. Compiles in this process, then becomes the artifact, so that exit status, signals and output
// are the artifact's own. bpftrace's options are rows of run_options.def.

#include <getopt.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "driver/commands.h"
#include "driver/files.h"
#include "driver/machine.h"
#include "driver/script_options.h"
#include "driver/stub_exec.h"
#include "frontend/ast/format.h"
#include "frontend/parse/parser.h"

namespace btc {
namespace {

enum class Side : uint8_t { Compile, Run, Both, Self, Ignored };
struct RunOption { const char* name; char letter; const char* argument; Side side; const char* help; };
constexpr RunOption kOptions[] = {
#define RUN_OPTION(Long, Short, Argument, S, Help) {Long, Short, Argument, Side::S, Help},
#include "driver/run_options.def"
#undef RUN_OPTION
};
constexpr int kLongBase = 1000;

void usage(FILE* out) {
  fprintf(out,
          "btc run - compile and run a bpftrace script at once\n\nUSAGE:\n    btc run [options] filename\n    btc run [options] - <stdin input>\n"
          "    btc run [options] -e 'program'\n    use -- after filename/-e 'program' for named script parameters\n\nOPTIONS:\n");
  for (const RunOption& o : kOptions) {
    std::string left = "    ";
    if (o.letter != 0) left += std::string("-") + o.letter + (*o.name != 0 ? ", " : "");
    if (*o.name != 0) left += std::string("--") + o.name;
    if (*o.argument != 0) left += std::string(" ") + o.argument;
    if (left.size() < 29) left.resize(30, ' ');
    else left += "\n" + std::string(30, ' ');
    fprintf(out, "%s%s\n", left.c_str(), o.help);
  }
  fprintf(out,
          "\nEXIT STATUS:\n    0, or the argument of exit(); 1: errors in the command line, the script or its parameters, or nothing to attach;\n"
          "    255: the kernel refused to load or attach.\n\nEXAMPLES:\n"
          "    btc run -e 'tracepoint:syscalls:sys_enter_openat { printf(\"%%s %%s\\n\", comm, str(args.filename)); }'\n"
          "    btc run -e 'profile:hz:99 { @[kstack] = count(); }'\n");
}

struct Parsed {
  ScriptOptions script;
  std::vector<std::string> artifact;   // options for the artifact
  std::vector<std::string> rest;       // file and parameters
  std::vector<std::string> of_process; // -p PID, also when listing
  bool list = false, verbose = false, info = false;
  int warnings = 0;                    // how often -k was given
  std::string mode, wrong_mode;        // of --mode, or the option that is short for it; the one that came second
  std::vector<std::string> debug;      // stages
  std::string emit_elf, emit_llvm, aot;
  backend::Stub stub = backend::Stub::Plain;
};

int error_usage(const char* text) {
  fprintf(stderr, "ERROR: USAGE: %s\n", text);
  return kExitError;
}

// Gives one option to those who use it.
void take(const RunOption& o, const char* value, Parsed* p) {
  std::string name = *o.name != 0 ? o.name : std::string(1, o.letter);
  if (o.side == Side::Run || o.side == Side::Both) {
    p->artifact.push_back(*o.name != 0 ? "--" + name : "-" + name);
    if (*o.argument != 0) p->artifact.emplace_back(value);
  }
  ScriptOptions& s = p->script;
  if (name == "pid") {
    p->of_process = {"-p", value};
    s.warnings.emplace_back("no-needs-process");
  }
  if (name == "e") s.programs.emplace_back(value);
  else if (name == "list") p->list = true;
  else if (name == "verbose") p->verbose = true;
  else if (name == "info") p->info = true;
  else if (name == "warnings") s.more_warnings = true, ++p->warnings;
  else if (name == "no-warnings") s.no_warnings = true;
  else if (name == "I") s.compile.include_dirs.emplace_back(value);
  else if (name == "include") s.compile.includes.emplace_back(value);
  else if (name == "unsafe") s.compile.unsafe = true;
  else if (name == "no-feature") s.no_features.emplace_back(value);
  else if (name == "profile") s.profile = value;
  else if (name == "debuginfo") s.compile.programs.debug_dirs.emplace_back(value);
  else if (name == "mode") p->mode = value;
  else if (name == "test" || name == "bench" || name == "fmt") {
    if (!p->mode.empty()) p->wrong_mode = name;
    p->mode = name == "fmt" ? "format" : name;
  }
  else if (name == "debug") p->debug.emplace_back(value);
  else if (name == "emit-elf") p->emit_elf = value;
  else if (name == "emit-llvm") p->emit_llvm = value;
  else if (name == "listen") p->stub = backend::Stub::Listen;
  else if (name == "aot") p->aot = value;
}

// False: `*status` is what to return (help, version, wrong options).
bool parse_arguments(int argc, char** argv, Parsed* p, int* status) {
  std::string letters;
  std::vector<option> longs;
  for (size_t i = 0; i < std::size(kOptions); ++i) {
    const RunOption& o = kOptions[i];
    int argument = *o.argument != 0 ? required_argument : no_argument;
    if (o.letter != 0) letters += o.letter, letters += argument == required_argument ? ":" : "";
    if (*o.name != 0) longs.push_back({o.name, argument, nullptr, kLongBase + static_cast<int>(i)});
  }
  longs.push_back({nullptr, 0, nullptr, 0});
  int c = 0;
  while ((c = getopt_long(argc, argv, letters.c_str(), longs.data(), nullptr)) != -1) {
    const RunOption* chosen = nullptr;
    if (c >= kLongBase) chosen = &kOptions[c - kLongBase];
    for (const RunOption& o : kOptions)
      if (chosen == nullptr && o.letter != 0 && o.letter == c) chosen = &o;
    if (chosen == nullptr) {
      usage(stderr);
      return *status = kExitError, false;
    }
    if (chosen->letter == 'h') return usage(stdout), *status = kExitOk, false;
    if (chosen->letter == 'V') {
      printf("btc v%s\nbpftrace v0.27 (the language it compiles)\n", version());
      return *status = kExitOk, false;
    }
    take(*chosen, optarg, p);
  }
  for (int i = optind; i < argc; ++i) p->rest.emplace_back(argv[i]);
  return true;
}

// What -d takes. Stages of compiling are printed before the script runs; what libbpf and the verifier say comes from the artifact, told
// by its -v, as often as `artifact` says.
struct DebugStage { const char* name; Emit emit; const char* stage; int artifact; };
constexpr DebugStage kDebugStages[] = {{"ast", Emit::Ast, "", 0},        {"types", Emit::TypedAst, "", 0},    {"bir", Emit::Bir, "", 0},
                                       {"codegen", Emit::Llvm, "raw", 0}, {"codegen-opt", Emit::Llvm, "opt", 0}, {"dis", Emit::Asm, "", 0},
                                       {"verifier", Emit::Exe, "", 2},   {"libbpf", Emit::Exe, "", 3},        {"parse", Emit::Ast, "", 0}};

bool chosen_stage(const Parsed& p, const DebugStage& stage) {
  for (const std::string& name : p.debug)
    if (name == stage.name || (name == "all" && strcmp(stage.name, "parse") != 0)) return true;
  return false;
}

// False: the script has errors, which were printed.
bool print_stages(const CompileRequest& base, Parsed* p) {
  for (const DebugStage& s : kDebugStages) {
    if (!chosen_stage(*p, s)) continue;
    p->artifact.insert(p->artifact.end(), static_cast<size_t>(s.artifact), "-v");
    if (s.artifact != 0) continue;
    CompileRequest request = base;
    request.emit = s.emit;
    request.stage = s.stage;
    Compilation c;
    bool ok = compile(c, request);
    fwrite(c.output.data(), 1, c.output.size(), stdout);
    fflush(stdout);
    if (!ok) return print_diagnostics(c.diags, "text"), false;
  }
  return true;
}

// Values and combinations that bpftrace refuses before it looks at the script. kExitOk: none.
int check_usage(const Parsed& p) {
  if (p.warnings > 1) return error_usage("-kk has been deprecated. Use a single -k for runtime warnings for errors in map lookups and probe reads.");
  if (p.script.more_warnings && p.script.no_warnings) return error_usage("-k, --warnings conflicts with --no-warnings");
  if (!p.wrong_mode.empty()) return error_usage(("--" + p.wrong_mode + " conflicts with existing --mode").c_str());
  if (p.mode == "compiler-bench") return error_usage("--mode compiler-bench times the passes of bpftrace, which are not here");
  bool known = p.mode.empty();
  for (const char* mode : {"codegen", "bench", "test", "format"}) known |= p.mode == mode;
  if (!known) return error_usage("--mode can only be 'codegen', 'bench', 'test' or 'format'.");
  for (const std::string& name : p.debug) {
    bool stage = name == "all";
    for (const DebugStage& s : kDebugStages) stage |= name == s.name;
    if (!stage) return error_usage(("invalid option for -d: " + name).c_str());
  }
  if (p.list && p.rest.size() > 1) return error_usage("-l takes one pattern or file");
  if (!p.list && !p.script.programs.empty() && p.script.programs.back().empty()) return error_usage("filename or -e 'program' required.");
  return kExitOk;
}

int write_stage(const CompileRequest& base, Emit emit, const char* stage, const std::string& path) {
  CompileRequest request = base;
  request.emit = emit;
  request.stage = stage;
  Compilation c;
  bool ok = compile(c, request);
  print_diagnostics(c.diags, "text");
  std::string error;
  if (ok && !write_file(path, c.output, emit == Emit::Exe, &error)) {
    fprintf(stderr, "ERROR: failed to write '%s': %s\n", path.c_str(), error.c_str());
    ok = false;
  }
  return ok ? kExitOk : kExitError;
}

}  // namespace

int run_command(int argc, char** argv) {
  Parsed p;
  int status = kExitOk;
  if (!parse_arguments(argc, argv, &p, &status)) return status;
  if (p.info) return machine_info();
  if (int wrong = check_usage(p)) return wrong;
  if (p.list) return machine_list(p.rest.empty() ? (p.script.programs.empty() ? "" : p.script.programs.back()) : p.rest[0], p.verbose,
                                  !p.script.programs.empty(), p.script, p.of_process);
  if (p.script.programs.empty()) {
    if (p.rest.empty()) {
      fprintf(stderr, "ERROR: USAGE: filename or -e 'program' required.\n");
      usage(stderr);
      return kExitError;
    }
    p.script.file = p.rest.front();
    p.rest.erase(p.rest.begin());
  }
  if (p.script.profile.empty()) p.script.profile = access("/sys/kernel/btf/vmlinux", R_OK) == 0 ? "host" : "builtin";

  CompileRequest request;
  bool wrong_usage = false;
  if (!make_request(p.script, &request, &wrong_usage)) return kExitError;
  // Who runs a script at once has its parameters at hand: they are baked in, so that $1 may stand wherever a literal may.
  request.options.bake_params = true;
  std::vector<std::string> named;
  for (std::string& given : p.rest) (given.rfind("--", 0) == 0 ? named : request.options.baked_params).push_back(std::move(given));
  p.rest = std::move(named);
  if (p.mode == "format") {
    Compilation c;
    uint32_t file = c.sources.add(request.input_name, request.input_text);
    bool ok = parse_script(c.arena, c.sources, file, c.diags, &c.script) && !c.diags.has_errors();
    if (ok) printf("%s", format_script(c.sources, file, c.script).c_str());
    print_diagnostics(c.diags, "text");
    return ok ? kExitOk : kExitError;
  }
  if (!print_stages(request, &p)) return kExitError;
  if (!p.emit_elf.empty()) return write_stage(request, Emit::Obj, "", p.emit_elf);
  if (!p.aot.empty()) return write_stage(request, Emit::Exe, "", p.aot);
  if (!p.emit_llvm.empty()) {
    status = write_stage(request, Emit::Llvm, "raw", p.emit_llvm + ".original.ll");
    return status != 0 ? status : write_stage(request, Emit::Llvm, "opt", p.emit_llvm + ".optimized.ll");
  }

  request.stub = p.stub;
  Compilation c;
  apply_warnings(p.script, c.diags);
  bool ok = compile(c, request);
  print_diagnostics(c.diags, p.script.diag_format);
  if (!ok) return kExitError;
  if (p.mode == "codegen") return kExitOk;
  std::vector<std::string> args = {"btc"};
  args.insert(args.end(), p.artifact.begin(), p.artifact.end());
  if (!p.rest.empty()) args.emplace_back("--");
  args.insert(args.end(), p.rest.begin(), p.rest.end());
  std::string error;
  become_executable(c.output, args, &error);
  fprintf(stderr, "ERROR: failed to start the compiled script: %s\n", error.c_str());
  return kExitError;
}

}  // namespace btc
