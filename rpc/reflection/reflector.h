// Answers what a client asks about descriptors.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>
#include <google/protobuf/descriptor.h>

#include <string>

#include "grpc/reflection/v1/reflection.pb.h"

namespace pagewire::reflection {

// For one stream: it remembers which files it has given. Not thread-safe.
class Reflector {
 public:
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;

  // Both outlive the reflector.
  Reflector(const google::protobuf::DescriptorPool& pool, absl::Span<const std::string> services)
      : pool_(pool), services_(services) {}

  // What is wrong with the request stands in the response: NOT_FOUND, INVALID_ARGUMENT.
  Response Answer(const Request& request);

 private:
  absl::Status Fill(const Request& request, Response& response);

  // NOT_FOUND for null, which `what` names.
  absl::Status GiveFile(const google::protobuf::FileDescriptor* file, const std::string& what, Response& response);
  void AddWithImports(const google::protobuf::FileDescriptor& file,
                      grpc::reflection::v1::FileDescriptorResponse& files);
  absl::StatusOr<const google::protobuf::Descriptor*> FindMessage(const std::string& name) const;

  const google::protobuf::DescriptorPool& pool_;
  const absl::Span<const std::string> services_;
  absl::flat_hash_set<const google::protobuf::FileDescriptor*> given_;
};

}  // namespace pagewire::reflection
