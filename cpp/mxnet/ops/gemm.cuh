// Matrix multiplication on a GPU.
#pragma once
#include "mxnet/op/op.h"
#include "mxnet/ops/gemm.h"

namespace mxnet::cuda {

// As mxnet::gemm, on the stream of the kernel at hand: floating types by cuBLAS, integers by a kernel here.
void gemm(const KernelContext& c, DType dtype, Gemm args);

}  // namespace mxnet::cuda
