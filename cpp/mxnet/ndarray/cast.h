// Conversion of elements between types on the host.
#pragma once
#include <cstdint>

#include "mxnet/base/dtype.h"

namespace mxnet {

// Converts n elements, sharing the work among the compute team. Floating numbers are truncated towards zero on
// their way to integers; anything but zero is true. `from` and `to` are the same memory or do not overlap.
void cast_elements(const void* from, DType from_dtype, void* to, DType to_dtype, int64_t n);

// The same in the calling thread, for equal dtypes as well.
void cast_block(const void* from, DType from_dtype, void* to, DType to_dtype, int64_t n);

// How cast_block works. Each instruction-set level registers its own; the best one the CPU
// has is used.
using CastRange = void (*)(const char* from, DType from_dtype, char* to, DType to_dtype, int64_t n);
bool register_cast(int level, CastRange cast);

}  // namespace mxnet
