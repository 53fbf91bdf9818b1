// What emitters know of a .proto file: plain values, every name already as C++ spells it.
#pragma once

#include <pagewire/method.h>

#include <string>
#include <vector>

namespace pagewire::codegen {

// Texts as protoc gives them: without comment marks, lines ended by '\n', any bytes.
struct Comments {
  std::vector<std::string> detached;
  std::string leading;
  std::string trailing;
};

struct MethodModel {
  std::string name;      // as in the .proto
  std::string cpp_name;  // unique within the service
  std::string wire_name;
  std::string request_type;   // "::blob::PutRequest"
  std::string response_type;  // the message alone, without WithPayload
  PayloadDirection payload = PayloadDirection::kNone;
  MethodType type = MethodType::kUnary;  // of a piecewise one: see pagewire::Method
  bool piecewise = false;
  bool idempotent = false;
  bool deprecated = false;
  Comments comments;
};

struct ServiceModel {
  std::string full_name;  // as in the .proto: "blob.BlobStore"
  std::string cpp_name;   // unqualified
  bool deprecated = false;
  Comments comments;
  std::vector<MethodModel> methods;
};

struct FileModel {
  std::string proto;                        // import path: "sub/blob.proto"
  std::string base;                         // what output names begin with: "sub/blob"
  std::vector<std::string> cpp_namespaces;  // outermost first; empty: global
  Comments comments;                        // of the syntax line, where a licence usually is
  std::vector<ServiceModel> services;
};

}  // namespace pagewire::codegen
