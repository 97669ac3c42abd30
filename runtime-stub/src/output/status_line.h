// One line at the foot of a terminal's stderr that says how the run goes. It is
// wiped before anything else is written to stderr (write_stderr), so messages
// and status never mix. Terminals only; the callers ask isatty() first.
#pragma once

#include <string_view>

namespace btc::rt {

void show_status_line(std::string_view text);
void clear_status_line();

}  // namespace btc::rt
