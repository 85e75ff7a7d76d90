// The products of attention on a GPU. Not run on hardware.
#include "mxnet/ops/attention.h"

#include "mxnet/ops/cuda.cuh"
#include "mxnet/ops/gemm.cuh"

namespace mxnet::cuda {
namespace {

void scores(const ScoresParams& p, KernelContext& c) { gemm(c, c.out(0).dtype, scores_product(p, c)); }
void mix(const MixParams& p, KernelContext& c) { gemm(c, c.out(0).dtype, mix_product(p, c)); }

const bool registered[] = {kernel<ScoresParams>("_head_scores", scores), kernel<MixParams>("_head_mix", mix)};

}  // namespace
}  // namespace mxnet::cuda
