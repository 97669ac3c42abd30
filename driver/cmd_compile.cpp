// btc compile, btc check.

#include <cstdio>
#include <filesystem>

#include "driver/commands.h"
#include "driver/files.h"
#include "driver/script_options.h"

namespace btc {
namespace {

struct CompileArgs {
  ScriptOptions script;
  std::string output;
  std::string emit = "exe";
  std::string stage;
  std::string target_arch = "x86_64";
  std::string name;
  std::vector<std::string> passes;
  std::string print_after;
  std::vector<std::string> with;
  std::string depfile;
  bool write_depfile = false;
  bool no_locs = false;
  bool verify_each = true;
  std::vector<std::string> params;
};

struct EmitForm { Emit emit; const char* suffix; bool text; };
constexpr EmitForm kForms[] = {{Emit::Ast, ".ast", true},        {Emit::TypedAst, ".typed-ast", true}, {Emit::Bir, ".bir", true},
                               {Emit::Llvm, ".ll", true},        {Emit::Asm, ".s", true},              {Emit::Obj, ".bpf.o", false},
                               {Emit::Skel, ".skel.hpp", false}, {Emit::Manifest, ".btcm", false},     {Emit::Exe, "", false}};

const EmitForm& form_of(Emit emit) {
  for (const EmitForm& f : kForms)
    if (f.emit == emit) return f;
  return kForms[0];
}

// The script's file name without folder and suffix; what skeleton classes and default outputs are named after.
std::string stem_of(const ScriptOptions& script) {
  return script.file.empty() || script.file == "-" ? "script" : std::filesystem::path(script.file).stem().string();
}

// Where the output goes; "" and a message if that cannot be told.
std::string output_path(const CompileArgs& args, const EmitForm& form) {
  if (!args.output.empty()) return args.output;
  if (form.text) return "-";
  if (args.script.file.empty() || args.script.file == "-") {
    fprintf(stderr, "btc: -e and - need -o OUT: there is no file name to name the output after\n");
    return "";
  }
  std::string out = std::filesystem::path(args.script.file).replace_extension().string() + form.suffix;
  return out == args.script.file ? out + ".out" : out;
}

std::string escape_make(const std::string& path) {
  std::string out;
  for (char c : path) {
    if (c == ' ' || c == '#' || c == '\\') out += '\\';
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

// Make-style rule with everything that was read.
std::string depfile_text(const std::string& target, const CompileArgs& args, const Compilation& c) {
  std::string out = escape_make(target) + ":";
  if (!args.script.file.empty() && args.script.file != "-") out += " \\\n  " + escape_make(args.script.file);
  if (c.program)
    for (const InputFile& input : c.program->inputs) out += " \\\n  " + escape_make(input.path);
  if (!args.script.profile.empty() && args.script.profile != "builtin" && args.script.profile != "host")
    out += " \\\n  " + escape_make(args.script.profile);
  return out + "\n";
}

int compile_main(const CompileArgs& args) {
  CompileRequest request;
  if (!find_emit(args.emit, &request.emit)) return kExitUsage;  // CLI11 has checked the word
  if (args.target_arch != "x86_64") {
    fprintf(stderr, "btc: --target-arch %s is not supported; x86_64 is\n", args.target_arch.c_str());
    return kExitUsage;
  }
  bool usage = false;
  if (!make_request(args.script, &request, &usage)) return usage ? kExitUsage : kExitError;
  if (!args.with.empty() && request.emit != Emit::Exe) {
    fprintf(stderr, "btc: --with=%s is for executables: --emit=exe\n", args.with[0].c_str());
    return kExitUsage;
  }
  if (!args.with.empty()) request.stub = backend::Stub::Listen;
  const EmitForm& form = form_of(request.emit);
  std::string out = output_path(args, form);
  if (out.empty()) return kExitUsage;
  request.stage = args.stage;
  request.bir_locs = !args.no_locs;
  request.passes.only = args.passes;
  request.passes.print_after = args.print_after;
  request.passes.verify_each = args.verify_each;
  request.skeleton_name = args.name.empty() ? stem_of(args.script) : args.name;
  request.options.baked_params = args.params;
  request.options.bake_params = !args.params.empty();

  Compilation c;
  if (!apply_warnings(args.script, c.diags)) return kExitUsage;
  bool ok = compile(c, request);
  fwrite(c.passes_text.data(), 1, c.passes_text.size(), stdout);
  std::string error;
  if (ok && !write_file(out, c.output, request.emit == Emit::Exe, &error)) {
    c.diags.report(DiagKind::CannotWriteFile, {}, out, error);
    ok = false;
  }
  if (ok && (args.write_depfile || !args.depfile.empty())) {
    std::string path = args.depfile.empty() ? out + ".d" : args.depfile;
    if (!write_file(path, depfile_text(out, args, c), false, &error)) {
      c.diags.report(DiagKind::CannotWriteFile, {}, path, error);
      ok = false;
    }
  }
  print_diagnostics(c.diags, args.script.diag_format);
  return ok ? kExitOk : kExitError;
}

int check_main(const ScriptOptions& options, const std::vector<std::string>& files) {
  bool ok = true;
  std::vector<ScriptOptions> each;
  if (!options.programs.empty()) each.push_back(options);
  for (const std::string& file : files) {
    each.push_back(options);
    each.back().programs.clear();
    each.back().file = file;
  }
  if (each.empty()) {
    fprintf(stderr, "btc: no script: give FILES, - or -e PROGRAM\n");
    return kExitUsage;
  }
  for (const ScriptOptions& one : each) {
    CompileRequest request;
    bool usage = false;
    if (!make_request(one, &request, &usage)) {
      ok = false;
      continue;
    }
    Compilation c;
    if (!apply_warnings(one, c.diags)) return kExitUsage;
    ok = check(c, request) && ok;
    print_diagnostics(c.diags, one.diag_format);
  }
  return ok ? kExitOk : kExitError;
}

}  // namespace

void add_compile(CLI::App& app, Action* chosen, const std::vector<std::string>& baked_params) {
  auto args = std::make_shared<CompileArgs>();
  args->params = baked_params;
  CLI::App* command = app.add_subcommand("compile", "Compile a script into a standalone executable (or another stage's form)");
  add_script_options(*command, &args->script);
  command->add_option("-o,--output", args->output, "Output; - for standard output (default: named after the script)")->type_name("OUT");
  command->add_option("--emit", args->emit, "What to write: ast typed-ast bir llvm asm obj skel manifest exe")
      ->check(CLI::IsMember({"ast", "typed-ast", "bir", "llvm", "asm", "obj", "skel", "manifest", "exe"}));
  command->add_option("--stage", args->stage, "Of bir: raw or canonical (default); of llvm: raw or opt (default)")
      ->check(CLI::IsMember({"raw", "canonical", "opt"}));
  command->add_option("--target-arch", args->target_arch, "Architecture of the machines that will run it (x86_64)");
  command->add_option("--with", args->with, "Parts that not every executable carries: listen (--listen ADDR:PORT, an OpenMetrics endpoint)")
      ->type_name("PART")->check(CLI::IsMember({"listen"}))->allow_extra_args(false);
  command->add_option("--name", args->name, "Name of the skeleton's class (default: the script's)");
  command->add_option("--passes", args->passes, "Run only these BIR passes")->delimiter(',')->allow_extra_args(false);
  command->add_option("--print-after", args->print_after, "Print BIR after this pass, or after `all`")->type_name("PASS");
  command->add_flag("--no-locs", args->no_locs, "BIR without source places");
  command->add_flag("!--no-verify-each", args->verify_each, "Do not verify BIR between passes");
  command->add_flag("-M,--MD", args->write_depfile, "Write OUT.d, a make rule with all files that were read (also -MD)");
  command->add_option("--MF", args->depfile, "The same, into FILE (also -MF)")->type_name("FILE");
  command->footer("-- PARAMS...: positional parameters to bake in. Everything after -- is a positional parameter baked into the artifact; without it $1 ... are given when the artifact runs.");
  command->callback([args, chosen] { *chosen = [args] { return compile_main(*args); }; });
}

void add_check(CLI::App& app, Action* chosen) {
  struct Args { ScriptOptions script; std::vector<std::string> files; };
  auto args = std::make_shared<Args>();
  CLI::App* command = app.add_subcommand("check", "Check scripts without compiling them");
  add_script_options(*command, &args->script);
  command->remove_option(command->get_option("file"));
  command->add_option("files", args->files, "Scripts")->type_name("FILES");
  command->callback([args, chosen] { *chosen = [args] { return check_main(args->script, args->files); }; });
}

}  // namespace btc
