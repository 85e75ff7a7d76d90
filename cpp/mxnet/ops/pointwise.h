// Elementwise operators by name, as loops: an operator's own kernel runs its loop over whole arrays, a fused one runs
// the loops of many operators one after the other over a block that stays in the cache.
#pragma once
#include "mxnet/op/registry.h"
#include "mxnet/ops/elementwise.h"

namespace mxnet {

enum class Operands : uint8_t {
  same,       // have the shape of the result
  broadcast,  // broadcast to it
};

struct PointwiseOp {
  // The loop for a result of element type `dtype`.
  PointwiseLoop (*loop)(const void* params, DType dtype) = nullptr;
  Operands operands = Operands::same;
  int level = 0;
};

// Null if the operator is not elementwise.
const PointwiseOp* find_pointwise(const Op& op);

// What the templates below are made of; of several instruction-set levels the best one the CPU has is kept.
bool add_pointwise_op(const char* op, const PointwiseOp& entry);

template <class P, PointwiseLoop (*loop_of)(const P&, DType)>
bool add_pointwise(const char* op, Operands operands = Operands::same) {
  auto loop = [](const void* p, DType dtype) { return loop_of(*static_cast<const P*>(p), dtype); };
  return add_pointwise_op(op, {loop, operands, MXNET_ISA_LEVEL});
}

// The same, with the kernel of the operator itself.
template <class P, PointwiseLoop (*loop_of)(const P&, DType)>
bool pointwise_kernel(const char* op) {
  cpu_kernel<P>(op, [](const P& p, KernelContext& c) { run_elements(loop_of(p, c.out(0).dtype), c.out(0), c.inputs); });
  return add_pointwise<P, loop_of>(op);
}

}  // namespace mxnet
