#include "mxnet/autograd/tape.h"

#include <algorithm>
#include <unordered_map>

namespace mxnet {
namespace {

std::atomic<uint64_t> next_sequence{1};

// Puts `node` behind `outputs`, and the inputs' places on the tape before it.
void attach(const Ref<TapeNode>& node, std::span<const NDArray> inputs, std::span<NDArray> outputs) {
  node->sequence = next_sequence.fetch_add(1, std::memory_order_relaxed);
  node->training = call_state().training;
  node->edges.reserve(inputs.size());
  for (const NDArray& a : inputs) node->edges.emplace_back(tape_entry(a));
  node->out_specs.reserve(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    node->out_specs.push_back({outputs[i].shape(), outputs[i].dtype()});
    auto entry = make_ref<TapeEntry>();
    entry->node = node;
    entry->index = static_cast<int>(i);
    outputs[i].tape = entry;
  }
}

// Reads of recorded arrays from outside the library, by this thread while recording.
uint64_t& outside_reads() {
  thread_local uint64_t count = 0;
  return count;
}

bool is_zero(const NDArray& array) {
  NDArray largest = apply("max", {apply("abs", {array.detached()})}).array();
  NDArray number = cast(largest, DType::float64).array();
  double value = 0;
  number.wait_to_read();
  copy_to_host(number, &value, sizeof value);
  return value == 0;
}

bool on_tape(std::span<const NDArray> inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const NDArray& a) { return static_cast<bool>(a.tape); });
}

void record(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs, std::span<NDArray> outputs) {
  if (!on_tape(inputs)) return;
  auto node = make_ref<TapeNode>();
  node->op = &op;
  node->params = params;
  node->inputs.reserve(inputs.size());
  node->outputs.reserve(outputs.size());
  node->versions.reserve(inputs.size() + outputs.size());
  auto keep = [&](const NDArray& a, bool used, Arrays& kept) {
    kept.push_back(used ? a.detached() : NDArray(Ref<Chunk>(), a.shape(), a.dtype()));
    node->versions.push_back(a.defined() ? a.var().version() : 0);
  };
  for (const NDArray& a : inputs) keep(a, op.grad_uses_inputs, node->inputs);
  for (const NDArray& a : outputs) keep(a, op.grad_uses_outputs, node->outputs);
  attach(node, inputs, outputs);
}

const bool hook_installed = (set_record_hook(record), true);

Expr add(const Expr& a, const Expr& b) {
  static const OpRef op("elemwise_add");
  return op({a, b});
}

// One run of backward: the gradients that have reached each entry so far.
class Backward {
 public:
  explicit Backward(const BackwardOptions& options) : options_(options) {}

  void seed(const NDArray& head, const NDArray& head_grad) {
    TapeEntry* entry = tape_entry(head);
    if (!entry)
      value_error("backward: the array of shape ", head.shape(),
                  " was not computed from a variable with a gradient inside autograd.record()");
    Expr grad = head_grad.defined() ? Expr(head_grad) : ones(head.shape(), head.dtype(), head.ctx());
    if (!(grad.shape() == head.shape()))
      value_error("backward: the head gradient has shape ", grad.shape(), ", expected ", head.shape());
    reach(entry->node.get());
    if (!entry->node) ++leaf_readers_[entry];
    accumulate(entry, grad);
  }
  // Gradients of these entries are wanted themselves; leaves collect nothing.
  void want(TapeEntry* entry) { wanted_[key(entry)]; }

  void run() {
    std::sort(nodes_.begin(), nodes_.end(), [](TapeNode* a, TapeNode* b) { return a->sequence > b->sequence; });
    for (TapeNode* node : nodes_) step(*node);
    if (!options_.retain_graph)
      for (TapeNode* node : nodes_) release(*node);
  }

  Expr gradient(TapeEntry* entry) const {
    auto it = wanted_.find(key(entry));
    return it == wanted_.end() ? Expr() : it->second;
  }
  void write_leaves() {
    for (auto& [leaf, grad] : leaves_) {
      leaf->fresh = true;
      NDArray value = grad.array();
      if (leaf->req == GradReq::add) {
        static const OpRef op("elemwise_add");
        NDArray out = leaf->grad;
        invoke(op.op(), make_params(op.op(), {}), std::array{leaf->grad, value}, {&out, 1});
      } else if (!same_memory(value, leaf->grad)) {
        copy(value, leaf->grad);
      }
      if (options_.create_graph) leaf->grad.tape = value.tape;
    }
  }

 private:
  using Key = std::pair<const void*, int>;
  struct KeyHash {
    size_t operator()(const Key& k) const {
      return std::hash<const void*>()(k.first) * 31 + static_cast<size_t>(k.second);
    }
  };
  static Key key(const TapeEntry* entry) { return entry->node ? Key{entry->node.get(), entry->index} : Key{entry, -1}; }

