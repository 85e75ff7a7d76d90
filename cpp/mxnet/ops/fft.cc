// Discrete Fourier transforms along the last axis; complex numbers lie as pairs of real and imaginary part.
#include "mxnet/ops/fft.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"

namespace mxnet {
namespace {

template <bool inverse>
void infer_fft(const FftParams&, InferContext& c) {
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
  c.out(0) = c.in(0);
  if (!c.shape(0).rank_known()) return;
  if (c.shape(0).ndim() < 1) c.fail("data is a scalar, expected at least one axis");
  int last = c.shape(0).ndim() - 1;
  int64_t& extent = c.out(0).shape[last];
  if (extent < 0) return;
  if (inverse && extent % 2 != 0) c.fail("data has shape ", c.shape(0), ", expected pairs along the last axis");
  extent = inverse ? extent / 2 : extent * 2;
}

// The two are each other's adjoint.
const Op& fft_op =
    define_op<FftParams>("_contrib_fft")
        .doc(
            "Fourier transform along the last axis: (.., n) real numbers give (.., 2 n), the real and the "
            "imaginary part of each result side by side.")
        .input("data", "Array (.., n).")
        .infer(infer_fft<false>)
        .gradient([](const FftParams&, GradContext& g) { g.din(0) = apply("_contrib_ifft", {g.dout(0)}); })
        .grad_uses(false, false)
        .heavy();

const Op& ifft_op =
    define_op<FftParams>("_contrib_ifft")
        .doc(
            "The real part of the inverse Fourier transform along the last axis, not divided by n: (.., "
            "2 n) with real and imaginary parts side by side gives (.., n).")
        .input("data", "Array (.., 2 n).")
        .infer(infer_fft<true>)
        .gradient([](const FftParams&, GradContext& g) { g.din(0) = apply("_contrib_fft", {g.dout(0)}); })
        .grad_uses(false, false)
        .heavy();

}  // namespace
}  // namespace mxnet
