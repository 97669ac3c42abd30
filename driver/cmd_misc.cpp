// btc fmt, btc explain, btc profile, btc docs.

#include <cstdio>

#include "driver/commands.h"
#include "driver/files.h"
#include "driver/script_options.h"
#include "frontend/ast/format.h"
#include "frontend/defs/tables.h"
#include "frontend/parse/parser.h"
#include "frontend/profile/profile.h"
#include "runtime-stub/abi/attach_point.h"

extern "C" const char btc_explain_text[], btc_explain_text_end[];

namespace btc {
namespace {

// Prints canonical source; with `in_place` rewrites the files, with `only_check` says which would change.
int fmt_main(const std::vector<std::string>& files, bool in_place, bool only_check) {
  int status = kExitOk;
  for (const std::string& file : files) {
    std::string text, error;
    if (!read_file(file, &text, &error)) {
      fprintf(stderr, "ERROR: failed to open file '%s': %s\n", file.c_str(), error.c_str());
      status = kExitError;
      continue;
    }
    SourceManager sources;
    DiagEngine diags(sources);
    ast::Arena arena;
    ast::Script script;
    uint32_t index = sources.add(file == "-" ? "stdin" : file, text);
    bool ok = parse_script(arena, sources, index, diags, &script) && !diags.has_errors();
    if (!ok) {
      print_diagnostics(diags, "text");
      status = kExitError;
      continue;
    }
    std::string formatted = format_script(sources, index, script);
    if (only_check) {
      if (formatted != text) printf("%s\n", file.c_str()), status = kExitError;
    } else if (!write_file(in_place ? file : "-", formatted, false, &error)) {
      fprintf(stderr, "ERROR: failed to write '%s': %s\n", file.c_str(), error.c_str());
      status = kExitError;
    }
  }
  return status;
}

struct DiagPage { uint16_t number; const char* text; const char* bad; const char* good; };
constexpr DiagPage kDiagPages[] = {
#define BTC_DIAG_PAGE(Number, Text, Bad, Good) {Number, Text, Bad, Good},
#include "frontend/defs/diag_pages.def"
#undef BTC_DIAG_PAGE
};

void print_indented(std::string_view script) {
  while (!script.empty()) {
    size_t end = std::min(script.find('\n'), script.size());
    printf("    %.*s\n", static_cast<int>(end), script.data());
    script.remove_prefix(std::min(end + 1, script.size()));
  }
}

void print_row(const DiagInfo& info) {
  printf("# BTC%04u %s\n", info.number, info.slug);
  for (const DiagPage& page : kDiagPages) {
    if (page.number != info.number) continue;
    printf("\n%s\n", page.text);
    if (*page.bad == 0) continue;
    printf("\n");
    print_indented(page.bad);
    printf("\nInstead:\n\n");
    print_indented(page.good);
  }
  printf("\nThe message is: %s\n", info.format);
}

// The pages of docs/diag are embedded one after another, each begun by a line "# BTCnnnn".
int explain_main(const std::string& number, bool list) {
  if (list) {
    for (size_t i = 0; i < static_cast<size_t>(DiagKind::kCount); ++i) {
      const DiagInfo& info = diag_info(static_cast<DiagKind>(i));
      if (info.severity == Severity::Error || info.severity == Severity::Warning)
        printf("BTC%04u %-8s %s\n", info.number, info.severity == Severity::Error ? "error" : "warning", info.slug);
    }
    return kExitOk;
  }
  const char* digits = number.c_str();
  if (number.rfind("BTC", 0) == 0 || number.rfind("btc", 0) == 0) digits += 3;
  const DiagInfo* info = find_diag_by_number(static_cast<uint16_t>(atoi(digits)));
  if (info == nullptr) info = find_diag_by_slug(number);
  if (info == nullptr) {
    fprintf(stderr, "btc: no diagnostic '%s'; `btc explain --list` shows all\n", number.c_str());
    return kExitError;
  }
  char title[16];
  snprintf(title, sizeof title, "# BTC%04u", info->number);
  std::string_view pages(btc_explain_text, static_cast<size_t>(btc_explain_text_end - btc_explain_text));
  size_t begin = pages.find(title);
  if (begin != std::string_view::npos) {
    size_t end = pages.find("\n# BTC", begin + 1);
    std::string_view page = pages.substr(begin, end == std::string_view::npos ? end : end + 1 - begin);
    fwrite(page.data(), 1, page.size(), stdout);
  } else {
    print_row(*info);
  }
  return kExitOk;
}

int capture_main(const std::string& out) {
  std::string error;
  if (capture_profile(out, &error)) {
    std::unique_ptr<Profile> written = open_profile_file(out, &error);
    if (written && !written->has_types())
      fprintf(stderr, "WARNING: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF): the profile holds no types; scripts name them by headers or define them\n");
    return kExitOk;
  }
  fprintf(stderr, "ERROR: profile capture: %s\n", error.c_str());
  return kExitError;
}

int profile_show_main(const std::string& which, const std::string& kind) {
  std::string error;
  std::unique_ptr<Profile> profile = which.empty() || which == "builtin" ? open_builtin_profile(&error)
                                     : which == "host"                   ? open_host_profile(&error)
                                                                         : open_profile_file(which, &error);
  if (!profile) {
    fprintf(stderr, "ERROR: kernel profile '%s': %s\n", which.c_str(), error.c_str());
    return kExitError;
  }
  if (!kind.empty()) {
    for (const std::string& name : profile->names(kind)) printf("%s\n", name.c_str());
    return kExitOk;
  }
  printf("release: %s\narch: %s\nsha256: %s\n", profile->release().c_str(), profile->arch().c_str(), profile->hash().c_str());
  for (const char* k : {"struct", "function", "tracepoint", "iter"}) printf("%ss: %zu\n", k, profile->names(k).size());
  return kExitOk;
}

// Reference pages generated from the tables.
int docs_main(const std::string& page) {
  if (page == "builtins") {
    printf("# Builtins\n\n| name | type | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < static_cast<size_t>(Builtin::kCount); ++i) {
      const BuiltinInfo& b = builtin_info(static_cast<Builtin>(i));
      printf("| `%s` | %s | %s%s |\n", b.name, b.type, b.doc, b.pending ? " (not yet supported)" : "");
    }
  } else if (page == "functions") {
    printf("# Functions\n\n| name | signature | meaning | example |\n|---|---|---|---|\n");
    for (size_t i = 0; i < static_cast<size_t>(Function::kCount); ++i) {
      const FunctionInfo& f = function_info(static_cast<Function>(i));
      std::string example;
      for (const char* c = f.example; *c != 0; ++c) {
        if (*c == '|') example += '\\';
        example += *c;
      }
      printf("| `%s` | `%s` | %s%s%s | `%s` |\n", f.name, f.signature, f.doc, (f.flags & kFuncUnsafe) != 0 ? " (needs --unsafe)" : "",
             (f.flags & kFuncPending) != 0 ? " (not yet supported)" : "", example.c_str());
    }
  } else if (page == "probes") {
    printf("# Probes\n\n| name | aliases | forms | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < static_cast<size_t>(abi::ProbeKind::kCount); ++i) {
      const abi::ProbeInfo& p = abi::probe_info(static_cast<abi::ProbeKind>(i));
      std::string forms;
      for (const char* c = p.forms; *c != 0; ++c) {
        if (*c == '|') forms += '\\';
        forms += *c;
      }
      printf("| `%s` | %s | `%s` | %s |\n", p.name, p.aliases, forms.c_str(), p.doc);
    }
  } else {
    printf("# Config\n\n| key | default | used | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < static_cast<size_t>(ConfigKey::kCount); ++i) {
      const ConfigInfo& c = config_info(static_cast<ConfigKey>(i));
      const char* side = c.side == ConfigSide::Compile ? "by the compiler" : c.side == ConfigSide::Run ? "by the artifact" : "by both";
      printf("| `%s` | %s | %s | %s |\n", c.key, c.default_value, side, c.doc);
    }
  }
  return kExitOk;
}

}  // namespace

void add_fmt(CLI::App& app, Action* chosen) {
  struct Args { std::vector<std::string> files; bool in_place = false, check = false; };
  auto args = std::make_shared<Args>();
  CLI::App* command = app.add_subcommand("fmt", "Print scripts in canonical form");
  command->add_option("files", args->files, "Scripts; - for standard input")->required()->type_name("FILES");
  command->add_flag("-i,--in-place", args->in_place, "Rewrite the files");
  command->add_flag("--check", args->check, "Only name the files that are not in canonical form; exit 1 if there are any");
  command->callback([args, chosen] { *chosen = [args] { return fmt_main(args->files, args->in_place, args->check); }; });
}

void add_explain(CLI::App& app, Action* chosen) {
  struct Args { std::string number; bool list = false; };
  auto args = std::make_shared<Args>();
  CLI::App* command = app.add_subcommand("explain", "Explain a diagnostic by its number or name");
  command->add_option("number", args->number, "BTC2004, 2004 or the name")->type_name("N");
  command->add_flag("--list", args->list, "List all");
  command->callback([args, chosen] { *chosen = [args] { return explain_main(args->number, args->list); }; });
}

void add_profile(CLI::App& app, Action* chosen) {
  CLI::App* command = app.add_subcommand("profile", "Make and look at kernel profiles");
  command->require_subcommand(1);
  auto out = std::make_shared<std::string>();
  CLI::App* capture = command->add_subcommand("capture", "Write a profile of the running kernel (as root)");
  capture->add_option("-o,--output", *out, "File to write")->required()->type_name("FILE");
  capture->callback([out, chosen] { *chosen = [out] { return capture_main(*out); }; });
  struct Args { std::string which, kind; };
  auto args = std::make_shared<Args>();
  CLI::App* show = command->add_subcommand("show", "What a profile holds");
  show->add_option("profile", args->which, "builtin (default), host or a file");
  show->add_option("--names", args->kind, "List names: struct, function, tracepoint or iter")->check(CLI::IsMember({"struct", "function", "tracepoint", "iter"}));
  show->callback([args, chosen] { *chosen = [args] { return profile_show_main(args->which, args->kind); }; });
}

void add_docs(CLI::App& app, Action* chosen) {
  auto page = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("docs", "Print a reference page made from btc's tables (Markdown)");
  command->add_option("page", *page, "builtins, functions, probes or config")->required()->check(CLI::IsMember({"builtins", "functions", "probes", "config"}));
  command->callback([page, chosen] { *chosen = [page] { return docs_main(*page); }; });
}

}  // namespace btc