  // Collects the nodes below, without recursion: tapes are long.
  void reach(TapeNode* root) {
    std::vector<TapeNode*> stack{root};
    while (!stack.empty()) {
      TapeNode* node = stack.back();
      stack.pop_back();
      if (!node || !pending_.try_emplace(node).second) continue;
      if (node->released)
        fail(ErrorKind::runtime,
             "backward: the graph was freed by an earlier backward; call that with retain_graph=True");
      nodes_.push_back(node);
      for (const Ref<TapeEntry>& edge : node->edges) {
        if (edge) stack.push_back(edge->node.get());
        if (edge && !edge->node) ++leaf_readers_[edge.get()];
      }
    }
  }

  void accumulate(TapeEntry* entry, const Expr& grad) {
    auto sum = [&](Expr& total) { total = total.defined() ? add(total, grad) : grad; };
    if (!wanted_.empty()) {
      auto it = wanted_.find(key(entry));
      if (it != wanted_.end()) sum(it->second);
    }
    if (entry->node) {
      std::vector<Expr>& douts = pending_[entry->node.get()];
      douts.resize(entry->node->out_specs.size());
      sum(douts[entry->index]);
    } else if (wanted_.empty() && entry->req != GradReq::null) {
      auto [it, fresh] = leaf_index_.try_emplace(entry, leaves_.size());
      if (fresh) leaves_.push_back({Ref<TapeEntry>(entry), {}});
      sum(leaves_[it->second].second);
    }
  }

  void step(TapeNode& node) {
    std::vector<Expr> douts = std::move(pending_[&node]);
    if (std::none_of(douts.begin(), douts.end(), [](const Expr& e) { return e.defined(); })) return;
    CallStateScope state({options_.create_graph, options_.create_graph ? node.training : options_.training});
    std::vector<Expr> dins = node.op ? op_gradient(node, douts) : function_gradient(node, douts);
    for (size_t i = 0; i < node.edges.size(); ++i)
      if (node.edges[i] && i < dins.size() && dins[i].defined()) accumulate(node.edges[i].get(), dins[i]);
  }

  std::vector<Expr> function_gradient(TapeNode& node, const std::vector<Expr>& douts) {
    Arrays into(node.edges.size());
    for (size_t i = 0; i < into.size(); ++i)
      if (may_write_at_once(node.edges[i].get())) into[i] = node.edges[i]->grad.detached();
    return node.function({node, douts, options_.create_graph, into});
  }

  // The gradient of a leaf that is read once needs no array in between.
  bool may_write_at_once(const TapeEntry* entry) const {
    if (!entry || entry->node || entry->req != GradReq::write || !wanted_.empty() || options_.create_graph)
      return false;
    return leaf_readers_.at(entry) == 1;
  }

  std::vector<Expr> op_gradient(TapeNode& node, const std::vector<Expr>& douts) {
    const Op& op = *node.op;
    check_versions(node);
    std::vector<Expr> in(node.inputs.begin(), node.inputs.end()), out(node.outputs.begin(), node.outputs.end());
    if (options_.create_graph) {
      for (size_t i = 0; i < in.size(); ++i) in[i] = with_tape(node.inputs[i], node.edges[i]);
      for (size_t i = 0; i < out.size(); ++i) out[i] = with_tape(node.outputs[i], node, static_cast<int>(i));
    }
    std::vector<Expr> dins(node.inputs.size());
    std::vector<bool> needed(node.inputs.size());
    for (size_t i = 0; i < needed.size(); ++i) needed[i] = static_cast<bool>(node.edges[i]);
    GradContext context(op, node.params, in, out, node.out_specs, douts, dins, needed, node.training);
    bool fused = op.fast_gradient && !options_.create_graph;
    (fused ? op.fast_gradient : op.gradient)(node.params->data(), context);
    return dins;
  }

  static void check_versions(const TapeNode& node) {
    auto check = [&](const NDArray& a, uint64_t version, bool used) {
      if (used && a.defined() && a.var().version() != version)
        fail(ErrorKind::runtime, node.op->name, ": an array of shape ", a.shape(),
             " that its gradient needs was changed in place after the call; write into a copy instead");
    };
    for (size_t i = 0; i < node.inputs.size(); ++i)
      check(node.inputs[i], node.versions[i],
            node.op->grad_uses_inputs && !node.op->writes_input(node.params->data(), i));
    for (size_t i = 0; i < node.outputs.size(); ++i)
      check(node.outputs[i], node.versions[node.inputs.size() + i], node.op->grad_uses_outputs);
  }

  static void release(TapeNode& node) {
    node.released = true;
    node.inputs.clear();
    node.outputs.clear();
    node.function = nullptr;
  }

