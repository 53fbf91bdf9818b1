// Lets clients ask a server for its services and their descriptors: grpc.reflection.v1. Link pagewire::reflection.
//
// It brings the descriptors of "grpc/reflection/v1/reflection.proto", which a program can have only once: do not link
// gRPC's own reflection beside it.
#pragma once

#include <pagewire/service.h>

#include <google/protobuf/descriptor.h>

#include <memory>

namespace pagewire {

// Register service() with ServerBuilder. It lists all services of the server that is asked, whether they are registered
// before it or after, and may be registered with several servers. Must outlive them. Thread-safe.
class ReflectionService {
 public:
  // Descriptors come from `pool`, which must outlive this object; by default from what is linked into the program.
  explicit ReflectionService(
      const google::protobuf::DescriptorPool* pool = google::protobuf::DescriptorPool::generated_pool());
  ~ReflectionService();
  ReflectionService(const ReflectionService&) = delete;
  ReflectionService& operator=(const ReflectionService&) = delete;

  // Owned by this object.
  Service* service();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace pagewire
