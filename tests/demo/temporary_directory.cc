#include "demo/temporary_directory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace bulk {

TemporaryDirectory::TemporaryDirectory() : path_(::testing::TempDir() + "bulk-test.XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

TemporaryDirectory::~TemporaryDirectory() { std::filesystem::remove_all(path_); }

}  // namespace bulk
