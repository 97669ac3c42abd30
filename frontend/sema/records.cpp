// Members of C records, and the records that tracepoints hand to `args`.
#include <algorithm>
#include <charconv>

#include "frontend/sema/sema.h"

namespace btc::sema {

void Sema::complete(uint32_t record) {
  if (profile_ != nullptr && types_.record(record).origin == RecordOrigin::Kernel && !types_.record(record).complete)
    profile_->complete(types_, record);
  if (types_.record(record).origin == RecordOrigin::Program && !types_.record(record).complete) complete_program_type(record);
}

// Of a value that is copied or printed as a whole: also what lies in it by value.
void Sema::complete_whole(TypeId type) {
  if (lattice_.unknown(type)) return;
  if (types_[type].kind == TypeKind::Array) return complete_whole(types_[type].elem);
  if (types_[type].kind != TypeKind::Struct) return;
  uint32_t record = types_[type].record;
  complete(record);
  for (size_t i = 0; i < types_.record(record).fields.size(); ++i) complete_whole(types_.record(record).fields[i].type);
}

// Members of kernel records that other kernels have and the profile may not: scripts name them, the target has them or the
// read fails where it is reached. They get a place behind the record's own members.
struct LateField { const char *record, *field; uint8_t bytes; bool is_signed; };
static constexpr LateField kLateFields[] = {
    {"cfs_rq", "nr_queued", 4, false},    // 6.14; nr_running before
    {"cfs_rq", "nr_running", 4, false},
    {"task_struct", "__state", 4, false}, // 5.14; state before
    {"task_struct", "state", 8, true},
};

bool Sema::add_late_field(uint32_t index, const std::string& name) {
  Record& record = types_.record(index);
  if (record.origin != RecordOrigin::Kernel || record.is_union || !record.complete) return false;
  for (const LateField& late : kLateFields) {
    if (record.name != late.record || name != late.field) continue;
    Field field;
    field.name = name;
    field.type = types_.int_type(late.bytes, late.is_signed);
    uint32_t offset = (record.size + late.bytes - 1) / late.bytes * late.bytes;
    field.bit_offset = offset * 8;
    types_.record(index).size = offset + late.bytes;
    types_.record(index).fields.push_back(field);
    return true;
  }
  return false;
}

// The member by name, through anonymous structs and unions; breadth does not matter, C forbids duplicates.
std::optional<Sema::FieldHit> Sema::find_field(uint32_t record, const std::string& name) {
  complete(record);
  const size_t count = types_.record(record).fields.size();
  for (uint32_t i = 0; i < count; ++i)
    if (types_.record(record).fields[i].name == name) return FieldHit{{i}, &types_.record(record).fields[i]};
  for (uint32_t i = 0; i < count; ++i) {
    const Field& field = types_.record(record).fields[i];
    if (!field.name.empty() || !lattice_.is(field.type, TypeKind::Struct)) continue;
    if (auto hit = find_field(types_[field.type].record, name)) {
      hit->path.insert(hit->path.begin(), i);
      return hit;
    }
  }
  if (add_late_field(record, name)) return FieldHit{{static_cast<uint32_t>(count)}, &types_.record(record).fields[count]};
  return std::nullopt;
}

std::vector<std::string> Sema::field_names(uint32_t record) {
  complete(record);
  std::vector<std::string> names;
  const size_t count = types_.record(record).fields.size();
  for (size_t i = 0; i < count; ++i) {
    const Field field = types_.record(record).fields[i];
    if (!field.name.empty()) {
      names.push_back(field.name);
    } else if (lattice_.is(field.type, TypeKind::Struct)) {
      for (std::string& inner : field_names(types_[field.type].record)) names.push_back(std::move(inner));
    }
  }
  return names;
}

// What reading the member gives: char arrays are strings, pointers lie where their record lies.
TypeId Sema::field_value_type(const Field& field, AddrSpace space, bool args) {
  TypeId id = field.type;
  if (!id) return lattice_.error();
  if (field.data_loc || field.rel_loc) return id;
  const Type type = types_[id];
  // Arguments themselves are trusted; what they lead to is so only as far as the kernel follows.
  AddrSpace inner = space == AddrSpace::Btf && !args ? AddrSpace::Kernel : space;
  switch (type.kind) {
    case TypeKind::Array:
      if (type.count > 0 && types_[type.elem].kind == TypeKind::Int && types_[type.elem].size == 1 && types_[type.elem].is_signed)
        return types_.string(type.count);
      return lattice_.with_space(id, inner);
    case TypeKind::Struct:
      return lattice_.with_space(id, space);
    case TypeKind::Pointer:
      if (args && space == AddrSpace::Btf && type.space == AddrSpace::Kernel) return lattice_.with_space(id, AddrSpace::Btf);
      return type.space == AddrSpace::None ? lattice_.with_space(id, inner) : id;
    case TypeKind::Int:
      return args ? lattice_.with_space(id, inner) : id;
    default:
      return id;
  }
}

static std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin);
}

