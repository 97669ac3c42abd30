// Functions, raw tracepoints and iterators of a profile: prototypes from BTF.
//
// Raw tracepoints: BTF names the arguments only on __traceiter_EVENT (5.10+)
// or, by class, on __bpf_trace_CLASS; `btf_trace_EVENT` has the types alone.
#include <fmt/format.h>

#include <set>

#include "frontend/profile/btf_profile.h"
#include "runtime-stub/abi/attach_point.h"

namespace btc {

// A register argument is one 8-byte word; a struct by value takes as many as it fills.
std::optional<Profile::FunctionProto> BtfProfile::proto(TypeTable& types, BtfRef function, std::string record_name, std::string module,
                                                        bool skip_first) {
  const btf_type* type = btf_at(function);
  if (type && (btf_is_func(type) || btf_is_typedef(type))) {
    function = btf_strip({function.btf, type->type});
    type = btf_at(function);
  }
  if (type && btf_is_ptr(type)) {
    function = btf_strip({function.btf, type->type});
    type = btf_at(function);
  }
  if (!type || !btf_is_func_proto(type)) return std::nullopt;
  FunctionProto out;
  out.module = std::move(module);
  out.return_type = converter_.convert(types, {function.btf, type->type});
  if (!out.return_type) return std::nullopt;
  if (auto known = types.find_record(record_name, false, RecordOrigin::FuncArgs)) {
    out.args_record = *known;
    return out;
  }
  Record record;
  record.name = std::move(record_name);
  record.origin = RecordOrigin::FuncArgs;
  record.align = 8;
  record.complete = true;
  const struct btf_param* param = btf_params(type);
  for (uint32_t i = 0; i < btf_vlen(type); ++i, ++param) {
    if (param->type == 0 || (i == 0 && skip_first)) continue;  // type 0: `...`
    Field field;
    field.name = std::string(btf_name(function, param->name_off));
    if (field.name.empty()) field.name = fmt::format("arg{}", record.fields.size());
    field.type = converter_.convert(types, {function.btf, param->type});
    if (!field.type) return std::nullopt;
    field.bit_offset = record.size * 8;
    const btf_type* param_type = btf_at(btf_strip({function.btf, param->type}));
    bool by_value = param_type && btf_is_composite(param_type) && param_type->size > 8 && param_type->size <= 64;
    record.size += by_value ? (param_type->size + 7) / 8 * 8 : 8;
    record.fields.push_back(std::move(field));
  }
  out.args_record = types.add_record(std::move(record));
  return out;
}

std::optional<Profile::FunctionProto> BtfProfile::find_function(TypeTable& types, std::string_view name, std::string_view module) {
  std::string found_in;
  BtfRef ref = set_.find(name, BTF_KIND_FUNC, module, &found_in);
  if (!ref) return std::nullopt;
  std::string key = found_in.empty() ? fmt::format("func:{}", name) : fmt::format("func:{}:{}", found_in, name);
  return proto(types, ref, std::move(key), found_in, false);
}

std::vector<std::string> BtfProfile::match_functions(std::string_view pattern) {
  std::set<std::string> out;
  set_.each([&](BtfRef ref, const btf_type* type, const std::string&) {
    if (!btf_is_func(type)) return;
    std::string_view name = btf_name(ref, type->name_off);
    if (abi::wildcard_match(pattern, name)) out.emplace(name);
  });
  return {out.begin(), out.end()};
}

std::optional<Profile::FunctionProto> BtfProfile::find_raw_tracepoint(TypeTable& types, std::string_view event) {
  struct Form { std::string_view prefix; uint32_t kind; };
  for (const Form& form : {Form{"__traceiter_", BTF_KIND_FUNC}, Form{"__bpf_trace_", BTF_KIND_FUNC}, Form{"btf_trace_", BTF_KIND_TYPEDEF}}) {
    std::string found_in;
    BtfRef ref = set_.find(std::string(form.prefix) + std::string(event), form.kind, "", &found_in);
    if (ref)
      if (auto found = proto(types, ref, fmt::format("rawtracepoint:{}", event), found_in, true)) return found;
  }
  return std::nullopt;
}

std::optional<TypeId> BtfProfile::find_iter_context(TypeTable& types, std::string_view object) {
  return converter_.record(types, fmt::format("bpf_iter__{}", object), false);
}

}  // namespace btc
