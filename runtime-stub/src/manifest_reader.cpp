// Finds and verifies the manifest; see manifest_reader.h.
#include "runtime-stub/src/manifest_reader.h"

#include <cstring>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/abi/attach_point.h"

namespace btc::rt {

std::string Artifact::script_name() const {
  std::string_view name = text_of(manifest->script_name());
  return name.empty() ? "script" : std::string(name);
}

// Members that the rest of the runtime uses as indices without asking again.
static std::string check_indices(const fb::Manifest& m) {
  uint32_t locations = count_of(m.locations()), types = count_of(m.types()), params = count_of(m.params());
  for (uint32_t i = 0; i < count_of(m.programs()); ++i) {
    const fb::Program* p = m.programs()->Get(i);
    if (p->probe_kind() >= static_cast<uint8_t>(abi::ProbeKind::kCount)) return cat("program ", i, " is of an unknown kind");
    if (p->location() >= static_cast<int>(locations)) return cat("program ", i, " has no place");
    if (p->name() == nullptr || p->attach() == nullptr) return cat("program ", i, " has no name");
    for (uint32_t k = 0; k < count_of(p->patches()); ++k)
      if (p->patches()->Get(k)->kind() > fb::PatchKind::MAX) return cat("program ", i, " has an unknown patch");
  }
  for (uint32_t i = 0; i < locations; ++i) {
    const fb::Location* l = m.locations()->Get(i);
    if (l->file() >= count_of(m.sources()) || l->parent() >= static_cast<int>(i)) return cat("place ", i, " is wrong");
  }
  for (uint32_t i = 0; i < count_of(m.foreign_programs()); ++i) {
    const fb::ForeignProgram* p = m.foreign_programs()->Get(i);
    if (p->name() == nullptr || p->location() >= static_cast<int>(locations)) return cat("imported program ", i, " is wrong");
  }
  for (uint32_t i = 0; i < count_of(m.maps()); ++i) {
    const fb::Map* map = m.maps()->Get(i);
    if (map->key() >= static_cast<int>(types) || map->value() >= types || map->bpf_name() == nullptr) return cat("map ", i, " is wrong");
  }
  for (uint32_t i = 0; i < count_of(m.facts()); ++i) {
    const fb::Fact* fact = m.facts()->Get(i);
    if (fact->kind() >= static_cast<uint8_t>(abi::FactKind::kCount)) return cat("fact ", i, " is of an unknown kind");
    if (fact->offset() > m.facts_size() || fact->size() > m.facts_size() - fact->offset()) return cat("fact ", i, " lies outside");
    if (fact->param() >= static_cast<int>(params)) return cat("fact ", i, " names no parameter");
  }
  return {};
}

bool open_artifact(Bytes object, Artifact* out, std::string* error) {
  out->object = object;
  out->elf = ElfImage(object);
  if (!out->elf.ok() || out->elf.header().e_machine != EM_BPF) {
    *error = "not a BPF object made by btc (the file is of another kind, or damaged)";
    return false;
  }
  if (out->elf.section_count() == 0) {
    *error = "the artifact is cut off: its section table is missing";
    return false;
  }
  int index = out->elf.find_section(abi::kManifestSection);
  if (index < 0) {
    *error = "a BPF object, but not made by btc: it has no section .btc.manifest";
    return false;
  }
  Bytes bytes = out->elf.section_bytes(static_cast<uint32_t>(index));
  if (bytes.size() < 8 || !fb::ManifestBufferHasIdentifier(bytes.data())) {
    *error = "the artifact is cut off or damaged: its manifest cannot be read";
    return false;
  }
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 64, 10000000);
  if (!fb::VerifyManifestBuffer(verifier)) {
    *error = "the artifact is cut off or damaged: its manifest is not consistent";
    return false;
  }
  const fb::Manifest* manifest = fb::GetManifest(bytes.data());
  if (manifest->version() != abi::kManifestVersion) {
    *error = cat("the manifest has version ", manifest->version(), ", this program reads version ", abi::kManifestVersion,
                 ": compile the script again with a matching btc");
    return false;
  }
  std::string problem = check_indices(*manifest);
  if (!problem.empty()) {
    *error = cat("the artifact is damaged: ", problem);
    return false;
  }
  out->manifest = manifest;
  int license = out->elf.find_section("license");
  if (license >= 0) out->license = ElfImage::string_at(out->elf.section_bytes(static_cast<uint32_t>(license)), 0);
  if (out->license.empty()) out->license = "GPL";
  return true;
}

std::string foreign_name(const fb::ForeignProgram& program) {
  return cat(text_of(program.name()), " (", text_of(program.section()), ") of ", text_of(program.file()));
}

bool has_need(const fb::Program& program, std::string_view need) {
  for (uint32_t i = 0; i < count_of(program.needs()); ++i)
    if (text_of(program.needs()->Get(i)) == need) return true;
  return false;
}

}  // namespace btc::rt
