// gunzip() on what gzip makes: stored, fixed and dynamic blocks, far copies, names, damage.
#include "runtime-stub/src/output/inflate.h"

#include <gtest/gtest.h>

using namespace btc::rt;

namespace {

const uint8_t kStored[] = {
  31, 139, 8, 0, 0, 0, 0, 0, 0, 0, 1, 14, 0, 241, 255, 67, 79, 78, 70, 73, 71, 95, 72, 90, 61, 50, 53, 48, 10, 251, 95, 58, 1, 14, 0, 0, 0};
const uint8_t kFixedWithName[] = {
  31, 139, 8, 8, 0, 0, 0, 0, 0, 0, 99, 111, 110, 102, 105, 103, 0, 75, 76, 28, 5, 196, 2, 103, 127, 63, 55, 79, 247, 120, 143, 40, 91, 35, 83, 3, 46,
  0, 0, 108, 21, 136, 58, 1, 0, 0};
const uint8_t kDynamic[] = {
  31, 139, 8, 0, 0, 0, 0, 0, 0, 0, 77, 208, 177, 13, 66, 49, 16, 68, 193, 156, 106, 176, 125, 182, 207, 1, 209, 151, 64, 63, 129, 18, 168, 131, 238,
  17, 34, 240, 100, 155, 60, 141, 180, 199, 235, 121, 63, 31, 239, 235, 237, 115, 57, 254, 179, 172, 189, 91, 238, 221, 231, 222, 115, 236, 189, 58,
  109, 208, 54, 218, 74, 91, 104, 113, 97, 43, 108, 192, 14, 216, 132, 69, 173, 168, 129, 58, 80, 83, 21, 182, 192, 54, 216, 14, 59, 97, 23, 110, 193,
  109, 184, 29, 119, 226, 38, 46, 108, 133, 13, 216, 1, 155, 158, 76, 138, 26, 63, 245, 11, 236, 237, 17, 198, 219, 1, 0, 0};

std::string dynamic_text() {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "CONFIG_" + std::to_string(i * 7919 % 100) + "=y\n";
  return text;
}

// gunzip() with its result as a text.
bool unpacked(std::span<const uint8_t> packed, size_t limit, std::string* text) {
  std::vector<uint8_t> out;
  bool good = gunzip(packed, limit, out);
  text->assign(out.begin(), out.end());
  return good;
}

}  // namespace

TEST(Inflate, Stored) {
  std::string text;
  ASSERT_TRUE(unpacked(kStored, 100, &text));
  EXPECT_EQ(text, "CONFIG_HZ=250\n");
  EXPECT_FALSE(unpacked(kStored, 13, &text));
}

TEST(Inflate, FixedWithNameAndOverlappingCopies) {
  std::string text;
  ASSERT_TRUE(unpacked(kFixedWithName, 1000, &text));
  EXPECT_EQ(text, std::string(300, 'a') + "CONFIG_HZ=250\n");
  EXPECT_FALSE(unpacked(kFixedWithName, 100, &text));
}

TEST(Inflate, Dynamic) {
  std::string text;
  ASSERT_TRUE(unpacked(kDynamic, 10000, &text));
  EXPECT_EQ(text, dynamic_text());
}

// No input reads or writes outside: cut files are refused, changed bytes give anything.
TEST(Inflate, Damaged) {
  std::string text;
  for (size_t size = 0; size + 9 < sizeof kDynamic; ++size) EXPECT_FALSE(unpacked(std::span(kDynamic, size), 10000, &text)) << size;
  for (size_t at = 0; at < sizeof kDynamic; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> changed(kDynamic, kDynamic + sizeof kDynamic);
      changed[at] ^= static_cast<uint8_t>(1 << bit);
      unpacked(changed, 10000, &text);
      EXPECT_LE(text.size(), 10000u);
    }
  }
}
