// Names of a .proto as C++ spells them. Types and namespaces are spelled as protoc's own C++ generator does.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace pagewire::codegen {

// Whether `name` is a word of C++ that cannot be an identifier.
bool IsKeyword(const std::string& name);

// "::blob::Outer_Inner".
std::string CppType(const google::protobuf::Descriptor& message);

// The components of the file's package, outermost first. protoc 3.21 leaves keywords among them as they are.
std::vector<std::string> CppNamespaces(const google::protobuf::FileDescriptor& file);

// The class of a service, unqualified. It gets a trailing underscore where it is a keyword or a common macro, would be
// named as one of its own nested classes, or would hide a namespace that the generated code, its macros included, must
// reach.
std::string CppServiceName(const google::protobuf::ServiceDescriptor& service);

// The member function of a method. It gets a trailing underscore where it is a keyword or a common macro, or where
// Stub, Service or MockStub have a member of that name.
std::string CppMethodName(const google::protobuf::MethodDescriptor& method);

// `text` as part of an identifier: distinct for distinct texts.
std::string Mangle(const std::string& text);

}  // namespace pagewire::codegen
