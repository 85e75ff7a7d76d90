#include "mxnet/graph/infer.h"

#include <algorithm>

#include "mxnet/graph/control_flow.h"
#include "mxnet/op/invoke.h"

namespace mxnet {
namespace {

bool complete(const TensorSpec& spec) { return !spec.present || (spec.shape.known() && spec.dtype != DType::unknown); }
bool all_complete(const std::vector<TensorSpec>& specs) { return std::all_of(specs.begin(), specs.end(), complete); }

std::string shape_text(const Shape& shape) { return shape.rank_known() ? str(shape) : "None"; }

Shape zeros_unknown(Shape shape) {
  for (int i = 0; i < shape.ndim(); ++i)
    if (shape[i] == 0) shape[i] = kUnknown;
  return shape;
}

// Adds to `into` what `from` knows; false if they contradict.
bool merge(TensorSpec& into, const TensorSpec& from, bool& changed) {
  if (from.dtype != DType::unknown) {
    if (into.dtype == DType::unknown) into.dtype = from.dtype, changed = true;
    if (into.dtype != from.dtype) return false;
  }
  if (!from.shape.rank_known()) return true;
  if (!into.shape.rank_known()) {
    into.shape = from.shape;
    return changed = true;
  }
  if (into.shape.ndim() != from.shape.ndim()) return false;
  for (int i = 0; i < from.shape.ndim(); ++i) {
    if (from.shape[i] < 0) continue;
    if (into.shape[i] < 0) into.shape[i] = from.shape[i], changed = true;
    if (into.shape[i] != from.shape[i]) return false;
  }
  return true;
}

// Stand-ins for extents that are not known: what differs between two runs with other stand-ins depends on them.
// They have many divisors, since operators divide extents.
int64_t stand_in(int run, int which, bool distinct) { return (run ? 7560 : 5040) * (distinct ? which + 2 : 2); }

std::vector<TensorSpec> with_stand_ins(const std::vector<TensorSpec>& specs, int run, bool distinct) {
  std::vector<TensorSpec> filled = specs;
  int which = 0;
  for (TensorSpec& spec : filled)
    for (int i = 0; i < spec.shape.ndim(); ++i)
      if (spec.shape[i] < 0) spec.shape[i] = stand_in(run, which++, distinct);
  return filled;
}

// What two runs agree on.
TensorSpec common(const TensorSpec& a, const TensorSpec& b) {
  TensorSpec result{Shape::unknown(), a.dtype == b.dtype ? a.dtype : DType::unknown};
  if (a.shape.ndim() != b.shape.ndim()) return result;
  result.shape = a.shape;
  for (int i = 0; i < a.shape.ndim(); ++i)
    if (a.shape[i] != b.shape[i]) result.shape[i] = kUnknown;
  return result;
}

// The known extent of an output that was `a` in one run and `b` in the other; unknown if there is none.
int64_t follow(const std::vector<TensorSpec>& known, const std::vector<TensorSpec>& first,
               const std::vector<TensorSpec>& second, int64_t a, int64_t b) {
  for (size_t k = 0; k < known.size(); ++k) {
    const Shape &shape = known[k].shape, &x = first[k].shape, &y = second[k].shape;
    if (shape.ndim() != x.ndim() || shape.ndim() != y.ndim()) continue;
    for (int axis = 0; axis < shape.ndim(); ++axis)
      if (shape[axis] >= 0 && x[axis] == a && y[axis] == b) return shape[axis];
  }
  return kUnknown;
}

}  // namespace

std::string at_node(const Node& node, std::string_view text) {
  if (text.find(" [node '") != std::string_view::npos) return std::string(text);
  std::string place = str(text, " [node '", node.name, "'");
  if (node.origin.block) place += " of " + *node.origin.block;
  if (node.origin.file) place += str(", made at ", *node.origin.file, ":", node.origin.line);
  return place + "]";
}

// One application with what is known of its inputs and outputs.
struct GraphInference::Call {
  const Node& node;
  std::vector<int> reads;
  std::vector<TensorSpec> in, out;

