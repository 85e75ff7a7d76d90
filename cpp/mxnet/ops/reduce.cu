// Reductions on a GPU. Not run on hardware.
#include "mxnet/ops/reduce.h"

#include "mxnet/ops/block_reduce.cuh"
#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {
namespace {

// ---- Elements in, totals out. ----

template <class Lane, class T>
struct LoadLane {
  const T* data;
  __device__ Lane operator()(int64_t i) const { return load<Lane>(data + i); }
};
template <class Lane>
struct LoadAnyLane {
  AnyArray array;
  __device__ Lane operator()(int64_t i) const { return array.load<Lane>(i); }
};

// Where totals go: into the output after what is done at the end, or among the totals of pieces.
template <class Total>
struct PutTotal {
  AnyArray out;
  Total* partial;
  int64_t pieces;
  Finish finish;
  int64_t count;

  __device__ void operator()(int64_t result, int64_t piece, Total total) const {
    if (partial) {
      partial[result * pieces + piece] = total;
      return;
    }
    if (finish == Finish::mean) {
      if constexpr (std::is_integral_v<Total>)
        total = count ? total / count : 0;
      else
        total /= static_cast<Total>(count);
    }
    if (finish == Finish::root) total = static_cast<Total>(::sqrt(static_cast<double>(total)));
    if (finish == Finish::truth) total = total != Total(0);
    out.store(result, total);
  }
};

template <class R, class Load, class Put>
void run(const KernelContext& c, const ReduceShape& shape, const Load& load, const Put& put) {
  int64_t blocks = std::min<int64_t>(shape.blocks(), 1 << 20);
  dim3 threads(static_cast<unsigned>(shape.width), static_cast<unsigned>(kReduceThreads / shape.width));
  launch(c, static_cast<unsigned>(blocks), threads, reduce_kernel<R, Load, Put>, shape, load, put);
}

template <class R, class Load>
void reduce_from(const KernelContext& c, const ReduceShape& shape, const Load& load, Finish finish) {
  using Total = typename R::Total;
  PutTotal<Total> put{c.out(0), nullptr, shape.pieces, finish, shape.count};
  if (shape.pieces == 1) return run<R>(c, shape, load, put);
  Scratch partial(c, shape.results * shape.pieces * static_cast<int64_t>(sizeof(Total)));
  Total* totals = partial.as<Total>();
  run<R>(c, shape, load, PutTotal<Total>{c.out(0), totals, shape.pieces, finish, shape.count});
  run<Joined<R>>(c, ReduceShape(shape.results, shape.pieces), LoadLane<Total, Total>{totals}, put);
}

// ---- Kernels. ----

// Sums and products of integers wrap in 64 bits, comparisons are exact there: one lane type serves them all.
template <template <class> class R, template <class> class IntegerR = R>
void reduce(const KernelContext& c, AxisSet set, Finish finish) {
  const TensorView &in = c.in(0), &out = c.out(0);
  if (out.size() == 0) return;
  ReduceShape shape(ReduceLayout(in.shape(), set));
  if (!is_floating(in.dtype)) return reduce_from<IntegerR<int64_t>>(c, shape, LoadAnyLane<int64_t>{in}, finish);
  dispatch_floating(in.dtype, [&]<class T>() {
    using Lane = compute_t<T>;
    reduce_from<R<Lane>>(c, shape, LoadLane<Lane, T>{in.as<const T>()}, finish);
  });
}

template <template <class> class R, template <class> class IntegerR = R>
bool register_reduction(const char* name, Finish finish = Finish::none) {
  return kernel<ReduceParams>(name, [finish](const ReduceParams& p, KernelContext& c) {
    AxisSet set = axis_set(c.op.name.c_str(), p.axis, c.in(0).shape(), p.exclude);
    reduce<R, IntegerR>(c, set, c.out(0).dtype == DType::boolean ? Finish::truth : finish);
  });
}

void norm(const NormParams& p, KernelContext& c) {
  AxisSet set = axis_set("norm", p.axis, c.in(0).shape());
  if (p.ord == 1)
    reduce<MagnitudeSumOf>(c, set, Finish::none);
  else
    reduce<SquareSumOf>(c, set, Finish::root);
}

const bool registered[] = {
    register_reduction<SumOf>("sum"),
    register_reduction<SumOf>("mean", Finish::mean),
    register_reduction<ProductOf>("prod"),
    register_reduction<NanSumOf, SumOf>("nansum"),
    register_reduction<NanProductOf, ProductOf>("nanprod"),
    register_reduction<SquareSumOf>("_square_sum"),
    register_reduction<MaxOf>("max"),
    register_reduction<MinOf>("min"),
    kernel<NormParams>("norm", norm),
};

}  // namespace
}  // namespace mxnet::cuda