static bool take_word(std::string& text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    bool starts = at == 0 || text[at - 1] == ' ', ends = at + word.size() == text.size() || text[at + word.size()] == ' ';
    if (!starts || !ends) continue;
    text.erase(at, word.size());
    text = trimmed(text);
    return true;
  }
  return false;
}

// One line of a `format` file: C type, size and sign, to a member. The kernel's C types are only named; size and sign of
// scalars are those of the record.
Field Sema::tracepoint_field(const RecordField& field, bool user_space) {
  Field result;
  result.name = field.name;
  result.bit_offset = field.offset * 8;
  std::string text = trimmed(field.type);
  AddrSpace space = user_space ? AddrSpace::User : AddrSpace::Kernel;
  result.rel_loc = take_word(text, "__rel_loc");
  result.data_loc = take_word(text, "__data_loc");
  while (take_word(text, "const") || take_word(text, "volatile")) {}
  if (take_word(text, "__user")) space = AddrSpace::User;
  std::optional<uint32_t> count;
  if (size_t open = text.find('['); open != std::string::npos) {
    uint32_t number = 0;
    std::from_chars(text.data() + open + 1, text.data() + text.size(), number);
    count = number;
    text = trimmed(text.substr(0, open));
  }
  auto scalar = [&](const std::string& name, uint32_t bytes, bool is_signed) -> TypeId {
    if (name == "bool" && bytes == 1) return types_.bool_type();
    if (name.starts_with("enum ") && profile_ != nullptr)
      if (auto type = profile_->find_enum(types_, trimmed(name.substr(5))); type && types_.enum_def(types_[*type].record).size == bytes) return *type;
    bool is_union = name.starts_with("union ");
    if ((name.starts_with("struct ") || is_union) && profile_ != nullptr)
      if (auto type = profile_->find_struct(types_, trimmed(name.substr(is_union ? 6 : 7)), is_union)) return *type;
    if (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) return types_.int_type(bytes, is_signed);
    return types_.array(types_.int_type(1, false), bytes);  // something by value without a known layout
  };
  auto named = [&](std::string name) -> TypeId {
    TypeSpec spec;
    spec.name = name;
    for (auto [word, flag] : {std::pair{"struct ", &spec.is_struct}, {"union ", &spec.is_union}, {"enum ", &spec.is_enum}})
      if (name.starts_with(word)) *flag = true, spec.name = trimmed(name.substr(std::string_view(word).size()));
    std::optional<TypeId> type = named_type(&spec);
    return type ? *type : types_.void_type();
  };
  if (result.data_loc || result.rel_loc) {
    size_t star = text.find('*');
    TypeId element = star == std::string::npos ? named(text) : types_.pointer(named(trimmed(text.substr(0, star))), space);
    if (lattice_.is(element, TypeKind::Void)) element = types_.int_type(1, true);
    result.type = types_.pointer(element, AddrSpace::Kernel);
    return result;
  }
  if (size_t star = text.find('*'); star != std::string::npos) {
    TypeId type = named(trimmed(text.substr(0, star)));
    std::string rest = text.substr(star);
    take_word(rest, "const");
    for (char c : rest)
      if (c == '*') type = types_.pointer(type, space);
    if (count) type = types_.array(type, *count);
    result.type = type;
    return result;
  }
  if (count) {
    uint32_t bytes = *count ? field.size / *count : 1;
    bool is_char = text == "char" || text == "signed char";
    if (is_char && *count) {
      result.type = types_.string(*count);
    } else {
      bool is_signed = is_char || (!text.starts_with("unsigned") && !text.starts_with("u") && !text.starts_with("__u") && field.is_signed);
      if (!text.starts_with("unsigned") && (text == "int" || text == "long" || text == "short" || text == "long long" || text.starts_with("s"))) is_signed = true;
      result.type = types_.array(scalar(text, bytes ? bytes : 1, is_signed), *count);
    }
    return result;
  }
  result.type = scalar(text, field.size, field.is_signed);
  return result;
}

