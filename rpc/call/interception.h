// How the interceptors of a channel or a server are asked.
#pragma once

#include <pagewire/interceptor.h>
#include <pagewire/method.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <utility>
#include <vector>

#include "call/call_observers.h"

namespace pagewire::call {

// Asks them in order, until one ends the call: its status then, which those before it are told. Otherwise who watches
// the call, null for nobody.
template <typename Interceptor, typename Context>
absl::StatusOr<std::shared_ptr<CallObservers>> Intercept(const std::vector<std::shared_ptr<Interceptor>>& interceptors,
                                                         const Method& method, Context& context) {
  if (interceptors.empty()) return std::shared_ptr<CallObservers>();
  auto observers = std::make_shared<CallObservers>();
  for (const auto& interceptor : interceptors) {
    absl::StatusOr<std::unique_ptr<CallObserver>> observer = interceptor->Intercept(method, context);
    if (!observer.ok()) {
      observers->End(observer.status());
      return std::move(observer).status();
    }
    if (*observer != nullptr) observers->Add(*std::move(observer));
  }
  if (observers->empty()) return std::shared_ptr<CallObservers>();
  return observers;
}

}  // namespace pagewire::call
