#include "reflection/reflector.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <vector>

namespace pagewire::reflection {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::FileDescriptorResponse;

Reflector::Response Reflector::Answer(const Request& request) {
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  if (absl::Status status = Fill(request, response); !status.ok()) {
    response.mutable_error_response()->set_error_code(static_cast<int>(status.code()));
    response.mutable_error_response()->set_error_message(std::string(status.message()));
  }
  return response;
}

absl::Status Reflector::Fill(const Request& request, Response& response) {
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      return GiveFile(pool_.FindFileByName(request.file_by_filename()),
                      absl::StrCat("file \"", request.file_by_filename(), "\""), response);
    case Request::kFileContainingSymbol:
      return GiveFile(pool_.FindFileContainingSymbol(request.file_containing_symbol()),
                      absl::StrCat("symbol \"", request.file_containing_symbol(), "\""), response);
    case Request::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const absl::StatusOr<const Descriptor*> type = FindMessage(wanted.containing_type());
      if (!type.ok()) return type.status();
      const FieldDescriptor* extension = pool_.FindExtensionByNumber(*type, wanted.extension_number());
      return GiveFile(extension == nullptr ? nullptr : extension->file(),
                      absl::StrCat("extension ", wanted.extension_number(), " of \"", wanted.containing_type(), "\""),
                      response);
    }
    case Request::kAllExtensionNumbersOfType: {
      const absl::StatusOr<const Descriptor*> type = FindMessage(request.all_extension_numbers_of_type());
      if (!type.ok()) return type.status();
      std::vector<const FieldDescriptor*> extensions;
      pool_.FindAllExtensions(*type, &extensions);
      auto& numbers = *response.mutable_all_extension_numbers_response();
      numbers.set_base_type_name((*type)->full_name());
      for (const FieldDescriptor* extension : extensions) numbers.add_extension_number(extension->number());
      std::sort(numbers.mutable_extension_number()->begin(), numbers.mutable_extension_number()->end());
      return absl::OkStatus();
    }
    case Request::kListServices:
      response.mutable_list_services_response();  // also for a server without services
      for (const std::string& name : services_)
        response.mutable_list_services_response()->add_service()->set_name(name);
      return absl::OkStatus();
    case Request::MESSAGE_REQUEST_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the request asks for nothing that this version knows");
}

absl::Status Reflector::GiveFile(const FileDescriptor* file, const std::string& what, Response& response) {
  if (file == nullptr) return absl::NotFoundError(absl::StrCat(what, " is not known to this server"));
  AddWithImports(*file, *response.mutable_file_descriptor_response());
  return absl::OkStatus();
}

void Reflector::AddWithImports(const FileDescriptor& file, FileDescriptorResponse& files) {
  if (!given_.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  proto.SerializeToString(files.add_file_descriptor_proto());
  for (int i = 0; i < file.dependency_count(); ++i) AddWithImports(*file.dependency(i), files);
}

absl::StatusOr<const Descriptor*> Reflector::FindMessage(const std::string& name) const {
  const Descriptor* type = pool_.FindMessageTypeByName(name);
  if (type == nullptr) return absl::NotFoundError(absl::StrCat("message \"", name, "\" is not known to this server"));
  return type;
}

}  // namespace pagewire::reflection
