#include "frontend/cdefs/type_reader.h"

#include <fmt/format.h>

#include "frontend/cdefs/translation_unit.h"

namespace btc {
namespace {

constexpr int kMaxDepth = 100;

uint32_t size_of(CXType type) {
  long long size = clang_Type_getSizeOf(type);
  return size > 0 && size < (1ll << 30) ? static_cast<uint32_t>(size) : 0;
}

// Older libclang names anonymous things after their place.
std::string tag_name(CXCursor declaration) {
  if (clang_Cursor_isAnonymous(declaration)) return "";
  std::string name = take(clang_getCursorSpelling(declaration));
  return name.find('(') == std::string::npos ? name : "";
}

bool is_signed_int(CXTypeKind kind) {
  return kind == CXType_Char_S || kind == CXType_SChar || kind == CXType_Short || kind == CXType_Int || kind == CXType_Long || kind == CXType_LongLong;
}

bool is_float_type(CXTypeKind kind) {
  return kind == CXType_Half || kind == CXType_Float16 || kind == CXType_Float || kind == CXType_Double || kind == CXType_LongDouble || kind == CXType_Float128;
}

}  // namespace

TypeId TypeReader::convert(CXType type, const std::string& anonymous_name, int depth) {
  if (depth > kMaxDepth) return {};
  // Kernel typedefs of the prelude stand for the profile's types; look before the canonical type forgets the name.
  if (CXCursor declared = clang_getTypeDeclaration(type); clang_getCursorKind(declared) == CXCursor_TypedefDecl) {
    std::string name = take(clang_getCursorSpelling(declared));
    if (auto kernel = prelude_.type_of(name)) return *kernel;
    if (type.kind != CXType_Typedef) type = clang_getTypedefDeclUnderlyingType(declared);
    CXCursor record = clang_getTypeDeclaration(clang_getCanonicalType(type));
    bool is_record = clang_getCursorKind(record) == CXCursor_StructDecl || clang_getCursorKind(record) == CXCursor_UnionDecl;
    if (is_record && tag_name(record).empty()) return convert_record(clang_getCanonicalType(type), name, depth);
    return convert(clang_getTypedefDeclUnderlyingType(declared), anonymous_name, depth + 1);
  }
  if (type.kind == CXType_Elaborated) return convert(clang_Type_getNamedType(type), anonymous_name, depth + 1);
  if (type.kind == CXType_Unexposed || type.kind == CXType_Attributed || type.kind == CXType_Typedef || type.kind == CXType_Auto) {
    CXType canonical = clang_getCanonicalType(type);
    if (canonical.kind == type.kind) return {};
    return convert(canonical, anonymous_name, depth + 1);
  }
  switch (type.kind) {
    case CXType_Void: return types_.void_type();
    case CXType_Bool: return types_.bool_type();
    case CXType_Char_U: case CXType_UChar: case CXType_UShort: case CXType_UInt: case CXType_ULong: case CXType_ULongLong:
    case CXType_Char_S: case CXType_SChar: case CXType_Short: case CXType_Int: case CXType_Long: case CXType_LongLong:
      return types_.int_type(size_of(type), is_signed_int(type.kind));
    case CXType_Int128: case CXType_UInt128: return types_.array(types_.u64(), 2);
    case CXType_Pointer: {
      CXType target = clang_getPointeeType(type);
      CXTypeKind kind = clang_getCanonicalType(target).kind;
      if (kind == CXType_FunctionProto || kind == CXType_FunctionNoProto) return types_.pointer(types_.void_type(), AddrSpace::None);
      TypeId elem = convert(target, anonymous_name, depth + 1);
      return types_.pointer(elem ? elem : types_.void_type(), AddrSpace::None);
    }
    case CXType_ConstantArray: case CXType_IncompleteArray: {
      CXType elem_type = clang_getArrayElementType(type);
      long long count = type.kind == CXType_ConstantArray ? clang_getArraySize(type) : 0;
      if (count < 0 || count > (1 << 28)) return {};
      CXTypeKind kind = clang_getCanonicalType(elem_type).kind;
      if ((kind == CXType_Char_S || kind == CXType_Char_U) && count > 0) return types_.string(static_cast<uint32_t>(count));
      TypeId elem = convert(elem_type, anonymous_name, depth + 1);
      return elem ? types_.array(elem, static_cast<uint32_t>(count)) : TypeId{};
    }
    case CXType_Record: return convert_record(type, anonymous_name, depth);
    case CXType_Enum: return convert_enum(type);
    case CXType_Float: case CXType_Double: case CXType_LongDouble: case CXType_Float128: case CXType_Vector: case CXType_Complex:
      return types_.array(types_.int_type(1, false), size_of(type));
    case CXType_FunctionProto: case CXType_FunctionNoProto: return types_.void_type();
    default: return {};
  }
}

TypeId TypeReader::convert_record(CXType type, const std::string& anonymous_name, int depth) {
  CXCursor declaration = clang_getTypeDeclaration(type), definition = clang_getCursorDefinition(declaration);
  bool is_union = clang_getCursorKind(declaration) == CXCursor_UnionDecl, defined = !clang_Cursor_isNull(definition);
  std::string name = tag_name(declaration);
  if (!name.empty()) {
    if (auto kernel = prelude_.type_of((is_union ? "union " : "struct ") + name)) return *kernel;
    if (!defined && profile_)
      if (auto kernel = profile_->find_struct(types_, name, is_union)) return *kernel;
  }
  CXCursor key = defined ? definition : clang_getCanonicalCursor(declaration);
  auto& bucket = records_[clang_hashCursor(key)];
  for (const auto& [cursor, id] : bucket)
    if (clang_equalCursors(cursor, key)) return id;
  Record record;
  record.anonymous = name.empty();
  record.name = name.empty() ? anonymous_name : name;
  record.is_union = is_union;
  record.origin = RecordOrigin::Script;
  record.size = defined ? size_of(type) : 0;
  long long align = clang_Type_getAlignOf(type);
  record.align = align > 0 ? static_cast<uint32_t>(align) : 1;
  record.complete = defined;
  uint32_t index = types_.add_record(std::move(record));
  TypeId id = types_.struct_type(index);
  bucket.emplace_back(key, id);
  if (defined) fill(index, type, depth + 1);
  return id;
}

void TypeReader::fill(uint32_t index, CXType type, int depth) {
  struct State { TypeReader* reader; std::string parent; std::vector<Field> fields; int depth; uint32_t count; };
  State state{this, types_.record(index).name, {}, depth, 0};
  clang_Type_visitFields(
      type,
      [](CXCursor cursor, CXClientData data) {
        auto& state = *static_cast<State*>(data);
        Field field;
        field.name = take(clang_getCursorSpelling(cursor));
        // An anonymous member has no name; libclang makes one up from its place.
        if (field.name.find('(') != std::string::npos) field.name.clear();
        std::string made_up = fmt::format("{}.{}", state.parent, state.count++);
        long long offset = clang_Cursor_getOffsetOfField(cursor);
        bool bitfield = clang_Cursor_isBitField(cursor);
        if (offset < 0 || (bitfield && field.name.empty())) return CXVisit_Continue;  // `int : 3;` is padding
        field.bit_offset = static_cast<uint32_t>(offset);
        if (bitfield) field.bit_size = static_cast<uint16_t>(clang_getFieldDeclBitWidth(cursor));
        field.type = state.reader->convert(clang_getCursorType(cursor), made_up, state.depth);
        field.is_float = is_float_type(clang_getCanonicalType(clang_getCursorType(cursor)).kind);
        if (field.type) state.fields.push_back(std::move(field));
        return CXVisit_Continue;
      },
      &state);
  types_.record(index).fields = std::move(state.fields);
}

TypeId TypeReader::convert_enum(CXType type) {
  CXCursor declaration = clang_getTypeDeclaration(type), definition = clang_getCursorDefinition(declaration);
  std::string name = tag_name(declaration);
  if (auto kernel = prelude_.type_of("enum " + name)) return *kernel;
  if (clang_Cursor_isNull(definition)) {
    if (profile_)
      if (auto kernel = profile_->find_enum(types_, name)) return *kernel;
    return types_.int_type(4, false);
  }
  CXType underlying = clang_getCanonicalType(clang_getEnumDeclIntegerType(definition));
  if (name.empty()) return types_.int_type(size_of(underlying), is_signed_int(underlying.kind));
  return types_.enum_type(script_enum(definition));
}

uint32_t TypeReader::script_enum(CXCursor definition) {
  EnumDef def;
  def.name = tag_name(definition);
  if (def.name.empty()) def.name = fmt::format("__nameless_{}", enums_.size());  // each is a type of its own, with its constants' names
  auto [it, fresh] = enums_.try_emplace(def.name, 0);
  if (!fresh) return it->second;
  CXType underlying = clang_getCanonicalType(clang_getEnumDeclIntegerType(definition));
  def.size = size_of(underlying);
  def.is_signed = is_signed_int(underlying.kind);
  def.origin = RecordOrigin::Script;
  visit_children(definition, [&](CXCursor child) {
    if (clang_getCursorKind(child) == CXCursor_EnumConstantDecl)
      def.variants.emplace_back(take(clang_getCursorSpelling(child)), clang_getEnumConstantDeclValue(child));
  });
  it->second = types_.add_enum(std::move(def));
  return it->second;
}

void TypeReader::read_declarations(CXCursor root) {
  visit_children(root, [&](CXCursor cursor) {
    switch (clang_getCursorKind(cursor)) {
      case CXCursor_StructDecl:
      case CXCursor_UnionDecl:
        // In C a tag or constant declared inside a record is visible outside.
        if (clang_isCursorDefinition(cursor)) read_declarations(cursor);
        if (clang_isCursorDefinition(cursor) && !tag_name(cursor).empty() && !tag_name(cursor).starts_with("__btc_k_"))
          convert(clang_getCursorType(cursor), "", 0);
        break;
      case CXCursor_EnumDecl: {
        if (!clang_isCursorDefinition(cursor)) break;
        std::string name = tag_name(cursor);
        if (prelude_.type_of("enum " + name)) break;
        uint32_t index = script_enum(cursor);
        for (const auto& [constant, value] : types_.enum_def(index).variants) out_.enum_constants.push_back({constant, {index, value}});
        break;
      }
      case CXCursor_TypedefDecl: {
        std::string name = take(clang_getCursorSpelling(cursor));
        if (TypeId type = convert(clang_getCursorType(cursor), name, 0)) out_.typedefs.emplace_back(name, type);
        break;
      }
      default: break;
    }
  });
}

}  // namespace btc
