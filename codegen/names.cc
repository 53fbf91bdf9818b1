#include "codegen/names.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>
#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <string>
#include <vector>

namespace pagewire::codegen {
namespace {

namespace cpp = google::protobuf::compiler::cpp;
using Words = std::set<std::string>;

Words ToWords(absl::string_view text) { return absl::StrSplit(text, ' '); }

// C++20's keywords and alternative tokens. protoc 3.21 does not know all of them; a message named by one that it does
// not know does not compile, whatever is generated here.
const Words& Keywords() {
  static const Words words = ToWords(
      "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class "
      "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
      "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline "
      "int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register "
      "reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template "
      "this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t "
      "while xor xor_eq");
  return words;
}

// Macros that any program may have, from the C library and, with GNU extensions, from the compiler.
const Words& Macros() {
  static const Words words = ToWords("EOF NULL assert errno linux offsetof stderr stdin stdout unix");
  return words;
}

std::string Escape(const std::string& name, const Words& taken) {
  return IsKeyword(name) || Macros().count(name) != 0 || taken.count(name) != 0 ? absl::StrCat(name, "_") : name;
}

}  // namespace

bool IsKeyword(const std::string& name) { return Keywords().count(name) != 0; }

std::string CppType(const google::protobuf::Descriptor& message) {
  const std::string name = cpp::QualifiedClassName(&message);
  // protoc writes its own namespace as a macro that only its own output defines.
  absl::string_view rest = name;
  if (absl::ConsumePrefix(&rest, "PROTOBUF_NAMESPACE_ID::")) return absl::StrCat("::google::protobuf::", rest);
  return name;
}

std::vector<std::string> CppNamespaces(const google::protobuf::FileDescriptor& file) {
  if (file.package().empty()) return {};
  // libprotoc exports the names of messages only: ask for that of one in the same package.
  google::protobuf::FileDescriptorProto probe;
  probe.set_name("probe.proto");
  probe.set_package(file.package());
  probe.add_message_type()->set_name("Probe");
  google::protobuf::DescriptorPool pool;
  const std::string name = cpp::QualifiedClassName(pool.BuildFile(probe)->message_type(0));
  std::vector<std::string> components = absl::StrSplit(absl::StripPrefix(name, "::"), "::");
  components.pop_back();
  return components;
}

std::string CppServiceName(const google::protobuf::ServiceDescriptor& service) {
  static const Words taken = {"ArenaService", "CallbackService", "CoService", "MockStub", "Service", "Stub", "std"};
  static const Words taken_globally = {
      "ArenaService", "CallbackService", "CoService", "MockStub", "Service", "Stub",
      "absl",         "google",          "main",      "pagewire", "std",     "testing"};
  return Escape(service.name(), service.file()->package().empty() ? taken_globally : taken);
}

std::string CppMethodName(const google::protobuf::MethodDescriptor& method) {
  static const Words members = {"ArenaService", "Callback",  "CallbackForm", "CallbackService", "Co",
                                "CoForm",       "CoService", "Into",         "IntoForm",        "MockStub",
                                "Service",      "Stub",      "channel_"};
  return Escape(method.name(), members);
}

std::string Mangle(const std::string& text) {
  std::string mangled;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      mangled.push_back(c);
    } else {
      absl::StrAppend(&mangled, "_", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return mangled;
}

}  // namespace pagewire::codegen
