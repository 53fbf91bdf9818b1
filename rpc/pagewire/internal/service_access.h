// How generated code and the server reach the private part of a Service.
#pragma once

#include <pagewire/internal/registered_method.h>
#include <pagewire/service.h>

#include <string>
#include <utility>
#include <vector>

namespace pagewire::internal {

struct ServiceAccess {
  // `method` must be in static storage. Called by constructors only: nothing is added once a server knows the service.
  static void Add(Service& service, const Method& method, Handler handler) {
    service.methods_.push_back(RegisteredMethod{&method, std::move(handler)});
  }

  static const std::string& full_name(const Service& service) { return service.full_name_; }
  static const std::vector<RegisteredMethod>& methods(const Service& service) { return service.methods_; }
};

}  // namespace pagewire::internal
