// The pieces of a method's signature that several emitters write.
#pragma once

#include <map>
#include <string>

#include "codegen/model.h"

namespace pagewire::codegen {

// Variables of io::Printer.
using Variables = std::map<std::string, std::string>;

// $service$, $service_name$ (in the .proto), $scope$ (the class, from the global namespace), $methods$ (how many).
Variables ServiceVariables(const FileModel& file, const ServiceModel& service);

// Those, and $method$, $wire_name$, $direction$ and $type$ (enumerators), $traits$ (the rest of Method, or nothing),
// $adder$ (what adds a handler, without its "Add"), $index$, $request$, $handled$ (what a handler is given of the
// request: the message, or what a stream of requests carries), $response$ (the response's message), $reply$ (the
// response with WithPayload where it has one), $deprecated$ ("[[deprecated]] " or nothing), $client_stream$ (the class
// template with its arguments, or nothing), and for the forms of stub and service:
// - $stub_result$, $service_result$: of the blocking form, whose value is that of the others
// - $stub_parameters$, $service_parameters$: what follows the context, with a comma before each
// - $stub_types$, $service_types$: the same without names
// - $async_parameters$, $async_types$: the same for the callback and the coroutine form of the service
// - $into_parameters$, $into_types$: of the form that fills the caller's messages, also of the arena service
// - $into_arguments$: what it fills, handed on
// - $payload_argument$: the request's payload, or an empty one
// - $request_arguments$: the request and its payload, handed on, with a comma before each; nothing where they stream
Variables MethodVariables(const FileModel& file, const ServiceModel& service, const MethodModel& method, int index);

// Runs `emit(method, variables)` for each method.
template <typename Emit>
void ForEachMethod(const FileModel& file, const ServiceModel& service, Emit emit) {
  int index = 0;
  for (const MethodModel& method : service.methods) {
    emit(method, MethodVariables(file, service, method, index));
    ++index;
  }
}

}  // namespace pagewire::codegen
