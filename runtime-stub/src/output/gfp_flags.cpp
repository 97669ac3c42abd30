// Names of memory allocation flags, as the kernel's own traces print them.
//
// Bit numbers are those of Linux 6.10 and later (enum in include/linux/gfp_types.h); combined
// names are tried first, in the kernel's order, and what is left over is shown as single flags.
#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/printf.h"

namespace btc::rt {

namespace {
// One constant per bit, in bit order; bit 9 is unused.
constexpr uint64_t bit(int n) { return 1ull << n; }
constexpr uint64_t kDma = bit(0), kHighmem = bit(1), kDma32 = bit(2), kMovable = bit(3), kHigh = bit(5), kIo = bit(6),
                   kFs = bit(7), kZero = bit(8), kDirectReclaim = bit(10), kKswapdReclaim = bit(11), kWrite = bit(12), kNoWarn = bit(13),
                   kRetryMayfail = bit(14), kNoFail = bit(15), kNoRetry = bit(16), kMemAlloc = bit(17), kComp = bit(18),
                   kNoMemAlloc = bit(19), kHardwall = bit(20), kThisNode = bit(21), kAccount = bit(22), kZeroTags = bit(23),
                   kSkipZero = bit(24), kSkipKasan = bit(25), kNoObjExt = bit(26);
constexpr uint64_t kReclaim = kDirectReclaim | kKswapdReclaim;
constexpr uint64_t kKernel = kReclaim | kIo | kFs;
constexpr uint64_t kUser = kKernel | kHardwall;
constexpr uint64_t kHighUser = kUser | kHighmem;
constexpr uint64_t kHighUserMovable = kHighUser | kMovable | kSkipKasan;
constexpr uint64_t kTransHugeLight = (kHighUserMovable | kComp | kNoMemAlloc | kNoWarn) & ~kReclaim;

struct GfpRow { uint64_t bits; std::string_view name; };
constexpr GfpRow kRows[] = {
    {kTransHugeLight | kDirectReclaim, "GFP_TRANSHUGE"}, {kTransHugeLight, "GFP_TRANSHUGE_LIGHT"},
    {kHighUserMovable, "GFP_HIGHUSER_MOVABLE"}, {kHighUser, "GFP_HIGHUSER"}, {kUser, "GFP_USER"},
    {kKernel | kAccount, "GFP_KERNEL_ACCOUNT"}, {kKernel, "GFP_KERNEL"}, {kReclaim | kIo, "GFP_NOFS"},
    {kHigh | kKswapdReclaim, "GFP_ATOMIC"}, {kReclaim, "GFP_NOIO"}, {kKswapdReclaim | kNoWarn, "GFP_NOWAIT"},
    {kDma, "GFP_DMA"}, {kHighmem, "__GFP_HIGHMEM"}, {kDma32, "GFP_DMA32"}, {kHigh, "__GFP_HIGH"}, {kIo, "__GFP_IO"},
    {kFs, "__GFP_FS"}, {kZero, "__GFP_ZERO"}, {kDirectReclaim, "__GFP_DIRECT_RECLAIM"}, {kKswapdReclaim, "__GFP_KSWAPD_RECLAIM"},
    {kWrite, "__GFP_WRITE"}, {kNoWarn, "__GFP_NOWARN"}, {kRetryMayfail, "__GFP_RETRY_MAYFAIL"}, {kNoFail, "__GFP_NOFAIL"},
    {kNoRetry, "__GFP_NORETRY"}, {kMemAlloc, "__GFP_MEMALLOC"}, {kComp, "__GFP_COMP"}, {kNoMemAlloc, "__GFP_NOMEMALLOC"},
    {kHardwall, "__GFP_HARDWALL"}, {kThisNode, "__GFP_THISNODE"}, {kAccount, "__GFP_ACCOUNT"}, {kZeroTags, "__GFP_ZEROTAGS"},
    {kSkipZero, "__GFP_SKIP_ZERO"}, {kSkipKasan, "__GFP_SKIP_KASAN"}, {kNoObjExt, "__GFP_NO_OBJ_EXT"},
};
}  // namespace

void append_gfp_flags(std::string& out, uint64_t flags) {
  if (flags == 0) {
    out += '0';
    return;
  }
  bool first = true;
  auto separate = [&] {
    if (!first) out += '|';
    first = false;
  };
  for (const GfpRow& row : kRows) {
    if ((flags & row.bits) != row.bits) continue;
    separate();
    out += row.name;
    flags &= ~row.bits;
  }
  if (flags) {
    separate();
    out += "0x";
    append_hex(out, flags);
  }
}

}  // namespace btc::rt
