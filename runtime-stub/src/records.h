// Layout of tracepoint records on this machine, from tracefs' format files, and
// the changes it asks of a program's instructions.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/loader.h"
#include "runtime-stub/src/run_state.h"

namespace btc::rt {

struct RecordField { std::string name; uint32_t offset = 0, size = 0; bool is_signed = false; std::string declaration; };

// Fields of "category:event". False if there is no such event (or no tracefs).
bool read_record(std::string_view record, std::vector<RecordField>* out);

// Why the program cannot read the record of this event, which lacks a field on this machine; "" if it can.
std::string missing_field(const fb::Program& program, std::string_view record);

// Edits for all patches of a binding's program: record accesses by its record, constants by its names and arguments.
// False: `*problem` says which field is missing.
bool make_edits(RunState& run, const Binding& binding, uint32_t program, std::vector<InsnEdit>* out, std::string* problem);

}  // namespace btc::rt
