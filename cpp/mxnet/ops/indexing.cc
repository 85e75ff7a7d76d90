#include "mxnet/ops/indexing.h"

#include "mxnet/ops/no_gradient.h"

namespace mxnet {
namespace {

// ---- take, Embedding, batch_take. ----

const OpRef take_ref("take"), take_back_ref("_backward_take");

Shape taken_shape(const InferContext& c, int64_t at, const Shape& data, const Shape& index) {
  int axis = c.axis(at, data);
  Shape shape = data.slice(0, axis);
  for (int64_t extent : index) shape.push_back(extent);
  for (int i = axis + 1; i < data.ndim(); ++i) shape.push_back(data[i]);
  return shape;
}

void infer_take(const TakeParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  if (c.shape(0).rank_known() && c.shape(1).rank_known())
    c.out(0).shape = taken_shape(c, p.axis, c.shape(0), c.shape(1));
}

const Op& take_op = define_op<TakeParams>("take")
                        .doc("Slices of `a` along `axis` at the given indices, whose axes take the place of that axis.")
                        .alias({"_npi_take"})
                        .input("a", "Array of one or more dimensions.")
                        .input("indices", "Indices of any shape and numeric dtype.")
                        .infer(infer_take)
                        .gradient([](const TakeParams& p, GradContext& g) {
                          if (g.needs(0))
                            g.din(0) =
                                take_back_ref.with({g.dout(0), g.in(1)},
                                                   make_params(TakeBackwardParams{p.axis, p.mode, g.in(0).shape()}))[0];
                        })
                        .grad_uses(true, false)
                        .method();

const Op& take_back_op = define_op<TakeBackwardParams>("_backward_take")
                             .doc("Zeros of `shape` with each slice of `data` added where `take` found it.")
                             .input("data", "Array of the shape that take gives.")
                             .input("indices", "Indices of any shape and numeric dtype.")
                             .infer([](const TakeBackwardParams& p, InferContext& c) {
                               c.out(0) = c.in(0).with_shape(p.shape);
                               if (c.shape(1).rank_known())
                                 c.expect_shape(0, taken_shape(c, p.axis, p.shape, c.shape(1)));
                             })
                             .gradient([](const TakeBackwardParams& p, GradContext& g) {
                               if (g.needs(0))
                                 g.din(0) =
                                     take_ref.with({g.dout(0), g.in(1)}, make_params(TakeParams{p.axis, p.mode}))[0];
                             })
                             .grad_uses(true, false);

void infer_embedding(const EmbeddingParams& p, InferContext& c) {
  if (c.in(1).dtype == DType::unknown) c.in(1).dtype = p.dtype;
  c.expect_shape(1, Shape{p.input_dim, p.output_dim});
  c.out(0).dtype = c.in(1).dtype;
  if (!c.shape(0).rank_known()) return;
  c.out(0).shape = c.shape(0);
  c.out(0).shape.push_back(p.output_dim);
}

const Op& embedding_op =
    define_op<EmbeddingParams>("Embedding")
        .doc(
            "The rows of `weight` at the indices in `data`, indices out of range taken to the nearest end; the "
            "result has one axis more than `data`.")
        .alias({"_npx_embedding", "_sparse_Embedding", "_contrib_SparseEmbedding"})
        .input("data", "Indices of any shape and numeric dtype.")
        .input("weight", "Matrix of shape (input_dim, output_dim).")
        .infer(infer_embedding)
        .gradient([](const EmbeddingParams&, GradContext& g) {
          if (g.needs(1))
            g.din(1) = take_back_ref.with({g.dout(0), g.in(0)},
                                          make_params(TakeBackwardParams{0, IndexMode::clip, g.in(1).shape()}))[0];
        })
        .grad_uses(true, false);

// ---- pick. ----

const OpRef pick_ref("pick"), pick_back_ref("_backward_pick");

const Op& batch_take_op =
    define_op<NoParams>("batch_take")
        .doc("The element a[i, indices[i]] of each row i, indices out of range taken to the nearest end.")
        .input("a", "Matrix.")
        .input("indices", "One index for each row.")
        .infer([](const NoParams&, InferContext& c) {
          c.expect_rank(0, 2);
          c.out(0) = c.in(1);
          c.out(0).dtype = c.in(0).dtype;
          if (!c.shape(0).known() || !c.shape(1).known()) return;
          if (c.shape(0)[0] != c.shape(1).size())
            c.fail("indices have shape ", c.shape(1), ", expected one for each row of ", c.shape(0));
          if (c.shape(0)[1] == 0 && c.shape(0)[0] > 0) c.fail("axis 1 of shape ", c.shape(0), " is empty");
        })
        .gradient([](const NoParams&, GradContext& g) {
          if (!g.needs(0)) return;
          Shape rows{g.in(0).shape()[0]};
          g.din(0) = pick_back_ref.with({reshape(g.dout(0), rows), reshape(g.in(1), rows)},
                                        make_params(PickBackwardParams{1, false, PickMode::clip, g.in(0).shape()}))[0];
        })
        .grad_uses(true, false);

// The index may have the axis with extent 1 or not have it.
void expect_pick_index(InferContext& c, const Shape& data, int axis) {
  bool keeps = c.shape(1).rank_known() && c.shape(1).ndim() == data.ndim();
  c.expect_shape(1, reduced_shape(data, AxisSet{1} << axis, keeps));
}

void infer_pick(const PickParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  if (!p.axis) c.fail("needs an axis, got None");
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  int axis = c.axis(*p.axis, data);
  c.out(0).shape = reduced_shape(data, AxisSet{1} << axis, p.keepdims);
  expect_pick_index(c, data, axis);
  if (data.known() && data[axis] == 0 && c.out(0).shape.size() > 0)
    c.fail("axis ", axis, " of shape ", data, " is empty");
}

const Op& pick_op =
    define_op<PickParams>("pick")
        .doc("One element along `axis` for each position of the other axes, at the index given for that position.")
        .alias({"_npx_pick", "choose_element_0index"})
        .input("data", "Array of one or more dimensions.")
        .input("index", "Indices, of the shape of the data without `axis` or with extent 1 there.")
        .infer(infer_pick)
        .gradient([](const PickParams& p, GradContext& g) {
          if (g.needs(0))
            g.din(0) = pick_back_ref.with(
                {g.dout(0), g.in(1)}, make_params(PickBackwardParams{p.axis, p.keepdims, p.mode, g.in(0).shape()}))[0];
        })
        .grad_uses(true, false)
        .method();

const Op& pick_back_op =
    define_op<PickBackwardParams>("_backward_pick")
        .doc("Zeros of `shape` with each element of `data` where `pick` found it.")
        .input("data", "Array of the shape that pick gives.")
        .input("index", "As in pick.")
        .infer([](const PickBackwardParams& p, InferContext& c) {
          if (!p.axis) c.fail("needs an axis, got None");
          int axis = c.axis(*p.axis, p.shape);
          c.out(0) = c.in(0).with_shape(p.shape);
          c.expect_shape(0, reduced_shape(p.shape, AxisSet{1} << axis, p.keepdims));
          expect_pick_index(c, p.shape, axis);
          if (p.shape[axis] == 0 && c.shape(0).known() && c.shape(0).size() > 0)
            c.fail("axis ", axis, " of shape ", p.shape, " is empty");
        })
        .gradient([](const PickBackwardParams& p, GradContext& g) {
          if (g.needs(0))
            g.din(0) = pick_ref.with({g.dout(0), g.in(1)}, make_params(PickParams{p.axis, p.keepdims, p.mode}))[0];
        })
        .grad_uses(true, false);

const Op& fill_element_op = define_op<NoParams>("fill_element_0index")
                                .doc("The matrix `lhs` with lhs[i, rhs[i]] replaced by mhs[i] in each row i.")
                                .input("lhs", "Matrix.")
                                .input("mhs", "One value for each row.")
                                .input("rhs", "One index for each row.")
                                .infer([](const NoParams&, InferContext& c) {
                                  c.expect_rank(0, 2);
                                  c.same_dtype(0, 2);
                                  c.out(0) = c.in(0);
                                  if (!c.shape(0).rank_known()) return;
                                  c.expect_shape(1, Shape{c.shape(0)[0]});
                                  c.expect_shape(2, Shape{c.shape(0)[0]});
                                });

// ---- one_hot. ----

const Op& one_hot_op =
    define_op<OneHotParams>("one_hot")
        .doc(
            "A new last axis of extent `depth` with `on_value` at the index and `off_value` elsewhere; an index out "
            "of range gives `off_value` throughout.")
        .alias({"_npx_one_hot"})
        .input("indices", "Indices of any shape and numeric dtype.")
        .infer([](const OneHotParams& p, InferContext& c) {
          if (p.depth < 0) c.fail("depth is ", p.depth, ", expected 0 or more");
          c.out(0) = c.in(0);
          c.out(0).dtype = p.dtype;
          if (c.shape(0).rank_known()) c.out(0).shape.push_back(p.depth);
        })
        .gradient(no_gradient)
        .grad_uses(false, false)
        .method();

// ---- gather_nd, scatter_nd. ----

const OpRef gather_nd_ref("gather_nd"), gather_back_ref("_backward_gather_nd"), set_nd_ref("_scatter_set_nd");

// Shape of what index tuples pick from an array: the axes of the tuples, then the axes they leave.
Shape picked_shape(InferContext& c, const Shape& data, const Shape& indices) {
  if (indices.ndim() == 0) c.fail("indices have no axis");
  int64_t depth = indices[0];
  if (depth > data.ndim()) c.fail("indices of shape ", indices, " name ", depth, " axes of an array of shape ", data);
  Shape shape = indices.slice(1, indices.ndim());
  for (int i = static_cast<int>(depth); i < data.ndim(); ++i) shape.push_back(data[i]);
  return shape;
}

void infer_gather_nd(const NoParams&, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  if (c.shape(0).rank_known() && c.shape(1).known()) c.out(0).shape = picked_shape(c, c.shape(0), c.shape(1));
}

const Op& gather_nd_op =
    define_op<NoParams>("gather_nd")
        .doc(
            "The elements or slices of `data` at indices (i_0[n], ..., i_m[n]), which stand along the first axis of "
            "`indices`. Negative indices count from the end.")
        .alias({"_npi_gather_nd", "_npx_gather_nd"})
        .input("data", "Array of one or more dimensions.")
        .input("indices", "Array of shape (M, ...), with M no more than the axes of the data.")
        .infer(infer_gather_nd)
        .gradient([](const NoParams&, GradContext& g) {
          if (g.needs(0))
            g.din(0) = gather_back_ref.with({g.dout(0), g.in(1)}, make_params(ScatterParams{g.in(0).shape()}))[0];
        })
        .grad_uses(true, false);

void infer_scatter_nd(const ScatterParams& p, InferContext& c) {
  c.out(0) = c.in(0).with_shape(p.shape);
  if (c.shape(1).known()) c.expect_shape(0, picked_shape(c, p.shape, c.shape(1)));
}

void gather_gradient(const ScatterParams&, GradContext& g) {
  if (g.needs(0)) g.din(0) = gather_nd_ref({g.dout(0), g.in(1)});
}

const Op& scatter_nd_op = define_op<ScatterParams>("scatter_nd")
                              .doc(
                                  "Zeros of `shape` with the elements of `data` written at `indices`; of several at "
                                  "one place the last stays.")
                              .input("data", "Array of the shape that gather_nd gives.")
                              .input("indices", "Array of shape (M, ...).")
                              .infer(infer_scatter_nd)
                              .gradient(gather_gradient)
                              .grad_uses(true, false);

const Op& gather_back_op = define_op<ScatterParams>("_backward_gather_nd")
                               .doc("Zeros of `shape` with the elements of `data` added at `indices`.")
                               .input("data", "Array of the shape that gather_nd gives.")
                               .input("indices", "Array of shape (M, ...).")
                               .infer(infer_scatter_nd)
                               .gradient(gather_gradient)
                               .grad_uses(true, false);

const Op& set_nd_op = define_op<ScatterParams>("_scatter_set_nd")
                          .doc("`lhs` with the elements of `rhs` written at `indices`.")
                          .alias({"_npi_scatter_set_nd"})
                          .input("lhs", "Array of any shape.")
                          .input("rhs", "Array of the shape that gather_nd gives.")
                          .input("indices", "Array of shape (M, ...).")
                          .infer([](const ScatterParams& p, InferContext& c) {
                            c.same_dtype(0, 2);
                            c.expect_shape(0, p.shape);
                            c.out(0) = c.in(0);
                            if (c.shape(2).known()) c.expect_shape(1, picked_shape(c, p.shape, c.shape(2)));
                          })
                          .gradient([](const ScatterParams& p, GradContext& g) {
                            Expr none = zeros(g.in(1).shape(), g.dout(0).dtype(), g.dout(0).ctx());
                            if (g.needs(0)) g.din(0) = set_nd_ref.with({g.dout(0), none, g.in(2)}, make_params(p))[0];
                            if (g.needs(1)) g.din(1) = gather_nd_ref({g.dout(0), g.in(2)});
                          })
                          .grad_uses(true, false)
                          .inplace();

const OpRef index_copy_ref("_contrib_index_copy");

const Op& index_copy_op =
    define_op<NoParams>("_contrib_index_copy")
        .doc("`old_tensor` with the slices along axis 0 at `index_vector` replaced by those of `new_tensor`.")
        .input("old_tensor", "Array of one or more dimensions.")
        .input("index_vector", "Vector of indices.")
        .input("new_tensor", "Array with one slice for each index.")
        .infer([](const NoParams&, InferContext& c) {
          c.out(0) = c.in(0);
          c.expect_rank(0, 1, 64);
          c.expect_rank(1, 1);
          c.expect_dtype(2, c.in(0).dtype);
          if (!c.shape(0).rank_known() || !c.shape(1).rank_known()) return;
          Shape shape = c.shape(0);
          shape[0] = c.shape(1)[0];
          c.expect_shape(2, shape);
        })
        .gradient([](const NoParams&, GradContext& g) {
          Expr none = zeros(g.in(2).shape(), g.dout(0).dtype(), g.dout(0).ctx());
          if (g.needs(0)) g.din(0) = index_copy_ref({g.dout(0), g.in(1), none});
          if (g.needs(2)) g.din(2) = take_ref({g.dout(0), g.in(1)});
        })
        .grad_uses(true, false);

// ---- Numbers of elements and places. ----

const Op& ravel_op =
    define_op<RavelParams>("_ravel_multi_index")
        .doc("Positions in the flattened array from the indices along each axis, which stand along axis 0 of `data`.")
        .alias({"ravel_multi_index"})
        .input("data", "Array of shape (axes, ...).")
        .infer([](const RavelParams& p, InferContext& c) {
          c.out(0).dtype = c.in(0).dtype;
          const Shape& data = c.shape(0);
          if (!data.rank_known()) return;
          if (data.ndim() == 0 || (data[0] >= 0 && data[0] != p.shape.ndim()))
            c.fail("data of shape ", data, " does not hold indices for ", p.shape.ndim(), " axes");
          c.out(0).shape = data.ndim() == 1 ? Shape{1} : data.slice(1, data.ndim());
        });

const Op& unravel_op = define_op<RavelParams>("_unravel_index")
                           .doc("Indices along each axis, on a new axis 0, from positions in the flattened array.")
                           .alias({"unravel_index"})
                           .input("data", "Positions, of any shape.")
                           .infer([](const RavelParams& p, InferContext& c) {
                             c.out(0) = c.in(0);
                             if (c.shape(0).rank_known()) c.out(0).shape.insert(0, p.shape.ndim());
                           })
                           .gradient(no_gradient)
                           .grad_uses(false, false);

const Op& index_array_op =
    define_op<IndexArrayParams>("_contrib_index_array")
        .doc("The indices of each element of `data` along the given axes, as int64 on a new last axis.")
        .input("data", "Array whose shape is taken.")
        .infer([](const IndexArrayParams& p, InferContext& c) {
          c.out(0) = c.in(0);
          c.out(0).dtype = DType::int64;
          const Shape& shape = c.shape(0);
          if (!shape.rank_known()) return;
          if (p.axes)
            for (int64_t axis : *p.axes) c.axis(axis, shape);
          c.out(0).shape.push_back(p.axes ? p.axes->ndim() : shape.ndim());
        });

// ---- boolean_mask: the result's shape depends on the mask, which is read here. ----

NDArray mask_places(const Expr& mask) {
  const NDArray& array = mask.array();
  std::vector<int64_t> places;
  Expr truth = mask != 0.0;
  std::vector<char> bytes(static_cast<size_t>(truth.array().bytes()));
  copy_to_host(truth.array(), bytes.data(), bytes.size());
  int64_t width = size_of(truth.dtype());
  for (int64_t i = 0; i < array.size(); ++i)
    if (std::any_of(bytes.begin() + i * width, bytes.begin() + (i + 1) * width, [](char b) { return b != 0; }))
      places.push_back(i);
  NDArray result(Shape{static_cast<int64_t>(places.size())}, DType::int64, array.ctx());
  if (!places.empty()) copy_from_host(places.data(), places.size() * sizeof(int64_t), result);
  return result;
}

const Op& boolean_mask_op =
    define_op<BooleanMaskParams>("_contrib_boolean_mask")
        .doc(
            "The slices of `data` along `axis` at which `index` is not zero. The shape of the result depends on "
            "the values, so that the call waits for `index`.")
        .alias({"_npi_boolean_mask"})
        .input("data", "Array of one or more dimensions.")
        .input("index", "Vector with one number for each slice.")
        .infer([](const BooleanMaskParams& p, InferContext& c) {
          c.out(0) = c.in(0);
          c.expect_rank(1, 1);
          if (!c.shape(0).rank_known()) return;
          int axis = c.axis(p.axis, c.shape(0));
          c.expect_shape(1, Shape{c.shape(0)[axis]});
          c.out(0).shape[axis] = kUnknown;
        })
        .compose([](const BooleanMaskParams& p, std::span<const Expr> in) {
          int axis = normal_axis("_contrib_boolean_mask", p.axis, in[0].shape());
          if (!(in[1].shape() == Shape{in[0].shape()[axis]}))
            value_error("_contrib_boolean_mask: index has shape ", in[1].shape(), ", expected (", in[0].shape()[axis],
                        ",)");
          return take_ref.with({in[0], Expr(mask_places(in[1]))}, make_params(TakeParams{axis, IndexMode::raise}));
        });

}  // namespace
}  // namespace mxnet
