// The base of every generated service.
#pragma once

#include <pagewire/internal/registered_method.h>

#include <string>
#include <utility>
#include <vector>

namespace pagewire {

namespace internal {
struct ServiceAccess;
}  // namespace internal

// Derive from a generated class, such as blob::BlobStore::Service, and override its methods; hand it to
// ServerBuilder::RegisterService. A service must outlive the servers it is registered with and may be registered with
// several. Its methods are called concurrently, from the threads of the server's executor.
//
// It has no members that a method of a .proto could clash with.
class Service {
 public:
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;

 protected:
  // `full_name` as in the .proto, with its package: "blob.BlobStore".
  explicit Service(std::string full_name) : full_name_(std::move(full_name)) {}

 private:
  friend struct internal::ServiceAccess;
  std::string full_name_;
  std::vector<internal::RegisteredMethod> methods_;
};

}  // namespace pagewire
