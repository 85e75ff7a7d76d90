#include "mxnet/ops/gemm.h"
#include "mxnet/ops/onednn.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {

void gemm_f32_onednn(const Gemm& g) {
  onednn::ThreadScope threads;
  auto status = dnnl_sgemm(g.trans_a ? 'T' : 'N', g.trans_b ? 'T' : 'N', g.m, g.n, g.k, static_cast<float>(g.alpha),
                           static_cast<const float*>(g.a), g.lda, static_cast<const float*>(g.b), g.ldb,
                           static_cast<float>(g.beta), static_cast<float*>(g.c), g.ldc);
  if (status != dnnl_success)
    fail(ErrorKind::runtime, "matrix product failed in oneDNN with status ", static_cast<int>(status));
}

namespace {

using dnnl::memory;

struct PackedProduct {
  dnnl::matmul run;  // none if there is no fast implementation
  dnnl::reorder pack;
  memory::desc a, b, packed_b, c, scratchpad;
};

std::shared_ptr<PackedProduct> build(const Gemm& g) {
  auto entry = std::make_shared<PackedProduct>();
  auto type = memory::data_type::f32;
  entry->a = memory::desc({g.m, g.k}, type, memory::dims{g.lda, 1});
  entry->b = memory::desc({g.k, g.n}, type, g.trans_b ? memory::dims{1, g.ldb} : memory::dims{g.ldb, 1});
  entry->c = memory::desc({g.m, g.n}, type, memory::dims{g.ldc, 1});
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (g.beta != 0) {
    dnnl::post_ops sum;
    sum.append_sum();
    attr.set_post_ops(sum);
  }
  auto& engine = onednn::engine();
  try {
    dnnl::matmul::primitive_desc pd(engine, entry->a, memory::desc({g.k, g.n}, type, memory::format_tag::any), entry->c,
                                    attr);
    if (std::string_view(pd.impl_info_str()).find("brg") == std::string_view::npos) return entry;
    entry->packed_b = pd.weights_desc();
    entry->scratchpad = pd.scratchpad_desc();
    entry->pack = dnnl::reorder(dnnl::reorder::primitive_desc(engine, entry->b, engine, entry->packed_b));
    entry->run = dnnl::matmul(pd);
  } catch (const dnnl::error&) {
    entry->run = {};
  }
  return entry;
}

}  // namespace

std::function<void(const float* a, float* c)> packed_gemm_f32_onednn(const Gemm& g) {
  static auto* cache = new onednn::Cache<PackedProduct>(256);
  // Waking a team takes as long as some million multiplications.
  double work = static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  int team = work < 4e6 ? 1 : onednn::threads();
  onednn::ThreadScope threads(team);
  auto entry = cache->get({g.m, g.n, g.k, g.trans_b, g.lda, g.ldb, g.ldc, g.beta != 0, team}, [&] { return build(g); });
  if (!entry->run) return {};
  auto packed = std::make_shared<Scratch>(static_cast<int64_t>(entry->packed_b.get_size()));
  auto pad = std::make_shared<Scratch>(static_cast<int64_t>(entry->scratchpad.get_size()));
  auto& engine = onednn::engine();
  memory plain(entry->b, engine, const_cast<void*>(g.b)), b(entry->packed_b, engine, packed->data());
  entry->pack.execute(onednn::stream(), plain, b);
  memory a(entry->a, engine, nullptr), c(entry->c, engine, nullptr);
  std::unordered_map<int, memory> args{{DNNL_ARG_SRC, a},
                                       {DNNL_ARG_WEIGHTS, b},
                                       {DNNL_ARG_DST, c},
                                       {DNNL_ARG_SCRATCHPAD, memory(entry->scratchpad, engine, pad->data())}};
  return [entry, packed, pad, a, c, args, team](const float* from, float* to) {
    onednn::ThreadScope scope(team);
    a.set_data_handle(const_cast<float*>(from));
    c.set_data_handle(to);
    entry->run.execute(onednn::stream(), args);
  };
}

}  // namespace mxnet
