// Convolution by oneDNN. Channels-last images go in as they are. Its fast forms for others want images in blocks of 16
// channels; they are brought into that order and back a few at a time, so that they stay in the cache in between.
#include <bit>
#include <cstring>

#include "mxnet/ops/convolution.h"
#include "mxnet/ops/onednn_post_ops.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

using dnnl::memory;
using Dims = memory::dims;

// How the images are handed to oneDNN: as they lie, in blocks of 16 channels, or in whatever order it likes best.
enum class Form { plain, blocked, any };

struct ConvPrimitive {
  dnnl::primitive run;                     // none if there is no fast implementation
  memory::desc x, w, y, bias, addend;      // what it works on
  memory::desc plain_x, plain_w, plain_y;  // what the arrays are
  dnnl::reorder x_reorder, w_reorder, y_reorder;
  int64_t scratchpad = 0;
};

// What the forward pass does beside the convolution; nothing in the other passes.
struct Extras {
  bool bias = false;
  PostOps post;
};

struct ConvDescs {
  memory::desc x, w, y, bias;
  Dims stride, dilate, pad_low, pad_high;
};

Dims spatial_dims(const ConvGeometry& g, const std::array<int64_t, 3>& extents) {
  return Dims(extents.begin() + 3 - g.spatial, extents.end());
}

