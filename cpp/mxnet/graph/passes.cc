#include "mxnet/graph/passes.h"

#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <unordered_set>

#include "mxnet/graph/fusion.h"
#include "mxnet/graph/layout.h"
#include "mxnet/graph/rewrite.h"
#include "mxnet/op/invoke.h"

namespace mxnet {
namespace {

// --- identities ---------------------------------------------------------------------------------------

bool is_identity(const Node& node) {
  const std::string& op = node.op->name;
  if (op == "Dropout") return to_text(field_value(node, "mode")) != "always";
  return op == "_copy" || op == "BlockGrad";
}

// An output of the whole graph stays what it is, since it must not share the memory of an input.
Symbol drop_identities(const Symbol& symbol, const VariableSpecs&) {
  auto heads = heads_of(symbol);
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (!is_identity(*node) || heads.contains(node.get())) return {};
    return Outputs(static_cast<size_t>(node->num_outputs()), inputs[0]);
  });
}

// --- common subexpressions ----------------------------------------------------------------------------

Symbol share_common(const Symbol& symbol, const VariableSpecs&) {
  std::map<std::string, Outputs> known;
  auto heads = heads_of(symbol);
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    // Two outputs of the whole graph must not share memory.
    if (has_state(*node) || heads.contains(node.get())) return {};
    std::string key = node->op->name;
    for (const auto& [name, text] : params_text(*node->op, node->params)) key += ";" + name + "=" + text;
    for (size_t i = 0; i < inputs.size(); ++i)
      key += str("|", static_cast<const void*>(inputs[i].node.get()), ".", inputs[i].index, "@", node->slots[i]);
    auto [it, fresh] = known.try_emplace(key);
    if (!fresh) return it->second;
    it->second = outputs_of(inputs == node->inputs ? node : with_inputs(*node, inputs));
    return it->second;
  });
}

// --- batch normalization into the layer before --------------------------------------------------------

// Scale and offset of each channel that a batch norm with moving averages amounts to.
struct Affine {
  NodeOutput scale, offset;
};
Affine affine_of(const Node& norm, const Outputs& inputs) {
  std::string name = norm.name + "_folded";
  NodeOutput variance = call("_plus_scalar", name, {inputs[4]}, {{"scalar", field_value(norm, "eps")}});
  NodeOutput scale = call("rsqrt", name, {variance});
  if (to_text(field_value(norm, "fix_gamma")) != "True") scale = call("elemwise_mul", name, {scale, inputs[1]});
  NodeOutput shift = call("elemwise_mul", name, {inputs[3], scale});
  return {scale, call("elemwise_sub", name, {inputs[2], shift})};
}

// The weights have the output channels on axis 0, and so has the data behind the samples.
bool takes_scale(const Node& layer, const Node& norm) {
  std::string axis = to_text(field_value(norm, "axis"));
  if (layer.op->name == "Convolution") {
    std::string layout = to_text(field_value(layer, "layout"));
    return axis == "1" && (layout == "None" || layout.starts_with("NC"));
  }
  return layer.op->name == "FullyConnected" && axis == "1" && to_text(field_value(layer, "flatten")) == "True";
}

NodeOutput scaled_layer(const Node& layer, const Node& norm, const Affine& affine) {
  std::string name = norm.name + "_folded";
  Value::List extents{-1, 1};
  Value kernel = field_value(layer, "kernel");
  if (const Value::List* list = kernel.get<Value::List>()) extents.insert(extents.end(), list->size(), Value(1));
  NodeOutput scale = call("Reshape", name, {affine.scale}, {{"shape", extents}});
  NodeOutput weight = call("broadcast_mul", name, {layer.inputs[1], scale});
  NodeOutput bias = affine.offset;
  if (layer.inputs.size() > 2)
    bias = call("elemwise_add", name, {call("elemwise_mul", name, {layer.inputs[2], affine.scale}), bias});
  std::vector<std::pair<std::string, Value>> attrs;
  for (const FieldSpec& field : layer.op->fields) {
    Value value = field.name == "no_bias" ? Value(false) : field.get(layer.params->data());
    if (!value.none()) attrs.emplace_back(field.name, value);
  }
  return call(layer.op->name.c_str(), norm.name, {layer.inputs[0], weight, bias}, attrs);
}

Symbol fold_batch_norms(const Symbol& symbol, const VariableSpecs&) {
  std::unordered_map<const Node*, int> readers;
  std::unordered_map<const Node*, int> others;  // readers of the statistics
  for (Node* node : symbol.nodes())
    for (const NodeOutput& input : node->inputs) {
      ++readers[input.node.get()];
      if (input.index > 0) ++others[input.node.get()];
    }
  auto heads = heads_of(symbol);
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (node->op->name != "BatchNorm" || to_text(field_value(*node, "output_mean_var")) == "True") return {};
    const Node& before = *node->inputs[0].node;
    const Node& layer = *inputs[0].node;
    bool alone = readers[&before] == 1 && !heads.contains(&before) && others[node.get()] == 0;
    if (layer.is_variable() || !alone || !takes_scale(layer, *node)) return {};
    NodeOutput folded = scaled_layer(layer, *node, affine_of(*node, inputs));
    return {folded, folded, folded};
  });
}

// --- batch normalization and the rectifier behind it ---------------------------------------------------

bool is_relu(const Node& node) {
  const std::string& op = node.op->name;
  return op == "relu" || (op == "Activation" && to_text(field_value(node, "act_type")) == "relu");
}

