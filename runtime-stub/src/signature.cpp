// Shapes and slots; see signature.h.
#include "runtime-stub/src/signature.h"

#include <algorithm>

#include "runtime-stub/src/support.h"

namespace btc::rt {
namespace {

constexpr std::string_view kResult = "$retval";

std::string shape_of(const BtfFile& btf, uint32_t id) {
  if (id == 0) return {};
  const btf_type* type = btf.resolve(id);
  if (type == nullptr) return {};
  switch (BTF_INFO_KIND(type->info)) {
    case BTF_KIND_PTR: {
      const btf_type* to = type->type != 0 ? btf.resolve(type->type) : nullptr;
      uint32_t kind = to != nullptr ? BTF_INFO_KIND(to->info) : 0;
      bool named = kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_FWD;
      return cat("*", named ? btf.name(*to) : std::string_view());
    }
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: return cat("s", type->size);
    case BTF_KIND_ARRAY: case BTF_KIND_FUNC_PROTO: return "*";
    default: return cat("i", type->size);
  }
}

// Structures of up to 16 bytes are passed in two registers, and so in two words.
uint32_t slots_of(const std::string& shape) {
  uint64_t size = 0;
  if (shape.empty() || shape[0] != 's' || !parse_u64(std::string_view(shape).substr(1), &size)) return 1;
  return static_cast<uint32_t>((size + 7) / 8);
}

struct Wanted { std::string_view name, shape; };

// "3:name:shape", as the compiler noted it.
Wanted wanted_argument(std::string_view entry) {
  entry.remove_prefix(std::min(entry.find(':'), entry.size() - 1) + 1);
  size_t colon = entry.find(':');
  return {entry.substr(0, colon), colon == std::string_view::npos ? std::string_view() : entry.substr(colon + 1)};
}

std::string readable(std::string_view shape) {
  if (shape.empty()) return "nothing";
  std::string_view rest = shape.substr(1);
  if (shape == "i") return "a number";
  if (shape[0] == '*') return rest.empty() ? std::string("a pointer") : cat("a pointer to struct ", rest);
  return cat(shape[0] == 's' ? "a structure of " : "a number of ", rest, rest == "1" ? " byte" : " bytes");
}

}  // namespace

bool read_signature(const BtfFile& btf, uint32_t id, size_t first, Signature* out) {
  const btf_type* type = btf.type(id);
  const btf_type* proto = type != nullptr ? btf.resolve(type->type) : nullptr;
  if (proto != nullptr && BTF_INFO_KIND(proto->info) == BTF_KIND_PTR) proto = btf.resolve(proto->type);
  if (proto == nullptr || BTF_INFO_KIND(proto->info) != BTF_KIND_FUNC_PROTO) return false;
  auto* params = reinterpret_cast<const btf_param*>(proto + 1);
  std::vector<std::string_view> names = btf.parameters(id);
  for (size_t i = first; i < names.size(); ++i) {
    std::string shape = shape_of(btf, params[i].type);
    uint32_t slots = slots_of(shape);
    out->arguments.push_back({names[i], std::move(shape), out->slots});
    out->slots += slots;
  }
  out->result = shape_of(btf, proto->type);
  const btf_type* result = proto->type != 0 ? btf.resolve(proto->type) : nullptr;
  if (result != nullptr && BTF_INFO_KIND(result->info) == BTF_KIND_INT)
    out->result_signed = (BTF_INT_ENCODING(*reinterpret_cast<const uint32_t*>(result + 1)) & BTF_INT_SIGNED) != 0;
  return true;
}

bool argument_offset(const Signature& signature, std::string_view name, uint32_t* offset) {
  if (name == kResult) {
    *offset = 8 * signature.slots;
    return true;
  }
  for (const Signature::Argument& argument : signature.arguments) {
    if (argument.name != name) continue;
    *offset = 8 * argument.slot;
    return true;
  }
  return false;
}

uint32_t result_bits(const Signature& signature) {
  uint64_t bytes = 8;
  if (signature.result.starts_with('i') && !parse_u64(std::string_view(signature.result).substr(1), &bytes)) bytes = 8;
  return static_cast<uint32_t>(8 * std::clamp<uint64_t>(bytes, 1, 8));
}

std::string signature_problem(const fb::Program& program, const Signature& signature, std::string_view function) {
  for (uint32_t i = 0; i < count_of(program.func_args()); ++i) {
    Wanted wanted = wanted_argument(text_of(program.func_args()->Get(i)));
    if (wanted.name.empty()) continue;
    std::string shape = signature.result;
    if (wanted.name != kResult) {
      bool found = false;
      for (const Signature::Argument& argument : signature.arguments) {
        if (argument.name != wanted.name) continue;
        shape = argument.shape;
        found = true;
      }
      if (!found) return cat("On this kernel, ", function, " has no argument ", wanted.name, ".");
    }
    bool any_number = wanted.shape == "i" && shape.starts_with('i');
    if (wanted.shape.empty() || shape == wanted.shape || any_number) continue;
    return cat("On this kernel, ", function, wanted.name == kResult ? " returns " : cat(" takes ", wanted.name, " as "), readable(shape), "; the script was compiled for ",
               readable(wanted.shape), ". Compile it with --profile of this kernel.");
  }
  return {};
}

}  // namespace btc::rt
