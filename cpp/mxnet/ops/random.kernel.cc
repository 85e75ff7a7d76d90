#include "mxnet/ops/random.h"

#include <cstring>

#include "mxnet/base/math.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/random_groups.h"

namespace mxnet {
namespace {

// Fills `out` group by group with fill(group, values), converting to its dtype.
template <class V, class Fill>
void fill_groups(const TensorView& out, uint64_t offset, const Fill& fill) {
  int64_t width = size_of(out.dtype);
  parallel_for(out.size(), kRandomGrain, [&](int64_t begin, int64_t end) {
    each_group(begin, end, offset, [&](uint64_t group, int64_t first, int64_t from, int64_t to) {
      V values[kPhiloxGroup];
      fill(group, values);
      char* target = out.as<char>() + (first + from) * width;
      if (out.dtype == dtype_of<V>)
        std::memcpy(target, values + from, static_cast<size_t>((to - from) * width));
      else
        cast_block(values + from, dtype_of<V>, target, out.dtype, to - from);
    });
  });
}

// Bits of a group as numbers in [0, 1) with `digits` binary digits.
void unit_interval(Position at, uint64_t group, int digits, float (&out)[kPhiloxGroup]) {
  uint32_t bits[kPhiloxGroup];
  philox_group(at.key, group, PhiloxUse::bits, bits);
  float unit = detail::power_of_two(-digits);
  int shift = 32 - digits;
  for (int i = 0; i < kPhiloxGroup; ++i) out[i] = static_cast<float>(static_cast<int32_t>(bits[i] >> shift)) * unit;
}
void bits_64(Position at, uint64_t group, uint64_t (&out)[kPhiloxGroup]) {
  uint32_t high[kPhiloxGroup], low[kPhiloxGroup];
  philox_group(at.key, group, PhiloxUse::bits, high);
  philox_group(at.key, group, PhiloxUse::low_bits, low);
  for (int i = 0; i < kPhiloxGroup; ++i) out[i] = static_cast<uint64_t>(high[i]) << 32 | low[i];
}
// In (0, 1]: what a logarithm takes.
void open_interval(Position at, uint64_t group, float (&out)[kPhiloxGroup]) {
  uint32_t bits[kPhiloxGroup];
  philox_group(at.key, group, PhiloxUse::bits, bits);
  for (int i = 0; i < kPhiloxGroup; ++i)
    out[i] = static_cast<float>(static_cast<int32_t>(bits[i] >> 1)) * 0x1p-31f + 0x1p-32f;
}
void open_interval(Position at, uint64_t group, double (&out)[kPhiloxGroup]) {
  uint64_t bits[kPhiloxGroup];
  bits_64(at, group, bits);
  for (int i = 0; i < kPhiloxGroup; ++i)
    out[i] = (static_cast<double>(static_cast<int64_t>(bits[i] >> 12)) + 0.5) * 0x1p-52;
}

void draw(const Uniform& d, const TensorView& out, Position at) {
  if (out.dtype == DType::float64) {
    fill_groups<double>(out, at.offset, [&](uint64_t group, double (&values)[kPhiloxGroup]) {
      open_interval(at, group, values);
      for (double& x : values) x = d.low + (d.high - d.low) * x;
    });
    return;
  }
  // No more digits than the type holds, so that no number rounds up to 1.
  int digits = out.dtype == DType::float16 ? 11 : out.dtype == DType::bfloat16 ? 8 : 24;
  float low = static_cast<float>(d.low), high = static_cast<float>(d.high), range = high - low;
  fill_groups<float>(out, at.offset, [&](uint64_t group, float (&values)[kPhiloxGroup]) {
    unit_interval(at, group, digits, values);
    for (float& x : values) {
      float y = low + range * x;
      x = y < high ? y : low;
    }
  });
}

// Box and Muller: the first half of a group gives radii, the second angles, and each pair two numbers.
template <class V>
[[gnu::flatten]] void normal_group(Position at, uint64_t group, V loc, V scale, V (&values)[kPhiloxGroup]) {
  constexpr int kHalf = kPhiloxGroup / 2;
  V u[kPhiloxGroup];
  open_interval(at, group, u);
#pragma omp simd
  for (int i = 0; i < kHalf; ++i) {
    V radius = scale * sqrt(V(-2) * log(u[i]));
    V angle = V(2 * std::numbers::pi) * u[kHalf + i];
    values[i] = loc + radius * cos(angle);
    values[kHalf + i] = loc + radius * sin(angle);
  }
}

void draw(const Normal& d, const TensorView& out, Position at) {
  auto run = [&]<class V>() {
    V loc = static_cast<V>(d.loc), scale = static_cast<V>(d.scale);
    fill_groups<V>(out, at.offset,
                   [&](uint64_t group, V(&values)[kPhiloxGroup]) { normal_group(at, group, loc, scale, values); });
  };
  out.dtype == DType::float64 ? run.template operator()<double>() : run.template operator()<float>();
}

template <class V>
[[gnu::flatten]] void exponential_group(Position at, uint64_t group, V scale, V (&values)[kPhiloxGroup]) {
  open_interval(at, group, values);
#pragma omp simd
  for (int i = 0; i < kPhiloxGroup; ++i) values[i] = log(values[i]) * scale;
}

void draw(const Exponential& d, const TensorView& out, Position at) {
  auto run = [&]<class V>() {
    V scale = static_cast<V>(-1 / d.lam);
    fill_groups<V>(out, at.offset,
                   [&](uint64_t group, V(&values)[kPhiloxGroup]) { exponential_group(at, group, scale, values); });
  };
  out.dtype == DType::float64 ? run.template operator()<double>() : run.template operator()<float>();
}

template <class P, class D>
void random(const P& p, KernelContext& c) {
  check_parameters(p, c);
  draw(static_cast<const D&>(p), c.out(0), {c.random_key, c.random_offset});
}

void randint(const RandintParams& p, KernelContext& c) {
  check_parameters(p, c);
  Position at{c.random_key, c.random_offset};
  uint64_t range = static_cast<uint64_t>(p.high) - static_cast<uint64_t>(p.low);
  fill_groups<int64_t>(c.out(0), at.offset, [&](uint64_t group, int64_t (&values)[kPhiloxGroup]) {
    uint64_t bits[kPhiloxGroup];
    bits_64(at, group, bits);
    // The high word of the product spreads 64 bits over the range.
    for (int i = 0; i < kPhiloxGroup; ++i) {
      auto scaled = static_cast<uint64_t>(static_cast<unsigned __int128>(bits[i]) * range >> 64);
      values[i] = static_cast<int64_t>(static_cast<uint64_t>(p.low) + scaled);
    }
  });
}

const bool registered = [] {
  FastDistributions::each([]<class D>() {
    cpu_kernel<RandomParams<D>>(random_name<D>().c_str(), random<RandomParams<D>, D>);
    cpu_kernel<RandomLikeParams<D>>((random_name<D>() + "_like").c_str(), random<RandomLikeParams<D>, D>);
  });
  cpu_kernel<RandintParams>("_random_randint", randint);
  return true;
}();

}  // namespace
}  // namespace mxnet
