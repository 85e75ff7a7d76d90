#include "mxnet/graph/control_flow.h"

#include <cstring>

#include "mxnet/graph/infer.h"
#include "mxnet/op/expr.h"

namespace mxnet {
namespace {

using Places = std::vector<int64_t>;

struct ForeachParams {
  int num_args = 0, num_outputs = 0, num_out_data = 0;
  Places in_state_locs, in_data_locs, remain_locs;
  static constexpr auto fields() {
    using P = ForeachParams;
    return std::tuple{field("num_args", &P::num_args, "Number of inputs and of the body.").required(),
                      field("num_outputs", &P::num_outputs, "Number of outputs.").required(),
                      field("num_out_data", &P::num_out_data, "How many of them are stacked.").required(),
                      field("in_state_locs", &P::in_state_locs, "Inputs of the body that are states.").required(),
                      field("in_data_locs", &P::in_data_locs, "Inputs of the body that are slices.").required(),
                      field("remain_locs", &P::remain_locs, "Inputs of the body that stay the same.").required()};
  }
};

struct WhileParams {
  int num_args = 0, num_outputs = 0, num_out_data = 0, max_iterations = 0;
  Places cond_input_locs, func_input_locs, func_var_locs;
  static constexpr auto fields() {
    using P = WhileParams;
    return std::tuple{field("num_args", &P::num_args, "Number of inputs and of the two bodies.").required(),
                      field("num_outputs", &P::num_outputs, "Number of outputs.").required(),
                      field("num_out_data", &P::num_out_data, "How many of them are stacked.").required(),
                      field("max_iterations", &P::max_iterations, "Bound on the number of steps.").required(),
                      field("cond_input_locs", &P::cond_input_locs, "What the condition reads.").required(),
                      field("func_input_locs", &P::func_input_locs, "What the body reads.").required(),
                      field("func_var_locs", &P::func_var_locs, "Which of that are loop variables.").required()};
  }
};

struct CondParams {
  int num_args = 0, num_outputs = 0;
  Places cond_input_locs, then_input_locs, else_input_locs;
  static constexpr auto fields() {
    using P = CondParams;
    return std::tuple{field("num_args", &P::num_args, "Number of inputs and of the three bodies.").required(),
                      field("num_outputs", &P::num_outputs, "Number of outputs.").required(),
                      field("cond_input_locs", &P::cond_input_locs, "What the condition reads.").required(),
                      field("then_input_locs", &P::then_input_locs, "What the first branch reads.").required(),
                      field("else_input_locs", &P::else_input_locs, "What the second branch reads.").required()};
  }
};

template <class P>
const Op& define_control_flow(const char* name, const char* doc) {
  return define_op<P>(name)
      .doc(doc)
      .variadic("data", "num_args", "What the bodies read.")
      .outputs_of([](const P& p, int) { return std::max(p.num_outputs, 0); })
      .infer(
          [](const P&, InferContext& c) { c.fail("runs in symbols only; see the function of that name in contrib"); });
}

const Op& foreach_op = define_control_flow<ForeachParams>(
    "_foreach", "Runs a body for each slice along axis 0 of its data, handing states on.");
const Op& while_op =
    define_control_flow<WhileParams>("_while_loop", "Runs a body while a condition on the loop variables holds.");
const Op& cond_op = define_control_flow<CondParams>("_cond", "Runs one of two bodies.");

template <class P>
const P& params_of(const Node& node) {
  return *static_cast<const P*>(static_cast<const ParamsBox&>(*node.params).data());
}

template <class T>
const T& at(const std::vector<T>& items, int64_t place, const Node& node) {
  if (place < 0 || place >= static_cast<int64_t>(items.size()))
    value_error(node.op->name, ": place ", place, " is out of range for ", items.size(), " items");
  return items[place];
}

// The values at `places`.
template <class T>
std::vector<T> picked(const std::vector<T>& items, const Places& places, const Node& node) {
  std::vector<T> result;
  for (int64_t place : places) result.push_back(at(items, place, node));
  return result;
}

const Symbol& body(const Node& node, size_t i) {
  if (i >= node.subgraphs.size()) value_error(node.op->name, ": a body is missing");
  return node.subgraphs[i];
}

bool is_true(const NDArray& array) {
  if (array.size() != 1) value_error("the condition has shape ", array.shape(), ", expected one element");
  array.wait_to_read();
  alignas(8) char bytes[8];
  copy_to_host(array, bytes, size_of(array.dtype()));
  return dispatch_all(array.dtype(), [&]<class T>() {
    T x;
    std::memcpy(&x, bytes, sizeof x);
    return static_cast<double>(x) != 0;
  });
}

NDArray stacked(const Arrays& parts) {
  static const OpRef op("stack");
  std::vector<Expr> inputs(parts.begin(), parts.end());
  return op.all(inputs, {{"axis", 0}, {"num_args", static_cast<int64_t>(parts.size())}})[0].array();
}

// What is left of a shape without axis 0; of a vector, one element in a vector.
Shape slice_shape(const Shape& shape) { return shape.ndim() == 1 ? Shape{1} : shape.slice(1, shape.ndim()); }

Arrays slices(const NDArray& data) {
  static const OpRef op("SliceChannel");
  int64_t length = data.shape()[0];
  Arrays parts;
  if (!call_state().recording || !data.tape) {
    Shape shape = slice_shape(data.shape());
    for (int64_t i = 0; i < length; ++i) parts.push_back(data.window(shape, i * shape.size()));
    return parts;
  }
  for (Expr& part : op.all({data}, {{"num_outputs", length}, {"axis", 0}, {"squeeze_axis", data.shape().ndim() > 1}}))
    parts.push_back(part.array());
  return parts;
}

// The inputs of the body of a _foreach: where slices, states and the rest go.
template <class T>
std::vector<T> foreach_inputs(const ForeachParams& p, const Node& node, const std::vector<T>& data,
                              const std::vector<T>& states, const std::vector<T>& rest) {
  std::vector<T> inputs(data.size() + states.size() + rest.size());
  auto put = [&](const std::vector<T>& from, const Places& places) {
    for (size_t i = 0; i < from.size(); ++i) {
      at(inputs, at(places, static_cast<int64_t>(i), node), node);
      inputs[places[i]] = from[i];
    }
  };
  put(data, p.in_data_locs);
  put(states, p.in_state_locs);
  put(rest, p.remain_locs);
  return inputs;
}

template <class T>
struct ForeachParts {
  std::vector<T> data, states, rest;
};
template <class T>
ForeachParts<T> foreach_parts(const ForeachParams& p, const Node& node, const std::vector<T>& inputs) {
  size_t data = p.in_data_locs.size(), states = p.in_state_locs.size();
  if (inputs.size() != data + states + p.remain_locs.size() || states + p.num_out_data != node.num_outputs() + 0u)
    value_error(node.op->name, ": the numbers of inputs and outputs do not fit");
  auto begin = inputs.begin();
  return {{begin, begin + data}, {begin + data, begin + data + states}, {begin + data + states, inputs.end()}};
}

// Inference of one body: what is known of its inputs goes in, what follows comes back.
class BodyInference {
 public:
  BodyInference(const Symbol& symbol, const std::vector<TensorSpec>& inputs)
      : symbol_(symbol), graph_(symbol), inference_(graph_, true) {
    variables_ = symbol.inputs();
    if (variables_.size() != inputs.size())
      value_error("a body of a loop or branch takes ", variables_.size(), " inputs, got ", inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i)
      inference_.know(graph_.value_of({Ref<Node>(variables_[i]), 0}), inputs[i]);
    inference_.run();
  }
  TensorSpec input(size_t i) const { return inference_.spec(NodeOutput{Ref<Node>(variables_[i]), 0}); }
  TensorSpec output(size_t i) const {
    return i < symbol_.outputs().size() ? inference_.spec(symbol_.outputs()[i]) : TensorSpec();
  }

