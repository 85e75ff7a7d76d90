#include "mxnet/ops/join.h"

namespace mxnet {

std::vector<int64_t> split_bounds(const char* op, const SplitParams& p, int64_t extent) {
  std::vector<int64_t> bounds;
  if (p.sections > 0) {
    int64_t size = extent / p.sections, larger = extent % p.sections;
    for (int64_t i = 0; i < p.sections; ++i) bounds.push_back(i * size + std::min(i, larger));
  } else {
    for (int64_t index : p.indices) bounds.push_back(std::min(index, extent));
  }
  if (bounds.empty() || bounds[0] != 0) value_error(op, ": indices ", p.indices, " must begin with 0");
  bounds.push_back(extent);
  for (size_t i = 0; i + 1 < bounds.size(); ++i)
    if (bounds[i] < 0 || bounds[i] > bounds[i + 1])
      value_error(op, ": indices ", p.indices, " do not ascend within an axis of extent ", extent);
  return bounds;
}

namespace {

// All inputs agree with `shape` but for axis `skip`; what one knows the others learn.
Shape common_shape(InferContext& c, int skip) {
  Shape common = Shape::unknown();
  for (int i = 0; i < c.num_inputs(); ++i) {
    Shape shape = c.shape(i);
    if (!shape.rank_known()) continue;
    if (!common.rank_known()) common = Shape::filled(shape.ndim(), kUnknown);
    int axis = skip < 0 ? skip + shape.ndim() : skip;
    bool fits = shape.ndim() == common.ndim();
    for (int k = 0; fits && k < shape.ndim(); ++k) {
      if (k == axis) continue;
      if (common[k] < 0) common[k] = shape[k];
      fits = shape[k] < 0 || shape[k] == common[k];
    }
    if (!fits)
      c.fail(c.input_name(i), " ", i, " has shape ", shape, ", which does not fit ", common, " of those before it");
  }
  if (!common.rank_known()) return common;
  int axis = skip < 0 ? skip + common.ndim() : skip;
  for (int i = 0; i < c.num_inputs(); ++i) {
    Shape known = common;
    if (axis >= 0 && axis < common.ndim() && c.shape(i).rank_known()) known[axis] = c.shape(i)[axis];
    c.in(i).shape = known;
  }
  return common;
}

void infer_concat(const ConcatParams& p, InferContext& c) {
  if (c.num_inputs() == 0) c.fail("needs at least one array");
  c.out(0).dtype = c.same_dtype();
  for (int i = 0; i < c.num_inputs(); ++i)
    if (c.shape(i).rank_known()) c.axis(p.dim, c.shape(i));
  Shape shape = common_shape(c, p.dim);
  if (!shape.rank_known()) return;
  int axis = c.axis(p.dim, shape);
  int64_t total = 0;
  for (int i = 0; i < c.num_inputs(); ++i)
    total = total < 0 || c.shape(i)[axis] < 0 ? kUnknown : total + c.shape(i)[axis];
  shape[axis] = total;
  c.out(0).shape = shape;
}

Expr part(const Expr& x, int axis, int64_t begin, int64_t end) {
  static const OpRef slice("slice_axis");
  return slice.with({x}, make_params(SliceAxisParams{axis, begin, end}))[0];
}

void concat_gradient(const ConcatParams& p, GradContext& g) {
  int axis = normal_axis("Concat", p.dim, g.in(0).shape());
  int64_t begin = 0;
  for (int i = 0; i < g.num_inputs(); ++i) {
    int64_t end = begin + g.in(i).shape()[axis];
    if (g.needs(i)) g.din(i) = part(g.dout(0), axis, begin, end);
    begin = end;
  }
}

const Op& concat_op = define_op<ConcatParams>("Concat")
                          .doc("The arrays joined along axis `dim`; they have equal extents in all other axes.")
                          .alias({"concat", "_sparse_concat"})
                          .variadic("data", "num_args", "Arrays of equal rank and dtype.")
                          .infer(infer_concat)
                          .gradient(concat_gradient)
                          .grad_uses(false, false);

// What the arrays of an RNN's parameters lack in length the total says, if it is known.
void infer_rnn_param_concat(const ConcatParams& p, InferContext& c) {
  Shape total = c.out(0).shape;
  infer_concat(p, c);
  const Shape& joined = c.out(0).shape;
  if (!total.known() || !joined.rank_known() || joined.ndim() != total.ndim() || joined.known()) return;
  int axis = c.axis(p.dim, joined), open = -1;
  int64_t rest = total[axis];
  for (int i = 0; i < c.num_inputs(); ++i) {
    if (c.shape(i)[axis] >= 0)
      rest -= c.shape(i)[axis];
    else if (std::exchange(open, i) >= 0)
      return;
  }
  if (rest < 0) c.fail("arrays of shape ", c.shape(0), " and others do not fit into ", total);
  c.in(open).shape[axis] = rest;
  c.out(0).shape = total;
}

const Op& rnn_param_concat_op = define_op<ConcatParams>("_rnn_param_concat")
                                    .doc(
                                        "The parameters of an RNN joined along axis `dim`; where the extent of the "
                                        "result is known, one array may be of unknown extent.")
                                    .variadic("data", "num_args", "Arrays of equal rank and dtype.")
                                    .infer(infer_rnn_param_concat)
                                    .gradient(concat_gradient)
                                    .grad_uses(false, false);

void infer_stack(const StackParams& p, InferContext& c) {
  if (c.num_inputs() == 0) c.fail("needs at least one array");
  c.out(0).dtype = c.same_dtype();
  Shape shape = Shape::unknown();
  for (int i = 0; i < c.num_inputs(); ++i)
    if (c.shape(i).rank_known()) shape = c.shape(i);
  for (int i = 0; i < c.num_inputs(); ++i) c.expect_shape(i, shape);
  if (!shape.rank_known()) return;
  int rank = shape.ndim(), axis = p.axis < 0 ? p.axis + rank + 1 : p.axis;
  if (axis < 0 || axis > rank) fail(ErrorKind::index, "stack: axis ", p.axis, " is out of range for shape ", shape);
  shape.insert(axis, c.num_inputs());
  c.out(0).shape = shape;
}

const Op& stack_op = define_op<StackParams>("stack")
                         .doc("The arrays side by side along a new axis.")
                         .variadic("data", "num_args", "Arrays of equal shape and dtype.")
                         .infer(infer_stack)
                         .gradient([](const StackParams& p, GradContext& g) {
                           int rank = g.out_shape(0).ndim(), axis = p.axis < 0 ? p.axis + rank : p.axis;
                           for (int i = 0; i < g.num_inputs(); ++i)
                             if (g.needs(i)) g.din(i) = reshape(part(g.dout(0), axis, i, i + 1), g.in(i).shape());
                         })
                         .grad_uses(false, false);

// ---- Taking apart. ----

Expr joined(const char* op, GradContext& g, int axis, bool squeezed) {
  static const OpRef concat("Concat");
  const Shape& shape = g.in(0).shape();
  axis = normal_axis(op, axis, shape);
  std::vector<Expr> parts;
  for (int i = 0; i < g.num_outputs(); ++i) {
    Shape part_shape = g.out_shape(i);
    if (squeezed) part_shape.insert(axis, 1);
    parts.push_back(reshape(g.dout(i), part_shape));
  }
  return concat.with(parts, make_params(ConcatParams{g.num_outputs(), axis}))[0];
}

void infer_slice_channel(const SliceChannelParams& p, InferContext& c) {
  for (int i = 0; i < c.num_outputs(); ++i) c.out(i).dtype = c.in(0).dtype;
  if (p.num_outputs < 1) c.fail("num_outputs is ", p.num_outputs, ", expected 1 or more");
  Shape shape = c.shape(0);
  if (!shape.rank_known()) return;
  int axis = c.axis(p.axis, shape);
  int64_t extent = shape[axis];
  if (extent >= 0 && extent % p.num_outputs)
    c.fail("axis ", axis, " of shape ", shape, " cannot be split into ", p.num_outputs, " equal parts");
  if (p.squeeze_axis && extent >= 0 && extent != p.num_outputs)
    c.fail("squeeze_axis needs ", extent, " outputs for axis ", axis, " of shape ", shape, ", got ", p.num_outputs);
  shape[axis] = extent < 0 ? extent : extent / p.num_outputs;
  if (p.squeeze_axis) shape.erase(axis);
  for (int i = 0; i < c.num_outputs(); ++i) c.out(i).shape = shape;
}

const Op& slice_channel_op =
    define_op<SliceChannelParams>("SliceChannel")
        .doc("`data` split along an axis into `num_outputs` equal parts.")
        .alias({"split"})
        .input("data", "Array of any shape.")
        .outputs_of([](const SliceChannelParams& p, int) { return std::max(p.num_outputs, 1); })
        .infer(infer_slice_channel)
        .gradient([](const SliceChannelParams& p, GradContext& g) {
          g.din(0) = joined("SliceChannel", g, p.axis, p.squeeze_axis);
        })
        .grad_uses(false, false)
        .method();

void infer_split(const SplitParams& p, InferContext& c) {
  for (int i = 0; i < c.num_outputs(); ++i) c.out(i).dtype = c.in(0).dtype;
  Shape shape = c.shape(0);
  if (!shape.rank_known()) return;
  int axis = c.axis(p.axis, shape);
  std::vector<int64_t> bounds(c.num_outputs() + 1, 0);
  if (shape[axis] >= 0) bounds = split_bounds("_split_v2", p, shape[axis]);
  for (int i = 0; i < c.num_outputs(); ++i) {
    Shape part = shape;
    if (shape[axis] >= 0) part[axis] = bounds[i + 1] - bounds[i];
    if (p.squeeze_axis && part[axis] >= 0 && part[axis] != 1)
      c.fail("squeeze_axis needs parts of extent 1, part ", i, " has shape ", part);
    if (p.squeeze_axis) part.erase(axis);
    c.out(i).shape = part;
  }
}

const Op& split_op = define_op<SplitParams>("_split_v2")
                         .doc("`data` split along an axis at the given indices, or into a number of sections.")
                         .alias({"_npi_split"})
                         .input("data", "Array of any shape.")
                         .outputs_of([](const SplitParams& p, int) {
                           return std::max(p.sections > 0 ? p.sections : p.indices.ndim(), 1);
                         })
                         .infer(infer_split)
                         .gradient([](const SplitParams& p, GradContext& g) {
                           g.din(0) = joined("_split_v2", g, p.axis, p.squeeze_axis);
                         })
                         .grad_uses(false, false);

// ---- Borders. ----

void infer_pad(const PadParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  if (p.pad_width.ndim() != 2 * shape.ndim())
    c.fail("pad_width ", p.pad_width, " has ", p.pad_width.ndim(), " items, expected two for each axis of shape ",
           shape);
  for (int i = 0; i < shape.ndim(); ++i) {
    int64_t before = p.pad_width[2 * i], after = p.pad_width[2 * i + 1];
    if (before < 0 || after < 0) c.fail("pad_width ", p.pad_width, " has a negative item");
    if (shape[i] < 0) continue;
    if (p.mode == PadMode::reflect && std::max(before, after) >= std::max<int64_t>(shape[i], 1) && before + after > 0)
      c.fail("mode reflect needs a border narrower than the array, got ", p.pad_width, " for shape ", shape);
    if (p.mode == PadMode::edge && shape[i] == 0 && before + after > 0)
      c.fail("axis ", i, " of shape ", shape, " has no edge");
    c.out(0).shape[i] += before + after;
  }
}

Ranges inside(const PadParams& p, const Shape& shape) {
  Ranges ranges = whole_ranges(shape);
  for (int i = 0; i < shape.ndim(); ++i) ranges[i].begin = p.pad_width[2 * i];
  return ranges;
}

void pad_gradient(const PadParams& p, GradContext& g) {
  static const OpRef slice("slice"), gather("_backward_pad");
  if (p.mode != PadMode::constant) {
    g.din(0) = gather.with({g.dout(0)}, make_params(p))[0];
    return;
  }
  SliceParams cut;
  for (const Range& r : inside(p, g.in(0).shape())) cut.begin.push_back(r.begin), cut.end.push_back(r.begin + r.count);
  g.din(0) = slice.with({g.dout(0)}, make_params(std::move(cut)))[0];
}

const Op& pad_op =
    define_op<PadParams>("Pad")
        .doc("`data` with a border around it: a constant, copies of the edge, or the array mirrored at its edge.")
        .alias({"pad"})
        .input("data", "Array of any shape.")
        .infer(infer_pad)
        .gradient(pad_gradient)
        .grad_uses(false, false)
        .method();

void infer_pad_backward(const PadParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  const Shape& padded = c.shape(0);
  if (!padded.known()) return;
  if (p.pad_width.ndim() != 2 * padded.ndim()) c.fail("pad_width ", p.pad_width, " does not fit shape ", padded);
  for (int i = 0; i < padded.ndim(); ++i) {
    int64_t before = p.pad_width[2 * i], after = p.pad_width[2 * i + 1], extent = padded[i] - before - after;
    bool fits = before >= 0 && after >= 0 && extent >= 0;
    if (before + after > 0 && p.mode == PadMode::reflect) fits = fits && std::max(before, after) < extent;
    if (before + after > 0 && p.mode == PadMode::edge) fits = fits && extent > 0;
    if (!fits) c.fail("an array of shape ", padded, " has no border of ", p.pad_width);
    c.out(0).shape[i] = extent;
  }
}

const Op& pad_backward_op =
    define_op<PadParams>("_backward_pad")
        .doc("Sums each element of a padded array into the element it shows: the gradient of Pad.")
        .input("data", "Array with a border.")
        .infer(infer_pad_backward)
        .gradient([](const PadParams& p, GradContext& g) {
          static const OpRef pad("Pad");
          g.din(0) = pad.with({g.dout(0)}, make_params(p))[0];
        })
        .grad_uses(false, false);

}  // namespace
}  // namespace mxnet