Symbol rectify_batch_norms(const Symbol& symbol, const VariableSpecs&) {
  std::unordered_map<const Node*, int> readers;
  for (Node* node : symbol.nodes())
    for (const NodeOutput& input : node->inputs) ++readers[input.node.get()];
  auto heads = heads_of(symbol);
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (!is_relu(*node)) return {};
    const Node &before = *node->inputs[0].node, &norm = *inputs[0].node;
    bool alone = readers[&before] == 1 && !heads.contains(&before);
    if (norm.is_variable() || norm.op->name != "BatchNorm" || inputs[0].index != 0 || !alone) return {};
    return {{call("_batch_norm_relu", node->name, norm.params, norm.inputs, norm.slots), 0}};
  });
}

// --- products and what is added to them ---------------------------------------------------------------

bool is_sum(const Node& node) {
  const std::string& op = node.op->name;
  return op == "elemwise_add" || op == "broadcast_add" || op == "_grad_add";
}

// The gradient of weights that are used many times is a sum of products.
Symbol add_products(const Symbol& symbol, const VariableSpecs& variables) {
  NumberedGraph graph(symbol);
  std::vector<TensorSpec> specs = infer_values(graph, variables);
  std::unordered_map<const Node*, int> readers;
  for (Node* node : symbol.nodes())
    for (const NodeOutput& input : node->inputs) ++readers[input.node.get()];
  auto heads = heads_of(symbol);
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (!is_sum(*node)) return {};
    for (size_t k : {1, 0}) {
      const Node &before = *node->inputs[k].node, &product = *inputs[k].node;
      if (product.is_variable() || product.op->name != "dot" || readers[&before] != 1 || heads.contains(&before))
        continue;
      const TensorSpec &own = specs[graph.value_of(node->inputs[k])],
                       &other = specs[graph.value_of(node->inputs[1 - k])];
      if (!(own.shape == other.shape) || own.dtype != other.dtype || !is_floating(own.dtype)) continue;
      return outputs_of(call("_dot_add", node->name, product.params,
                             {product.inputs[0], product.inputs[1], inputs[1 - k]}, {0, 1, 2}));
    }
    return {};
  });
}

constexpr Pass kPasses[] = {
    {"identities", "Leaves out copies, and dropout outside training.", true, false, false, drop_identities},
    {"common", "Computes equal expressions once.", false, false, false, share_common},
    {"batch_norm", "Puts batch norm with moving averages into the weights of the layer before it.", true, false, false,
     fold_batch_norms},
    {"layout",
     "Puts channels last around convolutions where it pays; sums of convolutions may be rounded differently then.",
     false, true, false, channels_last},
    {"convolutions",
     "Lets convolutions add and activate what they compute, and packs their weights; a rectifier takes NaN for 0 then.",
     true, true, false, fuse_convolutions},
    {"dense", "The same for dense layers of several rows; their sums may be rounded differently then.", true, true,
     false, fuse_dense},
    {"batch_norm_relu", "Rectifies what a batch norm gives in the kernel of the norm, and so for the gradient.", false,
     true, false, rectify_batch_norms},
    {"products", "Adds matrix products to what is there; sums may be rounded differently then.", false, true, true,
     add_products},
    {"pointwise", "Runs elementwise operators that follow each other in one pass over the memory.", false, true, true,
     fuse_pointwise},
};

struct Switches {
  std::mutex mutex;
  std::set<std::string, std::less<>> off;

  Switches() {
    const char* text = std::getenv("MXNET_GRAPH_PASSES_OFF");
    std::string_view rest = text ? text : "";
    while (!rest.empty()) {
      size_t end = std::min(rest.find(','), rest.size());
      off.emplace(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (const char* common = std::getenv("MXNET_ELIMINATE_COMMON_EXPR"); common && std::string_view(common) == "0")
      off.emplace("common");
  }
};
Switches& switches() {
  static Switches instance;
  return instance;
}

}  // namespace

std::span<const Pass> passes() { return kPasses; }

bool pass_is_on(std::string_view name) {
  std::lock_guard lock(switches().mutex);
  return !switches().off.contains(name);
}

void switch_pass(std::string_view name, bool on) {
  bool known = false;
  for (const Pass& pass : kPasses) known |= pass.name == name;
  if (!known) value_error("there is no graph pass '", name, "'");
  std::lock_guard lock(switches().mutex);
  if (on)
    switches().off.erase(std::string(name));
  else
    switches().off.emplace(name);
}

Symbol optimize(const Symbol& symbol, const OptimizeOptions& options, std::vector<PassResult>* results) {
  const auto& names = options.names;
  Symbol current = symbol;
  for (const Pass& pass : kPasses) {
    bool chosen =
        names.empty() ? pass_is_on(pass.name) : std::find(names.begin(), names.end(), pass.name) != names.end();
    if (!chosen || (options.training && pass.inference_only)) continue;
    if (pass.needs_shapes && options.variables.empty()) continue;
    if (options.stage != OptimizeOptions::Stage::all &&
        pass.kernels != (options.stage == OptimizeOptions::Stage::kernels))
      continue;
    Symbol next = pass.run(current, options.variables);
    if (results) results->push_back({pass.name, current.nodes().size(), next.nodes().size()});
    current = std::move(next);
  }
  return current;
}

}  // namespace mxnet
