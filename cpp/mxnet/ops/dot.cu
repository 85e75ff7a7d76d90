// Matrix products on a GPU. Not run on hardware.
#include "mxnet/ops/dot.h"

#include "mxnet/ops/cuda.cuh"
#include "mxnet/ops/gemm.cuh"
#include "mxnet/ops/gemm_tiles.cuh"

namespace mxnet::cuda {
namespace {

template <class T, class Sum>
void run_gemm(const KernelContext& c, const Gemm& g) {
  int64_t tiles = ((g.m + kTile - 1) / kTile) * ((g.n + kTile - 1) / kTile) * g.batch;
  unsigned blocks = static_cast<unsigned>(std::min<int64_t>(tiles, 1 << 20));
  launch(c, blocks, dim3(kTile, kTile), gemm_kernel<T, Sum>, g);
}

// cuBLAS sees row-major matrices as transposed, so it is asked for C^T = op(B)^T op(A)^T.
void run_cublas(const KernelContext& c, cudaDataType type, cublasComputeType_t compute, const Gemm& g) {
  float alpha = static_cast<float>(g.alpha), beta = static_cast<float>(g.beta);
  bool is_double = compute == CUBLAS_COMPUTE_64F;
  const void* alpha_of = is_double ? static_cast<const void*>(&g.alpha) : &alpha;
  const void* beta_of = is_double ? static_cast<const void*>(&g.beta) : &beta;
  auto transpose = [](bool yes) { return yes ? CUBLAS_OP_T : CUBLAS_OP_N; };
  auto leading = [](int64_t extent) { return std::max<int64_t>(extent, 1); };
  check(cublasGemmStridedBatchedEx_64(cublas(c.ctx.id), transpose(g.trans_b), transpose(g.trans_a), g.n, g.m, g.k,
                                      alpha_of, g.b, type, leading(g.ldb), g.stride_b, g.a, type, leading(g.lda),
                                      g.stride_a, beta_of, g.c, type, leading(g.ldc), g.stride_c, g.batch, compute,
                                      CUBLAS_GEMM_DEFAULT),
        "cublasGemmStridedBatchedEx");
}

// Every row of `out` becomes the bias.
template <class T>
__global__ void rows_kernel(int64_t n, int64_t columns, T* out, const T* bias) {
  for (int64_t i = first_item(); i < n; i += item_step()) out[i] = bias[i % columns];
}

void dot(const DotParams& p, KernelContext& c) { gemm(c, c.out(0).dtype, dot_gemm(p, c)); }
void batch_dot(const DotParams& p, KernelContext& c) { gemm(c, c.out(0).dtype, batch_dot_gemm(p, c)); }

void fully_connected(const FullyConnectedParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  Gemm g = fully_connected_gemm(p, c);
  if (c.has(2) && out.size() > 0) {
    dispatch_width(out.dtype, [&]<class T>() {
      launch(c, blocks_for(out.size()), kThreads, rows_kernel<T>, out.size(), g.n, out.as<T>(), c.in(2).as<const T>());
    });
    g.beta = 1;
  }
  gemm(c, out.dtype, g);
}

const bool registered[] = {kernel<DotParams>("dot", dot), kernel<DotParams>("batch_dot", batch_dot),
                           kernel<FullyConnectedParams>("FullyConnected", fully_connected)};

}  // namespace

void gemm(const KernelContext& c, DType dtype, Gemm g) {
  g.set_leading_dimensions();
  if (g.m == 0 || g.n == 0 || g.batch == 0) return;
  switch (dtype) {
    case DType::float32: return run_cublas(c, CUDA_R_32F, CUBLAS_COMPUTE_32F, g);
    case DType::float64: return run_cublas(c, CUDA_R_64F, CUBLAS_COMPUTE_64F, g);
    case DType::float16: return run_cublas(c, CUDA_R_16F, CUBLAS_COMPUTE_32F, g);
    case DType::bfloat16: return run_cublas(c, CUDA_R_16BF, CUBLAS_COMPUTE_32F, g);
    case DType::int32: return run_gemm<int32_t, uint32_t>(c, g);
    case DType::int64: return run_gemm<int64_t, uint64_t>(c, g);
    case DType::int8: return run_gemm<int8_t, int32_t>(c, g);
    case DType::uint8: return run_gemm<uint8_t, int32_t>(c, g);
    case DType::boolean: return run_gemm<bool, int32_t>(c, g);
    case DType::unknown: break;
  }
  unsupported_dtype(dtype);
}

}  // namespace mxnet::cuda
