#include "mxnet/graph/layout.h"
#include "mxnet/graph/rewrite.h"
#include "mxnet/ops/activation.h"
#include "mxnet/ops/convolution.h"
#include "mxnet/ops/select.h"

namespace mxnet {
namespace {

constexpr const char* kFused = "_fused_convolution";

// What an elementwise operator does, as the end of a convolution; nothing if it cannot be one.
struct Function {
  PostFunction kind;
  float alpha = 0, beta = 0;
};
std::optional<Function> function_of(const Node& node) {
  const std::string& op = node.op->name;
  if (op == "relu") return Function{PostFunction::relu};
  if (op == "sigmoid") return Function{PostFunction::sigmoid};
  if (op == "tanh") return Function{PostFunction::tanh};
  if (op == "clip") {
    const auto& p = params_of<ClipParams>(node);
    return Function{PostFunction::clip, static_cast<float>(p.a_min), static_cast<float>(p.a_max)};
  }
  if (op == "Activation") switch (params_of<ActivationParams>(node).act_type) {
      case ActivationType::relu: return Function{PostFunction::relu};
      case ActivationType::sigmoid: return Function{PostFunction::sigmoid};
      case ActivationType::tanh: return Function{PostFunction::tanh};
      default: return {};
    }
  if (op == "LeakyReLU") switch (const auto& p = params_of<LeakyReluParams>(node); p.act_type) {
      case LeakyType::leaky: return Function{PostFunction::relu, p.slope};
      case LeakyType::elu: return Function{PostFunction::elu, p.slope};
      case LeakyType::gelu: return Function{PostFunction::gelu};
      default: return {};
    }
  return {};
}

FusedConvolutionParams fused_params(const ConvolutionParams& p) {
  FusedConvolutionParams q;
  q.kernel = p.kernel, q.stride = p.stride, q.dilate = p.dilate, q.pad = p.pad;
  q.num_filter = p.num_filter, q.num_group = p.num_group, q.no_bias = p.no_bias, q.layout = p.layout;
  return q;
}

class Fusion {
 public:
  Fusion(const Symbol& symbol, const VariableSpecs& variables)
      : graph_(symbol), specs_(infer_values(graph_, variables)), heads_(heads_of(symbol)) {
    for (const Node* node : graph_.nodes())
      for (const NodeOutput& input : node->inputs) ++readers_[input.node.get()];
  }

  Outputs replace(const Node& node, const Outputs& inputs) const {
    if (node.op->name == "Convolution") return from_convolution(node, inputs);
    if (node.op->name == "elemwise_add" || node.op->name == "broadcast_add") return with_addend(node, inputs);
    if (std::optional<Function> function = function_of(node)) return with_function(node, inputs[0], *function);
    return {};
  }

 private:
  const TensorSpec& spec(const NodeOutput& output) const { return specs_[graph_.value_of(output)]; }

  Outputs from_convolution(const Node& node, const Outputs& inputs) const {
    if (!is_fast_convolution(spec(node.inputs[0]).dtype)) return {};
    return outputs_of(
        call(kFused, node.name, make_params(fused_params(params_of<ConvolutionParams>(node))), inputs, node.slots));
  }

  // The convolution that input k of a node is, if nobody else reads it.
  const Node* convolution(const Node& node, const NodeOutput& input, size_t k) const {
    const Node* before = node.inputs[k].node.get();
    if (input.node->is_variable() || input.node->op->name != kFused) return nullptr;
    if (readers_.at(before) != 1 || heads_.contains(before)) return nullptr;
    return params_of<FusedConvolutionParams>(*input.node).function == PostFunction::none ? input.node.get() : nullptr;
  }

  // An array is added where it lies as the result does, which is so with channels last.
  Outputs with_addend(const Node& node, const Outputs& inputs) const {
    for (size_t k : {1, 0}) {
      const Node* conv = convolution(node, inputs[k], k);
      const TensorSpec &own = spec(node.inputs[k]), &other = spec(node.inputs[1 - k]);
      if (!conv || !(own.shape == other.shape) || own.dtype != other.dtype) continue;
      auto p = params_of<FusedConvolutionParams>(*conv);
      if (p.with_addend || !p.layout || !channels_last(*p.layout)) continue;
      p.with_addend = true;
      Outputs all = conv->inputs;
      std::vector<int> slots = conv->slots;
      all.push_back(inputs[1 - k]);
      slots.push_back(3);
      return outputs_of(call(kFused, node.name, make_params(p), std::move(all), std::move(slots)));
    }
    return {};
  }

  Outputs with_function(const Node& node, const NodeOutput& input, const Function& function) const {
    const Node* conv = convolution(node, input, 0);
    if (!conv) return {};
    auto p = params_of<FusedConvolutionParams>(*conv);
    p.function = function.kind, p.alpha = function.alpha, p.beta = function.beta;
    return outputs_of(call(kFused, node.name, make_params(p), conv->inputs, conv->slots));
  }

  NumberedGraph graph_;
  std::vector<TensorSpec> specs_;
  std::unordered_set<const Node*> heads_;
  std::unordered_map<const Node*, int> readers_;
};

// Weights are read in the order that fits the shape of the data.
Symbol pack_weights(const Symbol& symbol, const VariableSpecs& variables) {
  NumberedGraph graph(symbol);
  std::vector<TensorSpec> specs = infer_values(graph, variables);
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (node->op->name != kFused) return {};
    auto p = params_of<FusedConvolutionParams>(*node);
    if (p.packed) return {};
    FusedConvolutionParams packing = p;
    packing.data_shape = specs[graph.value_of(node->inputs[0])].shape;
    p.packed = true;
    Outputs all = inputs;
    all[1] = {call("_convolution_pack", node->name + "_weight", make_params(packing), {inputs[1]}, {0}), 0};
    return outputs_of(call(kFused, node->name, make_params(p), std::move(all), node->slots));
  });
}

}  // namespace

Symbol fuse_convolutions(const Symbol& symbol, const VariableSpecs& variables) {
  Fusion fusion(symbol, variables);
  Symbol fused =
      rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) { return fusion.replace(*node, inputs); });
  return pack_weights(fused, variables);
}

}  // namespace mxnet