  void run() {
    if (!node.subgraphs.empty()) return infer_control_flow(node, in, out);
    const Op& op = *node.op;
    if (op.compose && !op.infer) fail(ErrorKind::not_implemented, op.name, ": has no inference");
    InferContext context(op, in, out);
    op.infer(node.params->data(), context);
  }
  bool has_unknown_rank() const {
    return std::any_of(in.begin(), in.end(), [](const TensorSpec& s) { return s.present && !s.shape.rank_known(); });
  }
};

GraphInference::GraphInference(const NumberedGraph& graph, bool zero_is_unknown)
    : graph_(graph), zero_is_unknown_(zero_is_unknown) {
  specs_.resize(graph.num_values());
  done_.resize(graph.nodes().size());
  problems_.resize(graph.nodes().size());
}

void GraphInference::read_attributes(const Node& node, TensorSpec& spec) const {
  if (auto it = node.attrs.find("__shape__"); it != node.attrs.end() && !spec.shape.rank_known()) {
    Shape shape = FieldType<Shape>::from(Value(it->second), node.name + ": __shape__");
    for (int i = 0; i < shape.ndim(); ++i)
      if (shape[i] < 0) shape[i] = kUnknown;
    if (zero_is_unknown_) shape = zeros_unknown(shape);
    if (shape.ndim() > 0 || !zero_is_unknown_) spec.shape = shape;
  }
  if (auto it = node.attrs.find("__dtype__"); it != node.attrs.end() && spec.dtype == DType::unknown) {
    Value value = parse_text(it->second);
    spec.dtype = FieldType<DType>::from(value, node.name + ": __dtype__");
  }
}

void GraphInference::know(int value, const TensorSpec& spec) {
  bool changed = false;
  if (!merge(specs_[value], spec, changed))
    value_error("infer_shape: a value of shape ", specs_[value].shape, " and dtype ", specs_[value].dtype,
                " was given as ", spec.shape, " ", spec.dtype);
}

void GraphInference::run() {
  const std::vector<Node*>& nodes = graph_.nodes();
  for (size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i]->is_variable()) read_attributes(*nodes[i], specs_[graph_.first_value(i)]);
  bool changed = true;
  while (changed) {
    changed = false;
    bool open = false;
    for (size_t i = 0; i < nodes.size(); ++i) changed |= step(i), open |= !done_[i];
    if (!open) return;
    for (size_t i = nodes.size(); i-- > 0;) changed |= step(i);
  }
  raise_postponed();
}

void GraphInference::default_dtypes() {
  const std::vector<Node*>& nodes = graph_.nodes();
  bool changed = false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    TensorSpec& spec = specs_[graph_.first_value(i)];
    if (!nodes[i]->is_variable() || spec.dtype != DType::unknown) continue;
    spec.dtype = DType::float32;
    changed = true;
  }
  if (changed) run();
}

bool GraphInference::step(size_t number) {
  const Node& node = *graph_.nodes()[number];
  if (done_[number]) return false;
  if (node.is_variable()) {
    done_[number] = complete(specs_[graph_.first_value(number)]);
    return false;
  }
  Call call{node, graph_.reads(number), {}, {}};
  for (int value : call.reads)
    call.in.push_back(value < 0 ? TensorSpec{Shape::unknown(), DType::unknown, false} : specs_[value]);
  int first = graph_.first_value(number);
  call.out.assign(specs_.begin() + first, specs_.begin() + first + node.num_outputs());
  if (!all_complete(call.in)) return infer_partial(number, call);
  try {
    call.run();
  } catch (const Error& error) {
    throw Error(error.kind(), at_node(node, error.what()));
  }
  if (call.in.empty() && zero_is_unknown_)
    for (TensorSpec& spec : call.out) spec.shape = zeros_unknown(spec.shape);
  bool changed = store(number, call);
  bool known = true;
  for (int i = 0; i < node.num_outputs(); ++i) known &= specs_[first + i].shape.known();
  done_[number] = known || !call.in.empty();
  return changed;
}

// What the inputs of a call are once the operator has filled in what it can; unknown extents are left as they are,
// since operators know how to complete their parameters. Where it raises, `problem` says why.
std::vector<TensorSpec> GraphInference::completed(const Call& call, Problem& problem) {
  Call raw = call;
  try {
    raw.run();
  } catch (const Error& error) {
    problem = {error.what(), error.kind() == ErrorKind::type};
    return call.in;
  }
  for (size_t i = 0; i < raw.in.size(); ++i)
    if (!raw.in[i].shape.known()) raw.in[i] = call.in[i];
  return raw.in;
}

