#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace pagewire::base {
namespace {

int Open() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFdTest, ClosesOnce) {
  const int fd = Open();
  {
    UniqueFd owner(fd);
    EXPECT_TRUE(owner.valid());
    UniqueFd next(std::move(owner));
    EXPECT_FALSE(owner.valid());
    EXPECT_EQ(next.get(), fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFdTest, AssignmentClosesWhatWasOwned) {
  const int first = Open();
  const int second = Open();
  UniqueFd owner(first);
  owner = UniqueFd(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(owner.get(), second);
  UniqueFd& same = owner;
  owner = std::move(same);
  EXPECT_TRUE(IsOpen(second));
}

TEST(UniqueFdTest, ReleaseGivesUpWithoutClosing) {
  UniqueFd owner(Open());
  const int fd = owner.Release();
  EXPECT_FALSE(owner.valid());
  EXPECT_TRUE(IsOpen(fd));
  owner.Reset(fd);
  owner.Reset();
  EXPECT_FALSE(IsOpen(fd));
}

}  // namespace
}  // namespace pagewire::base
