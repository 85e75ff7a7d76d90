// The tape: the graph of recorded operator applications, walked backwards for gradients.
#pragma once
#include <functional>
#include <vector>

#include "mxnet/op/expr.h"

namespace mxnet {

// The numbers are those of MXNet's interface.
enum class GradReq : int { null = 0, write = 1, add = 3 };

class TapeNode;

// An array's place on the tape: output `index` of a node, or a leaf that collects a gradient.
class TapeEntry : public RefCounted {
 public:
  Ref<TapeNode> node;  // null for a leaf
  int index = 0;

  GradReq req = GradReq::null;  // leaves only, as the rest
  NDArray grad;
  bool fresh = false;  // the gradient was written since the flag was last cleared
};

// One recorded application. Arrays the gradient does not use are kept as specs only.
class TapeNode : public RefCounted {
 public:
  // Gradient of a function written elsewhere (a Python autograd.Function): from gradients of the outputs
  // to gradients of the inputs.
  using Custom = std::function<std::vector<Expr>(std::span<const Expr> douts)>;

  const Op* op = nullptr;  // null for a custom function
  ParamsRef params;
  Custom custom;
  bool training = false;
  bool released = false;  // its arrays were given up by a backward without retain_graph
  uint64_t sequence = 0;
  std::vector<Ref<TapeEntry>> edges;  // per input; null where no gradient flows
  Arrays inputs, outputs;             // detached; empty where the gradient does not need them
  std::vector<uint64_t> versions;     // of inputs then outputs, to notice writes in between
  std::vector<TensorSpec> out_specs;

  ~TapeNode() override;
};

inline TapeEntry* tape_entry(const NDArray& array) { return static_cast<TapeEntry*>(array.tape.get()); }

// Makes `array` a leaf whose gradient is written (or added) to `grad`.
void mark_variable(NDArray& array, NDArray grad, GradReq req);

// Records a custom function: `outputs` get their places on the tape.
void record_custom(TapeNode::Custom custom, std::span<const NDArray> inputs, std::span<NDArray> outputs);

struct BackwardOptions {
  bool retain_graph = false;
  bool create_graph = false;  // record the gradient computation itself
  bool training = true;
};

// Gradients of heads (weighted by head_grads; undefined ones are ones). With `variables` empty they go into
// the leaves' gradient arrays; otherwise the gradients of the variables are returned and no leaf is touched.
Arrays backward(std::span<const NDArray> heads, std::span<const NDArray> head_grads, std::span<const NDArray> variables,
                const BackwardOptions& options);

}  // namespace mxnet