// With inputs that are not wholly known the operator is asked twice, with different stand-ins for unknown extents.
bool GraphInference::infer_partial(size_t number, Call& call) {
  Problem& problem = problems_[number];
  problem = {};
  std::vector<TensorSpec> filled = completed(call, problem);
  if (all_complete(filled)) {
    call.in = filled;
    if (try_run(call)) return store(number, call);
  }
  for (const std::vector<TensorSpec>* given : {&filled, &call.in}) {
    for (bool distinct : {true, false}) {
      Call first = call, second = call;
      first.in = with_stand_ins(*given, 0, distinct);
      second.in = with_stand_ins(*given, 1, distinct);
      if (!try_run(first) || !try_run(second)) continue;
      problem = {};
      agree(*given, first, second, call);
      return store(number, call) || dtype_from_output(number, call);
    }
  }
  return guess_dtype(number, call);
}

// Runs the inference of a call; false where it raises. Outputs are told only where nothing else says more: a stand-in
// would contradict them.
bool GraphInference::try_run(Call& call) {
  if (!call.has_unknown_rank()) call.out.assign(call.out.size(), TensorSpec());
  try {
    call.run();
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Puts into `call` what two runs with different stand-ins say alike. An extent of the output that both times equals
// the stand-in of an input is that input's extent.
void GraphInference::agree(const std::vector<TensorSpec>& given, const Call& first, const Call& second, Call& call) {
  std::vector<TensorSpec> known = call.out;
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i].present) continue;
    TensorSpec agreed = common(first.in[i], second.in[i]);
    call.in[i] = {given[i].shape.rank_known() ? given[i].shape : agreed.shape, agreed.dtype};
    for (int axis = 0; axis < given[i].shape.ndim(); ++axis)
      if (given[i].shape[axis] < 0)
        call.in[i].shape[axis] =
            follow(known, first.out, second.out, first.in[i].shape[axis], second.in[i].shape[axis]);
  }
  bool shapes = !first.has_unknown_rank();
  for (size_t k = 0; k < known.size(); ++k) {
    call.out[k] = common(first.out[k], second.out[k]);
    if (!shapes) call.out[k].shape = Shape::unknown();
  }
}

// The operator cannot say anything yet; its dtype most likely is that of its inputs.
bool GraphInference::guess_dtype(size_t number, const Call& call) {
  if (!call.node.subgraphs.empty()) return false;
  DType dtype = DType::unknown;
  for (const FieldSpec& field : call.node.op->fields) {
    if (field.name != "dtype") continue;
    Value value = field.get(call.node.params->data());
    if (const std::string* name = value.get<std::string>()) dtype = FieldType<DType>::from(*name, field.what);
  }
  for (const TensorSpec& spec : call.in)
    if (dtype == DType::unknown && spec.present) dtype = spec.dtype;
  bool changed = false;
  for (int i = 0; i < call.node.num_outputs() && dtype != DType::unknown; ++i) {
    TensorSpec& spec = specs_[graph_.first_value(number) + i];
    if (spec.dtype == DType::unknown) spec.dtype = dtype, changed = true;
  }
  return changed;
}

// The first input has the dtype of the output, where the operator makes the one of the other.
bool GraphInference::dtype_from_output(size_t number, const Call& call) {
  DType wanted = call.out.empty() ? DType::unknown : specs_[graph_.first_value(number)].dtype;
  bool open = !call.reads.empty() && call.reads[0] >= 0 && specs_[call.reads[0]].dtype == DType::unknown;
  if (!open || !is_floating(wanted)) return false;
  DType other = wanted == DType::float64 ? DType::float32 : DType::float64;
  for (DType dtype : {wanted, other}) {
    Call trial{call.node, {}, {}, std::vector<TensorSpec>(call.out.size())};
    for (int value : call.reads)
      trial.in.push_back(value < 0 ? TensorSpec{Shape::unknown(), DType::unknown, false} : specs_[value]);
    trial.in[0].dtype = dtype;
    if (!try_run(trial) || trial.out[0].dtype != dtype) return false;
  }
  specs_[call.reads[0]].dtype = wanted;
  return true;
}

