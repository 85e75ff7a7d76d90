// Operators that repeat elements: broadcasting to a shape, tile, repeat.
#include "mxnet/ops/shape.h"

namespace mxnet {
namespace {

void check_broadcast(const InferContext& c, const Shape& from, const Shape& to) {
  bool fits = from.ndim() <= to.ndim();
  for (int i = 0; fits && i < from.ndim(); ++i) {
    int64_t x = from[i], y = to[i + to.ndim() - from.ndim()];
    fits = x == y || x == 1 || x < 0 || y < 0;
  }
  if (!fits) c.fail("shape ", from, " cannot be broadcast to ", to);
}

template <class P, class F>
OpBuilder<P> define_broadcast(const char* name, const char* doc, F infer) {
  return define_op<P>(name)
      .doc(doc)
      .infer(infer)
      .gradient([](const P&, GradContext& g) { g.din(0) = sum_to(g.dout(0), g.in(0).shape()); })
      .grad_uses(false, false);
}

const Op& broadcast_target_op =
    define_broadcast<ShapeParams>("_broadcast_to", "`data` broadcast to exactly this shape by NumPy's rules.",
                                  [](const ShapeParams& p, InferContext& c) {
                                    c.out(0) = c.in(0).with_shape(p.shape);
                                    if (c.shape(0).rank_known()) check_broadcast(c, c.shape(0), p.shape);
                                  })
        .input("data", "Array whose shape broadcasts.");

void infer_broadcast_to(const ShapeParams& p, InferContext& c) {
  const Shape& shape = c.shape(0);
  c.out(0) = c.in(0).with_shape(p.shape);
  if (!shape.rank_known()) return;
  if (shape.ndim() != p.shape.ndim())
    c.fail("shape ", shape, " cannot be broadcast to ", p.shape, ", which has another number of axes");
  for (int i = 0; i < shape.ndim(); ++i)
    if (p.shape[i] == 0) c.out(0).shape[i] = shape[i];
  check_broadcast(c, shape, c.out(0).shape);
}

const Op& broadcast_to_op =
    define_broadcast<ShapeParams>("broadcast_to",
                                  "`data` with axes of extent 1 repeated to `shape`; 0 in `shape` keeps an extent.",
                                  infer_broadcast_to)
        .input("data", "Array with as many axes as `shape`.")
        .method();

void infer_broadcast_axis(const BroadcastAxisParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  if (p.axis.ndim() != p.size.ndim()) c.fail("axis ", p.axis, " and size ", p.size, " differ in length");
  if (!c.shape(0).rank_known()) return;
  for (int i = 0; i < p.axis.ndim(); ++i) {
    int64_t& extent = c.out(0).shape[c.axis(p.axis[i], c.shape(0))];
    if (extent > 1 || extent == 0) c.fail("axis ", p.axis[i], " of shape ", c.shape(0), " has an extent other than 1");
    extent = p.size[i];
  }
}

const Op& broadcast_axis_op =
    define_broadcast<BroadcastAxisParams>("broadcast_axis", "`data` with the given axes of extent 1 repeated.",
                                          infer_broadcast_axis)
        .input("data", "Array of any shape.")
        .alias({"broadcast_axes"})
        .method();

void infer_broadcast_like(const BroadcastLikeParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape &lhs = c.shape(0), &rhs = c.shape(1);
  if (!lhs.rank_known() || !rhs.rank_known()) return;
  if (p.lhs_axes.has_value() != p.rhs_axes.has_value()) c.fail("lhs_axes and rhs_axes must be given together");
  Shape shape = p.lhs_axes ? lhs : rhs;
  if (!p.lhs_axes && lhs.ndim() != rhs.ndim())
    c.fail("shape ", lhs, " cannot be broadcast to ", rhs, ", which has another number of axes");
  if (p.lhs_axes) {
    if (p.lhs_axes->ndim() != p.rhs_axes->ndim())
      c.fail("lhs_axes ", *p.lhs_axes, " and rhs_axes ", *p.rhs_axes, " differ in length");
    for (int i = 0; i < p.lhs_axes->ndim(); ++i)
      shape[c.axis((*p.lhs_axes)[i], lhs)] = rhs[c.axis((*p.rhs_axes)[i], rhs)];
  }
  check_broadcast(c, lhs, shape);
  c.out(0).shape = shape;
}

const Op& broadcast_like_op =
    define_broadcast<BroadcastLikeParams>(
        "broadcast_like", "`lhs` with axes of extent 1 repeated to the extents of `rhs`.", infer_broadcast_like)
        .input("lhs", "Array to broadcast.")
        .input("rhs", "Array whose extents are taken.")
        .method();

void infer_tile(const TileParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  Shape& shape = c.out(0).shape;
  if (!shape.rank_known()) return;
  while (shape.ndim() < p.reps.ndim()) shape.insert(0, 1);
  for (int i = 0; i < p.reps.ndim(); ++i) {
    int64_t& extent = shape[shape.ndim() - p.reps.ndim() + i];
    if (p.reps[i] < 0) c.fail("reps ", p.reps, " has a negative item");
    if (extent >= 0) extent *= p.reps[i];
  }
}

// The result as pairs of axes (repetition, extent); the gradient is the sum over the repetitions.
void tile_gradient(const TileParams& p, GradContext& g) {
  const Shape &shape = g.in(0).shape(), &tiled = g.out_shape(0);
  Shape pairs;
  std::vector<int> repetitions;
  for (int i = 0; i < tiled.ndim(); ++i) {
    int from_end = tiled.ndim() - i;
    int64_t reps = from_end <= p.reps.ndim() ? p.reps[p.reps.ndim() - from_end] : 1;
    int64_t extent = from_end <= shape.ndim() ? shape[shape.ndim() - from_end] : 1;
    repetitions.push_back(pairs.ndim());
    pairs.push_back(reps);
    pairs.push_back(extent);
  }
  g.din(0) = repetitions.empty() ? g.dout(0) : reshape(sum(reshape(g.dout(0), pairs), repetitions, false), shape);
}

const Op& tile_op = define_op<TileParams>("tile")
                        .doc(
                            "`data` repeated as a whole along each axis; the shorter of its shape and `reps` is filled "
                            "up with ones in front.")
                        .alias({"_npi_tile"})
                        .input("data", "Array of any shape.")
                        .infer(infer_tile)
                        .gradient(tile_gradient)
                        .grad_uses(false, false)
                        .method();

void infer_repeat(const RepeatParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  if (p.repeats < 0) c.fail("repeats is ", p.repeats, ", expected 0 or more");
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  if (!p.axis) {
    c.out(0).shape = Shape{shape.known() ? shape.size() * p.repeats : kUnknown};
    return;
  }
  c.out(0).shape = shape;
  int64_t& extent = c.out(0).shape[c.axis(*p.axis, shape)];
  if (extent >= 0) extent *= p.repeats;
}

void repeat_gradient(const RepeatParams& p, GradContext& g) {
  const Shape& shape = g.in(0).shape();
  Shape split = p.axis ? shape : Shape{shape.size()};
  int axis = p.axis ? normal_axis("repeat", *p.axis, shape) : 0;
  split.insert(axis + 1, p.repeats);
  g.din(0) = reshape(sum(reshape(g.dout(0), split), std::array{axis + 1}, false), shape);
}

const Op& repeat_op = define_op<RepeatParams>("repeat")
                          .doc("Each element of `data` repeated along `axis`, or the flattened data if that is None.")
                          .alias({"_np_repeat"})
                          .input("data", "Array of any shape.")
                          .infer(infer_repeat)
                          .gradient(repeat_gradient)
                          .grad_uses(false, false)
                          .method();

}  // namespace
}  // namespace mxnet
