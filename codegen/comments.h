// Comments of a .proto as comments of C++.
#pragma once

#include <google/protobuf/io/printer.h>

#include <string>
#include <vector>

#include "codegen/model.h"

namespace pagewire::codegen {

// `text` as lines that each begin with "//" and are nothing but comment to any compiler, without a warning: no line
// continues onto the next, control characters are blanks, bytes that are not UTF-8 become U+FFFD, and characters that
// reorder text are spelled out. Empty lines at both ends are dropped.
std::vector<std::string> CommentLines(const std::string& text);

// Detached comments, each followed by an empty line, then the leading and the trailing one as one block.
void PrintComments(const Comments& comments, google::protobuf::io::Printer& printer);

}  // namespace pagewire::codegen