 private:
  const Symbol& symbol_;
  NumberedGraph graph_;
  GraphInference inference_;
  std::vector<Node*> variables_;
};

TensorSpec with_axis(TensorSpec spec, int64_t extent) {
  if (spec.shape.rank_known()) spec.shape.insert(0, extent);
  return spec;
}

void infer_foreach(const Node& node, std::vector<TensorSpec>& in, std::vector<TensorSpec>& out) {
  const auto& p = params_of<ForeachParams>(node);
  auto [data, states, rest] = foreach_parts(p, node, in);
  int64_t length = kUnknown;
  std::vector<TensorSpec> slices = data;
  for (TensorSpec& spec : slices) {
    if (!spec.shape.rank_known()) continue;
    if (spec.shape.ndim() == 0) value_error("_foreach: data has shape (), expected at least one axis");
    length = std::max(length, spec.shape[0]);
    spec.shape = slice_shape(spec.shape);
  }
  BodyInference inference(body(node, 0), foreach_inputs(p, node, slices, states, rest));
  for (size_t i = 0; i < in.size(); ++i) {
    bool is_data = i < data.size();
    const Places& places = is_data ? p.in_data_locs : i < data.size() + states.size() ? p.in_state_locs : p.remain_locs;
    size_t which = is_data ? i : i < data.size() + states.size() ? i - data.size() : i - data.size() - states.size();
    TensorSpec spec = inference.input(static_cast<size_t>(places[which]));
    bool is_vector = is_data && in[i].shape.rank_known() && in[i].shape.ndim() == 1;
    if (is_vector) spec.shape = Shape();
    in[i] = is_data ? with_axis(spec, length) : spec;
  }
  for (int i = 0; i < node.num_outputs(); ++i)
    out[i] = i < p.num_out_data ? with_axis(inference.output(i), length) : inference.output(i);
}

// Puts what a body says of its inputs back to where they came from.
void take_back(const BodyInference& inference, const Places& places, std::vector<TensorSpec>& in) {
  for (size_t i = 0; i < places.size(); ++i) {
    TensorSpec spec = inference.input(i);
    if (spec.shape.known()) in[places[i]].shape = spec.shape;
    if (spec.dtype != DType::unknown) in[places[i]].dtype = spec.dtype;
  }
}

void infer_while(const Node& node, std::vector<TensorSpec>& in, std::vector<TensorSpec>& out) {
  const auto& p = params_of<WhileParams>(node);
  BodyInference inference(body(node, 1), picked(in, p.func_input_locs, node));
  take_back(inference, p.func_input_locs, in);
  for (int i = 0; i < node.num_outputs(); ++i)
    out[i] = i < p.num_out_data ? with_axis(inference.output(i), p.max_iterations) : inference.output(i);
}

void infer_cond(const Node& node, std::vector<TensorSpec>& in, std::vector<TensorSpec>& out) {
  const auto& p = params_of<CondParams>(node);
  BodyInference yes(body(node, 1), picked(in, p.then_input_locs, node));
  take_back(yes, p.then_input_locs, in);
  BodyInference no(body(node, 2), picked(in, p.else_input_locs, node));
  take_back(no, p.else_input_locs, in);
  for (int i = 0; i < node.num_outputs(); ++i) out[i] = yes.output(i).shape.known() ? yes.output(i) : no.output(i);
}

// Names of the inputs of a body that change from step to step: what is computed from the others alone is kept.
std::vector<std::string> changing_inputs(const Node& node, size_t body) {
  std::vector<std::string> names;
  std::vector<Node*> variables = node.subgraphs[body].inputs();
  auto add = [&](const Places& places) {
    for (int64_t place : places) names.push_back(at(variables, place, node)->name);
  };
  if (node.op == &foreach_op) {
    add(params_of<ForeachParams>(node).in_data_locs);
    add(params_of<ForeachParams>(node).in_state_locs);
  } else if (node.op == &while_op && body == 1) {
    add(params_of<WhileParams>(node).func_var_locs);
  }
  return names;
}

}  // namespace

void infer_control_flow(const Node& node, std::vector<TensorSpec>& in, std::vector<TensorSpec>& out) {
  if (node.op == &foreach_op) return infer_foreach(node, in, out);
  if (node.op == &while_op) return infer_while(node, in, out);
  if (node.op == &cond_op) return infer_cond(node, in, out);
  value_error(node.op->name, ": takes no subgraphs");
}

ControlFlow::ControlFlow(const Node& node, bool zero_is_unknown) : node_(node) {
  for (size_t i = 0; i < node.subgraphs.size(); ++i) {
    ProgramOptions options{zero_is_unknown, changing_inputs(node, i), false};
    bodies_.push_back(std::make_unique<Program>(node.subgraphs[i], std::move(options)));
  }
}

Arrays ControlFlow::run(const Arrays& inputs, Context ctx) const {
  if (node_.op == &foreach_op) return run_foreach(inputs, ctx);
  if (node_.op == &while_op) return run_while(inputs, ctx);
  if (node_.op == &cond_op) return run_cond(inputs, ctx);
  value_error(node_.op->name, ": takes no subgraphs");
}

Arrays ControlFlow::run_foreach(const Arrays& inputs, Context ctx) const {
  const auto& p = params_of<ForeachParams>(node_);
  auto [data, states, rest] = foreach_parts(p, node_, inputs);
  body(node_, 0);
  if (data.empty()) value_error("_foreach: there is no data");
  std::vector<Arrays> columns;
  for (const NDArray& array : data) {
    if (array.shape().ndim() == 0 || array.shape()[0] != data[0].shape()[0])
      value_error("_foreach: data of shapes ", data[0].shape(), " and ", array.shape(), " differ in axis 0");
    columns.push_back(slices(array));
  }
  std::vector<Arrays> outputs(p.num_out_data);
  int64_t length = data[0].shape()[0];
  for (int64_t t = 0; t < length; ++t) {
    Arrays current;
    for (const Arrays& column : columns) current.push_back(column[t]);
    Arrays results = bodies_[0]->run(foreach_inputs(p, node_, current, states, rest), ctx);
    if (static_cast<int>(results.size()) < node_.num_outputs())
      value_error("_foreach: the body has ", results.size(), " outputs, expected ", node_.num_outputs());
    for (int i = 0; i < p.num_out_data; ++i) outputs[i].push_back(results[i]);
    states.assign(results.begin() + p.num_out_data, results.begin() + node_.num_outputs());
  }
  if (length == 0) return empty_outputs(inputs, ctx);
  Arrays results;
  for (const Arrays& column : outputs) results.push_back(stacked(column));
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

// Zeros of the inferred shapes: for loops whose body never ran.
Arrays ControlFlow::empty_outputs(const Arrays& inputs, Context ctx) const {
  std::vector<TensorSpec> in, out(node_.num_outputs());
  for (const NDArray& a : inputs) in.push_back({a.shape(), a.dtype()});
  infer_control_flow(node_, in, out);
  Arrays results;
  for (const TensorSpec& spec : out) results.push_back(zeros(spec.shape, spec.dtype, ctx).array());
  return results;
}

Arrays ControlFlow::run_while(const Arrays& inputs, Context ctx) const {
  const auto& p = params_of<WhileParams>(node_);
  body(node_, 1);
  Arrays values = inputs;
  std::vector<Arrays> outputs(p.num_out_data);
  int steps = 0;
  for (; steps < p.max_iterations; ++steps) {
    Arrays verdict = bodies_[0]->run(picked(values, p.cond_input_locs, node_), ctx);
    if (!is_true(at(verdict, 0, node_))) break;
    Arrays results = bodies_[1]->run(picked(values, p.func_input_locs, node_), ctx);
    if (results.size() < p.num_out_data + p.func_var_locs.size())
      value_error("_while_loop: the body has ", results.size(), " outputs, expected ",
                  p.num_out_data + p.func_var_locs.size());
    for (int i = 0; i < p.num_out_data; ++i) outputs[i].push_back(results[i]);
    for (size_t i = 0; i < p.func_var_locs.size(); ++i)
      values[at(p.func_input_locs, p.func_var_locs[i], node_)] = results[p.num_out_data + i];
  }
  Arrays results;
  if (steps == 0) {
    results = empty_outputs(inputs, ctx);
    results.resize(p.num_out_data);
  }
  for (Arrays& column : outputs) {
    if (steps == 0) break;
    NDArray zero = zeros_like(column[0]).array();
    column.resize(p.max_iterations, zero);
    results.push_back(stacked(column));
  }
  for (int64_t place : p.func_var_locs) results.push_back(values[at(p.func_input_locs, place, node_)]);
  return results;
}

Arrays ControlFlow::run_cond(const Arrays& inputs, Context ctx) const {
  const auto& p = params_of<CondParams>(node_);
  body(node_, 2);
  Arrays verdict = bodies_[0]->run(picked(inputs, p.cond_input_locs, node_), ctx);
  bool yes = is_true(at(verdict, 0, node_));
  return bodies_[yes ? 1 : 2]->run(picked(inputs, yes ? p.then_input_locs : p.else_input_locs, node_), ctx);
}

}  // namespace mxnet
