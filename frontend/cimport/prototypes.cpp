#include "frontend/cimport/prototypes.h"

#include <algorithm>

#include "frontend/profile/btf_source.h"

namespace btc {
namespace {

// One object's BTF where a kernel's is expected.
class OneBtf : public BtfProvider {
 public:
  explicit OneBtf(std::string_view raw) : raw_(raw) {}
  bool load(std::string_view module, std::string_view* out) override { return *out = raw_, module == "vmlinux"; }
  std::vector<std::string> modules() override { return {}; }
  bool may_define(std::string_view, std::string_view) override { return false; }

 private:
  std::string_view raw_;
};

class Reader {
 public:
  Reader(const BpfObject& object, Profile* profile, TypeTable& types)
      : provider_(object.btf), set_(provider_), profile_(profile), types_(types),
        converter_(set_, [this](BtfRef ref, const std::string& name, bool is_union) { return known_record(ref, name, is_union); }) {}

  bool run(std::vector<ast::ForeignFunction>* out) {
    const Btf* btf = set_.vmlinux();
    if (btf == nullptr) return false;
    for (uint32_t id = btf->first_id(); id < btf->end_id(); ++id) {
      const btf_type* type = btf->type(id);
      if (btf_is_func(type) && btf_vlen(type) != BTF_FUNC_EXTERN) out->push_back(function({btf, id}));
    }
    std::sort(out->begin(), out->end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return true;
  }

 private:
  // Whether all members that the object's record has are the kernel's too.
  bool is_part_of(BtfRef ref, TypeId kernel) {
    const btf_type* type = btf_at(ref);
    if (!type || !btf_is_composite(type)) return true;   // only declared
    uint32_t index = types_.get(kernel).record;
    profile_->complete(types_, index);
    const btf_member* member = btf_members(type);
    for (uint32_t i = 0; i < btf_vlen(type); ++i, ++member) {
      std::string_view name = btf_name(ref, member->name_off);
      const auto& fields = types_.record(index).fields;
      if (!name.empty() && std::none_of(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; })) return false;
    }
    return true;
  }

  std::optional<TypeId> known_record(BtfRef ref, const std::string& name, bool is_union) {
    if (auto own = types_.find_record(name, is_union, RecordOrigin::Script)) return types_.struct_type(*own);
    std::string plain = name.substr(0, name.find("___"));
    auto kernel = profile_ == nullptr ? std::nullopt : profile_->find_struct(types_, plain, is_union);
    return kernel && is_part_of(ref, *kernel) ? kernel : std::nullopt;
  }

  // What a register holds; `problem` says why there is no such type.
  TypeId convert(BtfRef ref, const std::string& what, std::string* problem) {
    TypeId type = converter_.convert(types_, ref);
    BtfRef plain = btf_strip(ref);
    const btf_type* in_btf = btf_at(plain);
    bool one_register = !in_btf || btf_is_ptr(in_btf) || btf_is_any_enum(in_btf) || (btf_is_int(in_btf) && in_btf->size <= 8);
    if (!type || !one_register) {
      if (problem->empty()) *problem = what + " is no integer and no pointer";
      return types_.u64();
    }
    return types_.get(type).kind == TypeKind::Pointer ? types_.pointer(types_.get(type).elem, AddrSpace::Kernel) : type;
  }

  ast::ForeignFunction function(BtfRef ref) {
    ast::ForeignFunction out;
    const btf_type* type = btf_at(ref);
    out.name = btf_name(ref, type->name_off);
    out.is_static = btf_vlen(type) == BTF_FUNC_STATIC;
    BtfRef proto_ref{ref.btf, type->type};
    const btf_type* proto = btf_at(proto_ref);
    if (!proto || !btf_is_func_proto(proto)) {
      out.problem = "it has no prototype";
      return out;
    }
    out.result = convert({ref.btf, proto->type}, "its result", &out.problem);
    const btf_param* param = btf_params(proto);
    for (uint32_t i = 0; i < btf_vlen(proto); ++i, ++param) {
      std::string name(btf_name(ref, param->name_off));
      if (param->type == 0 && i + 1u == btf_vlen(proto)) {
        out.problem = "it takes any number of arguments";
        continue;
      }
      TypeId converted = convert({ref.btf, param->type}, name.empty() ? "an argument" : "argument `" + name + "`", &out.problem);
      out.params.push_back({std::move(name), converted});
    }
    return out;
  }

  OneBtf provider_;
  BtfSet set_;
  Profile* profile_;
  TypeTable& types_;
  BtfTypes converter_;
};

}  // namespace

bool read_prototypes(const BpfObject& object, Profile* profile, TypeTable& types, std::vector<ast::ForeignFunction>* out) {
  return Reader(object, profile, types).run(out);
}

}  // namespace btc
