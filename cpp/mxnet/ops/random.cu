// GPU kernels that draw numbers: the random bits of each element are those it has on a CPU. Not run on hardware.
#include "mxnet/ops/random.h"

#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/cuda.cuh"
#include "mxnet/ops/dropout.h"

namespace mxnet::cuda {
namespace {

// ---- Numbers in groups of 64. A thread has a block of the generator, four numbers that lie 16 apart. ----

struct FourBits {
  PhiloxBlock high, low;
  __device__ uint64_t wide(int i) const { return static_cast<uint64_t>(high.word[i]) << 32 | low.word[i]; }
};

// body(bits, values) gives the numbers, take(i, value, bits) receives them for the elements of the array.
template <class V, bool wide, class Body, class Take>
__global__ void draw_kernel(int64_t n, uint64_t key, uint64_t offset, Body body, Take take) {
  constexpr uint64_t kLanes = kPhiloxGroup / 4;
  uint64_t first = offset / kPhiloxGroup * kLanes, last = (offset + static_cast<uint64_t>(n) - 1) / kPhiloxGroup;
  int64_t blocks = static_cast<int64_t>((last + 1) * kLanes - first);
  for (int64_t b = first_item(); b < blocks; b += item_step()) {
    uint64_t block = first + static_cast<uint64_t>(b), start = block / kLanes * kPhiloxGroup + block % kLanes;
    FourBits bits{philox(key, block, 0, PhiloxUse::bits), {}};
    if (wide) bits.low = philox(key, block, 0, PhiloxUse::low_bits);
    V values[4];
    body(bits, values);
    for (int w = 0; w < 4; ++w) {
      int64_t i = static_cast<int64_t>(start + static_cast<uint64_t>(w) * kLanes - offset);
      if (i >= 0 && i < n) take(i, values[w]);
    }
  }
}

template <class V, bool wide, class Body, class Take>
void draw(const KernelContext& c, int64_t n, const Body& body, const Take& take) {
  if (n == 0) return;
  launch(c, blocks_for(n / 4 + kPhiloxGroup), kThreads, draw_kernel<V, wide, Body, Take>, n, c.random_key,
         c.random_offset, body, take);
}

struct Put {
  AnyArray out;
  template <class V>
  __device__ void operator()(int64_t i, V value) const {
    out.store(i, value);
  }
};

// In (0, 1]: what a logarithm takes.
__device__ float open_interval(const FourBits& bits, int i, float) {
  return static_cast<float>(static_cast<int32_t>(bits.high.word[i] >> 1)) * 0x1p-31f + 0x1p-32f;
}
__device__ double open_interval(const FourBits& bits, int i, double) {
  return (static_cast<double>(static_cast<int64_t>(bits.wide(i) >> 12)) + 0.5) * 0x1p-52;
}

template <class V>
struct UniformDraw {
  V low, high;
  int digits;
  __device__ void operator()(const FourBits& bits, V (&values)[4]) const {
    for (int i = 0; i < 4; ++i) {
      if constexpr (std::is_same_v<V, double>) {
        values[i] = low + (high - low) * open_interval(bits, i, V{});
      } else {
        float unit =
            static_cast<float>(static_cast<int32_t>(bits.high.word[i] >> (32 - digits))) * ::ldexpf(1.0f, -digits);
        V y = low + (high - low) * unit;
        values[i] = y < high ? y : low;
      }
    }
  }
};

// Box and Muller: the first half of a group gives radii, the second angles, and each pair two numbers.
template <class V>
struct NormalDraw {
  V loc, scale;
  __device__ void operator()(const FourBits& bits, V (&values)[4]) const {
    for (int i = 0; i < 2; ++i) {
      V radius = scale * sqrt(V(-2) * log(open_interval(bits, i, V{})));
      V angle = V(2 * std::numbers::pi) * open_interval(bits, i + 2, V{});
      values[i] = loc + radius * cos(angle);
      values[i + 2] = loc + radius * sin(angle);
    }
  }
};

template <class V>
struct ExponentialDraw {
  V scale;
  __device__ void operator()(const FourBits& bits, V (&values)[4]) const {
    for (int i = 0; i < 4; ++i) values[i] = log(open_interval(bits, i, V{})) * scale;
  }
};

struct IntegerDraw {
  int64_t low;
  uint64_t range;
  __device__ void operator()(const FourBits& bits, int64_t (&values)[4]) const {
    for (int i = 0; i < 4; ++i)
      values[i] = static_cast<int64_t>(static_cast<uint64_t>(low) + high_product(bits.wide(i), range));
  }
  // The high word of a product.
  __device__ static uint64_t high_product(uint64_t a, uint64_t b) {
    uint64_t a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32), low = a0 * b1 + (middle & 0xffffffff);
    return a1 * b1 + (middle >> 32) + (low >> 32);
  }
};

template <template <class> class Draw, class... Params>
void draw_floating(const KernelContext& c, Params... p) {
  const TensorView& out = c.out(0);
  if (out.dtype == DType::float64)
    draw<double, true>(c, out.size(), Draw<double>{static_cast<double>(p)...}, Put{out});
  else
    draw<float, false>(c, out.size(), Draw<float>{static_cast<float>(p)...}, Put{out});
}

void draw_from(const Uniform& d, const KernelContext& c) {
  const TensorView& out = c.out(0);
  if (out.dtype == DType::float64)
    return draw<double, true>(c, out.size(), UniformDraw<double>{d.low, d.high, 52}, Put{out});
  int digits = out.dtype == DType::float16 ? 11 : out.dtype == DType::bfloat16 ? 8 : 24;
  draw<float, false>(c, out.size(), UniformDraw<float>{static_cast<float>(d.low), static_cast<float>(d.high), digits},
                     Put{out});
}
void draw_from(const Normal& d, const KernelContext& c) { draw_floating<NormalDraw>(c, d.loc, d.scale); }
void draw_from(const Exponential& d, const KernelContext& c) { draw_floating<ExponentialDraw>(c, -1 / d.lam); }

// Distributions drawn by rejection: a stream of bits for each element.
template <class D>
void draw_from(const D& d, const KernelContext& c) {
  AnyArray out(c.out(0));
  uint64_t key = c.random_key, offset = c.random_offset;
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    PhiloxStream bits(key, offset + static_cast<uint64_t>(i));
    out.store(i, d.sample(bits));
  });
}

