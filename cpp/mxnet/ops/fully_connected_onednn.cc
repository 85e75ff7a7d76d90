// Dense layers with packed weights by oneDNN.
#include <bit>
#include <cstring>

#include "mxnet/ops/dot.h"
#include "mxnet/ops/onednn_post_ops.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

using dnnl::memory;

struct DensePrimitive {
  dnnl::matmul run;  // none if there is no fast implementation
  memory::desc x, w, bias, y;
  int64_t scratchpad = 0;
};

// `order` is that of the weight, 0 to choose the best.
std::shared_ptr<DensePrimitive> build(const DenseLayer& layer, const PostOps& post, bool bias, int64_t order) {
  auto entry = std::make_shared<DensePrimitive>();
  auto type = memory::data_type::f32;
  auto tag = memory::format_tag::ab;
  memory::desc w({layer.in, layer.out}, type, memory::format_tag::any);
  if (order != 0) w = onednn::WeightOrders::get().at(order);
  entry->x = memory::desc({layer.rows, layer.in}, type, tag);
  entry->y = memory::desc({layer.rows, layer.out}, type, tag);
  if (bias) entry->bias = memory::desc({1, layer.out}, type, tag);
  try {
    dnnl::matmul::primitive_desc pd(onednn::engine(), entry->x, w, entry->bias, entry->y,
                                    onednn::attributes(post, entry->y));
    if (std::string_view(pd.impl_info_str()).find("brg") == std::string_view::npos) return entry;
    entry->w = pd.weights_desc();
    entry->scratchpad = static_cast<int64_t>(pd.scratchpad_desc().get_size());
    entry->run = dnnl::matmul(pd);
  } catch (const dnnl::error&) {
    entry->run = {};
  }
  return entry;
}

std::shared_ptr<DensePrimitive> cached(const DenseLayer& layer, const PostOps& post, bool bias, int64_t order,
                                       int team) {
  static auto* cache = new onednn::Cache<DensePrimitive>(1024);
  return cache->get({layer.rows, layer.in, layer.out, bias, post.adds, static_cast<int64_t>(post.function),
                     std::bit_cast<int32_t>(post.alpha), std::bit_cast<int32_t>(post.beta), order, team},
                    [&] { return build(layer, post, bias, order); });
}

// Waking a team takes as long as some million multiplications.
int team_for(const DenseLayer& layer) {
  double work = static_cast<double>(layer.rows) * static_cast<double>(layer.in) * static_cast<double>(layer.out);
  return work < 4e6 ? 1 : onednn::threads();
}

}  // namespace

bool pack_dense_onednn(const DenseLayer& layer, const PostOps& post, bool bias, const void* w, void* packed) {
  if (layer.rows == 0 || layer.in == 0) return false;
  int team = team_for(layer);
  onednn::ThreadScope threads(team);
  auto entry = cached(layer, post, bias, 0, team);
  if (!entry->run || static_cast<int64_t>(entry->w.get_size()) > packed_dense_bytes(layer) - kPackedHead) return false;
  auto& engine = onednn::engine();
  char* to = static_cast<char*>(packed);
  memory::desc plain({layer.in, layer.out}, memory::data_type::f32, memory::dims{1, layer.in});
  memory from(plain, engine, const_cast<void*>(w)), into(entry->w, engine, to + kPackedHead);
  dnnl::reorder(from, into).execute(onednn::stream(), from, into);
  int64_t order = onednn::WeightOrders::get().number_of(entry->w);
  std::memset(to, 0, kPackedHead);
  std::memcpy(to, &order, sizeof order);
  return true;
}

bool dense_onednn(const DenseLayer& layer, const PostOps& post, const DenseArrays& arrays) {
  int64_t order;
  std::memcpy(&order, arrays.w, sizeof order);
  if (order == 0) return false;
  int team = team_for(layer);
  onednn::ThreadScope threads(team);
  auto entry = cached(layer, post, arrays.bias != nullptr, order, team);
  if (!entry->run) fail(ErrorKind::runtime, "oneDNN does not take this packed weight with ", layer.rows, " rows");
  auto& engine = onednn::engine();
  Scratch scratchpad(entry->scratchpad);
  memory pad({{entry->scratchpad}, memory::data_type::u8, memory::format_tag::a}, engine, scratchpad.data());
  auto at = [&](const memory::desc& desc, const void* data) { return memory(desc, engine, const_cast<void*>(data)); };
  std::unordered_map<int, memory> args{
      {DNNL_ARG_SRC, at(entry->x, arrays.x)},
      {DNNL_ARG_WEIGHTS, at(entry->w, static_cast<const char*>(arrays.w) + kPackedHead)},
      {DNNL_ARG_DST, at(entry->y, arrays.y)},
      {DNNL_ARG_SCRATCHPAD, pad}};
  if (arrays.bias) args.emplace(DNNL_ARG_BIAS, at(entry->bias, arrays.bias));
  if (arrays.addend) args.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, at(entry->y, arrays.addend));
  entry->run.execute(onednn::stream(), args);
  return true;
}

}  // namespace mxnet
