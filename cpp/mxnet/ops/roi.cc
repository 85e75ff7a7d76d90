#include "mxnet/ops/roi.h"

#include "mxnet/ops/axes.h"
#include "mxnet/ops/indexing.h"

namespace mxnet {
namespace {

const char* const kData = "Images, shape (batch, channels, height, width), of a floating dtype.";
const char* const kRois =
    "Regions (image, left, top, right, bottom), shape (R, 5); one with a negative image gives zeros.";

void expect_size(const InferContext& c, const Shape& pooled) {
  if (pooled.ndim() != 2 || pooled[0] < 1 || pooled[1] < 1)
    c.fail("pooled_size is ", pooled, ", expected two positive numbers");
}
void expect_positive(const InferContext& c, const char* name, int value) {
  if (value < 1) c.fail(name, " is ", value, ", expected a positive number");
}

// Checks the parameters; gives the number of channels of the result, from that of the data.
int64_t check(const RoiPoolingParams& p, InferContext& c, int64_t channels) {
  expect_size(c, p.pooled_size);
  return channels;
}
int64_t check(const RoiAlignParams& p, InferContext& c, int64_t channels) {
  expect_size(c, p.pooled_size);
  if (!p.position_sensitive || channels < 0) return channels;
  int64_t bins = p.pooled_size[0] * p.pooled_size[1];
  if (channels % bins)
    c.fail("position_sensitive needs ", bins, " channels for each of the result, the data has ", channels);
  return channels / bins;
}
int64_t check(const RoiRotatedAlignParams& p, InferContext& c, int64_t channels) {
  expect_size(c, p.pooled_size);
  return channels;
}
template <class P>
int64_t check_groups(const P& p, InferContext& c, int64_t channels) {
  expect_positive(c, "output_dim", p.output_dim);
  expect_positive(c, "pooled_size", p.pooled_size);
  expect_positive(c, "group_size", p.group());
  int64_t wanted = int64_t{p.output_dim} * p.group() * p.group();
  if (channels >= 0 && channels != wanted)
    c.fail("the data has ", channels, " channels, output_dim ", p.output_dim, " and group_size ", p.group(), " need ",
           wanted);
  return p.output_dim;
}
int64_t check(const RoiSensitiveParams& p, InferContext& c, int64_t channels) { return check_groups(p, c, channels); }
int64_t check(const RoiDeformableParams& p, InferContext& c, int64_t channels) {
  expect_positive(c, "sample_per_part", p.sample_per_part);
  constexpr int kMost = 1024;
  if (p.sample_per_part > kMost) c.fail("sample_per_part is ", p.sample_per_part, ", must be at most ", kMost);
  return check_groups(p, c, channels);
}

// The shape of the bins of data of a shape, and checks of the regions, input 1, and offsets, input 2.
template <class P>
Shape infer_bins(const P& p, InferContext& c, const Shape& data, int roi_width) {
  int64_t channels = check(p, c, data.rank_known() ? data[1] : kUnknown);
  c.expect_shape(1, Shape{kUnknown, roi_width});
  int64_t count = c.shape(1).rank_known() ? c.shape(1)[0] : kUnknown;
  if constexpr (std::is_base_of_v<RoiDeformableParams, P>) {
    if (!p.no_trans) {
      if (!c.has(2)) c.fail_type("trans is missing; only with no_trans can it be left out");
      c.expect_shape(2, Shape{count, kUnknown, p.parts(), p.parts()});
      int64_t pairs = c.shape(2).rank_known() ? c.shape(2)[1] : kUnknown;
      if (pairs >= 0 && (pairs < 2 || pairs % 2 || p.output_dim % (pairs / 2)))
        c.fail("trans has shape ", c.shape(2), ", expected two rows for each of a number of classes that divides ",
               p.output_dim);
    }
  }
  if constexpr (requires { p.pooled_size[0]; })
    return Shape{count, channels, p.pooled_size[0], p.pooled_size[1]};
  else
    return Shape{count, channels, p.pooled_size, p.pooled_size};
}

template <class P>
void infer_pool(const P& p, InferContext& c, int roi_width) {
  DType dtype = c.same_dtype();
  expect_floating(c, dtype);
  c.expect_rank(0, 4);
  c.out(0) = {infer_bins(p, c, c.shape(0), roi_width), dtype};
}

// The pooling of P and its transpose, which are each other's gradient.
template <class P>
struct Linear {
  OpRef pool, spread;

