// BTF types as btc types.
//
// Types are taken over when asked for, one level at a time: a record comes in
// as name and size, `complete` fills its fields. What BTF says that btc's types
// cannot: qualifiers and typedef names are dropped (typedefs resolve), function
// pointers become `void *`, floats become byte arrays, 128-bit integers
// uint64[2]. As in bpftrace an array of one-byte integers is a string, an
// anonymous enum an integer.
//
// Names that BTF does not give are made up so that they are unique and the same
// in every run (Record::anonymous is set): a typedef's anonymous struct is named
// as the typedef, others "PARENT.INDEX" after the member that holds them. The
// second of two different structs of one name is "NAME___2", a flavor that
// relocation strips again.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "frontend/profile/btf_set.h"
#include "frontend/types/types.h"

namespace btc {

class BtfTypes {
 public:
  explicit BtfTypes(BtfSet& set) : set_(set) {}

  // The BTF is a BPF object's, not a kernel's: records have the object's layout (RecordOrigin::Script) and come whole; pointers in them
  // point where the record lies. `known` is asked first for each named record: the script or the kernel may have it.
  using FindRecord = std::function<std::optional<TypeId>(BtfRef ref, const std::string& name, bool is_union)>;
  BtfTypes(BtfSet& set, FindRecord known) : set_(set), known_(std::move(known)), origin_(RecordOrigin::Script), space_(AddrSpace::None) {}

  // Any type. Untyped (false) if BTF is damaged at this place.
  TypeId convert(TypeTable& types, BtfRef ref);
  std::optional<TypeId> record(TypeTable& types, std::string_view name, bool is_union);
  void complete(TypeTable& types, uint32_t index);
  // The type of an enum that has no name, told apart by its first constant.
  TypeId nameless_enum(TypeTable& types, BtfRef ref, std::string_view first_constant);
  // As C spells it: "unsigned long", "const struct page *", "pid_t", "char[16]", "enum x". Pointers get `space`.
  std::optional<TypeId> parse_c(TypeTable& types, std::string_view text, AddrSpace space);

 private:
  TypeId convert(TypeTable& types, BtfRef ref, int depth, const std::string& anonymous_name, bool from_typedef);
  TypeId convert_array(TypeTable& types, BtfRef ref, int depth, const std::string& anonymous_name);
  TypeId convert_enum(TypeTable& types, BtfRef ref);
  TypeId enum_named(TypeTable& types, BtfRef ref, const std::string& name, RecordOrigin origin);
  TypeId convert_record(TypeTable& types, BtfRef ref, int depth, const std::string& anonymous_name, bool from_typedef);
  void fill(TypeTable& types, uint32_t index, BtfRef ref, int depth);
  uint32_t align_of(BtfRef ref, int depth);
  BtfRef find_flavored(std::string_view name, bool is_union);

  BtfSet& set_;
  FindRecord known_;
  RecordOrigin origin_ = RecordOrigin::Kernel;
  AddrSpace space_ = AddrSpace::Kernel;
  std::map<std::pair<const Btf*, uint32_t>, uint32_t> aligns_;
};

// Without qualifiers, typedefs and tags; `typedef_name` gets the innermost typedef passed.
BtfRef btf_strip(BtfRef ref, std::string_view* typedef_name = nullptr);
// Split BTF shares its base's ids: the owner of an id.
BtfRef btf_owner(BtfRef ref);

}  // namespace btc
