// placeholder
#include "runtime-stub/src/output/symbols_user.h"
#include "runtime-stub/src/output/symbols_kernel.h"
namespace btc::rt {
struct UserSymbols::State {};
UserSymbols::UserSymbols() = default;
UserSymbols::~UserSymbols() = default;
void UserSymbols::configure(const OutputOptions&, Target*) {}
void UserSymbols::append(std::string& out, uint64_t addr, int32_t, int32_t, bool, bool module) {
  append_address(out, addr);
  if (module) out += " ([unknown])";
}
void UserSymbols::note_process(int32_t) {}
}
