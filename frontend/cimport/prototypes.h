// Functions of a BPF object, with their types from its BTF.
//
// A structure that the script defines is the script's; one that the profile has
// with these members is the kernel's, so that accesses in the script relocate;
// any other has the object's layout.
#pragma once

#include "frontend/cimport/bpf_object.h"
#include "frontend/sema/program.h"

namespace btc {

// Sorted by name. False if the BTF is damaged. `profile` may be null.
bool read_prototypes(const BpfObject& object, Profile* profile, TypeTable& types, std::vector<ast::ForeignFunction>* out);

}  // namespace btc