  BackwardOptions options_;
  std::vector<TapeNode*> nodes_;
  std::unordered_map<TapeNode*, std::vector<Expr>> pending_;
  std::unordered_map<Key, Expr, KeyHash> wanted_;
  std::unordered_map<const TapeEntry*, int> leaf_readers_;
  std::unordered_map<TapeEntry*, size_t> leaf_index_;
  std::vector<std::pair<Ref<TapeEntry>, Expr>> leaves_;
};

}  // namespace

TapeNode::~TapeNode() {
  // Long tapes are taken apart in a loop: letting each node drop the next would overflow the stack.
  std::vector<Ref<TapeNode>> dying;
  auto take = [&](std::vector<Ref<TapeEntry>>& edges) {
    for (Ref<TapeEntry>& edge : edges)
      if (edge && edge->node && edge->unique()) dying.push_back(std::move(edge->node));
    edges.clear();
  };
  take(edges);
  while (!dying.empty()) {
    Ref<TapeNode> node = std::move(dying.back());
    dying.pop_back();
    if (node->unique()) take(node->edges);
  }
}

void mark_variable(NDArray& array, NDArray grad, GradReq req) {
  auto entry = make_ref<TapeEntry>();
  entry->req = req;
  entry->grad = std::move(grad);
  array.tape = entry;
}

NDArray with_tape(const NDArray& array, const Ref<TapeEntry>& entry) {
  NDArray copy = array;
  copy.tape = entry;
  return copy;
}

NDArray with_tape(const NDArray& array, TapeNode& node, int index) {
  auto entry = make_ref<TapeEntry>();
  entry->node = Ref<TapeNode>(&node);
  entry->index = index;
  return with_tape(array, entry);
}

void record_function(TapeNode::Function function, std::span<const NDArray> inputs, std::span<NDArray> outputs,
                     std::span<const TensorSpec> hidden) {
  if (!on_tape(inputs)) return;
  auto node = make_ref<TapeNode>();
  node->function = std::move(function);
  attach(node, inputs, outputs);
  node->out_specs.insert(node->out_specs.end(), hidden.begin(), hidden.end());
}

void record_custom(CustomGradient gradient, std::span<const NDArray> inputs, std::span<NDArray> outputs) {
  auto function = [gradient = std::move(gradient)](const TapeNode::FunctionCall& call) {
    std::vector<Expr> douts(call.douts.begin(), call.douts.end());
    Context ctx = std::find_if(douts.begin(), douts.end(), [](const Expr& e) { return e.defined(); })->ctx();
    for (size_t i = 0; i < douts.size(); ++i)
      if (const TensorSpec& spec = call.node.out_specs[i]; !douts[i].defined())
        douts[i] = zeros(spec.shape, spec.dtype, ctx);
    return gradient(douts);
  };
  record_function(std::move(function), inputs, outputs);
}

HandWritten::HandWritten() : reads_before_(outside_reads()) {}

void HandWritten::note_read(const NDArray& array) {
  if (array.tape && call_state().recording) ++outside_reads();
}

void HandWritten::settle(std::span<NDArray> gradients, std::span<const NDArray> douts, const std::string& what) const {
  // Every gradient is linear in those it is given.
  bool was_read = outside_reads() != reads_before_;
  if (!was_read && !on_tape(douts)) return;
  for (NDArray& gradient : gradients) {
    if (!gradient.defined() || gradient.tape) continue;
    if (!was_read && (gradient.size() == 0 || is_zero(gradient))) continue;
    auto node = make_ref<TapeNode>();
    node->function = [what](const TapeNode::FunctionCall&) -> std::vector<Expr> {
      fail(ErrorKind::not_implemented, what,
           " cannot be differentiated, since it was not computed with recorded operators from what it was given; use "
           "operators of mx.nd in it instead of NumPy");
    };
    attach(node, {}, {&gradient, 1});
  }
}

Arrays backward(std::span<const NDArray> heads, std::span<const NDArray> head_grads, std::span<const NDArray> variables,
                const BackwardOptions& options) {
  Backward run(options);
  for (const NDArray& v : variables) {
    if (!tape_entry(v))
      value_error("autograd.grad: a variable of shape ", v.shape(),
                  " is not on the tape; call attach_grad() on it before recording");
    run.want(tape_entry(v));
  }
  CallStateScope state({options.create_graph, options.training});
  for (size_t i = 0; i < heads.size(); ++i) run.seed(heads[i], i < head_grads.size() ? head_grads[i] : NDArray());
  run.run();
  if (variables.empty()) {
    CallStateScope writing({false, options.training});
    run.write_leaves();
    return {};
  }
  Arrays gradients;
  for (const NDArray& v : variables) {
    Expr grad = run.gradient(tape_entry(v));
    gradients.push_back(grad.defined() ? grad.array() : zeros(v.shape(), v.dtype(), v.ctx()).array());
  }
  return gradients;
}

}  // namespace mxnet
