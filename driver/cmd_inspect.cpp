// btc inspect: what an artifact (executable or object) would do, before anybody runs it as root.

#include <algorithm>
#include <cstdio>

#include "driver/commands.h"
#include "driver/files.h"
#include "frontend/defs/tables.h"
#include "runtime-stub/abi/abi.h"
#include "runtime-stub/abi/artifact.h"
#include "runtime-stub/abi/attach_point.h"
#include "runtime-stub/abi/manifest_text.h"

extern "C" const char btc_notices_text[], btc_notices_text_end[];

namespace btc {
namespace {

using namespace abi;

struct InspectArgs {
  std::string file;
  bool json = false, notices = false, source = false;
};

std::string place(const fb::Manifest& m, int index) {
  if (index < 0 || m.locations() == nullptr || static_cast<uint32_t>(index) >= m.locations()->size()) return "";
  const fb::Location* l = m.locations()->Get(static_cast<uint32_t>(index));
  std::string name = m.sources() != nullptr && l->file() < m.sources()->size() ? text_of(m.sources()->Get(l->file())->name()) : "?";
  return name + ":" + std::to_string(l->line()) + ":" + std::to_string(l->col());
}

const char* map_kind_name(fb::MapKind kind) { return fb::EnumNameMapKind(kind); }

void print_programs(const fb::Manifest& m) {
  if (m.programs() == nullptr) return;
  printf("probes:\n");
  for (const fb::Program* p : *m.programs()) {
    printf("  %s  [%s]\n    program %s, section %s\n", text_of(p->attach()).c_str(), place(m, p->location()).c_str(), text_of(p->name()).c_str(),
           text_of(p->section()).c_str());
    if (p->patches() != nullptr && p->patches()->size() != 0) printf("    instructions settled on the target: %u\n", p->patches()->size());
    if (p->needs() != nullptr && p->needs()->size() != 0) {
      printf("    needs:");
      for (const auto* n : *p->needs()) printf(" %s", n->c_str());
      printf("\n");
    }
  }
}

void print_foreign_programs(const fb::Manifest& m) {
  if (m.foreign_programs() == nullptr || m.foreign_programs()->size() == 0) return;
  printf("programs of imported C, attached by libbpf:\n");
  for (const fb::ForeignProgram* p : *m.foreign_programs())
    printf("  %s  [%s]\n    program %s of %s\n", text_of(p->section()).c_str(), place(m, p->location()).c_str(), text_of(p->name()).c_str(),
           text_of(p->file()).c_str());
}

void print_maps(const fb::Manifest& m) {
  if (m.maps() == nullptr || m.maps()->size() == 0) return;
  printf("maps:\n");
  for (const fb::Map* map : *m.maps()) {
    std::string key = map->key() >= 0 ? type_text(m, static_cast<uint32_t>(map->key())) : "";
    printf("  %s%s%s%s: %s  (%s, %u entries)\n", text_of(map->name()).c_str(), key.empty() ? "" : "[", key.c_str(), key.empty() ? "" : "]",
           type_text(m, map->value()).c_str(), map_kind_name(map->kind()), map->max_entries());
  }
}

void print_events(const fb::Manifest& m) {
  if (m.events() == nullptr || m.events()->size() == 0) return;
  printf("events:\n");
  for (const fb::Event* e : *m.events()) {
    printf("  %s", event_kind_name(e->kind()));
    if (e->format() != nullptr) printf(" \"%s\"", escape(text_of(e->format())).c_str());
    printf(" %s  [%s]\n", type_text(m, e->payload()).c_str(), place(m, e->location()).c_str());
  }
}

// " $1", " --pid", or nothing
std::string param_text(const fb::Manifest& m, int index) {
  if (index < 0 || m.params() == nullptr || static_cast<uint32_t>(index) >= m.params()->size()) return "";
  const fb::Param* param = m.params()->Get(static_cast<uint32_t>(index));
  return std::string(param->is_getopt() ? " --" : " $") + text_of(param->name());
}

void print_facts(const fb::Manifest& m) {
  if (m.params() != nullptr && m.params()->size() != 0) {
    printf("parameters:\n");
    for (uint32_t i = 0; i < m.params()->size(); ++i)
      if (const fb::Param* p = m.params()->Get(i))
        printf(" %s%s%s\n", param_text(m, static_cast<int>(i)).c_str(), p->doc() != nullptr ? ": " : "", text_of(p->doc()).c_str());
  }
  if (m.facts() == nullptr || m.facts()->size() == 0) return;
  printf("facts (settled on the target):\n");
  for (const fb::Fact* f : *m.facts())
    printf("  %s%s%s%s\n", fact_kind_name(f->kind()), param_text(m, f->param()).c_str(), f->arg() != nullptr && f->arg()->size() != 0 ? " " : "", escape(text_of(f->arg())).c_str());
}

// Capabilities(7) that the artifact asks of whoever runs it.
std::string capabilities(const fb::Manifest& m) {
  bool uprobes = m.foreign_programs() != nullptr && m.foreign_programs()->size() != 0;   // whatever they are
  if (m.programs() != nullptr)
    for (const fb::Program* p : *m.programs()) {
      auto kind = static_cast<ProbeKind>(p->probe_kind());
      uprobes = uprobes || kind == ProbeKind::Uprobe || kind == ProbeKind::Uretprobe || kind == ProbeKind::Usdt;
    }
  return std::string("CAP_BPF CAP_PERFMON CAP_DAC_READ_SEARCH") + (uprobes ? " CAP_SYS_ADMIN" : "") + ", or root";
}

void print_text(const InspectArgs& args, const ArtifactView& view) {
  const fb::Manifest& m = *view.manifest;
  printf("%s: %s, made by %s for %s\n", args.file.c_str(), text_of(m.script_name()).c_str(), text_of(m.compiler()).c_str(), text_of(m.arch()).c_str());
  printf("script sha256: %s\n", text_of(m.script_sha256()).c_str());
  printf("unsafe functions: %s\n", m.unsafe() ? "allowed" : "none");
  printf("capabilities: %s\n", capabilities(m).c_str());
  printf("kernel type relocations: %u%s\n", m.core_relocations(), m.core_relocations() != 0 ? " (the target needs BTF)" : "");
  print_programs(m);
  print_foreign_programs(m);
  print_maps(m);
  print_events(m);
  print_facts(m);
  if (m.config() != nullptr && m.config()->size() != 0) {
    printf("config:\n");
    for (const fb::ConfigEntry* c : *m.config()) printf("  %s = %s\n", text_of(c->key()).c_str(), text_of(c->value()).c_str());
  }
  if (m.inputs() != nullptr && m.inputs()->size() != 0) {
    printf("inputs:\n");
    for (const auto* i : *m.inputs()) printf("  %s\n", i->c_str());
  }
}

int inspect_main(const InspectArgs& args) {
  std::string bytes, error;
  if (!read_file(args.file, &bytes, &error)) {
    fprintf(stderr, "ERROR: failed to open file '%s': %s\n", args.file.c_str(), error.c_str());
    return kExitError;
  }
  ArtifactView view;
  if (!open_artifact({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, &view, &error)) {
    fprintf(stderr, "ERROR: %s: %s\n", args.file.c_str(), error.c_str());
    return kExitError;
  }
  if (args.notices) {
    fwrite(btc_notices_text, 1, static_cast<size_t>(btc_notices_text_end - btc_notices_text), stdout);
  } else if (args.json) {
    printf("%s\n", manifest_json(*view.manifest).c_str());
  } else if (args.source) {
    if (view.manifest->sources() != nullptr && view.manifest->sources()->size() != 0)
      printf("%s", text_of(view.manifest->sources()->Get(0)->text()).c_str());
  } else {
    print_text(args, view);
  }
  return kExitOk;
}

}  // namespace

void add_inspect(CLI::App& app, Action* chosen) {
  auto args = std::make_shared<InspectArgs>();
  CLI::App* command = app.add_subcommand("inspect", "Show what an artifact does: probes, maps, output, what it needs of the kernel");
  command->add_option("artifact", args->file, "Executable or object made by btc")->required()->type_name("ARTIFACT");
  command->add_flag("--json", args->json, "The whole manifest as JSON");
  command->add_flag("--source", args->source, "The script it was made from");
  command->add_flag("--notices", args->notices, "Licences of what the artifact contains");
  command->callback([args, chosen] { *chosen = [args] { return inspect_main(*args); }; });
}

}  // namespace btc
