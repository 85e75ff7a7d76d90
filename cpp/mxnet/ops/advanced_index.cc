// NumPy's indexing by integer arrays, and gathering along one axis.
#include "mxnet/ops/indexing.h"

namespace mxnet {

AdvancedLayout::AdvancedLayout(const char* op, const Shape& shape, const Shape& axes, std::span<const Shape> indices) {
  if (axes.ndim() == 0 || static_cast<size_t>(axes.ndim()) != indices.size())
    value_error(op, ": got ", indices.size(), " index arrays for the axes ", axes);
  for (const Shape& index : indices) {
    Shape joined = broadcast_shape(index_shape, index);
    if (!joined.rank_known())
      fail(ErrorKind::index, op, ": index arrays of shapes ", index_shape, " and ", index,
           " do not broadcast together");
    index_shape = joined;
  }
  AxisSet set = 0;
  int first = normal_axis(op, axes[0], shape), last = first;
  for (int i = 0; i < axes.ndim(); ++i) {
    int axis = normal_axis(op, axes[i], shape);
    if (i > 0 && axis <= last) value_error(op, ": the axes ", axes, " do not ascend");
    set |= AxisSet{1} << axis;
    last = axis;
  }
  adjacent = last - first + 1 == axes.ndim();
  Shape strides = strides_of(shape);
  for (int i = 0; i <= last; ++i) {
    if (contains(set, i)) continue;
    outer.push_back(shape[i]);
    outer_strides.push_back(strides[i]);
  }
  run = shape.product(last + 1, shape.ndim());
  result = adjacent ? outer : index_shape;
  for (int64_t extent : adjacent ? index_shape : outer) result.push_back(extent);
  for (int i = last + 1; i < shape.ndim(); ++i) result.push_back(shape[i]);
}

namespace {

const OpRef index_ref("_advanced_index"), add_ref("_advanced_index_add"), set_ref("_advanced_index_set");

// Shapes of the inputs from `first` on; empty if one is not known.
std::vector<Shape> index_shapes(InferContext& c, int first) {
  std::vector<Shape> shapes;
  for (int i = first; i < c.num_inputs(); ++i) {
    if (!c.shape(i).known()) return {};
    shapes.push_back(c.shape(i));
  }
  return shapes;
}

// The index arrays of a call, with other arrays in front.
std::vector<Expr> with_indices(std::initializer_list<Expr> front, GradContext& g, int first) {
  std::vector<Expr> all(front);
  for (int i = first; i < g.num_inputs(); ++i) all.push_back(g.in(i));
  return all;
}

const Op& index_op =
    define_op<AdvancedIndexParams>("_advanced_index")
        .doc(
            "The elements of `data` at integer arrays of indices for some of its axes, by NumPy's rules; negative "
            "indices count from the end.")
        .input("data", "Array of one or more dimensions.")
        .variadic("indices", "num_args", "Arrays of indices that broadcast together, one for each of `axes`.")
        .infer([](const AdvancedIndexParams& p, InferContext& c) {
          c.out(0).dtype = c.in(0).dtype;
          std::vector<Shape> indices = index_shapes(c, 1);
          if (c.shape(0).known() && (!indices.empty() || c.num_inputs() == 1))
            c.out(0).shape = AdvancedLayout(c.op().name.c_str(), c.shape(0), p.axes, indices).result;
        })
        .gradient([](const AdvancedIndexParams& p, GradContext& g) {
          if (g.needs(0))
            g.din(0) = add_ref.with(with_indices({g.dout(0)}, g, 1),
                                    make_params(AdvancedIndexAddParams{g.num_inputs(), p.axes, g.in(0).shape()}))[0];
        })
        .grad_uses(true, false);

const Op& add_op =
    define_op<AdvancedIndexAddParams>("_advanced_index_add")
        .doc("Zeros of `shape` with the elements of `data` added at integer arrays of indices, in order.")
        .input("data", "Array of the shape that indexing gives.")
        .variadic("indices", "num_args", "Arrays of indices that broadcast together, one for each of `axes`.")
        .infer([](const AdvancedIndexAddParams& p, InferContext& c) {
          c.out(0) = c.in(0).with_shape(p.shape);
          std::vector<Shape> indices = index_shapes(c, 1);
          if (!indices.empty()) c.expect_shape(0, AdvancedLayout(c.op().name.c_str(), p.shape, p.axes, indices).result);
        })
        .gradient([](const AdvancedIndexAddParams& p, GradContext& g) {
          if (g.needs(0))
            g.din(0) = index_ref.with(with_indices({g.dout(0)}, g, 1),
                                      make_params(AdvancedIndexParams{g.num_inputs(), p.axes}))[0];
        })
        .grad_uses(true, false);

const Op& set_op =
    define_op<AdvancedIndexParams>("_advanced_index_set")
        .doc(
            "`data` with the elements at integer arrays of indices replaced by `value`, which broadcasts; of several "
            "at "
            "one place the last stays.")
        .input("data", "Array of one or more dimensions.")
        .input("value", "Array that broadcasts to the shape that indexing gives.")
        .variadic("indices", "num_args", "Arrays of indices that broadcast together, one for each of `axes`.")
        .infer([](const AdvancedIndexParams& p, InferContext& c) {
          c.same_dtype(0, 2);
          c.out(0) = c.in(0);
          std::vector<Shape> indices = index_shapes(c, 2);
          if (!c.shape(0).known() || (indices.empty() && c.num_inputs() > 2) || !c.shape(1).known()) return;
          Shape result = AdvancedLayout(c.op().name.c_str(), c.shape(0), p.axes, indices).result;
          Shape joined = broadcast_shape(c.shape(1), result);
          if (!(joined == result)) c.fail("a value of shape ", c.shape(1), " cannot be broadcast to ", result);
        })
        .gradient([](const AdvancedIndexParams& p, GradContext& g) {
          Expr none = zeros(Shape{}, g.dout(0).dtype(), g.dout(0).ctx());
          if (g.needs(0)) g.din(0) = set_ref.with(with_indices({g.dout(0), none}, g, 2), make_params(p))[0];
          if (g.needs(1))
            g.din(1) = sum_to(index_ref.with(with_indices({g.dout(0)}, g, 2), make_params(p))[0], g.in(1).shape());
        })
        .grad_uses(true, false)
        .inplace();

// ---- Along one axis. ----

const OpRef take_along_ref("_take_along_axis"), add_along_ref("_add_along_axis");

const Op& take_along_op =
    define_op<AlongParams>("_take_along_axis")
        .doc("The elements of `data` along `axis` at the indices in `indices`, an array with the other axes of `data`.")
        .input("data", "Array of one or more dimensions.")
        .input("indices", "Integer array that agrees with the data in all other axes.")
        .infer([](const AlongParams& p, InferContext& c) {
          c.out(0) = c.in(1);
          c.out(0).dtype = c.in(0).dtype;
          if (!c.shape(0).rank_known()) return;
          Shape expected = c.shape(0);
          expected[c.axis(p.axis, expected)] = kUnknown;
          c.expect_shape(1, expected);
        })
        .gradient([](const AlongParams& p, GradContext& g) {
          if (g.needs(0))
            g.din(0) =
                add_along_ref.with({g.dout(0), g.in(1)}, make_params(AlongBackwardParams{p.axis, g.in(0).shape()}))[0];
        })
        .grad_uses(true, false);

const Op& add_along_op =
    define_op<AlongBackwardParams>("_add_along_axis")
        .doc("Zeros of `shape` with the elements of `data` added along `axis` at the indices in `indices`.")
        .input("data", "Array of the shape of the indices.")
        .input("indices", "Integer array that agrees with `shape` in all other axes.")
        .infer([](const AlongBackwardParams& p, InferContext& c) {
          c.out(0) = c.in(0).with_shape(p.shape);
          Shape expected = p.shape;
          expected[c.axis(p.axis, p.shape)] = kUnknown;
          c.expect_shape(1, expected);
          c.expect_shape(0, c.shape(1));
        })
        .gradient([](const AlongBackwardParams& p, GradContext& g) {
          if (g.needs(0)) g.din(0) = take_along_ref.with({g.dout(0), g.in(1)}, make_params(AlongParams{p.axis}))[0];
        })
        .grad_uses(true, false);

}  // namespace
}  // namespace mxnet
