#include "mxnet/ops/reduce.h"

#include "mxnet/ops/no_gradient.h"

namespace mxnet {
namespace {

AxisSet reduced_axes(const ReduceParams& p, const Op& op, const Shape& shape) {
  return axis_set(op.name.c_str(), p.axis, shape, p.exclude);
}

void infer_reduce(const ReduceParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  if (c.shape(0).rank_known())
    c.out(0) = c.in(0).with_shape(reduced_shape(c.shape(0), reduced_axes(p, c.op(), c.shape(0)), p.keepdims));
}

// As above; there is no extreme of nothing.
void infer_extreme(const ReduceParams& p, InferContext& c) {
  infer_reduce(p, c);
  const Shape& shape = c.shape(0);
  if (shape.known() && c.out(0).shape.size() > 0 && reduced_count(shape, reduced_axes(p, c.op(), shape)) == 0)
    c.fail("there is no result for the empty axes of shape ", shape);
}

OpBuilder<ReduceParams> define_reduction(const char* name, const char* doc) {
  return define_op<ReduceParams>(name).doc(doc).input("data", "Array of any shape.").infer(infer_reduce);
}

// Gradients that put one value per result back over the elements it came from.
struct Spread {
  AxisSet axes;
  const Shape& shape;
  Spread(const ReduceParams& p, GradContext& g)
      : axes(reduced_axes(p, g.op(), g.in(0).shape())), shape(g.in(0).shape()) {}
  Expr operator()(const Expr& x) const { return spread(x, shape, axes); }
};

void sum_gradient(const ReduceParams& p, GradContext& g) { g.din(0) = Spread(p, g)(g.dout(0)); }

void mean_gradient(const ReduceParams& p, GradContext& g) {
  Spread over(p, g);
  g.din(0) = over(g.dout(0) / static_cast<double>(std::max<int64_t>(reduced_count(over.shape, over.axes), 1)));
}

// Every element that equals the extreme has the whole gradient.
void extreme_gradient(const ReduceParams& p, GradContext& g) {
  Spread over(p, g);
  g.din(0) = over(g.dout(0)) * (g.in(0) == over(g.out(0)));
}

// The product of the others: with zeros set aside it is the product over the element, and it is zero where
// another element is zero.
Expr product_gradient(const ReduceParams& p, GradContext& g, const Expr& x) {
  static const OpRef prod("prod"), sum("sum");
  Spread over(p, g);
  Expr zero = x == 0.0;
  Expr filled = x + zero;
  Expr product = prod.with({filled}, make_params(p))[0];
  Expr other_zeros = over(sum.with({zero}, make_params(p))[0]) - zero;
  return over(g.dout(0) * product) / filled * (other_zeros == 0.0);
}

// The same by a tree of pairwise products, walked up and then down: it needs no division, so that its own
// derivatives hold at zeros as well.
Expr product_gradient_by_tree(const ReduceParams& p, GradContext& g, const Expr& x) {
  static const OpRef slice("slice_axis"), join("concat");
  Spread over(p, g);
  const Shape& shape = over.shape;
  if (shape.size() == 0) return zeros_like(x);
  std::vector<int> order, back(shape.ndim());
  for (bool reduced : {false, true})
    for (int i = 0; i < shape.ndim(); ++i)
      if (contains(over.axes, i) == reduced) back[i] = static_cast<int>(order.size()), order.push_back(i);
  int64_t count = reduced_count(shape, over.axes), rows = shape.size() / count;
  Expr moved = transpose(x, order);
  auto part = [](const Expr& a, int64_t begin, int64_t end) {
    return slice({a}, {{"axis", 1}, {"begin", begin}, {"end", end}});
  };
  auto beside = [](const Expr& a, const Expr& b) { return join({a, b}, {{"num_args", 2}, {"dim", 1}}); };

  std::vector<std::pair<Expr, Expr>> halves;
  std::vector<int64_t> widths;
  Expr level = reshape(moved, Shape{rows, count});
  for (int64_t width = count; width > 1; width = (width + 1) / 2) {
    if (width % 2) level = beside(level, ones(Shape{rows, 1}, x.dtype(), x.ctx()));
    int64_t half = (width + 1) / 2;
    halves.emplace_back(part(level, 0, half), part(level, half, 2 * half));
    widths.push_back(width);
    level = halves.back().first * halves.back().second;
  }
  Expr slope = reshape(g.dout(0), Shape{rows, 1});
  for (size_t i = halves.size(); i-- > 0;) {
    slope = beside(slope * halves[i].second, slope * halves[i].first);
    if (widths[i] % 2) slope = part(slope, 0, widths[i]);
  }
  return transpose(reshape(slope, moved.shape()), back);
}

Expr without_nan(const Expr& x, double replacement) {
  return select(x == x, x, full(x.shape(), replacement, x.dtype(), x.ctx()));
}

const Op& sum_op = define_reduction("sum", "Sum of the elements over the given axes, accumulated in float32 or wider.")
                       .alias({"sum_axis", "_sparse_sum"})
                       .gradient(sum_gradient)
                       .grad_uses(false, false)
                       .method();

const Op& mean_op = define_reduction("mean", "Mean of the elements over the given axes; integers round towards zero.")
                        .alias({"_sparse_mean"})
                        .gradient(mean_gradient)
                        .grad_uses(false, false)
                        .method();

const Op& prod_op =
    define_reduction("prod", "Product of the elements over the given axes.")
        .gradient([](const ReduceParams& p, GradContext& g) { g.din(0) = product_gradient_by_tree(p, g, g.in(0)); })
        .fast_gradient([](const ReduceParams& p, GradContext& g) { g.din(0) = product_gradient(p, g, g.in(0)); })
        .grad_uses(true, false)
        .method();

const Op& nansum_op = define_reduction("nansum", "Sum of the elements over the given axes, NaN counting as 0.")
                          .gradient([](const ReduceParams& p, GradContext& g) {
                            g.din(0) = Spread(p, g)(g.dout(0)) * (g.in(0) == g.in(0));
                          })
                          .grad_uses(true, false)
                          .method();

const Op& nanprod_op = define_reduction("nanprod", "Product of the elements over the given axes, NaN counting as 1.")
                           .gradient([](const ReduceParams& p, GradContext& g) {
                             Expr slope = product_gradient_by_tree(p, g, without_nan(g.in(0), 1));
                             g.din(0) = slope * (g.in(0) == g.in(0));
                           })
                           .fast_gradient([](const ReduceParams& p, GradContext& g) {
                             Expr slope = product_gradient(p, g, without_nan(g.in(0), 1));
                             g.din(0) = slope * (g.in(0) == g.in(0));
                           })
                           .grad_uses(true, false)
                           .method();

const Op& max_op = define_reduction("max", "Largest element over the given axes; NaN if there is one.")
                       .alias({"max_axis"})
                       .infer(infer_extreme)
                       .gradient(extreme_gradient)
                       .method();

const Op& min_op = define_reduction("min", "Smallest element over the given axes; NaN if there is one.")
                       .alias({"min_axis"})
                       .infer(infer_extreme)
                       .gradient(extreme_gradient)
                       .method();

const Op& square_sum_op =
    define_reduction("_square_sum", "Sum of the squares of the elements over the given axes.")
        .gradient([](const ReduceParams& p, GradContext& g) { g.din(0) = g.in(0) * Spread(p, g)(g.dout(0) * 2.0); })
        .grad_uses(true, false);

void infer_norm(const NormParams& p, InferContext& c) {
  if (p.ord != 1 && p.ord != 2) c.fail("ord is ", p.ord, ", expected 1 or 2");
  c.out(0) = TensorSpec{}.with_dtype(c.in(0).dtype).with_dtype(p.out_dtype);
  if (c.shape(0).rank_known())
    c.out(0).shape = reduced_shape(c.shape(0), axis_set("norm", p.axis, c.shape(0)), p.keepdims);
}

void norm_gradient(const NormParams& p, GradContext& g) {
  const Shape& shape = g.in(0).shape();
  AxisSet axes = axis_set("norm", p.axis, shape);
  Expr dout = spread(cast(g.dout(0), g.in(0).dtype()), shape, axes);
  g.din(0) = p.ord == 1 ? dout * sign(g.in(0)) : dout * g.in(0) / spread(cast(g.out(0), g.in(0).dtype()), shape, axes);
}

const Op& norm_op =
    define_op<NormParams>("norm")
        .doc("Norm of the elements over the given axes: the sum of |x| or the square root of the sum of x^2.")
        .alias({"_sparse_norm"})
        .input("data", "Array of any shape.")
        .infer(infer_norm)
        .gradient(norm_gradient)
        .method();

// Types whose whole numbers do not reach far give their places in float32.
DType place_dtype(DType dtype) {
  bool narrow = dtype == DType::boolean || dtype == DType::uint8 || dtype == DType::int8 || dtype == DType::bfloat16;
  return narrow ? DType::float32 : dtype;
}

void infer_arg(const ArgParams& p, InferContext& c) {
  c.out(0).dtype = place_dtype(c.in(0).dtype);
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  AxisSet set = p.axis ? AxisSet{1} << c.axis(*p.axis, shape) : all_axes(shape.ndim());
  c.out(0).shape = reduced_shape(shape, set, p.keepdims);
  if (shape.known() && c.out(0).shape.size() > 0 && reduced_count(shape, set) == 0)
    c.fail("there is no place in the empty axis of shape ", shape);
}

const Op& argmax_op = define_op<ArgParams>("argmax")
                          .doc(
                              "Index of the largest element along `axis`, the first of equals, or of the first NaN; "
                              "in the element type of the data, float32 for types of 8 bits and bfloat16.")
                          .input("data", "Array of any shape.")
                          .infer(infer_arg)
                          .gradient(no_gradient)
                          .grad_uses(false, false)
                          .method();

const Op& argmin_op = define_op<ArgParams>("argmin")
                          .doc(
                              "Index of the smallest element along `axis`, the first of equals, or of the first NaN; "
                              "in the element type of the data, float32 for types of 8 bits and bfloat16.")
                          .input("data", "Array of any shape.")
                          .infer(infer_arg)
                          .gradient(no_gradient)
                          .grad_uses(false, false)
                          .method();

const Op& argmax_channel_op = define_op<NoParams>("argmax_channel")
                                  .doc("Index of the largest element along axis 1, which is taken out of the shape.")
                                  .input("data", "Array of two or more dimensions.")
                                  .infer([](const NoParams&, InferContext& c) {
                                    c.expect_rank(0, 2, 64);
                                    infer_arg(ArgParams{1, false}, c);
                                  })
                                  .method();

const Op& moments_op =
    define_op<MomentsParams>("moments")
        .doc("Mean and variance of `data` over `axes`: (mean(x), mean((x - mean(x))^2)).")
        .input("data", "Array of any shape.")
        .outputs(2)
        .infer([](const MomentsParams& p, InferContext& c) {
          c.out(0).dtype = c.out(1).dtype = c.in(0).dtype;
          if (!c.shape(0).rank_known()) return;
          c.out(0).shape = c.out(1).shape =
              reduced_shape(c.shape(0), axis_set("moments", p.axes, c.shape(0)), p.keepdims);
        })
        .compose([](const MomentsParams& p, std::span<const Expr> in) {
          static const OpRef mean("mean");
          const Shape& shape = in[0].shape();
          AxisSet axes = axis_set("moments", p.axes, shape);
          if (in[0].dtype() == DType::boolean)
            type_error("moments: data has dtype bool, expected a number; convert it with astype");
          Expr middle = mean.with(in, make_params(ReduceParams{p.axes, true}))[0];
          Expr variance = mean.with({square(in[0] - middle)}, make_params(ReduceParams{p.axes, p.keepdims}))[0];
          return std::vector<Expr>{reshape(middle, reduced_shape(shape, axes, p.keepdims)), variance};
        });

}  // namespace
}  // namespace mxnet
