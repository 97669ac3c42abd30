// The status line; see status_line.h. There is one terminal, so there is one flag.
#include "runtime-stub/src/output/status_line.h"

#include <string>
#include <unistd.h>

namespace btc::rt {

static constexpr std::string_view kWipe = "\r\033[K";
static bool shown = false;

static void to_terminal(std::string_view bytes) { [[maybe_unused]] ssize_t n = ::write(STDERR_FILENO, bytes.data(), bytes.size()); }

void show_status_line(std::string_view text) {
  std::string line(kWipe);
  line += text;
  to_terminal(line);
  shown = true;
}

void clear_status_line() {
  if (shown) to_terminal(kWipe);
  shown = false;
}

}  // namespace btc::rt
