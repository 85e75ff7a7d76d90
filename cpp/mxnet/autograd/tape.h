// The tape: the graph of recorded operator applications, walked backwards for gradients.
#pragma once
#include <functional>
#include <string>
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
  // Gradient of a function that is no operator (a Python autograd.Function, a compiled graph): from gradients of the
  // outputs, undefined where they are zero, to gradients of the inputs.
  struct FunctionCall {
    TapeNode& node;
    std::span<const Expr> douts;
    bool create_graph;              // record the gradient computation itself
    std::span<const NDArray> into;  // where a gradient may be written at once, by input; undefined if nowhere
  };
  using Function = std::function<std::vector<Expr>(const FunctionCall&)>;

  const Op* op = nullptr;  // null for a function
  ParamsRef params;
  Function function;
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

// Records a function: `outputs` get their places on the tape. Gradients may also be asked for `hidden` outputs, which
// are numbered after them.
void record_function(TapeNode::Function function, std::span<const NDArray> inputs, std::span<NDArray> outputs,
                     std::span<const TensorSpec> hidden = {});
// The same for a gradient that wants zeros in the place of gradients that are not defined.
using CustomGradient = std::function<std::vector<Expr>(std::span<const Expr> douts)>;
void record_custom(CustomGradient gradient, std::span<const NDArray> inputs, std::span<NDArray> outputs);

// An array as output `index` of a node, or at a given place on the tape.
NDArray with_tape(const NDArray& array, const Ref<TapeEntry>& entry);
NDArray with_tape(const NDArray& array, TapeNode& node, int index);

// A gradient written by hand, run while its computation is recorded. It may leave the tape, through the host's memory
// or a tape of its own; what it gives is then a constant to the tape, though its derivative is unknown, not zero.
class HandWritten {
 public:
  HandWritten();
  // Puts an error in the place of derivatives that the tape cannot know. `what` names the gradient.
  void settle(std::span<NDArray> gradients, std::span<const NDArray> douts, const std::string& what) const;
  // To be told of every array whose numbers are read from outside the library.
  static void note_read(const NDArray& array);

 private:
  uint64_t reads_before_;
};

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
