#include "client/resolver_registry.h"

#include <gtest/gtest.h>

#include <string>

namespace pagewire::client {
namespace {

absl::StatusOr<std::unique_ptr<Resolver>> Refuse(std::string_view target, ResolutionCallback) {
  return absl::InvalidArgumentError(std::string(target));
}

TEST(ResolverRegistry, FindsWhatWasRegistered) {
  EXPECT_EQ(FindResolver("registry-test.1"), nullptr);
  ASSERT_EQ(RegisterResolver("registry-test.1", Refuse), absl::OkStatus());
  const auto factory = FindResolver("registry-test.1");
  ASSERT_NE(factory, nullptr);
  EXPECT_EQ((*factory)("registry-test.1:///x", nullptr).status(), absl::InvalidArgumentError("registry-test.1:///x"));
  EXPECT_EQ(FindResolver("registry-test"), nullptr);
}

TEST(ResolverRegistry, ASchemeIsRegisteredOnce) {
  ASSERT_EQ(RegisterResolver("registry-twice", Refuse), absl::OkStatus());
  EXPECT_EQ(RegisterResolver("registry-twice", Refuse),
            absl::AlreadyExistsError("a resolver for targets with \"registry-twice:\" is registered already"));
}

TEST(ResolverRegistry, OwnSchemesCannotBeReplaced) {
  for (const std::string scheme : {"dns", "ipv4", "ipv6", "unix"}) {
    EXPECT_EQ(RegisterResolver(scheme, Refuse),
              absl::AlreadyExistsError("targets with \"" + scheme + ":\" are resolved by Pagewire itself"));
  }
}

TEST(ResolverRegistry, BadArgumentsAreNamed) {
  for (const char* scheme : {"", "Etcd", "etcd:", "1x", "a b", "-a"}) {
    EXPECT_EQ(RegisterResolver(scheme, Refuse),
              absl::InvalidArgumentError(
                  "\"" + std::string(scheme) +
                  "\" is not a scheme: expected lower-case letters, digits, '+', '-' and '.', beginning with a letter"))
        << scheme;
  }
  EXPECT_EQ(RegisterResolver("a\n", Refuse).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RegisterResolver("etcd", nullptr),
            absl::InvalidArgumentError("the resolver factory for \"etcd\" is empty"));
}

}  // namespace
}  // namespace pagewire::client
