#include "mxnet/ops/random.h"

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/no_gradient.h"

namespace mxnet {
namespace {

// Numbers drawn by rejection take some 100 ns each.
constexpr int64_t kDrawGrain = 256;

DType floating_or_default(InferContext& c, DType dtype) {
  if (dtype == DType::unknown) return DType::float32;
  if (!is_floating(dtype)) c.fail_type("dtype is ", dtype, ", expected a floating dtype");
  return dtype;
}

// What the call says, else what `out` says, else one number.
Shape result_shape(const std::optional<Shape>& shape, InferContext& c) {
  const Shape& given = c.out(0).shape;
  return shape ? *shape : given.rank_known() ? given : Shape{1};
}
DType result_dtype(DType dtype, InferContext& c) { return dtype == DType::unknown ? c.out(0).dtype : dtype; }

template <class D>
void infer_random(const RandomParams<D>& p, InferContext& c) {
  c.out(0) = {result_shape(p.shape, c), floating_or_default(c, result_dtype(p.dtype, c))};
}

template <class D>
void infer_like(const RandomLikeParams<D>&, InferContext& c) {
  c.out(0) = c.in(0);
}

void store(const TensorView& out, int64_t i, double value) {
  cast_block(&value, DType::float64, out.as<char>() + i * size_of(out.dtype), out.dtype, 1);
}

template <class P>
void draw_each(const P& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  check_parameters(p, c);
  parallel_for(out.size(), kDrawGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      PhiloxStream bits(c.random_key, c.random_offset + static_cast<uint64_t>(i));
      store(out, i, p.sample(bits));
    }
  });
}

template <class D>
auto define_random() {
  auto op = define_op<RandomParams<D>>(random_name<D>().c_str());
  op.doc(D::doc).alias({(std::string("random_") + D::name).c_str()});
  if (std::is_same_v<D, Uniform> || std::is_same_v<D, Normal>) op.alias({D::name});
  op.infer(infer_random<D>).context_field("ctx").random();
  return op;
}

template <class D>
auto define_like() {
  auto op = define_op<RandomLikeParams<D>>((random_name<D>() + "_like").c_str());
  static const std::string doc = std::string(D::doc) + " The result has shape and dtype of the input.";
  op.doc(doc.c_str())
      .input("data", "Array that gives shape and dtype.")
      .infer(infer_like<D>)
      .gradient(no_gradient)
      .grad_uses(false, false)
      .random();
  return op;
}

const bool defined = [] {
  FastDistributions::each([]<class D>() {
    define_random<D>();
    define_like<D>();
  });
  SlowDistributions::each([]<class D>() {
    define_random<D>().cpu(draw_each<RandomParams<D>>).heavy();
    define_like<D>().cpu(draw_each<RandomLikeParams<D>>).heavy();
  });
  return true;
}();

// Draws whose parameters stand in arrays: one set of parameters gives a block of `shape` numbers.

void infer_sample(const SampleParams& p, InferContext& c) {
  for (int i = 1; i < c.num_inputs(); ++i) {
    c.expect_shape(0, c.shape(i));
    c.expect_shape(i, c.shape(0));
  }
  c.same_dtype();
  Shape shape = c.shape(0);
  if (shape.rank_known())
    for (int64_t extent : p.shape) shape.push_back(extent);
  c.out(0) = {shape, floating_or_default(c, p.dtype)};
}

double number_at(const TensorView& view, int64_t i) {
  double value;
  cast_block(view.as<char>() + i * size_of(view.dtype), view.dtype, &value, DType::float64, 1);
  return value;
}

template <class D, int num_parameters>
void sample_cpu(const SampleParams&, KernelContext& c) {
  const TensorView& out = c.out(0);
  int64_t sets = c.in(0).size(), per_set = sets ? out.size() / sets : 0;
  if (out.size() == 0) return;
  parallel_for(out.size(), kDrawGrain, [&](int64_t begin, int64_t end) {
    int64_t set = -1;
    D distribution;
    for (int64_t i = begin; i < end; ++i) {
      if (i / per_set != set) {
        set = i / per_set;
        if constexpr (num_parameters == 2)
          distribution = {number_at(c.in(0), set), number_at(c.in(1), set)};
        else
          distribution = {number_at(c.in(0), set)};
        check_parameters(distribution, c);
      }
      PhiloxStream bits(c.random_key, c.random_offset + static_cast<uint64_t>(i));
      store(out, i, distribution.sample(bits));
    }
  });
}

template <class D, class... Names>
void define_sample(Names... names) {
  auto op = define_op<SampleParams>((std::string("_sample_") + D::name).c_str());
  static const std::string doc =
      std::string(D::doc) + " For each element of the parameter arrays the result holds a block of `shape` draws.";
  op.doc(doc.c_str()).alias({(std::string("sample_") + D::name).c_str()});
  (op.input(names, "Parameter of the distribution, one for each block of draws."), ...);
  op.infer(infer_sample).cpu(sample_cpu<D, sizeof...(Names)>).gradient(no_gradient).grad_uses(false, false);
  op.heavy().random();
}

const bool samples_defined = [] {
  define_sample<Uniform>("low", "high");
  define_sample<Normal>("mu", "sigma");
  define_sample<GammaDistribution>("alpha", "beta");
  define_sample<Exponential>("lam");
  define_sample<Poisson>("lam");
  define_sample<NegativeBinomial>("k", "p");
  define_sample<GeneralizedNegativeBinomial>("mu", "alpha");
  return true;
}();

const Op& randint = define_op<RandintParams>("_random_randint")
                        .doc("Integers drawn uniformly from low up to but not including high.")
                        .alias({"random_randint", "_npi_random_randint"})
                        .infer([](const RandintParams& p, InferContext& c) {
                          DType dtype = result_dtype(p.dtype, c);
                          if (dtype == DType::unknown) dtype = DType::int32;
                          if (dtype != DType::int32 && dtype != DType::int64)
                            c.fail_type("dtype is ", dtype, ", expected int32 or int64");
                          c.out(0) = {result_shape(p.shape, c), dtype};
                        })
                        .context_field("ctx")
                        .random();

}  // namespace
}  // namespace mxnet
