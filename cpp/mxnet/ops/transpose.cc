// Operators that put axes into another order: transpose, SwapAxis, reverse, depth_to_space, space_to_depth.
#include "mxnet/ops/shape.h"

namespace mxnet {

std::vector<int> permutation(const TransposeParams& p, int rank) {
  std::vector<int> axes(rank);
  for (int i = 0; i < rank; ++i)
    axes[i] = p.axes.ndim() ? static_cast<int>(p.axes[i] < 0 ? p.axes[i] + rank : p.axes[i]) : rank - 1 - i;
  return axes;
}

namespace {

void infer_transpose(const TransposeParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) {
    if (p.axes.ndim()) c.out(0).shape = Shape::filled(p.axes.ndim(), kUnknown);
    return;
  }
  int rank = shape.ndim();
  if (p.axes.ndim() && p.axes.ndim() != rank) c.fail("axes ", p.axes, " do not fit an array of shape ", shape);
  AxisSet seen = 0;
  c.out(0).shape = Shape();
  for (int64_t axis : p.axes) {
    AxisSet bit = AxisSet{1} << c.axis(axis, shape);
    if (seen & bit) c.fail("axis ", axis, " is given twice in ", p.axes);
    seen |= bit;
  }
  for (int axis : permutation(p, rank)) c.out(0).shape.push_back(shape[axis]);
}

void transpose_gradient(const TransposeParams& p, GradContext& g) {
  int rank = g.in(0).shape().ndim();
  std::vector<int> axes = permutation(p, rank), inverse(rank);
  for (int i = 0; i < rank; ++i) inverse[axes[i]] = i;
  g.din(0) = transpose(g.dout(0), inverse);
}

const Op& transpose_op = define_op<TransposeParams>("transpose")
                             .doc("`data` with its axes in another order.")
                             .input("data", "Array of any shape.")
                             .infer(infer_transpose)
                             .gradient(transpose_gradient)
                             .grad_uses(false, false)
                             .method();

void infer_swap(const SwapAxisParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  if (!c.shape(0).rank_known()) return;
  Shape& shape = c.out(0).shape;
  std::swap(shape[c.axis(p.dim1, c.shape(0))], shape[c.axis(p.dim2, c.shape(0))]);
}

const Op& swap_op = define_op<SwapAxisParams>("SwapAxis")
                        .doc("`data` with two axes exchanged.")
                        .alias({"swapaxes", "_npi_swapaxes"})
                        .input("data", "Array of any shape.")
                        .infer(infer_swap)
                        .gradient([](const SwapAxisParams& p, GradContext& g) {
                          static const OpRef swap("SwapAxis");
                          g.din(0) = swap.with({g.dout(0)}, make_params(p))[0];
                        })
                        .grad_uses(false, false)
                        .method();

const Op& reverse_op = define_op<ReverseParams>("reverse")
                           .doc("`data` with the elements along the given axes in reverse order.")
                           .alias({"flip"})
                           .input("data", "Array of any shape.")
                           .infer([](const ReverseParams& p, InferContext& c) {
                             c.out(0) = c.in(0);
                             if (!c.shape(0).rank_known()) return;
                             for (int64_t axis : p.axis) c.axis(axis, c.shape(0));
                           })
                           .gradient([](const ReverseParams& p, GradContext& g) {
                             static const OpRef reverse("reverse");
                             g.din(0) = reverse.with({g.dout(0)}, make_params(p))[0];
                           })
                           .grad_uses(false, false)
                           .method();

int64_t divided(int64_t extent, int64_t by) { return extent < 0 ? extent : extent / by; }
int64_t multiplied(int64_t extent, int64_t by) { return extent < 0 ? extent : extent * by; }

void check_block(const BlockParams& p, InferContext& c) {
  if (p.block_size < 1) c.fail("block_size is ", p.block_size, ", expected 1 or more");
  c.expect_rank(0, 4);
  c.out(0).dtype = c.in(0).dtype;
}

void infer_depth_to_space(const BlockParams& p, InferContext& c) {
  check_block(p, c);
  const Shape& s = c.shape(0);
  if (!s.rank_known()) return;
  int64_t b = p.block_size;
  if (s[1] % (b * b) && s[1] > 0) c.fail("the ", s[1], " channels of shape ", s, " are no multiple of ", b * b);
  c.out(0).shape = Shape{s[0], divided(s[1], b * b), multiplied(s[2], b), multiplied(s[3], b)};
}

void infer_space_to_depth(const BlockParams& p, InferContext& c) {
  check_block(p, c);
  const Shape& s = c.shape(0);
  if (!s.rank_known()) return;
  int64_t b = p.block_size;
  if ((s[2] > 0 && s[2] % b) || (s[3] > 0 && s[3] % b))
    c.fail("height and width of shape ", s, " are no multiples of ", b);
  c.out(0).shape = Shape{s[0], multiplied(s[1], b * b), divided(s[2], b), divided(s[3], b)};
}

const Op& depth_to_space_op =
    define_op<BlockParams>("depth_to_space")
        .doc("(N, C*b*b, H, W) to (N, C, H*b, W*b): each b*b channels become a block of pixels.")
        .input("data", "Array of shape (N, C*b*b, H, W).")
        .infer(infer_depth_to_space)
        .gradient([](const BlockParams& p, GradContext& g) {
          static const OpRef back("space_to_depth");
          g.din(0) = back.with({g.dout(0)}, make_params(p))[0];
        })
        .grad_uses(false, false)
        .method();

const Op& space_to_depth_op =
    define_op<BlockParams>("space_to_depth")
        .doc("(N, C, H*b, W*b) to (N, C*b*b, H, W): each block of pixels becomes b*b channels.")
        .input("data", "Array of shape (N, C, H*b, W*b).")
        .infer(infer_space_to_depth)
        .gradient([](const BlockParams& p, GradContext& g) {
          static const OpRef back("depth_to_space");
          g.din(0) = back.with({g.dout(0)}, make_params(p))[0];
        })
        .grad_uses(false, false)
        .method();

}  // namespace
}  // namespace mxnet
