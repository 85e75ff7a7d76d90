// Symbols in the files of MXNet: read from 0.8 to 1.9.1, written as 1.9.1 does.
#pragma once
#include <string>
#include <string_view>

#include "mxnet/graph/symbol.h"

namespace mxnet {

std::string to_json(const Symbol& symbol);

// Raises ValueErrors on anything that is no graph, or names an operator that there is not.
Symbol from_json(std::string_view text);

}  // namespace mxnet
