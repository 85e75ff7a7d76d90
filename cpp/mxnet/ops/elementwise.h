// The driver under elementwise kernels. A kernel brings a loop over contiguous numbers of one type; the driver
// shares the work among the team and converts arrays of other types a block at a time, so that an operator
// compiles its loop for the few types it computes in.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "mxnet/ndarray/ndarray.h"

namespace mxnet {

// out[i] = f(in[0][i], in[1][i], ...) over n numbers of the type the kernel computes in. `out` may be an input.
using ElementLoop = void (*)(int64_t n, void* out, const void* const* in);

// Elements a thread should have at least, for a few operations per element.
inline constexpr int64_t kElementGrain = 32768;

// An operator under its parameters for one element type of the result, ready to run over a block of numbers.
struct PointwiseLoop {
  ElementLoop loop = nullptr;        // null: under these parameters the operator is not elementwise
  DType number = DType::unknown;     // what the operands are converted to and the result is computed in
  DType condition = DType::unknown;  // what operand 0 is converted to, if to something else
  bool folds = false;                // over any number of operands: f(f(in[0], in[1]), in[2]) ...
  bool constants_first = false;      // the loop finds its constants in front of the operands, else behind them
  alignas(double) char constants[24] = {};

  template <class T>
  void set_constants(const T& value) {
    static_assert(sizeof(T) <= sizeof constants && std::is_trivially_copyable_v<T>);
    std::memcpy(constants, &value, sizeof(T));
  }
};

// Runs the loop over arrays of one size, at most four inputs. Arrays of another dtype are converted.
void run_elements(const PointwiseLoop& loop, const TensorView& out, std::span<const TensorView> in);

// The three loops of a binary function: both operands advance, or one of them is a single number.
struct BinaryLoops {
  ElementLoop both, scalar_right, scalar_left;
};

// out = f(a, b) under broadcasting; the shape of `out` is the broadcast shape.
void run_broadcast(const BinaryLoops& loops, DType compute, const TensorView& out, const TensorView& a,
                   const TensorView& b);

// out = f(f(in[0], in[1]), in[2]) ... over arrays of one size.
void run_reduction(ElementLoop loop, DType compute, const TensorView& out, std::span<const TensorView> in);

// The type an array of this dtype is computed in: float for 16-bit floats, uint8 for booleans.
constexpr DType compute_dtype(DType dtype) {
  if (dtype == DType::float16 || dtype == DType::bfloat16) return DType::float32;
  return dtype == DType::boolean ? DType::uint8 : dtype;
}

}  // namespace mxnet
