#include "mxnet/graph/layout_rules.h"

#include <unordered_map>
#include <unordered_set>

#include "mxnet/ops/convolution.h"
#include "mxnet/ops/join.h"
#include "mxnet/ops/norm.h"
#include "mxnet/ops/pointwise.h"
#include "mxnet/ops/pooling.h"
#include "mxnet/ops/reduce.h"

namespace mxnet {

Shape channels_last_shape(const Shape& first) {
  Shape last = first;
  for (int i = 0; i < first.ndim(); ++i) last[last_axis_of(i, first.ndim())] = first[i];
  return last;
}

namespace {

using Form = std::optional<LastForm>;

Layout layout_for(int spatial, bool last) {
  return static_cast<Layout>(static_cast<int>(last ? Layout::nwc : Layout::ncw) + spatial - 1);
}

bool is_image(const TensorSpec& spec) { return spec.shape.ndim() >= 3 && spec.shape.ndim() <= 5; }
bool is_last(const std::optional<Layout>& layout) { return layout && channels_last(*layout); }

template <class P>
LastForm with_params(const P& params, std::vector<bool> in, std::vector<bool> out) {
  auto make = [ref = make_params(params)](const Node& node, const Outputs& inputs) {
    return outputs_of(call(node.op->name.c_str(), node.name, ref, inputs, node.slots));
  };
  return {make, std::move(in), std::move(out)};
}

std::vector<bool> all(const Specs& specs) { return std::vector<bool>(specs.size(), true); }
std::vector<bool> first_only(const Specs& specs) {
  std::vector<bool> which(specs.size());
  which[0] = true;
  return which;
}

// --- convolutions -------------------------------------------------------------------------------------

bool all_are(const Shape& entries, int64_t value) {
  return std::all_of(entries.begin(), entries.end(), [value](int64_t e) { return e == value; });
}

// What a convolution on channels-first arrays loses by bringing them into another order and back. Pointwise ones are
// matrix products, which do without if they have pixels enough.
template <class P>
double gain_of(const P& p, const Shape& x, const Shape& y) {
  bool pointwise = p.num_group == 1 && all_are(p.kernel, 1) && all_are(p.stride, 1) && all_are(p.pad, 0);
  if (pointwise && y.product(2, y.ndim()) >= 196) return 0;
  return static_cast<double>(x.size() + y.size());
}

template <class P>
void set_layouts(P& p) {
  int spatial = p.kernel.ndim();
  p.layout = layout_for(spatial, true);
  p.weight_layout = layout_for(spatial, false);
}

Form convolution(const Node& node, const Specs& in, const Specs& out) {
  const auto& p = params_of<ConvolutionParams>(node);
  if (is_last(p.layout) || !is_fast_convolution(in[0].dtype)) return {};
  FusedConvolutionParams q;
  q.kernel = p.kernel, q.stride = p.stride, q.dilate = p.dilate, q.pad = p.pad;
  q.num_filter = p.num_filter, q.num_group = p.num_group, q.no_bias = p.no_bias;
  set_layouts(q);
  auto make = [ref = make_params(q)](const Node& node, const Outputs& inputs) {
    return outputs_of(call("_fused_convolution", node.name, ref, inputs, node.slots));
  };
  return LastForm{make, first_only(in), {true}, true, gain_of(p, in[0].shape, out[0].shape)};
}

// The data pass of a convolution, and the bias added to its result. With few channels that is slower than with channels
// first.
Form deconvolution(const Node& node, const Specs& in, const Specs& out) {
  constexpr int64_t kFew = 8;
  const auto& p = params_of<DeconvolutionParams>(node);
  if (is_last(p.layout) || !is_fast_convolution(in[0].dtype) || p.num_filter < kFew) return {};
  ConvGeometry g = conv_geometry(p, out[0].shape, in[0].shape);
  ConvolutionGradParams q{p.kernel, p.stride, p.dilate, p.pad, p.num_group, {}, channels_last_shape(out[0].shape), {}};
  q.pad = Shape::filled(g.spatial, 0);
  for (int i = 0; i < g.spatial; ++i) q.pad[i] = g.pad[static_cast<size_t>(3 - g.spatial + i)];
  set_layouts(q);
  Shape spread = Shape::filled(g.spatial + 2, 1);
  spread[g.spatial + 1] = p.num_filter;
  auto make = [ref = make_params(q), spread](const Node& node, const Outputs& inputs) -> Outputs {
    Ref<Node> made = call("_backward_Convolution_data", node.name, ref, {inputs[0], inputs[1]}, {0, 1});
    if (inputs.size() < 3) return outputs_of(made);
    NodeOutput bias = call("Reshape", node.name + "_bias", {inputs[2]}, {{"shape", spread}});
    return {call("broadcast_add", node.name, {{made, 0}, bias})};
  };
  return LastForm{make, first_only(in), {true}, true, gain_of(p, out[0].shape, in[0].shape)};
}

// --- operators with a layout or an axis ---------------------------------------------------------------

Form pooling(const Node& node, const Specs& in, const Specs& out) {
  auto p = params_of<PoolingParams>(node);
  if (is_last(p.layout)) return {};
  p.layout = layout_for(in[0].shape.ndim() - 2, true);
  return with_params(p, all(in), all(out));
}

Form batch_norm(const Node& node, const Specs& in, const Specs& out) {
  auto p = params_of<BatchNormParams>(node);
  if (p.axis != 1) return {};
  p.axis = in[0].shape.ndim() - 1;
  return with_params(p, first_only(in), first_only(out));
}
// One axis, which all arrays have.
template <class P, int P::* axis>
Form along_axis(const Node& node, const Specs& in, const Specs& out) {
  auto p = params_of<P>(node);
  if constexpr (requires { p.squeeze_axis; })
    if (p.squeeze_axis) return {};
  p.*axis = last_axis_of(p.*axis, in[0].shape.ndim());
  return with_params(p, all(in), all(out));
}

Form slice(const Node& node, const Specs& in, const Specs& out) {
  auto p = params_of<SliceParams>(node);
  for (Bounds* bounds : {&p.begin, &p.end, &p.step}) {
    bounds->resize(static_cast<size_t>(in[0].shape.ndim()));
    *bounds = channels_last_order(*bounds);
  }
  return with_params(p, all(in), all(out));
}
Form pad(const Node& node, const Specs& in, const Specs& out) {
  auto p = params_of<PadParams>(node);
  int rank = in[0].shape.ndim();
  Shape width = p.pad_width;
  if (width.ndim() != 2 * rank) return {};
  for (int i = 0; i < 2 * rank; ++i) width[2 * last_axis_of(i / 2, rank) + i % 2] = p.pad_width[i];
  p.pad_width = width;
  return with_params(p, all(in), all(out));
}

// What is left must lie in the same order whether the reduced axes stay as ones or go.
Form reduction(const Node& node, const Specs& in, const Specs& out) {
  auto p = params_of<ReduceParams>(node);
  const Shape& shape = in[0].shape;
  int rank = shape.ndim();
  AxisSet set = axis_set(node.op->name.c_str(), p.axis, shape, p.exclude);
  bool keeps_pixels = false;
  Shape axes;
  for (int i = 0; i < rank; ++i) {
    if (contains(set, i)) axes.push_back(last_axis_of(i, rank));
    keeps_pixels |= i >= 2 && !contains(set, i);
  }
  if (axes.ndim() == 0 || (!p.keepdims && keeps_pixels && !contains(set, 1))) return {};
  p.axis = axes, p.exclude = false;
  return with_params(p, all(in), std::vector<bool>(out.size(), p.keepdims));
}

Form broadcast_to(const Node&, const Specs& in, const Specs& out) {
  ShapeParams p{channels_last_shape(out[0].shape)};
  return with_params(p, all(in), all(out));
}

// --- elementwise --------------------------------------------------------------------------------------

bool is_elementwise(const Node& node, const Specs& out) {
  // They look at no more than the shape of what they read.
  static const std::unordered_set<std::string_view> others{"zeros_like", "ones_like"};
  const PointwiseOp* pointwise = find_pointwise(*node.op);
  if (!pointwise) return others.contains(node.op->name);
  bool broadcasts_to_shape = pointwise->operands == Operands::broadcast && node.inputs.size() == 1;
  if (broadcasts_to_shape) return false;
  return pointwise->loop(node.params->data(), out[0].dtype).loop != nullptr;
}

Form elementwise(const Node&, const Specs& in, const Specs& out) {
  auto make = [](const Node& node, const Outputs& inputs) { return outputs_of(with_inputs(node, inputs)); };
  return LastForm{make, all(in), all(out)};
}

using Rule = Form (*)(const Node&, const Specs& in, const Specs& out);

const std::unordered_map<std::string_view, Rule>& rules() {
  static const std::unordered_map<std::string_view, Rule> table{
      {"Convolution", convolution},
      {"Deconvolution", deconvolution},
      {"Pooling", pooling},
      {"BatchNorm", batch_norm},
      {"Concat", along_axis<ConcatParams, &ConcatParams::dim>},
      {"SliceChannel", along_axis<SliceChannelParams, &SliceChannelParams::axis>},
      {"_split_v2", along_axis<SplitParams, &SplitParams::axis>},
      {"slice_axis", along_axis<SliceAxisParams, &SliceAxisParams::axis>},
      {"slice", slice},
      {"Pad", pad},
      {"sum", reduction},
      {"mean", reduction},
      {"max", reduction},
      {"min", reduction},
      {"broadcast_to", broadcast_to},
  };
  return table;
}

// All arrays that the form wants channels-last are images of one rank, with elements.
bool fits(const LastForm& form, const Specs& in, const Specs& out) {
  int rank = in.empty() ? 0 : in[0].shape.ndim();
  auto fit = [&](const Specs& specs, const std::vector<bool>& which) {
    for (size_t i = 0; i < specs.size(); ++i)
      if (which[i] && (!is_image(specs[i]) || specs[i].shape.ndim() != rank || specs[i].shape.size() == 0))
        return false;
    return true;
  };
  return fit(in, form.in) && fit(out, form.out);
}

}  // namespace

Form last_form(const Node& node, const Specs& in, const Specs& out) {
  if (in.empty() || !is_image(in[0])) return {};
  auto it = rules().find(node.op->name);
  if (it == rules().end() && !is_elementwise(node, out)) return {};
  Form form = it == rules().end() ? elementwise(node, in, out) : it->second(node, in, out);
  return form && fits(*form, in, out) ? form : Form();
}

}  // namespace mxnet