// A field as all tracepoints of a pattern can deliver it: their numbers are widened, their pointers lose what they point to. False if
// that is not enough.
bool Sema::join_fields(Field& field, const Field& other) {
  auto is_text = [&](const Field& f) { return lattice_.is(f.type, TypeKind::String) || (f.data_loc && lattice_.is_int(types_[f.type].elem)); };
  if (lattice_.is(field.type, TypeKind::String) != lattice_.is(other.type, TypeKind::String) && is_text(field) && is_text(other)) {
    if (field.data_loc) field = other;           // the target says which of them has it where
    return true;
  }
  if (field.data_loc != other.data_loc || field.rel_loc != other.rel_loc) return false;
  if (field.type == other.type) return true;
  auto is_number = [&](TypeId id) { return lattice_.is_int(id) || lattice_.is(id, TypeKind::Bool) || lattice_.is(id, TypeKind::Enum); };
  bool pointers = lattice_.is(field.type, TypeKind::Pointer) && lattice_.is(other.type, TypeKind::Pointer);
  if (is_number(field.type) && is_number(other.type)) field.type = types_.int_type(8, lattice_.is_signed(field.type) || lattice_.is_signed(other.type));
  else if (pointers && !field.data_loc && !field.rel_loc) field.type = types_.pointer(types_.void_type(), types_[field.type].space);
  else return false;
  return true;
}

// The record of a tracepoint; of all that a pattern matches, the fields that each of them has (where each has them is looked up on the target).
TypeId Sema::tracepoint_args(const AttachPoint& attach, SourceRange range) {
  const std::string &category = attach.parsed.target, &event = attach.parsed.func;
  std::vector<const TracepointRecord*> matches;
  if (profile_ != nullptr) matches = profile_->match_tracepoints(category, event);
  if (matches.empty()) {
    std::vector<std::string> names;
    if (profile_ != nullptr && final_) names = profile_->names("tracepoint");
    if (program_.config_value(ConfigKey::MissingProbes) != "error") {
      body_->dropped = true;
      return lattice_.error();
    }
    auto builder = report(DiagKind::NoTracepointRecord, range, category, event);
    if (category == "syscall") builder.hint(DiagKind::DidYouMean, "syscalls:" + event);
    else suggest(builder, category + ":" + event, names);
    builder.hint(DiagKind::ProfileHint);
    return lattice_.error();
  }
  std::string name = category + ":" + event;
  if (auto known = types_.find_record(name, false, RecordOrigin::Tracepoint)) return types_.struct_type(*known);
  Record record;
  record.name = name;
  record.origin = RecordOrigin::Tracepoint;
  record.align = 8;
  record.complete = true;
  record.record_class = matches.size() == 1 ? matches[0]->record_class : "";
  std::map<std::string, UnsharedField> unshared;
  std::set<std::string> seen;
  for (const TracepointRecord* first : matches)
    for (const RecordField& its : first->fields) {
      if (its.name.starts_with("common_") || !seen.insert(its.name).second) continue;
      Field field = tracepoint_field(its, first->category == "syscalls");
      uint32_t end = its.offset + its.size;
      for (const TracepointRecord* match : matches) {
        auto found = std::find_if(match->fields.begin(), match->fields.end(), [&](const RecordField& f) { return f.name == its.name; });
        bool has = found != match->fields.end();
        if (has && join_fields(field, tracepoint_field(*found, match->category == "syscalls"))) {
          end = std::max(end, found->offset + found->size);
          continue;
        }
        unshared[its.name] = {first->category + ":" + first->event, match->category + ":" + match->event, has};
        break;
      }
      if (unshared.contains(its.name)) continue;
      record.size = std::max(record.size, end);
      record.fields.push_back(std::move(field));
    }
  uint32_t index = types_.add_record(std::move(record));
  unshared_fields_[index] = std::move(unshared);
  return types_.struct_type(index);
}

void Sema::report_unshared(const FieldAccess* node, const UnsharedField& field) {
  if (field.differs) report(DiagKind::FieldsDiffer, node->range, node->field, field.of, field.not_of);
  else report(DiagKind::NoField, node->range, "struct tracepoint:" + field.not_of + "_args", node->field);
}

}  // namespace btc::sema
