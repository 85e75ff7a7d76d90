#include <cstdlib>

#include "mxnet/ops/convolution.h"
#include "mxnet/ops/onednn.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

using dnnl::memory;
using Dims = memory::dims;

// How the images are handed to oneDNN: as they lie, channels last, or in the format it likes best.
enum class Form { plain, channels_last, blocked };

struct ConvPrimitive {
  dnnl::primitive run;                     // none if there is no fast implementation
  memory::desc x, w, y, bias;              // what it works on
  memory::desc plain_x, plain_w, plain_y;  // what the arrays are
  dnnl::reorder x_reorder, w_reorder, y_reorder;
  int64_t scratchpad = 0;
};

Dims spatial_dims(const ConvGeometry& g, const std::array<int64_t, 3>& extents) {
  return Dims(extents.begin() + 3 - g.spatial, extents.end());
}

Dims image_dims(int64_t batch, int64_t channels, const Dims& extents) {
  Dims dims{batch, channels};
  dims.insert(dims.end(), extents.begin(), extents.end());
  return dims;
}

// Strides of dims (first, channels, spatial...) stored with channels before or after the spatial axes.
Dims strides_for(const Dims& dims, bool channels_last) {
  Dims strides(dims.size());
  int64_t step = 1;
  if (channels_last) strides[1] = step, step *= dims[1];
  for (size_t i = dims.size() - 1; i >= 2; --i) strides[i] = step, step *= dims[i];
  if (!channels_last) strides[1] = step, step *= dims[1];
  strides[0] = step;
  return strides;
}

memory::desc image_desc(const Dims& dims, memory::data_type type, bool channels_last) {
  return {dims, type, strides_for(dims, channels_last)};
}

memory::desc weight_desc(const ConvGeometry& g, memory::data_type type) {
  Dims dims = image_dims(g.out_channels, g.in_channels / g.groups, spatial_dims(g, g.kernel));
  Dims strides = strides_for(dims, g.channels_last);
  if (g.groups > 1) {
    dims[0] /= g.groups;
    dims.insert(dims.begin(), g.groups);
    strides.insert(strides.begin(), strides[0] * dims[1]);
  }
  return {dims, type, strides};
}

memory::desc any(const memory::desc& d) { return {d.get_dims(), d.get_data_type(), memory::format_tag::any}; }

dnnl::reorder reorder_between(const memory::desc& from, const memory::desc& to) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return dnnl::reorder(dnnl::reorder::primitive_desc(onednn::engine(), from, onednn::engine(), to, attr));
}

bool is_slow(const char* implementation) {
  return std::string_view(implementation).find("ref") != std::string_view::npos;
}

Form choose_form(ConvPass pass, const ConvGeometry& g) {
  if (const char* e = std::getenv("NN_FORM")) return static_cast<Form>(std::atoi(e));
  (void)pass;
  if (g.channels_last) return Form::plain;
  return Form::blocked;
}

struct Descs {
  memory::desc x, w, y, bias;
  Dims stride, dilate, pad_low, pad_high;
};

Descs descs_of(const ConvGeometry& g, memory::data_type type, bool bias, Form form, ConvPrimitive& entry) {
  Dims x = image_dims(g.batch, g.in_channels, spatial_dims(g, g.in)),
       y = image_dims(g.batch, g.out_channels, spatial_dims(g, g.out));
  entry.plain_x = image_desc(x, type, g.channels_last);
  entry.plain_y = image_desc(y, type, g.channels_last);
  entry.plain_w = weight_desc(g, type);
  Descs d;
  d.x = form == Form::plain           ? entry.plain_x
        : form == Form::channels_last ? image_desc(x, type, true)
                                      : any(entry.plain_x);
  d.y = form == Form::plain           ? entry.plain_y
        : form == Form::channels_last ? image_desc(y, type, true)
                                      : any(entry.plain_y);
  d.w = any(entry.plain_w);
  if (bias) d.bias = memory::desc({g.out_channels}, type, memory::format_tag::a);
  for (int i = 3 - g.spatial; i < 3; ++i) {
    d.stride.push_back(g.stride[i]);
    d.dilate.push_back(g.dilate[i] - 1);
    d.pad_low.push_back(g.pad[i]);
    // What the last window needs; less than pad where the windows do not reach the end.
    d.pad_high.push_back((g.out[i] - 1) * g.stride[i] + g.dilate[i] * (g.kernel[i] - 1) + 1 - g.in[i] - g.pad[i]);
  }
  return d;
}

template <class Desc>
void finish(ConvPrimitive& entry, const Desc& pd, const memory::desc& x, const memory::desc& w, const memory::desc& y) {
  if (is_slow(pd.impl_info_str())) return;
  entry.x = x, entry.w = w, entry.y = y;
  entry.scratchpad = static_cast<int64_t>(pd.scratchpad_desc().get_size());
  entry.run = dnnl::primitive(pd);
  if (std::getenv("NN_VERBOSE")) fprintf(stderr, "conv %s\n", pd.impl_info_str());
}

