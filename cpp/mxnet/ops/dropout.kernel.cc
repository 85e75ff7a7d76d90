#include "mxnet/ops/dropout_loops.h"

#include <cstring>
#include <vector>

#include "mxnet/ndarray/cast.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/elementwise.h"

namespace mxnet {
namespace {

template <class V, int a_step>
void multiply(int64_t n, void* out, const void* const* in) {
  V* y = static_cast<V*>(out);
  const V *a = static_cast<const V*>(in[0]), *b = static_cast<const V*>(in[1]);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = a[i * a_step] * b[i];
}
template <class V>
void multiply_scalar(int64_t n, void* out, const void* const* in) {
  V* y = static_cast<V*>(out);
  const V* a = static_cast<const V*>(in[0]);
  V b = *static_cast<const V*>(in[1]);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] * b;
}

// y = x times what the mask says; the mask may have extents of one.
template <class T>
void apply(DropRule rule, const TensorView& x, const TensorView& mask, const TensorView& y) {
  using V = compute_t<T>;
  V scale = static_cast<V>(rule.scale);
  const uint8_t* m = mask.as<uint8_t>();
  if (mask.size() == x.size()) {
    return apply_drops(rule, x.as<T>(), m, y.as<T>(), x.size());
  }
  std::vector<V> factors(static_cast<size_t>(mask.size()));
  for (size_t i = 0; i < factors.size(); ++i) factors[i] = factor(m[i], scale);
  BinaryLoops loops{multiply<V, 1>, multiply_scalar<V>, multiply<V, 0>};
  run_broadcast(loops, dtype_of<V>, y, x, {factors.data(), mask.extents, dtype_of<V>});
}
void apply_mask(const DropoutParams& p, const TensorView& x, const TensorView& mask, const TensorView& y) {
  dispatch_floating(x.dtype, [&]<class T>() { apply<T>(DropRule(p.p), x, mask, y); });
}

void dropout(const DropoutParams& p, KernelContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0), &mask = c.out(1);
  if (!drops(p, c.training)) {
    cast_elements(x.data, x.dtype, y.data, y.dtype, y.size());
    std::memset(mask.data, kDropoutPassed, static_cast<size_t>(mask.size()));
    return;
  }
  DropRule rule(p.p);
  Position at{c.random_key, c.random_offset};
  if (mask.size() == x.size()) {
    dispatch_floating(x.dtype, [&]<class T>() { drop(rule, at, x.as<T>(), y.as<T>(), mask.as<uint8_t>(), x.size()); });
  } else {
    draw_mask(rule, at, mask.as<uint8_t>(), mask.size());
    apply_mask(p, x, mask, y);
  }
}

void dropout_backward(const DropoutParams& p, KernelContext& c) { apply_mask(p, c.in(0), c.in(1), c.out(0)); }

const bool registered = [] {
  cpu_kernel<DropoutParams>("Dropout", dropout);
  cpu_kernel<DropoutParams>("_dropout_apply", dropout_backward);
  return true;
}();

}  // namespace
}  // namespace mxnet
