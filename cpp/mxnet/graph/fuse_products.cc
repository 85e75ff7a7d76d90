// Convolutions and dense layers of inference take up what follows them, and read packed weights.
#include <map>

#include "mxnet/graph/layout.h"
#include "mxnet/graph/rewrite.h"
#include "mxnet/ops/activation.h"
#include "mxnet/ops/convolution.h"
#include "mxnet/ops/dot.h"
#include "mxnet/ops/select.h"

namespace mxnet {
namespace {

// What an elementwise operator does, as the end of a layer; nothing if it cannot be one.
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

// Kinds of layers: the operator they start as, the fused one and the one that packs its weights.
struct ConvolutionLayer {
  using Params = FusedConvolutionParams;
  static constexpr const char *plain = "Convolution", *fused = "_fused_convolution", *pack = "_convolution_pack";

  static std::optional<Params> start(const Node& node, const TensorSpec& data, const TensorSpec&) {
    if (!is_fast_convolution(data.dtype)) return {};
    const auto& p = params_of<ConvolutionParams>(node);
    Params q;
    q.kernel = p.kernel, q.stride = p.stride, q.dilate = p.dilate, q.pad = p.pad;
    q.num_filter = p.num_filter, q.num_group = p.num_group, q.no_bias = p.no_bias, q.layout = p.layout;
    return q;
  }
  // An array is added where it lies as the result does.
  static bool takes_addend(const Params& p) { return p.layout && channels_last(*p.layout); }
};

struct DenseLayerKind {
  using Params = FusedFullyConnectedParams;
  static constexpr const char *plain = "FullyConnected", *fused = "_fused_fully_connected",
                              *pack = "_fully_connected_pack";

  static std::optional<Params> start(const Node& node, const TensorSpec& data, const TensorSpec& result) {
    const auto& p = params_of<FullyConnectedParams>(node);
    int64_t rows = result.shape.size() / p.num_hidden;
    DenseLayer layer{rows, rows ? data.shape.size() / rows : 0, p.num_hidden};
    if (!packing_pays(data.dtype, layer)) return {};
    Params q;
    q.num_hidden = p.num_hidden, q.no_bias = p.no_bias, q.flatten = p.flatten;
    return q;
  }
  static bool takes_addend(const Params&) { return true; }
};

template <class Layer>
class Fusion {
 public:
  using Params = typename Layer::Params;

  Fusion(const Symbol& symbol, const VariableSpecs& variables)
      : graph_(symbol), specs_(infer_values(graph_, variables)), heads_(heads_of(symbol)) {
    for (const Node* node : graph_.nodes())
      for (const NodeOutput& input : node->inputs) ++readers_[input.node.get()];
  }

  Outputs replace(const Node& node, const Outputs& inputs) const {
    if (node.op->name == Layer::plain) return started(node, inputs);
    if (node.op->name == "elemwise_add" || node.op->name == "broadcast_add") return with_addend(node, inputs);
    if (std::optional<Function> function = function_of(node)) return with_function(node, inputs[0], *function);
    return {};
  }

 private:
  const TensorSpec& spec(const NodeOutput& output) const { return specs_[graph_.value_of(output)]; }

  Outputs started(const Node& node, const Outputs& inputs) const {
    // A layer of constants is computed once; with an addend it would not be.
    const Node& maker = *node.inputs[0].node;
    if (!maker.is_variable() && maker.inputs.empty()) return {};
    const TensorSpec& result = specs_[graph_.first_value(graph_.number_of(&node))];
    std::optional<Params> p = Layer::start(node, spec(node.inputs[0]), result);
    return p ? outputs_of(call(Layer::fused, node.name, make_params(*p), inputs, node.slots)) : Outputs();
  }

  // The layer that input k of a node is, if nobody else reads it.
  const Node* layer(const Node& node, const NodeOutput& input, size_t k) const {
    const Node* before = node.inputs[k].node.get();
    if (input.node->is_variable() || input.node->op->name != Layer::fused) return nullptr;
    if (readers_.at(before) != 1 || heads_.contains(before)) return nullptr;
    return params_of<Params>(*input.node).function == PostFunction::none ? input.node.get() : nullptr;
  }

  Outputs with_addend(const Node& node, const Outputs& inputs) const {
    for (size_t k : {1, 0}) {
      const Node* before = layer(node, inputs[k], k);
      const TensorSpec &own = spec(node.inputs[k]), &other = spec(node.inputs[1 - k]);
      if (!before || !(own.shape == other.shape) || own.dtype != other.dtype) continue;
      auto p = params_of<Params>(*before);
      if (p.with_addend || !Layer::takes_addend(p)) continue;
      p.with_addend = true;
      Outputs all = before->inputs;
      std::vector<int> slots = before->slots;
      all.push_back(inputs[1 - k]);
      slots.push_back(3);
      return outputs_of(call(Layer::fused, node.name, make_params(p), std::move(all), std::move(slots)));
    }
    return {};
  }

  Outputs with_function(const Node& node, const NodeOutput& input, const Function& function) const {
    const Node* before = layer(node, input, 0);
    if (!before) return {};
    auto p = params_of<Params>(*before);
    p.function = function.kind, p.alpha = function.alpha, p.beta = function.beta;
    return outputs_of(call(Layer::fused, node.name, make_params(p), before->inputs, before->slots));
  }

  NumberedGraph graph_;
  std::vector<TensorSpec> specs_;
  std::unordered_set<const Node*> heads_;
  std::unordered_map<const Node*, int> readers_;
};

// Weights are read in the order that fits the shape of the data. Layers that share weights share what is packed.
template <class Layer>
Symbol pack_weights(const Symbol& symbol, const VariableSpecs& variables) {
  NumberedGraph graph(symbol);
  std::vector<TensorSpec> specs = infer_values(graph, variables);
  std::map<std::string, NodeOutput> known;
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (node->op->name != Layer::fused) return {};
    auto p = params_of<typename Layer::Params>(*node);
    if (p.packed) return {};
    auto packing = p;
    packing.data_shape = specs[graph.value_of(node->inputs[0])].shape;
    p.packed = true;
    Outputs all = inputs;
    ParamsRef params = make_params(packing);
    std::string key = str(static_cast<const void*>(inputs[1].node.get()), ".", inputs[1].index);
    for (const auto& [name, text] : params_text(Registry::get().at(Layer::pack), params))
      key += ";" + name + "=" + text;
    NodeOutput& packed = known[key];
    if (!packed.node) packed = {call(Layer::pack, node->name + "_weight", params, {inputs[1]}, {0}), 0};
    all[1] = packed;
    return outputs_of(call(Layer::fused, node->name, make_params(p), std::move(all), node->slots));
  });
}

template <class Layer>
Symbol fuse(const Symbol& symbol, const VariableSpecs& variables) {
  Fusion<Layer> fusion(symbol, variables);
  Symbol fused =
      rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) { return fusion.replace(*node, inputs); });
  return pack_weights<Layer>(fused, variables);
}

}  // namespace

Symbol fuse_convolutions(const Symbol& symbol, const VariableSpecs& variables) {
  return fuse<ConvolutionLayer>(symbol, variables);
}
Symbol fuse_dense(const Symbol& symbol, const VariableSpecs& variables) {
  return fuse<DenseLayerKind>(symbol, variables);
}

}  // namespace mxnet
