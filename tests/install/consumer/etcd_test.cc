// pagewire::etcd brings what it links with it.
#include <pagewire/etcd.h>

#include <gtest/gtest.h>

namespace {

TEST(Etcd, ChannelsAndServersCanUseIt) {
  pagewire::EtcdOptions options;
  options.endpoints = {"http://127.0.0.1:1"};
  EXPECT_EQ(pagewire::RegisterEtcdResolver(options), absl::OkStatus());
  const auto entry = pagewire::EtcdRegistration::Register(options, "blobs", "10.0.0.1:7070", absl::Seconds(10));
  EXPECT_EQ(entry.status().code(), absl::StatusCode::kUnavailable) << entry.status();
}

}  // namespace
