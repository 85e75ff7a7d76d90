#include "mxnet/ops/fft.h"

#include <complex>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

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

const bool registered[] = {
    cpu_kernel<FftParams>("_contrib_fft", fft<false>),
    cpu_kernel<FftParams>("_contrib_ifft", fft<true>),
};

}  // namespace
}  // namespace mxnet