Dims image_dims(int64_t first, int64_t channels, const Dims& extents) {
  Dims dims{first, channels};
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

memory::desc weight_desc(const ConvGeometry& g, memory::data_type type) {
  Dims dims = image_dims(g.out_channels, g.in_channels / g.groups, spatial_dims(g, g.kernel));
  Dims strides = strides_for(dims, g.weights_last);
  if (g.groups > 1) {
    dims[0] /= g.groups;
    dims.insert(dims.begin(), g.groups);
    strides.insert(strides.begin(), strides[0] * dims[1]);
  }
  return {dims, type, strides};
}

memory::desc any(const memory::desc& d) { return {d.get_dims(), d.get_data_type(), memory::format_tag::any}; }

memory::desc in_form(Form form, const memory::desc& plain, int64_t channels, int spatial) {
  using Tag = memory::format_tag;
  constexpr Tag kBlocked[] = {Tag::aBc16b, Tag::aBcd16b, Tag::aBcde16b};
  if (form == Form::any) return any(plain);
  if (form == Form::plain || channels < 8) return plain;
  return {plain.get_dims(), plain.get_data_type(), kBlocked[spatial - 1]};
}

ConvDescs descs_of(const ConvGeometry& g, memory::data_type type, bool bias, Form form, ConvPrimitive& entry) {
  auto plain = [&](int64_t channels, const std::array<int64_t, 3>& extents) {
    Dims dims = image_dims(g.batch, channels, spatial_dims(g, extents));
    return memory::desc(dims, type, strides_for(dims, g.channels_last));
  };
  entry.plain_x = plain(g.in_channels, g.in);
  entry.plain_y = plain(g.out_channels, g.out);
  entry.plain_w = weight_desc(g, type);
  ConvDescs d;
  d.x = in_form(form, entry.plain_x, g.in_channels, g.spatial);
  d.y = in_form(form, entry.plain_y, g.out_channels, g.spatial);
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
  if (std::string_view(pd.impl_info_str()).find("ref") != std::string_view::npos) return;
  entry.x = x, entry.w = w, entry.y = y;
  entry.scratchpad = static_cast<int64_t>(pd.scratchpad_desc().get_size());
  entry.run = dnnl::primitive(pd);
}

void create(ConvPass pass, const ConvDescs& d, const PostOps& post, ConvPrimitive& entry) {
  auto& engine = onednn::engine();
  auto direct = dnnl::algorithm::convolution_direct;
  auto attr = onednn::attributes(post, entry.plain_y);
  auto kind = pass == ConvPass::forward ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
  dnnl::convolution_forward::primitive_desc forward(engine, kind, direct, d.x, d.w, d.bias, d.y, d.stride, d.dilate,
                                                    d.pad_low, d.pad_high, attr);
  if (pass == ConvPass::forward) {
    entry.bias = d.bias;
    entry.addend = entry.plain_y;
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

bool is_pointwise(const ConvGeometry& g) {
  for (int i = 0; i < 3; ++i)
    if (g.kernel[i] != 1 || g.stride[i] != 1 || g.pad[i] != 0) return false;
  return g.groups == 1;
}

// Pointwise convolutions are matrix products of plain images; the others gain more than reordering costs.
bool prefers_plain(const ConvGeometry& g) { return g.channels_last || (is_pointwise(g) && g.out_size() >= 196); }

std::shared_ptr<ConvPrimitive> build(ConvPass pass, const ConvGeometry& g, memory::data_type type,
                                     const Extras& extras) {
  auto entry = std::make_shared<ConvPrimitive>();
  auto attempt = [&](Form form) {
    if (entry->run) return;
    try {
      create(pass, descs_of(g, type, extras.bias, form, *entry), extras.post, *entry);
    } catch (const dnnl::error&) {
      entry->run = {};  // not in this form
    }
  };
  if (!prefers_plain(g)) attempt(Form::blocked);
  attempt(Form::plain);
  attempt(Form::any);
  if (!entry->run) return entry;
  auto reorder = [&](const memory::desc& plain, const memory::desc& wanted, bool result) {
    if (plain == wanted) return dnnl::reorder();
    const auto &from = result ? wanted : plain, &to = result ? plain : wanted;
    auto& engine = onednn::engine();
    return dnnl::reorder(dnnl::reorder::primitive_desc(engine, from, engine, to, onednn::user_scratchpad()));
  };
  entry->x_reorder = reorder(entry->plain_x, entry->x, pass == ConvPass::data);
  entry->w_reorder = reorder(entry->plain_w, entry->w, pass == ConvPass::weight);
  entry->y_reorder = reorder(entry->plain_y, entry->y, pass == ConvPass::forward);
  return entry;
}

std::shared_ptr<ConvPrimitive> cached(ConvPass pass, const ConvGeometry& g, memory::data_type type,
                                      const Extras& extras) {
  static auto* cache = new onednn::Cache<ConvPrimitive>(1024);
  std::vector<int64_t> key{static_cast<int64_t>(pass),
                           static_cast<int64_t>(type),
                           extras.bias,
                           extras.post.adds,
                           static_cast<int64_t>(extras.post.function),
                           std::bit_cast<int32_t>(extras.post.alpha),
                           std::bit_cast<int32_t>(extras.post.beta),
                           onednn::threads(),
                           g.spatial,
                           g.channels_last,
                           g.weights_last,
                           g.batch,
                           g.groups,
                           g.in_channels,
                           g.out_channels};
  for (auto* part : {&g.in, &g.out, &g.kernel, &g.stride, &g.dilate, &g.pad})
    key.insert(key.end(), part->begin(), part->end());
  return cache->get(key, [&] { return build(pass, g, type, extras); });
}

// How many images to work on at a time: what fits in the second-level cache with input and output, but enough
// pixels that the weights, which are read again for each turn, pay.
int64_t images_at_once(const ConvGeometry& g) {
  constexpr int64_t kCache = 768 << 10, kPixels = 392;
  if (prefers_plain(g)) return g.batch;
  int64_t bytes = 4 * (g.x_elements() + g.y_elements()) / g.batch;
  int64_t images = std::max(kCache / std::max<int64_t>(1, bytes), (kPixels + g.out_size() - 1) / g.out_size());
  images = std::clamp<int64_t>(images, 1, g.batch);
  int64_t turns = (g.batch + images - 1) / images;
  return (g.batch + turns - 1) / turns;
}

// An array as a primitive wants it: itself, or a buffer in another order.
struct Operand {
  memory plain, inner;
  dnnl::reorder reorder;
  Scratch buffer;

  Operand(const memory::desc& plain_desc, const memory::desc& wanted, const dnnl::reorder& r)
      : plain(plain_desc, onednn::engine(), nullptr), reorder(r) {
    if (!r) return;
    buffer = Scratch(static_cast<int64_t>(wanted.get_size()));
    inner = memory(wanted, onednn::engine(), buffer.data());
  }
  const memory& used() const { return reorder ? inner : plain; }
  void load() {
    if (reorder) reorder.execute(onednn::stream(), plain, inner);
  }
  void store() {
    if (reorder) reorder.execute(onednn::stream(), inner, plain);
  }
};

Operand weight_operand(const ConvPrimitive& entry, const ConvArrays& arrays) {
  int64_t order = 0;
  char* data = static_cast<char*>(arrays.w);
  if (arrays.packed) std::memcpy(&order, std::exchange(data, data + kPackedHead), sizeof order);
  auto made = [&] {
    if (order == 0) return Operand(entry.plain_w, entry.w, entry.w_reorder);
    memory::desc packed = onednn::WeightOrders::get().at(order);
    if (packed == entry.w) return Operand(packed, packed, {});
    auto& engine = onednn::engine();
    return Operand(packed, entry.w, dnnl::reorder({engine, packed, engine, entry.w, onednn::user_scratchpad()}));
  };
  Operand operand = made();
  operand.plain.set_data_handle(data);
  return operand;
}

template <class T>
void add_to(void* total, const void* part, size_t bytes) {
  T* to = static_cast<T*>(total);
  const T* from = static_cast<const T*>(part);
  for (size_t i = 0; i < bytes / sizeof(T); ++i) to[i] += from[i];
}

// One primitive over images in turn.
class Run {
 public:
  Run(ConvPass pass, const ConvPrimitive& entry, const ConvArrays& arrays)
      : pass_(pass),
        entry_(entry),
        x_(entry.plain_x, entry.x, entry.x_reorder),
        w_(weight_operand(entry, arrays)),
        y_(entry.plain_y, entry.y, entry.y_reorder),
        scratchpad_(entry.scratchpad) {
    if (pass != ConvPass::weight) w_.load();
    bool data = pass == ConvPass::data, weight = pass == ConvPass::weight, forward = pass == ConvPass::forward;
    memory pad({{entry.scratchpad}, memory::data_type::u8, memory::format_tag::a}, onednn::engine(),
               scratchpad_.data());
    args_ = {{data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, x_.used()},
             {weight ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, w_.used()},
             {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, y_.used()},
             {DNNL_ARG_SCRATCHPAD, pad}};
    auto extra = [&](int name, const memory::desc& desc, const void* array) {
      if (array) args_.emplace(name, memory(desc, onednn::engine(), const_cast<void*>(array)));
    };
    extra(DNNL_ARG_BIAS, entry.bias, arrays.bias);
    extra(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, entry.addend, arrays.addend);
  }

  void images(void* x, void* y) {
    x_.plain.set_data_handle(x);
    y_.plain.set_data_handle(y);
    if (pass_ != ConvPass::data) x_.load();
    if (pass_ != ConvPass::forward) y_.load();
    entry_.run.execute(onednn::stream(), args_);
    if (pass_ == ConvPass::data) x_.store();
    if (pass_ == ConvPass::forward) y_.store();
  }

  // Weight gradients of several turns add up in `total`, in the order of the primitive.
  void add_weights(Scratch& total) {
    size_t bytes = entry_.w.get_size();
    void* part = w_.used().get_data_handle();
    if (total.data()) {
      add_to<float>(total.data(), part, bytes);
    } else {
      total = Scratch(static_cast<int64_t>(bytes));
      std::copy_n(static_cast<const char*>(part), bytes, total.as<char>());
    }
  }
  void take_weights(const Scratch& total) {
    std::copy_n(total.as<const char>(), entry_.w.get_size(), static_cast<char*>(w_.used().get_data_handle()));
  }
  void finish() {
    if (pass_ == ConvPass::weight) w_.store();
  }

 private:
  ConvPass pass_;
  const ConvPrimitive& entry_;
  Operand x_, w_, y_;
  Scratch scratchpad_;
  std::unordered_map<int, memory> args_;
};

memory::data_type type_of(DType dtype) {
  return dtype == DType::float32 ? memory::data_type::f32 : memory::data_type::bf16;
}

// An array to add lies as the result does, so that all images must be worked on at once.
int64_t turn(const ConvGeometry& g, const PostOps& post) { return post.adds ? g.batch : images_at_once(g); }

}  // namespace

bool convolve_onednn(ConvPass pass, const ConvGeometry& whole, DType dtype, const ConvArrays& arrays,
                     const PostOps& post) {
  if (dtype != DType::float32 && dtype != DType::bfloat16) return false;
  onednn::ThreadScope threads;
  ConvGeometry g = whole;
  bool sums = pass == ConvPass::weight;
  // Sums of parts are kept in float32 only; and parts of unequal size might order the weights differently.
  int64_t images = turn(whole, post);
  if (sums && (dtype != DType::float32 || whole.batch % images != 0)) images = whole.batch;
  Scratch total;
  for (int64_t first = 0; first < whole.batch;) {
    g.batch = std::min(images, whole.batch - first);
    auto entry = cached(pass, g, type_of(dtype), {arrays.bias != nullptr, post});
    if (!entry->run) return false;
    Run run(pass, *entry, arrays);
    int64_t x_step = g.x_elements() * size_of(dtype), y_step = g.y_elements() * size_of(dtype);
    char* x = static_cast<char*>(arrays.x) + first * x_step / g.batch;
    char* y = static_cast<char*>(arrays.y) + first * y_step / g.batch;
    for (; first + g.batch <= whole.batch; first += g.batch, x += x_step, y += y_step) {
      run.images(x, y);
      if (sums && images < whole.batch) run.add_weights(total);
    }
    if (total.data()) run.take_weights(total);
    run.finish();
  }
  return true;
}

bool pack_weights_onednn(const ConvGeometry& whole, DType dtype, const PostOps& post, bool bias, const void* w,
                         void* packed) {
  if ((dtype != DType::float32 && dtype != DType::bfloat16) || whole.y_elements() == 0) return false;
  onednn::ThreadScope threads;
  ConvGeometry g = whole;
  g.batch = turn(whole, post);
  auto entry = cached(ConvPass::forward, g, type_of(dtype), {bias, post});
  int64_t room = packed_bytes(whole, dtype) - kPackedHead;
  if (!entry->run || !entry->w_reorder || static_cast<int64_t>(entry->w.get_size()) > room) return false;
  auto& engine = onednn::engine();
  char* to = static_cast<char*>(packed);
  memory from(entry->plain_w, engine, const_cast<void*>(w)), into(entry->w, engine, to + kPackedHead);
  dnnl::reorder(entry->w_reorder).execute(onednn::stream(), from, into);
  int64_t order = onednn::WeightOrders::get().number_of(entry->w);
  std::memset(to, 0, kPackedHead);
  std::memcpy(to, &order, sizeof order);
  return true;
}

}  // namespace mxnet
