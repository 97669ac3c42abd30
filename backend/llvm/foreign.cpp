// Units of bitcode are linked first, so that C files see each other's functions;
// then everything but the maps becomes private to the script: the kernel's
// verifier follows private functions with what the caller knows, and LLVM
// inlines or drops them. Programs that a C file defines stay as they are: libbpf
// attaches them by their sections. Its license is dropped: the script has its own.
//
// Functions of objects are declared with the types that the object's BTF gives
// them, which libbpf's linker compares. They are declared hidden: then libbpf
// treats the definition as private as well.
#include "backend/llvm/foreign.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include "backend/llvm/library.h"
#include "backend/llvm/target.h"

namespace btc::backend {

namespace {

const llvm::RemapFlags kRemap = llvm::RF_IgnoreMissingLocals | llvm::RF_ReuseAndMutateDistinctMDs;

bool is_program(const llvm::Function& function) {
  llvm::StringRef section = function.getSection();
  return !function.hasLocalLinkage() && !section.empty() && !section.starts_with(".");
}

// BTF says what is private by DISubprogram's flag, which cannot be changed: functions get new ones.
void mark_functions_local(llvm::Module& code) {
  llvm::ValueToValueMapTy map;
  std::vector<llvm::DISubprogram*> made;
  for (llvm::Function& function : code) {
    llvm::DISubprogram* old = function.getSubprogram();
    if (old == nullptr || function.isDeclaration() || is_program(function) || old->isLocalToUnit()) continue;
    llvm::DISubprogram* fresh = llvm::DISubprogram::getDistinct(
        code.getContext(), old->getScope(), old->getName(), old->getLinkageName(), old->getFile(), old->getLine(), old->getType(), old->getScopeLine(),
        old->getContainingType(), old->getVirtualIndex(), old->getThisAdjustment(), old->getFlags(), old->getSPFlags() | llvm::DISubprogram::SPFlagLocalToUnit,
        old->getUnit(), old->getTemplateParams(), old->getDeclaration(), old->getRetainedNodes(), old->getThrownTypes(), old->getAnnotations(),
        old->getTargetFuncName());
    map.MD()[old].reset(fresh);
    made.push_back(fresh);
  }
  if (made.empty()) return;
  for (llvm::DISubprogram* subprogram : made)
    for (unsigned i = 0; i < subprogram->getNumOperands(); ++i)
      if (llvm::Metadata* operand = subprogram->getOperand(i))
        subprogram->replaceOperandWith(i, llvm::MapMetadata(operand, map, kRemap));
  for (llvm::Function& function : code)
    if (!function.isDeclaration()) llvm::RemapFunction(function, map, kRemap);
}

// A BTF type as debug information, as far as libbpf's linker compares it.
class BtfDescriber {
 public:
  BtfDescriber(const Btf& btf, DebugInfo& debug) : btf_(btf), debug_(debug) {}

  llvm::DIType* describe(uint32_t id, int depth = 0) {
    const btf_type* type = btf_.type(id);
    for (int i = 0; type != nullptr && (btf_is_mod(type) || btf_is_typedef(type)) && i < 32; ++i) type = btf_.type(type->type);
    if (type == nullptr || depth > 32) return nullptr;
    llvm::DIBuilder& builder = debug_.builder();
    auto declared = [&](unsigned tag) {
      return builder.createForwardDecl(tag, btf_.name(type->name_off), debug_.unit(), debug_.file(), 0);
    };
    switch (btf_kind(type)) {
      case BTF_KIND_INT: return debug_.integer(type->size, btf_int_encoding(type) & BTF_INT_SIGNED);
      case BTF_KIND_PTR: return debug_.pointer(describe(type->type, depth + 1));
      case BTF_KIND_STRUCT: return declared(llvm::dwarf::DW_TAG_structure_type);
      case BTF_KIND_UNION: return declared(llvm::dwarf::DW_TAG_union_type);
      case BTF_KIND_FWD: return declared(btf_kflag(type) ? llvm::dwarf::DW_TAG_union_type : llvm::dwarf::DW_TAG_structure_type);
      case BTF_KIND_ENUM: case BTF_KIND_ENUM64: {
        llvm::DINodeArray none = builder.getOrCreateArray({builder.createEnumerator("btc_none", 0)});
        return builder.createEnumerationType(debug_.unit(), btf_.name(type->name_off), debug_.file(), 0, type->size * 8ull, 0, none, nullptr);
      }
      case BTF_KIND_ARRAY: return debug_.array(describe(btf_array(type)->type, depth + 1), 1, btf_array(type)->nelems);
      case BTF_KIND_FUNC_PROTO: return prototype(type, depth + 1);
      default: return nullptr;
    }
  }

