// Operators that take or write parts: slices, crops, diagonals.
#include "mxnet/ops/shape.h"

namespace mxnet {

Ranges slice_axis_ranges(const SliceAxisParams& p, const Shape& shape) {
  Ranges ranges = whole_ranges(shape);
  Range& range = ranges[normal_axis("slice_axis", p.axis, shape)];
  int64_t extent = range.count;
  if (extent < 0) return ranges;
  int64_t begin = p.begin < 0 ? p.begin + extent : p.begin, end = p.end.value_or(extent);
  if (end < 0) end += extent;
  if (begin < 0 || end > extent || begin > end)
    value_error("slice_axis: [", p.begin, ", ", p.end ? str(*p.end) : "None", ") is no part of axis ", p.axis,
                " of shape ", shape);
  range = {begin, 1, end - begin};
  return ranges;
}

Ranges slice_like_ranges(const SliceLikeParams& p, const Shape& shape, const Shape& like) {
  Ranges ranges = whole_ranges(shape);
  auto cut = [&](int axis, int other) {
    if (shape[axis] >= 0 && like[other] > shape[axis])
      value_error("slice_like: axis ", axis, " of shape ", shape, " is shorter than that of ", like);
    ranges[axis].count = like[other];
  };
  if (p.axes.ndim() == 0) {
    if (shape.ndim() != like.ndim())
      value_error("slice_like: shapes ", shape, " and ", like, " differ in their number of axes");
    for (int i = 0; i < shape.ndim(); ++i) cut(i, i);
  }
  for (int64_t axis : p.axes) cut(normal_axis("slice_like", axis, shape), normal_axis("slice_like", axis, like));
  return ranges;
}

Ranges crop_ranges(const CropParams& p, const Shape& shape, const Shape* like) {
  Ranges ranges = whole_ranges(shape);
  for (int i = 0; i < 2; ++i) {
    Range& range = ranges[i + 2];
    int64_t extent = range.count;
    range.count = like ? (*like)[i + 2] : p.h_w[i];
    range.begin = p.center_crop ? (extent - range.count) / 2 : p.offset[i];
    if (range.begin < 0 || range.count < 0 || range.begin + range.count > extent)
      value_error("Crop: [", range.begin, ", ", range.begin + range.count, ") is no part of axis ", i + 2, " of shape ",
                  shape);
  }
  return ranges;
}

Ranges scatter_ranges(const SliceScatterParams& p, const Shape& part) {
  Ranges ranges;
  for (int i = 0; i < part.ndim(); ++i) ranges.push_back({p.begin[i], p.step[i], part[i]});
  return ranges;
}

Expr scatter_slice(const Expr& dout, const Shape& shape, const Ranges& ranges) {
  static const OpRef scatter("_backward_slice");
  SliceScatterParams p{{}, {}, shape};
  for (const Range& r : ranges) p.begin.push_back(r.begin), p.step.push_back(r.step);
  return scatter.with({dout}, make_params(std::move(p)))[0];
}

Diagonal diagonal(const char* op, int64_t k, int axis1, int axis2, const Shape& shape) {
  Diagonal d{normal_axis(op, axis1, shape), normal_axis(op, axis2, shape), std::max<int64_t>(-k, 0),
             std::max<int64_t>(k, 0), 0};
  if (d.axis1 == d.axis2) value_error(op, ": axis1 and axis2 are both ", axis1);
  d.count = std::min(shape[d.axis1] - d.row, shape[d.axis2] - d.column);
  return d;
}

namespace {

// Begin, end and step that name `ranges`.
SliceParams slice_params(const Ranges& ranges) {
  SliceParams p;
  for (const Range& r : ranges) {
    int64_t end = r.begin + r.count * r.step;
    p.begin.push_back(r.begin);
    p.end.push_back(r.step < 0 && end < 0 ? std::nullopt : std::optional(end));
    p.step.push_back(r.step);
    if (r.count == 0) p.begin.back() = p.end.back() = 0;
  }
  return p;
}

template <class P, class F>
OpBuilder<P> define_slice(const char* name, const char* doc, F ranges_of) {
  return define_op<P>(name)
      .doc(doc)
      .infer([ranges_of](const P& p, InferContext& c) {
        c.out(0).dtype = c.in(0).dtype;
        if (c.shape(0).rank_known()) c.out(0).shape = shape_of(ranges_of(p, c.shape(0)));
      })
      .gradient([ranges_of](const P& p, GradContext& g) {
        const Shape& shape = g.in(0).shape();
        g.din(0) = scatter_slice(g.dout(0), shape, ranges_of(p, shape));
      })
      .grad_uses(false, false);
}

const Op& slice_op = define_slice<SliceParams>(
                         "slice", "The part data[begin:end:step] by Python's rules, over the first axes of `data`.",
                         [](const SliceParams& p, const Shape& shape) { return slice_ranges("slice", p, shape); })
                         .input("data", "Array of any shape.")
                         .alias({"_npi_slice", "_npx_slice", "_sparse_slice", "crop"})
                         .method();

const Op& slice_axis_op =
    define_slice<SliceAxisParams>("slice_axis", "The part [begin, end) of `data` along one axis.", slice_axis_ranges)
        .input("data", "Array of any shape.")
        .method();

const Op& slice_like_op = define_op<SliceLikeParams>("slice_like")
                              .doc("The leading part of `data` with the extents of `shape_like` along `axes`.")
                              .input("data", "Array of any shape.")
                              .input("shape_like", "Array whose extents are taken.")
                              .infer([](const SliceLikeParams& p, InferContext& c) {
                                c.out(0).dtype = c.in(0).dtype;
                                if (c.shape(0).rank_known() && c.shape(1).rank_known())
                                  c.out(0).shape = shape_of(slice_like_ranges(p, c.shape(0), c.shape(1)));
                              })
                              .gradient([](const SliceLikeParams& p, GradContext& g) {
                                const Shape& shape = g.in(0).shape();
                                g.din(0) =
                                    scatter_slice(g.dout(0), shape, slice_like_ranges(p, shape, g.in(1).shape()));
                              })
                              .grad_uses(false, false)
                              .method();

const Op& crop_op =
    define_op<CropParams>("Crop")
        .doc("Rows and columns cut from images (N, C, H, W), to the size of a second array or to h_w.")
        .variadic("data", "num_args", "One array (N, C, H, W), or two, the second of which gives height and width.")
        .infer([](const CropParams& p, InferContext& c) {
          if (c.num_inputs() < 1 || c.num_inputs() > 2) c.fail("takes 1 or 2 arrays, got ", c.num_inputs());
          c.expect_rank(0, 4);
          if (c.num_inputs() == 2) c.expect_rank(1, 4);
          c.out(0).dtype = c.in(0).dtype;
          const Shape* like = c.num_inputs() == 2 ? &c.shape(1) : nullptr;
          if (!c.shape(0).known() || (like && !like->known())) return;
          if (!like && (p.h_w.ndim() != 2 || p.offset.ndim() != 2)) c.fail("h_w and offset must have two items");
          c.out(0).shape = shape_of(crop_ranges(p, c.shape(0), like));
        })
        .gradient([](const CropParams& p, GradContext& g) {
          const Shape& shape = g.in(0).shape();
          const Shape* like = g.num_inputs() == 2 ? &g.in(1).shape() : nullptr;
          g.din(0) = scatter_slice(g.dout(0), shape, crop_ranges(p, shape, like));
        })
        .grad_uses(false, false);

const Op& scatter_op =
    define_op<SliceScatterParams>("_backward_slice")
        .doc("Zeros of `shape` with `data` written at the indices begin, begin + step, ... of each axis.")
        .input("data", "The part to write.")
        .infer([](const SliceScatterParams& p, InferContext& c) {
          c.out(0) = c.in(0).with_shape(p.shape);
          int rank = p.shape.ndim();
          c.expect_rank(0, rank);
          if (p.begin.ndim() != rank || p.step.ndim() != rank)
            c.fail("begin ", p.begin, " and step ", p.step, " do not fit shape ", p.shape);
          for (int i = 0; i < rank && c.shape(0).known() && c.shape(0).size() > 0; ++i) {
            int64_t first = p.begin[i], last = first + (c.shape(0)[i] - 1) * p.step[i];
            if (std::min(first, last) < 0 || std::max(first, last) >= p.shape[i])
              c.fail("data of shape ", c.shape(0), " at ", p.begin, " with step ", p.step, " lies outside of shape ",
                     p.shape);
          }
        })
        .gradient([](const SliceScatterParams& p, GradContext& g) {
          static const OpRef slice("slice");
          g.din(0) = slice.with({g.dout(0)}, make_params(slice_params(scatter_ranges(p, g.in(0).shape()))))[0];
        })
        .grad_uses(false, false);

// ---- Writing a part. ----

const Op& slice_assign_op =
    define_op<SliceParams>("_slice_assign")
        .doc("`lhs` with its part [begin:end:step] replaced by `rhs`.")
        .alias({"_crop_assign", "_npi_slice_assign"})
        .input("lhs", "Array of any shape.")
        .input("rhs", "Array of the shape of the part.")
        .infer([](const SliceParams& p, InferContext& c) {
          c.same_dtype();
          c.out(0) = c.in(0);
          if (c.shape(0).rank_known()) c.expect_shape(1, shape_of(slice_ranges("_slice_assign", p, c.shape(0))));
        })
        .gradient([](const SliceParams& p, GradContext& g) {
          static const OpRef assign("_slice_assign_scalar"), slice("slice");
          if (g.needs(0))
            g.din(0) = assign.with({g.dout(0)}, make_params(SliceScalarParams{0, p.begin, p.end, p.step}))[0];
          if (g.needs(1)) g.din(1) = slice.with({g.dout(0)}, make_params(p))[0];
        })
        .grad_uses(false, false)
        .inplace();

const Op& slice_assign_scalar_op =
    define_op<SliceScalarParams>("_slice_assign_scalar")
        .doc("`data` with its part [begin:end:step] replaced by a number.")
        .alias({"_crop_assign_scalar", "_npi_slice_assign_scalar"})
        .input("data", "Array of any shape.")
        .infer([](const SliceScalarParams& p, InferContext& c) {
          c.out(0) = c.in(0);
          if (c.shape(0).rank_known()) slice_ranges("_slice_assign_scalar", p, c.shape(0));
        })
        .gradient([](const SliceScalarParams& p, GradContext& g) {
          static const OpRef assign("_slice_assign_scalar");
          g.din(0) = assign.with({g.dout(0)}, make_params(SliceScalarParams{0, p.begin, p.end, p.step}))[0];
        })
        .grad_uses(false, false)
        .inplace();

// ---- Diagonals. ----

Shape diagonals_shape(const InferContext& c, int64_t k, int axis1, int axis2, const Shape& shape) {
  Diagonal d = diagonal(c.op().name.c_str(), k, axis1, axis2, shape);
  if (shape.known() && d.count <= 0)
    c.fail("shape ", shape, " has no diagonal ", k, " in the axes ", d.axis1, " and ", d.axis2);
  Shape result;
  for (int i = 0; i < shape.ndim(); ++i)
    if (i != d.axis1 && i != d.axis2) result.push_back(shape[i]);
  result.push_back(shape.known() ? d.count : kUnknown);
  return result;
}

void infer_diag(const DiagParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  if (shape.ndim() == 0) c.fail("data has no axis");
  if (shape.ndim() == 1) {
    int64_t side = shape[0] < 0 ? kUnknown : shape[0] + std::abs(p.k);
    c.out(0).shape = Shape{side, side};
    return;
  }
  c.out(0).shape = diagonals_shape(c, p.k, p.axis1, p.axis2, shape);
}

void diag_gradient(const DiagParams& p, GradContext& g) {
  static const OpRef diag("diag"), scatter("_backward_diag");
  const Shape& shape = g.in(0).shape();
  if (shape.ndim() == 1)
    g.din(0) = diag.with({g.dout(0)}, make_params(DiagParams{p.k}))[0];
  else
    g.din(0) = scatter.with({g.dout(0)}, make_params(DiagScatterParams{p.k, p.axis1, p.axis2, shape}))[0];
}

const Op& diag_op =
    define_op<DiagParams>("diag")
        .doc(
            "The diagonals of `data` in two of its axes, which the last axis of the result replaces; of a vector, "
            "the matrix with it on diagonal k and zeros elsewhere.")
        .input("data", "Array of one or more dimensions.")
        .infer(infer_diag)
        .gradient(diag_gradient)
        .grad_uses(false, false)
        .method();

const Op& diag_scatter_op = define_op<DiagScatterParams>("_backward_diag")
                                .doc("Zeros of `shape` with `data` on its diagonals in two of its axes.")
                                .input("data", "The diagonals, along the last axis.")
                                .infer([](const DiagScatterParams& p, InferContext& c) {
                                  c.out(0) = c.in(0).with_shape(p.shape);
                                  c.expect_shape(0, diagonals_shape(c, p.k, p.axis1, p.axis2, p.shape));
                                })
                                .gradient([](const DiagScatterParams& p, GradContext& g) {
                                  static const OpRef diag("diag");
                                  g.din(0) = diag.with({g.dout(0)}, make_params(DiagParams{p.k, p.axis1, p.axis2}))[0];
                                })
                                .grad_uses(false, false);

}  // namespace
}  // namespace mxnet
