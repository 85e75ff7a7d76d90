// The one product of matrices that libmxnet_cuda asks cuBLAS for, given to the core's own.
#pragma once
#include "cuda_runtime.h"
#include "mxnet/ops/gemm.h"

enum cublasStatus_t { CUBLAS_STATUS_SUCCESS };
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };
enum cudaDataType { CUDA_R_32F, CUDA_R_64F, CUDA_R_16F, CUDA_R_16BF };
enum cublasComputeType_t { CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_64F };
enum cublasGemmAlgo_t { CUBLAS_GEMM_DEFAULT };
using cublasHandle_t = void*;

inline const char* cublasGetStatusString(cublasStatus_t) { return ""; }
inline cublasStatus_t cublasCreate(cublasHandle_t* handle) { return *handle = nullptr, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasSetStream(cublasHandle_t, cudaStream_t) { return CUBLAS_STATUS_SUCCESS; }

// Columns are the leading axis here: C^T = op(B)^T op(A)^T in rows.
inline cublasStatus_t cublasGemmStridedBatchedEx_64(cublasHandle_t, cublasOperation_t op_a, cublasOperation_t op_b,
                                                    int64_t m, int64_t n, int64_t k, const void* alpha, const void* a,
                                                    cudaDataType type, int64_t lda, int64_t stride_a, const void* b,
                                                    cudaDataType, int64_t ldb, int64_t stride_b, const void* beta,
                                                    void* c, cudaDataType, int64_t ldc, int64_t stride_c, int64_t batch,
                                                    cublasComputeType_t compute, cublasGemmAlgo_t) {
  using mxnet::DType;
  DType dtypes[] = {DType::float32, DType::float64, DType::float16, DType::bfloat16};
  auto number = [compute](const void* p) {
    return compute == CUBLAS_COMPUTE_64F ? *static_cast<const double*>(p)
                                         : static_cast<double>(*static_cast<const float*>(p));
  };
  mxnet::gemm(dtypes[type], {op_b == CUBLAS_OP_T, op_a == CUBLAS_OP_T, n, m, k, b, ldb, a, lda, c, ldc, number(alpha),
                             number(beta), batch, stride_b, stride_a, stride_c});
  return CUBLAS_STATUS_SUCCESS;
}
