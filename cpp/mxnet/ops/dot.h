// The matrix products: parameters, and how their kernels see them.
#pragma once
#include <array>

#include "mxnet/op/op.h"
#include "mxnet/ops/gemm.h"

namespace mxnet {

enum class StorageForm { dense, csr, row_sparse };
constexpr std::array<std::pair<StorageForm, std::string_view>, 3> names_of(StorageForm) {
  return {{{StorageForm::dense, "default"}, {StorageForm::csr, "csr"}, {StorageForm::row_sparse, "row_sparse"}}};
}

struct DotParams {
  bool transpose_a = false;
  bool transpose_b = false;
  std::optional<StorageForm> forward_stype;

  static constexpr auto fields() {
    using P = DotParams;
    return std::tuple{
        field("transpose_a", &P::transpose_a, "Take the transpose of the first array."),
        field("transpose_b", &P::transpose_b, "Take the transpose of the second array."),
        field("forward_stype", &P::forward_stype, "Storage of the result where sparse arrays take part.")};
  }
};

struct FullyConnectedParams {
  int64_t num_hidden = 0;
  bool no_bias = false;
  bool flatten = true;

  static constexpr auto fields() {
    using P = FullyConnectedParams;
    return std::tuple{field("num_hidden", &P::num_hidden, "Number of output features.").required(),
                      field("no_bias", &P::no_bias, "Leave the bias out."),
                      field("flatten", &P::flatten, "Take all axes but the first as features; else only the last.")};
  }
};

// The product that an operator's kernel runs, on any device; that of FullyConnected without the bias.
Gemm dot_gemm(const DotParams& p, const KernelContext& c);
Gemm batch_dot_gemm(const DotParams& p, const KernelContext& c);
Gemm fully_connected_gemm(const FullyConnectedParams& p, const KernelContext& c);

}  // namespace mxnet
