// The seams through which others take part in copies.
#pragma once
#include <cstddef>

#include "mxnet/ndarray/ndarray.h"

namespace mxnet {

// Moves bytes when at least one side is not host memory; returns when they have arrived.
using DeviceCopy = void (*)(const void* from, Context from_ctx, void* to, Context to_ctx, size_t bytes);
void set_device_copy(DeviceCopy copy);

// Called for each array that the host reads, before it does.
void set_read_hook(void (*hook)(const NDArray& array));

}  // namespace mxnet