void randint(const RandintParams& p, KernelContext& c) {
  check_parameters(p, c);
  IntegerDraw integers{p.low, static_cast<uint64_t>(p.high) - static_cast<uint64_t>(p.low)};
  draw<int64_t, true>(c, c.out(0).size(), integers, Put{c.out(0)});
}

template <class D>
__device__ D made(double first, double second) {
  if constexpr (requires { D{0.0, 0.0}; })
    return {first, second};
  else
    return {first};
}

// Parameters in arrays. What makes no sense gives NaN: to raise an error the host would have to wait for it.
template <class D>
void sample(const SampleParams&, KernelContext& c) {
  AnyArray out(c.out(0)), first(c.in(0)), second(c.in(static_cast<int>(c.inputs.size()) - 1));
  bool has_second = c.inputs.size() > 1;
  int64_t sets = c.in(0).size(), per_set = sets ? c.out(0).size() / sets : 0;
  uint64_t key = c.random_key, offset = c.random_offset;
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    D d = made<D>(first.load<double>(i / per_set), has_second ? second.load<double>(i / per_set) : 0);
    PhiloxStream bits(key, offset + static_cast<uint64_t>(i));
    out.store(i, d.problem() ? ::nan("") : d.sample(bits));
  });
}

// ---- Dropout: a number is kept where its random bits stay below the threshold. ----

struct Kept {
  int32_t threshold;
  __device__ void operator()(const FourBits& bits, uint8_t (&values)[4]) const {
    for (int i = 0; i < 4; ++i) values[i] = static_cast<int32_t>(bits.high.word[i] >> 1) < threshold;
  }
};
struct PutMask {
  uint8_t* mask;
  __device__ void operator()(int64_t i, uint8_t value) const { mask[i] = value; }
};

// y = x times what the mask says; the mask may have extents of one.
template <class V>
void apply_mask(const KernelContext& c, double p, const TensorView& in, const TensorView& mask, const TensorView& out) {
  AnyArray x(in), y(out);
  const uint8_t* m = mask.as<const uint8_t>();
  V scale = static_cast<V>(p < 1 ? static_cast<float>(1 / (1 - p)) : 0.0f);
  StridedAxes axes(BroadcastPlan(out.shape(), mask.shape(), mask.shape()));
  each(c, out.size(), [=] __device__(int64_t i) {
    uint8_t kept = m[axes.offsets(static_cast<uint64_t>(i)).a];
    y.store(i, kept == kDropoutPassed ? x.load<V>(i) : kept == kDropoutKept ? x.load<V>(i) * scale : V(0));
  });
}
void apply_mask(const KernelContext& c, double p, const TensorView& in, const TensorView& mask, const TensorView& out) {
  if (out.dtype == DType::float64)
    apply_mask<double>(c, p, in, mask, out);
  else
    apply_mask<float>(c, p, in, mask, out);
}

void dropout(const DropoutParams& p, KernelContext& c) {
  const TensorView& mask = c.out(1);
  if (!drops(p, c.training)) {
    uint8_t* m = mask.as<uint8_t>();
    each(c, mask.size(), [=] __device__(int64_t i) { m[i] = kDropoutPassed; });
  } else {
    Kept kept{static_cast<int32_t>((1 - p.p) * 2147483647.0)};
    draw<uint8_t, false>(c, mask.size(), kept, PutMask{mask.as<uint8_t>()});
  }
  apply_mask(c, p.p, c.in(0), mask, c.out(0));
}

template <class D>
void register_random() {
  kernel<RandomParams<D>>(random_name<D>().c_str(), [](const RandomParams<D>& p, KernelContext& c) {
    check_parameters(p, c);
    draw_from(static_cast<const D&>(p), c);
  });
  kernel<RandomLikeParams<D>>((random_name<D>() + "_like").c_str(), [](const RandomLikeParams<D>& p, KernelContext& c) {
    check_parameters(p, c);
    draw_from(static_cast<const D&>(p), c);
  });
  kernel<SampleParams>((std::string("_sample_") + D::name).c_str(), sample<D>);
}

const bool registered = [] {
  FastDistributions::each([]<class D>() { register_random<D>(); });
  SlowDistributions::each([]<class D>() { register_random<D>(); });
  kernel<RandintParams>("_random_randint", randint);
  kernel<DropoutParams>("Dropout", dropout);
  kernel<DropoutParams>("_dropout_apply", [](const DropoutParams& p, KernelContext& c) {
    apply_mask(c, p.p, c.in(0), c.in(1), c.out(0));
  });
  return true;
}();

}  // namespace
}  // namespace mxnet::cuda
