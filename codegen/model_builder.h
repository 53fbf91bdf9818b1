// Descriptors to the model that emitters work from.
#pragma once

#include <google/protobuf/descriptor.h>

#include "codegen/diagnostic.h"
#include "codegen/model.h"

namespace pagewire::codegen {

// Errors, for definitions that no C++ can be made of: two methods with one C++ name, a service with the C++ name of
// something else in the file, a package that protoc makes no valid namespace of, cc_generic_services, a payload
// direction this plugin does not know. The model must not be used then.
FileModel BuildModel(const google::protobuf::FileDescriptor& file, Diagnostics& diagnostics);

}  // namespace pagewire::codegen
