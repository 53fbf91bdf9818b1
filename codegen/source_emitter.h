// foo.pagewire.cc: calls into the library, one statement for each method.
#pragma once

#include <string>

#include "codegen/model.h"

namespace pagewire::codegen {

std::string EmitSource(const FileModel& file);

}  // namespace pagewire::codegen
