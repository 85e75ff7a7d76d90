// The driver under elementwise kernels. A kernel brings a loop over contiguous numbers of one type; the driver
// shares the work among the team and converts arrays of other types a block at a time, so that an operator
// compiles its loop for the few types it computes in.
#pragma once
#include <cstdint>
#include <span>

#include "mxnet/ndarray/ndarray.h"

namespace mxnet {

// out[i] = f(in[0][i], in[1][i], ...) over n numbers of the type the kernel computes in. `out` may be an input.
using ElementLoop = void (*)(int64_t n, void* out, const void* const* in);

// Elements a thread should have at least, for a few operations per element.
inline constexpr int64_t kElementGrain = 32768;

// Runs `loop` over arrays of one size, at most four inputs. Arrays whose dtype is not `compute` are converted.
// The loop finds `constants` behind its inputs.
void run_elements(ElementLoop loop, DType compute, const TensorView& out, std::span<const TensorView> in,
                  int64_t grain = kElementGrain, const void* constants = nullptr);

// The three loops of a binary function: both operands advance, or one of them is a single number.
struct BinaryLoops {
  ElementLoop both, scalar_right, scalar_left;
};

// out = f(a, b) under broadcasting; the shape of `out` is the broadcast shape.
void run_broadcast(const BinaryLoops& loops, DType compute, const TensorView& out, const TensorView& a,
                   const TensorView& b);

// out = f(a, scalar) or f(scalar, a) by the choice of `loop`; `scalar` is of type `compute`.
void run_scalar(const BinaryLoops& loops, bool scalar_on_left, DType compute, const TensorView& out,
                const TensorView& a, const void* scalar);

// out = f(f(in[0], in[1]), in[2]) ... over arrays of one size.
void run_reduction(ElementLoop loop, DType compute, const TensorView& out, std::span<const TensorView> in);

// The type an array of this dtype is computed in: float for 16-bit floats, uint8 for booleans.
constexpr DType compute_dtype(DType dtype) {
  if (dtype == DType::float16 || dtype == DType::bfloat16) return DType::float32;
  return dtype == DType::boolean ? DType::uint8 : dtype;
}

}  // namespace mxnet