  Expr pooled(const P& p, std::span<const Expr> in) const { return pool.with(in, make_params(p))[0]; }
  Expr spread_over(const P& p, std::span<const Expr> in, const Shape& shape) const {
    return spread.with(in, make_params(RoiSpreadParams<P>{p, shape}))[0];
  }
};
const Linear<RoiAlignParams> kAlign{OpRef("_contrib_ROIAlign"), OpRef("_backward_ROIAlign")};
const Linear<RoiRotatedAlignParams> kRotated{OpRef("_contrib_RROIAlign"), OpRef("_backward_RROIAlign")};
const Linear<RoiSensitiveParams> kSensitive{OpRef("_contrib_PSROIPooling"), OpRef("_backward_PSROIPooling")};
const Linear<RoiSlopeParams> kSlope{OpRef("_backward_DeformablePSROIPooling_slope"),
                                    OpRef("_backward_DeformablePSROIPooling")};

// What a pooling and its transpose have in common; `others` are the inputs behind the first.
template <class P>
OpBuilder<P> define_pool(const char* name, const char* doc, const Linear<P>& ops) {
  return define_op<P>(name)
      .doc(doc)
      .input("data", kData)
      .infer([](const P& p, InferContext& c) { infer_pool(p, c, P::kRoiWidth); })
      .gradient([&ops](const P& p, GradContext& g) {
        if (g.needs(0)) g.din(0) = ops.spread_over(p, std::array{g.dout(0), g.in(1)}, g.in(0).shape());
      })
      .grad_uses(true, false)
      .heavy();
}

template <class P>
void infer_spread(const RoiSpreadParams<P>& p, InferContext& c) {
  DType dtype = c.same_dtype();
  c.expect_shape(0, infer_bins(static_cast<const P&>(p), c, p.shape, P::kRoiWidth));
  c.out(0) = {p.shape, dtype};
}

template <class P>
OpBuilder<RoiSpreadParams<P>> define_spread(const char* name, const Linear<P>& ops) {
  return define_op<RoiSpreadParams<P>>(name)
      .doc("Gradient of a pooling over regions: what each bin gives to the pixels it was taken from.")
      .input("dout", "Gradient of the output.")
      .input("rois", "Regions.")
      .infer(infer_spread<P>)
      .gradient([&ops](const RoiSpreadParams<P>& p, GradContext& g) {
        if (g.needs(0)) g.din(0) = ops.pooled(p, std::array{g.dout(0), g.in(1)});
      })
      .grad_uses(true, false)
      .heavy();
}

// ---- Maximum ----

void infer_max(const RoiPoolingParams& p, InferContext& c) {
  infer_pool(p, c, 5);
  c.out(1) = {c.out(0).shape, DType::int64};
}

// Each bin's gradient goes to the place of its maximum in the flat data, -1 for an empty bin.
void max_gradient(const RoiPoolingParams&, GradContext& g) {
  static const OpRef add_along("_add_along_axis");
  if (!g.needs(0)) return;
  const Shape& shape = g.in(0).shape();
  Expr place = g.out(1), any = place >= 0.0;
  Shape flat{g.out_shape(0).size()};
  Expr dout = select(any, g.dout(0), zeros_like(g.dout(0)));
  if (shape.size() == 0) return;
  Expr sums = add_along.with({reshape(dout, flat), reshape(place * any, flat)},
                             make_params(AlongBackwardParams{0, Shape{shape.size()}}))[0];
  g.din(0) = reshape(sums, shape);
}

const Op& roi_pooling =
    define_op<RoiPoolingParams>("ROIPooling")
        .doc(
            "Maxima over regions of images (Fast R-CNN, Girshick 2015): the corners are scaled and rounded, the region "
            "is cut into pooled_size bins, and an empty bin gives 0. The result is (R, channels, *pooled_size).")
        .alias({"_npx_roi_pooling"})
        .input("data", kData)
        .input("rois", kRois)
        .outputs(2)
        .visible(1)
        .output_names([](const RoiPoolingParams&) { return std::vector<std::string>{"output", "maxidx"}; })
        .infer(infer_max)
        .gradient(max_gradient)
        .grad_uses(false, true)
        .heavy();

// ---- Poolings that are linear in the data ----

const Op& roi_align =
    define_pool("_contrib_ROIAlign",
                "Means over regions of images of points between pixels, interpolated bilinearly (Mask R-CNN, He et al. "
                "2017): nothing is rounded. The result is (R, channels, *pooled_size); position_sensitive takes bin "
                "(i, j) of channel k from channel (k * pooled_height + i) * pooled_width + j.",
                kAlign)
        .input("rois", kRois);
const Op& roi_align_spread = define_spread("_backward_ROIAlign", kAlign);

const Op& rotated_align =
    define_pool("_contrib_RROIAlign",
                "ROIAlign over rotated regions: means of points between pixels, interpolated bilinearly. The result "
                "is (R, channels, *pooled_size).",
                kRotated)
        .input("rois", "Regions (image, centre x, centre y, width, height, angle in degrees), shape (R, 6).");
const Op& rotated_align_spread = define_spread("_backward_RROIAlign", kRotated);

const Op& sensitive =
    define_pool("_contrib_PSROIPooling",
                "Means over regions in which each bin has channels of its own (R-FCN, Dai et al. 2016): bin (i, j) of "
                "channel k is taken from channel (k * group_size + i') * group_size + j', (i', j') being the bin's "
                "group. The result is (R, output_dim, pooled_size, pooled_size).",
                kSensitive)
        .input("rois", kRois);
const Op& sensitive_spread = define_spread("_backward_PSROIPooling", kSensitive);

// ---- Deformable ----

// Sums over the bins of each part along an axis.
Expr sum_parts(const RoiDeformableParams& p, const Expr& x, int axis) {
  static const OpRef concat("Concat");
  if (p.parts() == p.pooled_size) return x;
  std::vector<Expr> pieces;
  for (int part = 0, bin = 0; part < p.parts(); ++part) {
    int first = bin;
    while (bin < p.pooled_size && p.part_of(bin) == part) ++bin;
    Shape shape = x.shape();
    shape[axis] = 1;
    Expr piece = zeros(shape, x.dtype(), x.ctx());
    if (bin > first) {
      Expr bins = apply("slice_axis", {x}, {{"axis", axis}, {"begin", first}, {"end", bin}});
      piece = sum(bins, std::array{axis}, true);
    }
    pieces.push_back(piece);
  }
  return concat.all(pieces, {{"dim", axis}, {"num_args", static_cast<int>(pieces.size())}})[0];
}

// The gradient by the offsets, of a derivative of the pooling itself. Between pixels the data is bilinear: the second
// derivative along one axis is 0.
Expr offset_gradient(const RoiSlopeParams& p, const Expr& data, const Expr& dout, const Expr& rois, const Expr& trans) {
  static const OpRef concat("Concat");
  int64_t count = trans.shape()[0], classes = trans.shape()[1] / 2, size = p.pooled_size;
  std::vector<Expr> both;
  for (int axis = 0; axis < 2; ++axis) {
    RoiSlopeParams slope = p;
    Shape shape{count, classes, 1, p.parts(), p.parts()};
    if ((axis == 0 ? slope.along_x : slope.along_y)++ > 0) {
      both.push_back(zeros(shape, trans.dtype(), trans.ctx()));
      continue;
    }
    Expr change = dout * kSlope.pooled(slope, std::array{data, rois, trans});
    Expr by_class =
        sum(reshape(change, Shape{count, classes, p.output_dim / classes, size, size}), std::array{2}, false);
    both.push_back(reshape(sum_parts(p, sum_parts(p, by_class, 2), 3), shape));
  }
  return reshape(concat.all(both, {{"dim", 2}, {"num_args", 2}})[0], trans.shape());
}

// Inputs `first`, the regions and, if there are any, the offsets.
std::vector<Expr> with_offsets(const Expr& first, const GradContext& g) {
  std::vector<Expr> in{first, g.in(1)};
  if (g.has(2)) in.push_back(g.in(2));
  return in;
}

void slope_gradient(const RoiSlopeParams& p, GradContext& g) {
  if (g.needs(0)) g.din(0) = kSlope.spread_over(p, with_offsets(g.dout(0), g), g.in(0).shape());
  if (g.needs(2) && !p.no_trans) g.din(2) = offset_gradient(p, g.in(0), g.dout(0), g.in(1), g.in(2));
}

const char* const kTrans =
    "Offsets (x, y) of the bins for each of some classes, shape (R, 2 * classes, part_size, part_size).";

const Op& deformable =
    define_op<RoiDeformableParams>("_contrib_DeformablePSROIPooling")
        .doc(
            "PSROIPooling whose bins are moved by learned offsets (Deformable ConvNets, Dai et al. 2017) and which "
            "takes the mean of points interpolated bilinearly. The result is (R, output_dim, pooled_size, "
            "pooled_size).")
        .input("data", kData)
        .input("rois", kRois)
        .optional_input("trans", kTrans)
        .infer([](const RoiDeformableParams& p, InferContext& c) { infer_pool(p, c, 5); })
        .gradient([](const RoiDeformableParams& p, GradContext& g) { slope_gradient(RoiSlopeParams{p}, g); })
        .grad_uses(true, false)
        .heavy();

const Op& deformable_slope = define_op<RoiSlopeParams>("_backward_DeformablePSROIPooling_slope")
                                 .doc("Derivatives of DeformablePSROIPooling by the offset of each bin.")
                                 .input("data", kData)
                                 .input("rois", kRois)
                                 .optional_input("trans", kTrans)
                                 .infer([](const RoiSlopeParams& p, InferContext& c) { infer_pool(p, c, 5); })
                                 .gradient(slope_gradient)
                                 .grad_uses(true, false)
                                 .heavy();

const Op& deformable_spread = define_spread("_backward_DeformablePSROIPooling", kSlope)
                                  .optional_input("trans", kTrans)
                                  .gradient([](const RoiSpreadParams<RoiSlopeParams>& p, GradContext& g) {
                                    if (g.needs(0)) g.din(0) = kSlope.pooled(p, with_offsets(g.dout(0), g));
                                    if (g.needs(2) && !p.no_trans)
                                      g.din(2) = offset_gradient(p, g.dout(0), g.in(0), g.in(1), g.in(2));
                                  });

}  // namespace
}  // namespace mxnet
