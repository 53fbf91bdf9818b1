// The figures for people.
#pragma once

#include <ostream>
#include <vector>

#include "bulk/demo/figures.h"

namespace bulk::demo {

void PrintTable(const std::vector<Figures>& runs, std::ostream& out);

}  // namespace bulk::demo
