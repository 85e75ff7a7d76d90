// UpdateLayout: which arrays the calls that update parameters read and write, so that they can be part of a program.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "mxnet/op/invoke.h"

namespace mxnet {

// A call of an operator that writes into arrays it reads, such as the update of weights by their gradients.
struct UpdateCall {
  const Op* op = nullptr;
  ParamsRef params;
  Arrays inputs, outputs;
};

class UpdateLayout {
 public:
  // Arrays are known by a number: the inputs of the graph first, then as many gradients, then others, such as momenta.
  struct Entry {
    const Op* op = nullptr;
    std::vector<int> reads;
    std::vector<int> writes;  // by output: the array it is written into, which is one of those read
  };

  UpdateLayout() = default;
  // None where calls depend on each other or do not work in place.
  static std::optional<UpdateLayout> of(std::span<const UpdateCall> calls, std::span<const NDArray> inputs,
                                        std::span<const NDArray> grads);

  // Whether such calls read and write arrays in the same places, of the same shapes and dtypes.
  bool fits(std::span<const UpdateCall> calls, std::span<const NDArray> inputs, std::span<const NDArray> grads) const;

  const std::vector<Entry>& entries() const { return entries_; }
  const std::vector<TensorSpec>& others() const { return others_; }
  // The other arrays, in their order.
  Arrays others_of(std::span<const UpdateCall> calls, size_t num_known) const;

 private:
  std::vector<Entry> entries_;
  std::vector<TensorSpec> others_;
};

}  // namespace mxnet
