#include "harness/allocator.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace pagewire::bench {
namespace {

constexpr const char* kTcmalloc = "libtcmalloc_minimal.so.4";

}  // namespace

bool RunWithAllocator(const std::string& allocator, char** argv) {
  const bool is_tcmalloc = dlsym(RTLD_DEFAULT, "tc_version") != nullptr;
  if (allocator == "malloc" && !is_tcmalloc) return true;
  if (allocator == "tcmalloc" && is_tcmalloc) return true;
  if (allocator == "malloc") {
    std::fprintf(stderr, "--allocator=malloc: LD_PRELOAD has loaded another one\n");
    return false;
  }
  if (allocator != "tcmalloc") {
    std::fprintf(stderr, "--allocator=%s: there are malloc and tcmalloc\n", allocator.c_str());
    return false;
  }
  if (dlopen(kTcmalloc, RTLD_LAZY) == nullptr) {
    std::fprintf(stderr, "--allocator=tcmalloc: %s is missing, which libgoogle-perftools-dev has\n", kTcmalloc);
    return false;
  }
  setenv("LD_PRELOAD", kTcmalloc, 1);
  std::error_code error;
  execv(std::filesystem::read_symlink("/proc/self/exe", error).c_str(), argv);  // not the link: ps shows the name
  std::perror("execv");
  return false;
}

}  // namespace pagewire::bench
