#include "driver/commands.h"

namespace btc {
const char* version() { return BTC_VERSION; }
}  // namespace btc
