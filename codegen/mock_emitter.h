// foo.pagewire.mock.h: MockStub, the only generated code that needs gmock.
#pragma once

#include <string>

#include "codegen/model.h"

namespace pagewire::codegen {

std::string EmitMock(const FileModel& file);

}  // namespace pagewire::codegen
