#include "base/memory_limit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace pagewire::base {
namespace {

// A tree like /sys/fs/cgroup.
class CgroupMemoryLimitTest : public ::testing::Test {
 protected:
  CgroupMemoryLimitTest() {
    std::string name = ::testing::TempDir() + "/cgroupXXXXXX";
    mount_ = mkdtemp(name.data());
  }
  ~CgroupMemoryLimitTest() override { std::filesystem::remove_all(mount_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = mount_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::string mount_;
};

TEST_F(CgroupMemoryLimitTest, NothingReadableMeansNoLimit) {
  EXPECT_EQ(CgroupMemoryLimit("", mount_), std::nullopt);
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b\n", mount_), std::nullopt);
  EXPECT_EQ(CgroupMemoryLimit("garbage\n:\n::\n0::x\n4:memory:x\n", mount_), std::nullopt);
}

TEST_F(CgroupMemoryLimitTest, Version2TakesTheLowestUpToTheRoot) {
  Write("/a/b/memory.max", "max\n");
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b\n", mount_), std::nullopt);
  Write("/a/memory.max", "5000\n");
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b\n", mount_), 5000u);
  Write("/a/b/memory.max", "7000\n");
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b\n", mount_), 5000u);
  Write("/memory.max", "4000\n");
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b\n", mount_), 4000u);
}

TEST_F(CgroupMemoryLimitTest, APathThatOnlyTheHostSeesEndsAtTheMount) {
  Write("/memory.max", "4000\n");
  EXPECT_EQ(CgroupMemoryLimit("0::/../../elsewhere\n", mount_), 4000u);
  EXPECT_EQ(CgroupMemoryLimit("0::/\n", mount_), 4000u);
}

TEST_F(CgroupMemoryLimitTest, Version1HasAHierarchyOfItsOwn) {
  Write("/memory/x/memory.limit_in_bytes", "6000\n");
  Write("/cpu/x/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(CgroupMemoryLimit("5:cpu,cpuacct:/x\n4:memory:/x\n1:name=systemd:/\n0::/\n", mount_), 6000u);
}

TEST(UsableMemoryTest, IsAtMostTheMachines) {
  EXPECT_GT(MachineMemoryBytes(), uint64_t{1} << 20);
  EXPECT_GT(UsableMemoryBytes(), 0u);
  EXPECT_LE(UsableMemoryBytes(), MachineMemoryBytes());
}

}  // namespace
}  // namespace pagewire::base
