#include "driver/script_options.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "driver/files.h"
#include "runtime-stub/abi/feature_names.h"

namespace btc {

void add_script_options(CLI::App& command, ScriptOptions* o) {
  command.add_option("-e", o->programs, "The program itself, instead of FILE")->type_name("PROGRAM")->allow_extra_args(false);
  command.add_option("file", o->file, "Script (.bt) or BIR (.bir) file; - for standard input")->type_name("FILE");
  command.add_option("-I", o->compile.include_dirs, "Search DIR for headers")->type_name("DIR")->allow_extra_args(false);
  command.add_option("--include", o->compile.includes, "As if the script began with #include <FILE>")->type_name("FILE")->allow_extra_args(false);
  command.add_option("--profile", o->profile, "Kernel profile: builtin (default), host, or a file made by `btc profile capture`")->type_name("P");
  command.add_flag("--unsafe", o->compile.unsafe, "Allow functions that change the system: system(), signal(), override() ...");
  command.add_flag("-k,--warnings", o->more_warnings, "Also report failing helpers at run time (the artifact's -k, as default)");
  command.add_flag("--no-warnings", o->no_warnings, "No warnings, neither now nor at run time");
  command.add_option("--no-feature", o->no_features, "Do as if the kernel lacked these features, comma separated")->type_name("LIST")->allow_extra_args(false);
  command.add_option("--debuginfo", o->compile.programs.debug_dirs, "Directories of separate debug files of traced programs")->type_name("DIR[:DIR]")->allow_extra_args(false);
  command.add_option("--sysroot", o->compile.programs.sysroot, "Read the debug information of traced programs below DIR, a copy of the target's files")->type_name("DIR");
  command.add_option("--program", o->program_copies, "Read the debug information of program NAME, as the script names it, from COPY")->type_name("NAME=COPY")->allow_extra_args(false);
  command.add_option("--diag-format", o->diag_format, "Form of messages: text or json")->check(CLI::IsMember({"text", "json"}));
  command.add_option("-W", o->warnings, "no-NAME switches a warning off, error=NAME makes it an error")->type_name("W")->allow_extra_args(false);
}

bool make_request(const ScriptOptions& o, CompileRequest* request, bool* usage) {
  *usage = false;
  if (o.programs.empty() == o.file.empty()) {
    fprintf(stderr, "btc: %s\n", o.file.empty() ? "no script: give a FILE, - or -e PROGRAM" : "both -e and a FILE: give one of them");
    return *usage = true, false;
  }
  if (!o.programs.empty()) {
    request->input_text = o.programs.back();
    request->input_name = "stdin";
  } else {
    std::string error;
    if (!read_file(o.file, &request->input_text, &error)) {
      fprintf(stderr, "ERROR: failed to open file '%s': %s\n", o.file.c_str(), error.c_str());
      return false;
    }
    request->input_name = o.file == "-" ? "stdin" : o.file;
    request->is_bir = o.file.size() > 4 && o.file.ends_with(".bir");
  }
  request->profile = o.profile;
  request->options = o.compile;
  for (const std::string& copy : o.program_copies) {
    size_t equals = copy.find('=');
    if (equals == 0 || equals == std::string::npos) {
      fprintf(stderr, "btc: --program %s: NAME=COPY is wanted\n", copy.c_str());
      return *usage = true, false;
    }
    request->options.programs.copies.emplace_back(copy.substr(0, equals), copy.substr(equals + 1));
  }
  request->options.warning_level = o.no_warnings ? 0 : o.more_warnings ? 2 : 1;
  request->options.config_env = config_from_environment();
  for (const std::string& list : o.no_features) {
    size_t begin = 0;
    while (begin <= list.size()) {
      size_t end = std::min(list.find(',', begin), list.size());
      request->options.no_features.push_back(list.substr(begin, end - begin));
      if (!abi::is_feature_name(request->options.no_features.back())) {
        fputs(abi::kFeatureUsage, stderr);
        return *usage = true, false;
      }
      begin = end + 1;
    }
  }
  return true;
}

bool apply_warnings(const ScriptOptions& o, DiagEngine& diags) {
  if (o.no_warnings) diags.hide_warnings();
  for (const std::string& w : o.warnings) {
    bool as_error = w.rfind("error=", 0) == 0;
    bool off = w.rfind("no-", 0) == 0;
    std::string slug = as_error ? w.substr(6) : off ? w.substr(3) : w;
    if (!diags.set_warning(slug, !off, as_error)) {
      fprintf(stderr, "btc: -W %s: no warning has the name '%s'; `btc explain --list` shows the names\n", w.c_str(), slug.c_str());
      return false;
    }
  }
  return true;
}

void print_diagnostics(const DiagEngine& diags, const std::string& format) {
  const char* wish = getenv("BPFTRACE_COLOR");   // auto, always or never, as for the artifact
  std::string wanted = wish != nullptr ? wish : "auto";
  bool colour = wanted == "always" || (wanted != "never" && isatty(2) != 0 && getenv("NO_COLOR") == nullptr);
  std::string text = format == "json" ? diags.render_json() : diags.render_text(colour);
  fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace btc
