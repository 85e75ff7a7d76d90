#include "mxnet/ops/gemm.h"
#include "mxnet/ops/onednn.h"

namespace mxnet {

void gemm_f32_onednn(const Gemm& g) {
  onednn::ThreadScope threads;
  auto status = dnnl_sgemm(g.trans_a ? 'T' : 'N', g.trans_b ? 'T' : 'N', g.m, g.n, g.k, static_cast<float>(g.alpha),
                           static_cast<const float*>(g.a), g.lda, static_cast<const float*>(g.b), g.ldb,
                           static_cast<float>(g.beta), static_cast<float*>(g.c), g.ldc);
  if (status != dnnl_success)
    fail(ErrorKind::runtime, "matrix product failed in oneDNN with status ", static_cast<int>(status));
}

}  // namespace mxnet
