// The seam through which a device library takes part in copies.
#pragma once
#include <cstddef>

#include "mxnet/device/context.h"

namespace mxnet {

// Moves bytes when at least one side is not host memory; returns when they have arrived.
using DeviceCopy = void (*)(const void* from, Context from_ctx, void* to, Context to_ctx, size_t bytes);
void set_device_copy(DeviceCopy copy);

}  // namespace mxnet