  llvm::DISubroutineType* prototype(const btf_type* proto, int depth) {
    std::vector<llvm::Metadata*> types{describe(proto->type, depth)};
    for (const btf_param *param = btf_params(proto), *end = param + btf_vlen(proto); param != end; ++param) types.push_back(describe(param->type, depth));
    return debug_.builder().createSubroutineType(debug_.builder().getOrCreateTypeArray(types));
  }

 private:
  const Btf& btf_;
  DebugInfo& debug_;
};

}  // namespace

bool ForeignCode::fail(const std::string& message) {
  diags_.report(DiagKind::LinkFailed, SourceRange{}, message);
  return false;
}

bool ForeignCode::make_private() {
  llvm::Module& code = llvm_;   // nothing else is in it yet
  for (const char* list : {"llvm.used", "llvm.compiler.used"})
    if (llvm::GlobalVariable* used = code.getGlobalVariable(list, true)) used->eraseFromParent();
  std::vector<llvm::GlobalVariable*> licenses;
  for (llvm::GlobalVariable& global : code.globals()) {
    if (global.getSection() == "license" && global.use_empty()) licenses.push_back(&global);
    if (global.isDeclaration() || global.getSection() == ".maps" || global.getSection().starts_with(".struct_ops")) continue;
    global.setVisibility(llvm::GlobalValue::DefaultVisibility);
    global.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  for (llvm::GlobalVariable* license : licenses) license->eraseFromParent();
  mark_functions_local(code);
  std::set<std::string> taken;
  for (const ir::Function& function : bir_.functions) taken.insert(function.name);
  for (llvm::Function& function : code) {
    if (function.isDeclaration()) continue;
    function.setVisibility(llvm::GlobalValue::DefaultVisibility);
    // As the script's functions have them: LLVM inlines only between like and like.
    function.removeFnAttr("target-features");
    function.addFnAttr("target-cpu", kBpfCpu);
    if (is_program(function)) {
      if (taken.contains(function.getName().str())) return fail("the program '" + function.getName().str() + "' has the name of one of the script's functions");
      continue;
    }
    function.setLinkage(llvm::GlobalValue::InternalLinkage);
    functions_[function.getName().str()] = &function;
  }
  for (auto& [name, function] : functions_)
    if (taken.contains(name) || name.starts_with("btc_")) function->setName(name + ".c");
  return true;
}

bool ForeignCode::link() {
  if (bir_.foreign.empty()) return true;
  size_t errors = diags_.error_count();
  for (const ir::Foreign& unit : bir_.foreign) {
    if (unit.is_object) {
      Object object;
      std::string error;
      if (!read_bpf_object(unit.code, &object.file, &error)) return fail(unit.name + ": " + error);
      objects_.push_back(std::move(object));
      continue;
    }
    auto code = llvm::parseBitcodeFile(llvm::MemoryBufferRef(unit.code, unit.name), llvm_.getContext());
    if (!code) return fail(unit.name + ": " + llvm::toString(code.takeError()));
    (*code)->setTargetTriple(llvm_.getTargetTriple());
    (*code)->setDataLayout(llvm_.getDataLayout());
    if (llvm::Linker::linkModules(llvm_, std::move(*code))) return diags_.error_count() != errors ? false : fail(unit.name);
  }
  for (Object& object : objects_)
    if ((object.btf = Btf::open(object.file.btf, nullptr)) == nullptr) return fail("damaged BTF");
  if (!make_private()) return false;
  // The standard library's C calls functions of the script's library.
  std::vector<std::string> wanted;
  for (const llvm::Function& function : llvm_)
    if (function.isDeclaration() && function.getName().starts_with("btc_")) wanted.push_back(function.getName().str());
  for (const std::string& name : wanted) link_library_function(llvm_, name);
  // The script's own say the same.
  for (const char* name : {"llvm.module.flags", "llvm.ident"})
    if (llvm::NamedMDNode* node = llvm_.getNamedMetadata(name)) node->eraseFromParent();
  return true;
}

llvm::Function* ForeignCode::declare(const Object& object, uint32_t id, DebugInfo& debug) {
  const btf_type* type = object.btf->type(id);
  const btf_type* proto = object.btf->type(type->type);
  if (proto == nullptr || !btf_is_func_proto(proto)) return nullptr;
  llvm::LLVMContext& context = llvm_.getContext();
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  std::string name(object.btf->name(type->name_off));
  // Whole registers: extended from any width of the C type, which suits every callee.
  std::vector<llvm::Type*> params(btf_vlen(proto), word);
  llvm::Type* result = proto->type == 0 ? llvm::Type::getVoidTy(context) : word;
  llvm::Function* made = llvm::Function::Create(llvm::FunctionType::get(result, params, false), llvm::GlobalValue::ExternalLinkage, name, llvm_);
  made->setVisibility(llvm::GlobalValue::HiddenVisibility);
  made->addFnAttr(llvm::Attribute::NoUnwind);
  made->setSubprogram(debug.builder().createFunction(debug.unit(), name, name, debug.file(), 0, BtfDescriber(*object.btf, debug).prototype(proto, 0), 0,
                                                     llvm::DINode::FlagPrototyped, llvm::DISubprogram::SPFlagZero));
  return made;
}

llvm::Function* ForeignCode::function(const std::string& name, DebugInfo& debug) {
  auto [known, fresh] = functions_.try_emplace(name, nullptr);
  if (!fresh) return known->second;
  for (const Object& object : objects_) {
    for (uint32_t id = object.btf->first_id(); id < object.btf->end_id(); ++id) {
      const btf_type* type = object.btf->type(id);
      if (btf_is_func(type) && btf_vlen(type) == BTF_FUNC_GLOBAL && object.btf->name(type->name_off) == name)
        return known->second = declare(object, id, debug);
    }
  }
  return nullptr;
}

bool ForeignCode::license_is_writable() const {
  for (const Object& object : objects_)
    if (object.file.license_is_writable) return true;
  return false;
}

bool ForeignCode::check_calls() {
  if (bir_.foreign.empty()) return true;
  auto in_object = [&](llvm::StringRef name) {
    for (const Object& object : objects_)
      for (const BpfObject::Symbol& symbol : object.file.symbols)
        if (!symbol.section.empty() && symbol.is_global && name == symbol.name) return true;
    return false;
  };
  for (const llvm::Function& function : llvm_) {
    bool external = function.isDeclaration() && !function.isIntrinsic() && !function.use_empty() && function.getSection() != ".ksyms";
    if (external && !in_object(function.getName())) return fail("nothing defines the function '" + function.getName().str() + "'");
  }
  for (const llvm::GlobalVariable& global : llvm_.globals()) {
    bool external = global.isDeclaration() && !global.use_empty() && global.getSection() != ".ksyms" && global.getSection() != ".kconfig" &&
                    !global.getName().starts_with("llvm.");
    if (external && !in_object(global.getName())) return fail("nothing defines '" + global.getName().str() + "'");
  }
  return true;
}

}  // namespace btc::backend