void create(ConvPass pass, const Descs& d, ConvPrimitive& entry) {
  auto& engine = onednn::engine();
  auto direct = dnnl::algorithm::convolution_direct;
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  auto kind = pass == ConvPass::forward ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
  dnnl::convolution_forward::primitive_desc forward(engine, kind, direct, d.x, d.w, d.bias, d.y, d.stride, d.dilate,
                                                    d.pad_low, d.pad_high, attr);
  if (pass == ConvPass::forward) {
    entry.bias = d.bias;
    finish(entry, forward, forward.src_desc(), forward.weights_desc(), forward.dst_desc());
  } else if (pass == ConvPass::data) {
    dnnl::convolution_backward_data::primitive_desc pd(engine, direct, d.x, d.w, d.y, d.stride, d.dilate, d.pad_low,
                                                       d.pad_high, forward, attr);
    finish(entry, pd, pd.diff_src_desc(), pd.weights_desc(), pd.diff_dst_desc());
  } else {
    dnnl::convolution_backward_weights::primitive_desc pd(engine, direct, d.x, d.w, d.y, d.stride, d.dilate, d.pad_low,
                                                          d.pad_high, forward, attr);
    finish(entry, pd, pd.src_desc(), pd.diff_weights_desc(), pd.diff_dst_desc());
  }
}

std::shared_ptr<ConvPrimitive> build(ConvPass pass, const ConvGeometry& g, memory::data_type type, bool bias) {
  auto entry = std::make_shared<ConvPrimitive>();
  try {
    create(pass, descs_of(g, type, bias, choose_form(pass, g), *entry), *entry);
  } catch (const dnnl::error&) {
    entry->run = {};  // unsupported: the caller has another way
  }
  if (!entry->run) return entry;
  auto reorder = [&](const memory::desc& plain, const memory::desc& wanted, bool result) {
    if (plain == wanted) return dnnl::reorder();
    return result ? reorder_between(wanted, plain) : reorder_between(plain, wanted);
  };
  entry->x_reorder = reorder(entry->plain_x, entry->x, pass == ConvPass::data);
  entry->w_reorder = reorder(entry->plain_w, entry->w, pass == ConvPass::weight);
  entry->y_reorder = reorder(entry->plain_y, entry->y, pass == ConvPass::forward);
  return entry;
}

onednn::Cache<ConvPrimitive>& cache() {
  static auto* cache = new onednn::Cache<ConvPrimitive>(1024);
  return *cache;
}

std::vector<int64_t> key_of(ConvPass pass, const ConvGeometry& g, DType dtype, bool bias) {
  std::vector<int64_t> key{static_cast<int64_t>(pass),
                           static_cast<int64_t>(dtype),
                           bias,
                           onednn::threads(),
                           g.spatial,
                           g.channels_last,
                           g.batch,
                           g.groups,
                           g.in_channels,
                           g.out_channels};
  for (auto* part : {&g.in, &g.out, &g.kernel, &g.stride, &g.dilate, &g.pad})
    key.insert(key.end(), part->begin(), part->end());
  return key;
}

// An array as the primitive wants it: itself, or a copy in another order that is made before or after the run.
class Operand {
 public:
  Operand(const memory::desc& plain, const memory::desc& wanted, const dnnl::reorder& reorder, void* data, bool result)
      : plain_(plain, onednn::engine(), data), reorder_(reorder), result_(result) {
    if (!reorder_) {
      inner_ = plain_;
      return;
    }
    buffer_ = Scratch(static_cast<int64_t>(wanted.get_size()));
    inner_ = memory(wanted, onednn::engine(), buffer_.data());
    if (!result_) reorder_.execute(onednn::stream(), plain_, inner_);
  }
  const memory& get() const { return inner_; }
  void finish() {
    if (reorder_ && result_) reorder_.execute(onednn::stream(), inner_, plain_);
  }

 private:
  memory plain_, inner_;
  dnnl::reorder reorder_;
  bool result_;
  Scratch buffer_;
};

void execute(ConvPass pass, const ConvPrimitive& entry, const ConvArrays& arrays) {
  Operand x(entry.plain_x, entry.x, entry.x_reorder, arrays.x, pass == ConvPass::data);
  Operand w(entry.plain_w, entry.w, entry.w_reorder, arrays.w, pass == ConvPass::weight);
  Operand y(entry.plain_y, entry.y, entry.y_reorder, arrays.y, pass == ConvPass::forward);
  Scratch scratchpad(entry.scratchpad);
  std::unordered_map<int, memory> args{
      {pass == ConvPass::data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, x.get()},
      {pass == ConvPass::weight ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, w.get()},
      {pass == ConvPass::forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, y.get()},
      {DNNL_ARG_SCRATCHPAD, memory({{entry.scratchpad}, memory::data_type::u8, memory::format_tag::a}, onednn::engine(),
                                   scratchpad.data())}};
  if (arrays.bias) args.emplace(DNNL_ARG_BIAS, memory(entry.bias, onednn::engine(), const_cast<void*>(arrays.bias)));
  entry.run.execute(onednn::stream(), args);
  x.finish(), w.finish(), y.finish();
}

}  // namespace

bool convolve_onednn(ConvPass pass, const ConvGeometry& g, DType dtype, const ConvArrays& arrays) {
  if (dtype != DType::float32 && dtype != DType::bfloat16) return false;
  auto type = dtype == DType::float32 ? memory::data_type::f32 : memory::data_type::bf16;
  bool bias = arrays.bias != nullptr;
  onednn::ThreadScope threads;
  auto entry = cache().get(key_of(pass, g, dtype, bias), [&] { return build(pass, g, type, bias); });
  if (!entry->run) return false;
  execute(pass, *entry, arrays);
  return true;
}

}  // namespace mxnet
