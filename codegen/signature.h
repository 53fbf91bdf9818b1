// The pieces of a method's signature that several emitters write.
#pragma once

#include <map>
#include <string>

#include "codegen/model.h"

namespace pagewire::codegen {

// Variables of io::Printer.
using Variables = std::map<std::string, std::string>;

// $service$, $service_name$ (in the .proto), $scope$ (the class, from the global namespace), $methods$ (how many are
// generated).
Variables ServiceVariables(const FileModel& file, const ServiceModel& service);

// Those, and $method$, $wire_name$, $direction$ (an enumerator), $index$ (among the generated methods), $request$,
// $reply$ (with WithPayload where there is one), $result$ (StatusOr of it), $payload_parameter$ (", ::pagewire::Payload
// payload" or nothing), $payload_type$ (the same without a name), $deprecated$ ("[[deprecated]] " or nothing).
Variables MethodVariables(const FileModel& file, const ServiceModel& service, const MethodModel& method, int index);

// Runs `emit(method, variables)` for each method that is generated.
template <typename Emit>
void ForEachMethod(const FileModel& file, const ServiceModel& service, Emit emit) {
  int index = 0;
  for (const MethodModel& method : service.methods) {
    if (method.streams) continue;
    emit(method, MethodVariables(file, service, method, index));
    ++index;
  }
}

int GeneratedMethods(const ServiceModel& service);

}  // namespace pagewire::codegen
