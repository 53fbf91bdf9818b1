// foo.pagewire.h: what users of a service include.
#pragma once

#include <string>

#include "codegen/model.h"
#include "codegen/options.h"

namespace pagewire::codegen {

std::string EmitHeader(const FileModel& file, const Options& options);

}  // namespace pagewire::codegen
