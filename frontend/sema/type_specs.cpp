// Types as written: `uint64`, `struct x *`, `string[16]`, `typeof(expr)`, C
// names from the script's headers or the profile.
#include "frontend/sema/sema.h"

namespace btc::sema {

// C's own names and the usual typedefs, so that scripts without profile or headers can use them.
struct CName { const char* name; uint8_t bytes; bool is_signed; };
static constexpr CName kCNames[] = {
    {"char", 1, true}, {"signed char", 1, true}, {"unsigned char", 1, false}, {"short", 2, true}, {"short int", 2, true},
    {"unsigned short", 2, false}, {"unsigned short int", 2, false}, {"int", 4, true}, {"signed int", 4, true}, {"signed", 4, true},
    {"unsigned", 4, false}, {"unsigned int", 4, false}, {"long", 8, true}, {"long int", 8, true}, {"unsigned long", 8, false},
    {"unsigned long int", 8, false}, {"long unsigned int", 8, false}, {"long long", 8, true}, {"long long int", 8, true},
    {"unsigned long long", 8, false}, {"long long unsigned int", 8, false}, {"unsigned long long int", 8, false},
    {"int8_t", 1, true}, {"int16_t", 2, true}, {"int32_t", 4, true}, {"int64_t", 8, true}, {"uint8_t", 1, false},
    {"uint16_t", 2, false}, {"uint32_t", 4, false}, {"uint64_t", 8, false}, {"s8", 1, true}, {"s16", 2, true}, {"s32", 4, true},
    {"s64", 8, true}, {"u8", 1, false}, {"u16", 2, false}, {"u32", 4, false}, {"u64", 8, false}, {"__s8", 1, true}, {"__s16", 2, true},
    {"__s32", 4, true}, {"__s64", 8, true}, {"__u8", 1, false}, {"__u16", 2, false}, {"__u32", 4, false}, {"__u64", 8, false},
    {"size_t", 8, false}, {"ssize_t", 8, true}, {"uintptr_t", 8, false}, {"intptr_t", 8, true}, {"off_t", 8, true},
    {"loff_t", 8, true}, {"pid_t", 4, true}, {"uid_t", 4, false}, {"gid_t", 4, false}, {"mode_t", 4, false}};

std::optional<TypeId> Sema::named_type(TypeSpec* spec) {
  const std::string& name = spec->name;
  if (spec->is_struct || spec->is_union) {
    if (auto own = types_.find_record(name, spec->is_union, RecordOrigin::Script); own && types_.record(*own).complete) return types_.struct_type(*own);
    if (auto type = program_type(*spec)) return type;
    if (profile_ != nullptr)
      if (auto kernel = profile_->find_struct(types_, name, spec->is_union)) return kernel;
    if (auto own = types_.find_record(name, spec->is_union, RecordOrigin::Script)) return types_.struct_type(*own);
    return std::nullopt;
  }
  if (spec->is_enum) {
    for (uint32_t i = 0; i < types_.enum_count(); ++i)
      if (types_.enum_def(i).name == name) return types_.enum_type(i);
    if (auto type = program_type(*spec)) return type;
    if (profile_ != nullptr) return profile_->find_enum(types_, name);
    return std::nullopt;
  }
  if (name == "string") return types_.string(0);
  if (name == "buffer") return types_.buffer(0);
  if (name == "inet" || name == "kstack_t" || name == "ustack_t") {
    Type type;
    type.kind = name == "inet" ? TypeKind::Inet : name == "kstack_t" ? TypeKind::KStack : TypeKind::UStack;
    if (type.kind != TypeKind::Inet) type.p0 = 127;
    return types_.intern(type);
  }
  if (name == "timestamp") return types_.simple(TypeKind::Timestamp);
  if (name == "bool" || name == "_Bool") return types_.bool_type();
  if (name == "void") return types_.void_type();
  if (auto found = c_typedefs_.find(name); found != c_typedefs_.end()) return found->second;
  for (const CName& known : kCNames)
    if (name == known.name) return types_.int_type(known.bytes, known.is_signed);
  if (name.find_first_of("([*{, ") == std::string::npos)
    if (auto type = types_.parse_text(name); type && !lattice_.is(*type, TypeKind::Untyped)) return type;
  if (auto type = program_type(*spec)) return type;
  if (profile_ != nullptr) {
    if (auto type = profile_->find_typedef(types_, name)) return type;
    // `task_struct *` without the keyword is what people mean.
    if (auto type = profile_->find_struct(types_, name, false)) return type;
  }
  return std::nullopt;
}

// Nothing if it is unknown; reported in the last walk. The unknown type while a typeof's expression is not resolved yet.
std::optional<TypeId> Sema::type_of_spec(TypeSpec* spec) {
  if (spec == nullptr) return std::nullopt;
  TypeId type;
  if (spec->typeof_expr != nullptr) {
    if (auto* ref = dyn<MapRef>(spec->typeof_expr); ref != nullptr && ref->map != nullptr) {
      MapState& state = maps_[ref->map];
      bool scalar = state.scalar.value_or(true);
      ref->type = types_.void_type();
      type = scalar ? ref->map->value : ref->map->key;
    } else {
      auto* word = dyn<Identifier>(spec->typeof_expr);
      if (word != nullptr && !word->builtin && !word->enum_constant) {
        TypeSpec named;
        named.range = word->range;
        named.name = word->name;
        std::optional<TypeId> found = named_type(&named);
        if (!found) return std::nullopt;   // said where names were resolved
        type = *found;
      } else {
        type = visit(spec->typeof_expr);
      }
    }
    if (lattice_.unknown(type)) {
      if (final_ && !type) report(DiagKind::TypeUnresolved, spec->range);
      return final_ ? std::nullopt : std::optional<TypeId>(type);
    }
    type = lattice_.settle(type);
  } else {
    std::optional<TypeId> named = named_type(spec);
    if (!named) {
      std::string text = (spec->is_struct ? "struct " : spec->is_union ? "union " : spec->is_enum ? "enum " : "") + spec->name;
      bool plain = !spec->is_struct && !spec->is_union && !spec->is_enum;
      std::vector<std::string> candidates;
      if (plain)
        candidates = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "string", "bool", "void"};
      else if (profile_ != nullptr && final_)
        candidates = profile_->names("struct");
      if (spec->is_enum) report(DiagKind::UnknownEnum, spec->range, spec->name);
      else suggest(report(DiagKind::UnknownType, spec->range, text), spec->name, candidates);
      return std::nullopt;
    }
    type = *named;
  }
  bool first = true;
  for (const TypeSpec::Suffix& suffix : spec->suffixes) {
    const Type base = types_[type];
    bool sized_kind = base.kind == TypeKind::String || base.kind == TypeKind::Buffer || base.kind == TypeKind::Inet;
    if (suffix.pointer) {
      type = types_.pointer(type, AddrSpace::None);
    } else if (first && sized_kind && base.size == 0 && suffix.count > 0) {
      Type sized = base;
      sized.size = static_cast<uint32_t>(suffix.count);
      type = types_.intern(sized);
    } else {
      type = types_.array(type, suffix.count < 0 ? 0 : static_cast<uint32_t>(suffix.count));
    }
    first = false;
  }
  return type;
}

// In a function's signature `string` is one of any length: as long as strings get.
std::optional<TypeId> Sema::signature_type(TypeSpec* spec) {
  std::optional<TypeId> type = type_of_spec(spec);
  if (type && lattice_.is(*type, TypeKind::String) && types_[*type].size == 0) return types_.string(static_cast<uint32_t>(max_strlen_));
  return type;
}

}  // namespace btc::sema
