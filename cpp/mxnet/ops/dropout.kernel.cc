#include "mxnet/ops/dropout.h"

#include <cstring>
#include <vector>

#include "mxnet/ndarray/cast.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/elementwise.h"
#include "mxnet/ops/random_groups.h"

namespace mxnet {
namespace {

// A number is kept where its random bits stay below the threshold.
struct DropRule {
  int32_t threshold;  // of 31 random bits
  float scale;

  explicit DropRule(double p)
      : threshold(static_cast<int32_t>((1 - p) * 2147483647.0)), scale(p < 1 ? static_cast<float>(1 / (1 - p)) : 0) {}
};

void draw_mask(DropRule rule, Position at, uint8_t* mask, int64_t n) {
  parallel_for(n, kRandomGrain, [&](int64_t begin, int64_t end) {
    each_group(begin, end, at.offset, [&](uint64_t group, int64_t first, int64_t from, int64_t to) {
      uint32_t bits[kPhiloxGroup];
      philox_group(at.key, group, PhiloxUse::bits, bits);
      for (int64_t j = from; j < to; ++j) mask[first + j] = static_cast<int32_t>(bits[j] >> 1) < rule.threshold;
    });
  });
}

template <class T>
void drop(DropRule rule, Position at, const T* x, T* y, uint8_t* mask, int64_t n) {
  using V = compute_t<T>;
  V scale = static_cast<V>(rule.scale);
  parallel_for(n, kRandomGrain, [&](int64_t begin, int64_t end) {
    each_group(begin, end, at.offset, [&](uint64_t group, int64_t first, int64_t from, int64_t to) {
      uint32_t bits[kPhiloxGroup];
      philox_group(at.key, group, PhiloxUse::bits, bits);
      auto part = [&](int64_t low, int64_t high) {
#pragma omp simd
        for (int64_t j = low; j < high; ++j) {
          bool keep = static_cast<int32_t>(bits[j] >> 1) < rule.threshold;
          mask[first + j] = keep;
          y[first + j] = T(keep ? static_cast<V>(x[first + j]) * scale : V(0));
        }
      };
      // A whole group has a length the compiler knows.
      to - from == kPhiloxGroup ? part(0, kPhiloxGroup) : part(from, to);
    });
  });
}

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

template <class V>
V factor(uint8_t mask, V scale) {
  return mask == kDropoutKept ? scale : mask == kDropoutPassed ? V(1) : V(0);
}

// y = x times what the mask says; the mask may have extents of one.
template <class T>
void apply(DropRule rule, const TensorView& x, const TensorView& mask, const TensorView& y) {
  using V = compute_t<T>;
  V scale = static_cast<V>(rule.scale);
  const uint8_t* m = mask.as<uint8_t>();
  if (mask.size() == x.size()) {
    const T* from = x.as<T>();
    T* to = y.as<T>();
    parallel_for(x.size(), kRandomGrain, [&](int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) to[i] = T(static_cast<V>(from[i]) * factor(m[i], scale));
    });
    return;
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
