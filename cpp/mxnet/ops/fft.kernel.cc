// Discrete Fourier transforms along the last axis; complex numbers lie as pairs of real and imaginary part.
#include <complex>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

struct FftParams {
  int64_t compute_size = 128;
  static constexpr auto fields() {
    return std::tuple{
        field("compute_size", &FftParams::compute_size, "Accepted and ignored; memory is taken as needed.")};
  }
};

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

// Rows of n complex numbers: the real ones of `x` transformed, or the real part of the unscaled inverse.
template <bool inverse>
void fft(const FftParams&, KernelContext& c) {
  int64_t n = inverse ? c.out(0).shape().back() : c.in(0).shape().back();
  if (c.in(0).size() == 0) return;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted cx(c.in(0), dtype_of<T>, true), cy(c.out(0), dtype_of<T>, false);
    const T* x = cx.as<T>();
    T* y = cy.as<T>();
    int64_t rows = (inverse ? c.out(0) : c.in(0)).size() / n;
    parallel_for(rows, 1 + 4096 / n, [&](int64_t begin, int64_t end) {
      Eigen::FFT<T> plan;
      plan.SetFlag(Eigen::FFT<T>::Unscaled);
      std::vector<std::complex<T>> from(static_cast<size_t>(n)), to(static_cast<size_t>(n));
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t i = 0; i < n; ++i)
          from[static_cast<size_t>(i)] = inverse ? std::complex<T>(x[(row * n + i) * 2], x[(row * n + i) * 2 + 1])
                                                 : std::complex<T>(x[row * n + i], 0);
        if (n == 1)  // which Eigen does not take
          to[0] = from[0];
        else if (inverse)
          plan.inv(to.data(), from.data(), n);
        else
          plan.fwd(to.data(), from.data(), n);
        for (int64_t i = 0; i < n; ++i) {
          std::complex<T> value = to[static_cast<size_t>(i)];
          if (inverse) {
            y[row * n + i] = value.real();
          } else {
            y[(row * n + i) * 2] = value.real();
            y[(row * n + i) * 2 + 1] = value.imag();
          }
        }
      }
    });
    cy.finish();
  });
}

// The two are each other's adjoint.
const Op& fft_op =
    define_op<FftParams>("_contrib_fft")
        .doc(
            "Fourier transform along the last axis: (.., n) real numbers give (.., 2 n), the real and the "
            "imaginary part of each result side by side.")
        .input("data", "Array (.., n).")
        .infer(infer_fft<false>)
        .cpu(fft<false>)
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
        .cpu(fft<true>)
        .gradient([](const FftParams&, GradContext& g) { g.din(0) = apply("_contrib_fft", {g.dout(0)}); })
        .grad_uses(false, false)
        .heavy();

}  // namespace
}  // namespace mxnet
