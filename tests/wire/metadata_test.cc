#include "wire/metadata.h"

#include <gtest/gtest.h>

#include <string>

namespace pagewire::wire {
namespace {

TEST(MetadataTest, Keys) {
  EXPECT_TRUE(ValidateMetadata("a", "").ok());
  EXPECT_TRUE(ValidateMetadata("x-trace_id.2", "1").ok());
  EXPECT_TRUE(ValidateMetadata("grpc-timeout", "1S").ok());
  EXPECT_EQ(ValidateMetadata("", "v"), absl::InvalidArgumentError("metadata: a key is empty"));
  for (const char* key : {"Upper", "sp ace", ":path", "a/b", "\x7f"}) {
    EXPECT_EQ(ValidateMetadata(key, "v").code(), absl::StatusCode::kInvalidArgument) << key;
  }
  EXPECT_EQ(ValidateMetadata("K\n", "v"),
            absl::InvalidArgumentError("metadata: key \"K\\n\" has characters other than 0-9 a-z _ . -"));
  EXPECT_EQ(ValidateMetadata(std::string(100, 'K'), "v"),
            absl::InvalidArgumentError("metadata: key \"" + std::string(64, 'K') +
                                       "...\" has characters other than 0-9 a-z _ . -"));
}

TEST(MetadataTest, Values) {
  EXPECT_TRUE(ValidateMetadata("a", " ~").ok());
  EXPECT_TRUE(ValidateMetadata("a-bin", std::string_view("\0\xff\n", 3)).ok());
  for (std::string_view value :
       {std::string_view("\x1f"), std::string_view("\x7f"), std::string_view("\xc3\xa4"), std::string_view("\0", 1)}) {
    EXPECT_EQ(ValidateMetadata("a", value),
              absl::InvalidArgumentError("metadata: the value of key \"a\" is not printable ASCII; keys of binary "
                                         "values end in \"-bin\""));
  }
}

TEST(MetadataTest, WhatAUserMaySet) {
  EXPECT_TRUE(ValidateUserMetadata("grpc", "v").ok());
  EXPECT_TRUE(ValidateUserMetadata("x-pagewire-", "v").ok());
  EXPECT_EQ(ValidateUserMetadata("grpc-timeout", "1S"),
            absl::InvalidArgumentError("metadata: key \"grpc-timeout\" begins with \"grpc-\", which is reserved"));
  EXPECT_EQ(ValidateUserMetadata("pagewire-x", "v"),
            absl::InvalidArgumentError("metadata: key \"pagewire-x\" begins with \"pagewire-\", which is reserved"));
  EXPECT_EQ(ValidateUserMetadata("", "v"), absl::InvalidArgumentError("metadata: a key is empty"));
}

TEST(MetadataTest, Received) {
  MetadataList list;
  EXPECT_TRUE(ValidateReceivedMetadata(list, 0).ok());
  for (int i = 0; i < 2; ++i) {
    list.Add();
    list.at(i).set_key("key");
    list.at(i).set_value("value");
  }
  EXPECT_EQ(MetadataBytes(list), 16u);
  EXPECT_TRUE(ValidateReceivedMetadata(list, 16).ok());
  EXPECT_EQ(
      ValidateReceivedMetadata(list, 15),
      absl::ResourceExhaustedError("metadata: 16 bytes of keys and values exceed max_metadata_size, which is 15"));
  list.at(1).set_key("Key");
  EXPECT_EQ(ValidateReceivedMetadata(list, 16).code(), absl::StatusCode::kInvalidArgument);
}

TEST(MetadataTest, BytesOfAUsersMetadata) {
  EXPECT_EQ(MetadataBytes(Metadata{}), 0u);
  EXPECT_EQ(MetadataBytes(Metadata{{"a", "12"}, {"a", ""}, {"b-bin", std::string(3, '\0')}}), 12u);
}

}  // namespace
}  // namespace pagewire::wire