bool GraphInference::store(size_t number, const Call& call) {
  bool changed = false;
  auto put = [&](int value, const TensorSpec& spec, const std::string& what) {
    TensorSpec before = specs_[value];
    if (merge(specs_[value], spec, changed)) return;
    bool shapes = before.dtype == spec.dtype || before.dtype == DType::unknown || spec.dtype == DType::unknown;
    const Op& op = *call.node.op;
    if (shapes)
      value_error(at_node(call.node, str(op.name, ": ", what, " has shape ", before.shape, ", expected ", spec.shape)));
    type_error(at_node(call.node, str(op.name, ": ", what, " has dtype ", before.dtype, ", expected ", spec.dtype)));
  };
  for (size_t i = 0; i < call.reads.size(); ++i)
    if (call.reads[i] >= 0) put(call.reads[i], call.in[i], call.node.op->input_name(static_cast<int>(i)));
  for (size_t i = 0; i < call.out.size(); ++i) {
    TensorSpec& spec = specs_[graph_.first_value(number) + static_cast<int>(i)];
    // What was only guessed gives way.
    if (call.out[i].dtype != DType::unknown && spec.dtype != call.out[i].dtype) {
      changed = true;
      spec.dtype = call.out[i].dtype;
    }
    put(graph_.first_value(number) + static_cast<int>(i), call.out[i], "an output");
  }
  return changed;
}

// Whether all types that a node reads are those of variables: others may have been guessed.
bool GraphInference::types_are_given(size_t number) const {
  const std::vector<NodeOutput>& inputs = graph_.nodes()[number]->inputs;
  return std::all_of(inputs.begin(), inputs.end(), [&](const NodeOutput& input) {
    return input.node->is_variable() && spec(input).dtype != DType::unknown;
  });
}

// An operator whose data is known, or of any number of inputs all, has said why it cannot go on.
void GraphInference::raise_postponed() {
  for (size_t i = 0; i < problems_.size(); ++i) {
    const auto& [text, of_types] = problems_[i];
    if (done_[i] || text.empty()) continue;
    const Node& node = *graph_.nodes()[i];
    std::vector<int> reads = graph_.reads(i);
    auto known = [&](int value) { return value < 0 || specs_[value].shape.known(); };
    bool enough = node.op->is_variadic() ? std::all_of(reads.begin(), reads.end(), known)
                                         : !reads.empty() && reads[0] >= 0 && known(reads[0]);
    if (of_types && types_are_given(i)) type_error(at_node(node, text));
    if (enough) value_error(at_node(node, text));
  }
}

std::vector<GraphInference::UnknownVariable> GraphInference::unknown_variables() const {
  std::vector<UnknownVariable> found;
  std::unordered_map<int, size_t> place_of;  // in `found`, by value
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = *graph_.nodes()[i];
    int first = graph_.first_value(i);
    if (node.is_variable()) {
      if (specs_[first].shape.known()) continue;
      place_of[first] = found.size();
      found.push_back({str(node.name, ": ", shape_text(specs_[first].shape)), "nothing reads it"});
      continue;
    }
    std::vector<int> reads = graph_.reads(i);
    for (size_t k = 0; k < reads.size(); ++k) {
      auto it = place_of.find(reads[k]);
      if (it == place_of.end()) continue;
      found[it->second].reader = reading(node, reads, k);
      place_of.erase(it);
    }
  }
  return found;
}

// "weight of FullyConnected 'fc' whose data is (2, ?)"
std::string GraphInference::reading(const Node& node, const std::vector<int>& reads, size_t place) const {
  std::string text = str(node.op->input_name(static_cast<int>(place)), " of ", node.op->name, " '", node.name, "'");
  if (place == 0 || reads[0] < 0) return text;
  return text + str(" whose ", node.op->input_name(0), " is ", shape_text(specs_[reads[0]].shape));
}

std::vector<TensorSpec> infer_values(const NumberedGraph& graph, const VariableSpecs& variables) {
  GraphInference inference(graph, false);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    auto it = variables.find(graph.nodes()[i]);
    if (it != variables.end()) inference.know(graph.first_value(i), it->second);
  }
  inference.run();
  std::vector<TensorSpec> specs;
  for (int value = 0; value < graph.num_values(); ++value) specs.push_back(inference.spec(value));
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const TensorSpec& spec = specs[graph.first_value(i)];
    if (!spec.shape.known() || spec.dtype == DType::unknown)
      value_error(at_node(*graph.nodes()[i], "the shape or dtype of a value cannot be inferred"));
  }
  return specs;
}

}  // namespace mxnet
