// The Symbol base type, and what mxnet.symbol asks of graphs.
#include "symbol.h"

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <map>
#include <new>
#include <optional>
#include <set>

#include "mxnet/graph/from_tape.h"
#include "mxnet/graph/infer.h"
#include "mxnet/graph/json.h"
#include "mxnet/graph/passes.h"
#include "mxnet/graph/program.h"
#include "mxnet/graph/rewrite.h"
#include "mxnet/graph/step_graph.h"

namespace py = pybind11;

namespace mxnet::python {

PyTypeObject* symbol_base_type = nullptr;

namespace {

std::map<std::string, PyTypeObject*>& classes() {
  static std::map<std::string, PyTypeObject*> map;
  return map;
}

PyObject* symbol_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self) new (&symbol_of(self)) Symbol();
  return self;
}
// Symbol(other) is the other's graph under a second object: how subclasses convert.
int symbol_init(PyObject* self, PyObject* args, PyObject*) {
  return guarded_status([&] {
    if (PyTuple_GET_SIZE(args) > 0) symbol_of(self) = symbol_argument(PyTuple_GET_ITEM(args, 0), "Symbol");
  });
}
void symbol_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  symbol_of(self).~Symbol();
  type->tp_free(self);
  Py_DECREF(type);
}

PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>("The core's symbol; mxnet.sym.Symbol is its public face.")},
                       {Py_tp_new, reinterpret_cast<void*>(symbol_new)},
                       {Py_tp_init, reinterpret_cast<void*>(symbol_init)},
                       {Py_tp_dealloc, reinterpret_cast<void*>(symbol_dealloc)},
                       {0, nullptr}};
PyType_Spec spec{"mxnet._core.SymbolBase", sizeof(SymbolObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

py::object wrapped(Symbol symbol, py::handle like) {
  PyTypeObject* type = Py_TYPE(like.ptr());
  PyObject* self = check(type->tp_alloc(type, 0));
  new (&symbol_of(self)) Symbol(std::move(symbol));
  return py::reinterpret_steal<py::object>(self);
}
py::object wrapped(Symbol symbol) { return py::reinterpret_steal<py::object>(wrap_symbol(std::move(symbol))); }

// The one node all outputs belong to; null for a group.
Node* only_node(const Symbol& symbol) {
  if (symbol.outputs().empty()) return nullptr;
  Node* node = symbol.outputs()[0].node.get();
  for (const NodeOutput& output : symbol.outputs())
    if (output.node.get() != node) return nullptr;
  return node;
}

// The block whose forward makes symbols in this thread, see symbol_block.
std::shared_ptr<const std::string>& current_block() {
  thread_local std::shared_ptr<const std::string> block;
  return block;
}

// Attributes as programs see them: hidden ones under their plain names too.
py::dict visible_attributes(const Node& node) {
  py::dict result;
  for (const auto& [key, value] : node.attrs) {
    result[py::str(key)] = value;
    for (std::string_view hidden : kHiddenKeys)
      if (key == str("__", hidden, "__")) result[py::str(hidden.data(), hidden.size())] = value;
  }
  return result;
}

// --- inference ----------------------------------------------------------------------------------------

py::object shape_object(const Shape& shape, bool zero_is_unknown) {
  if (!shape.rank_known()) return zero_is_unknown ? py::object(py::tuple()) : py::object(py::none());
  py::tuple result(shape.ndim());
  for (int i = 0; i < shape.ndim(); ++i) result[i] = shape[i] < 0 ? (zero_is_unknown ? 0 : -1) : shape[i];
  return result;
}

py::tuple spec_object(const TensorSpec& spec, bool zero_is_unknown) {
  py::object dtype = py::none();
  if (spec.dtype != DType::unknown) dtype = py::reinterpret_borrow<py::object>(numpy_type(spec.dtype));
  return py::make_tuple(shape_object(spec.shape, zero_is_unknown), dtype, spec.shape.known());
}

TensorSpec given_spec(py::handle item, bool zero_is_unknown) {
  py::tuple pair = py::cast<py::tuple>(item);
  py::object shape_given = pair[0], dtype_given = pair[1];
  TensorSpec spec{Shape::unknown(), dtype_argument(dtype_given.ptr(), DType::unknown)};
  if (shape_given.is_none()) return spec;
  Shape shape = shape_argument(shape_given.ptr());
  for (int i = 0; i < shape.ndim(); ++i)
    if (shape[i] < 0 || (zero_is_unknown && shape[i] == 0)) shape[i] = kUnknown;
  if (shape.ndim() > 0 || !zero_is_unknown) spec.shape = shape;
  return spec;
}

// symbol_infer(symbol, {name: (shape, dtype)}, zero_is_unknown, default_dtypes): for arguments, outputs and
// auxiliary states lists of (shape, dtype, whether the shape is known), and for each variable of unknown shape what is
// known of it and who reads it.
py::tuple infer_symbol(py::handle handle, py::dict given, bool zero_is_unknown, bool default_dtypes) {
  const Symbol& symbol = symbol_argument(handle.ptr(), "infer_shape");
  NumberedGraph graph(symbol);
  GraphInference inference(graph, zero_is_unknown);
  std::map<std::string, TensorSpec> specs;
  for (auto [name, item] : given) specs[py::cast<std::string>(name)] = given_spec(item, zero_is_unknown);
  std::vector<Node*> variables = symbol.inputs();
  for (Node* node : variables) {
    auto it = specs.find(node->name);
    if (it == specs.end()) continue;
    inference.know(graph.value_of({Ref<Node>(node), 0}), it->second);
  }
  inference.run();
  if (default_dtypes) inference.default_dtypes();
  std::vector<std::string> states = symbol.list_auxiliary_states();
  py::list arguments, outputs, auxiliary;
  size_t next_state = 0;
  for (Node* node : variables) {
    bool is_state = next_state < states.size() && states[next_state] == node->name;
    next_state += is_state;
    (is_state ? auxiliary : arguments)
        .append(spec_object(inference.spec(NodeOutput{Ref<Node>(node), 0}), zero_is_unknown));
  }
  for (const NodeOutput& output : symbol.outputs())
    outputs.append(spec_object(inference.spec(output), zero_is_unknown));
  py::list unknown;
  for (const auto& variable : inference.unknown_variables())
    unknown.append(py::make_tuple(variable.text, variable.reader));
  return py::make_tuple(arguments, outputs, auxiliary, unknown);
}

// --- programs -----------------------------------------------------------------------------------------

struct PythonProgram {
  std::shared_ptr<Program> program;
};

// A Python object that may be let go of where the interpreter's lock is not held, such as by the end of a tape.
std::shared_ptr<py::object> shared(py::object object) {
  return {new py::object(std::move(object)), [](py::object* held) {
            py::gil_scoped_acquire lock;
            delete held;
          }};
}

// monitor(name, operator, value); gradient_monitor(node, operator, name of an input, its place, their number, gradient)
MonitorOptions monitor_options(py::object monitor, bool all, bool variables, py::object gradient_monitor) {
  MonitorOptions options{{}, all, variables, {}};
  if (!monitor.is_none())
    options.call = [call = shared(monitor)](const std::string& name, const std::string& op, const NDArray& value) {
      py::gil_scoped_acquire lock;
      (*call)(py::bytes(name), py::bytes(op), py::reinterpret_steal<py::object>(wrap(value)));
    };
  if (!gradient_monitor.is_none())
    options.gradients = [call = shared(gradient_monitor)](const InputGradient& gradient) {
      py::gil_scoped_acquire lock;
      const Node& node = gradient.node;
      (*call)(node.name, node.op->name, input_name(*node.op, node.params, node.slot(gradient.input)), gradient.place,
              gradient.count, py::reinterpret_steal<py::object>(wrap(gradient.value)));
    };
  return options;
}

py::list run_program(const PythonProgram& self, py::handle inputs, py::handle ctx, py::object monitor, bool monitor_all,
                     bool monitor_variables, py::object gradient_monitor) {
  Arrays arrays;
  for (py::handle item : inputs) arrays.push_back(array_argument(item.ptr(), "an input of a graph"));
  Context where = context_argument(ctx.ptr());
  bool watched = !monitor.is_none();
  MonitorOptions options =
      monitor_options(std::move(monitor), monitor_all, monitor_variables, std::move(gradient_monitor));
  Arrays results;
  {
    py::gil_scoped_release release;
    results = self.program->run(arrays, where, watched ? &options : nullptr);
  }
  py::list list;
  for (NDArray& array : results) list.append(py::reinterpret_steal<py::object>(wrap(std::move(array))));
  return list;
}

VariableSpecs given_specs(const Symbol& symbol, py::dict given) {
  VariableSpecs specs;
  for (Node* node : symbol.inputs())
    if (given.contains(node->name)) specs[node] = given_spec(given[py::str(node->name)], false);
  return specs;
}

void init_passes(py::module_& m) {
  m.def("graph_passes", [] {
    py::list list;
    for (const Pass& pass : passes())
      list.append(
          py::make_tuple(std::string(pass.name), std::string(pass.doc), pass.inference_only, pass_is_on(pass.name)));
    return list;
  });
  m.def("switch_graph_pass", [](const std::string& name, bool on) { switch_pass(name, on); });
  // optimize_symbol(symbol, training, passes, {variable: (shape, dtype)})
  m.def("optimize_symbol", [](py::handle s, bool training, const std::vector<std::string>& names, py::dict given) {
    std::vector<PassResult> results;
    const Symbol& before = symbol_argument(s.ptr(), "optimize");
    Symbol symbol = optimize(before, {training, given_specs(before, given), names}, &results);
    py::list report;
    for (const PassResult& r : results)
      report.append(py::make_tuple(std::string(r.name), r.nodes_before, r.nodes_after));
    return py::make_tuple(wrapped(std::move(symbol), s), report);
  });
}

ParamsRef params_argument(const Op& op, py::handle attrs) {
  std::vector<std::pair<std::string, Value>> items;
  for (auto [key, value] : py::cast<py::dict>(attrs))
    items.emplace_back(py::cast<std::string>(key), to_value(value.ptr()));
  return make_params(op, items);
}

Arrays arrays_argument(py::handle items, const char* what) {
  Arrays arrays;
  for (py::handle item : items) arrays.push_back(item.is_none() ? NDArray() : array_argument(item.ptr(), what));
  return arrays;
}

// (function, arrays, arrays to write into, parameters)
UpdateCall update_argument(py::handle item) {
  auto [function, arrays, out, attrs] = py::cast<std::tuple<py::object, py::object, py::object, py::object>>(item);
  const Op& op = op_argument(function.ptr(), "the function of an update");
  return {&op, params_argument(op, attrs), arrays_argument(arrays, "an array of an update"),
          arrays_argument(out, "a result of an update")};
}

// None where there is no program for it.
py::object run_step(const PythonProgram& self, py::handle inputs, py::handle grads, py::handle updates,
                    bool needs_finite, py::handle ctx) {
  Arrays arrays = arrays_argument(inputs, "an input of a graph");
  Arrays places = arrays_argument(grads, "a gradient of a graph");
  std::vector<UpdateCall> calls;
  for (py::handle item : updates) calls.push_back(update_argument(item));
  Context where = context_argument(ctx.ptr());
  std::optional<Arrays> results;
  {
    py::gil_scoped_release release;
    results = self.program->run_step(arrays, {places, calls, needs_finite}, where);
  }
  if (!results) return py::none();
  py::list list;
  for (NDArray& array : *results) list.append(py::reinterpret_steal<py::object>(wrap(std::move(array))));
  return list;
}

py::dict report_program(const PythonProgram& self) {
  GraphReport report = self.program->report();
  py::dict result;
  result["steps"] = report.steps;
  result["temporary_bytes"] = report.temporary_bytes;
  result["unshared_bytes"] = report.unshared_bytes;
  result["saved_bytes"] = report.saved_bytes;
  result["segments"] = report.segments;
  return result;
}

void init_programs(py::module_& m) {
  py::class_<PythonProgram>(m, "Program", "A symbol made ready to run.")
      .def(py::init([](py::handle symbol, bool zero_is_unknown, std::vector<std::string> data) {
             return PythonProgram{std::make_shared<Program>(symbol_argument(symbol.ptr(), "a program"),
                                                            ProgramOptions{zero_is_unknown, std::move(data)})};
           }),
           py::arg("symbol"), py::arg("zero_is_unknown") = true, py::arg("data") = std::vector<std::string>())
      .def_property_readonly("input_names", [](const PythonProgram& self) { return self.program->input_names(); })
      .def("run", run_program, py::arg("inputs"), py::arg("ctx") = py::none(), py::arg("monitor") = py::none(),
           py::arg("monitor_all") = false, py::arg("monitor_variables") = false,
           py::arg("gradient_monitor") = py::none())
      .def("run_step", run_step, py::arg("inputs"), py::arg("grads"), py::arg("updates"), py::arg("needs_finite"),
           py::arg("ctx"))
      .def("report", report_program);
}

// --- what mxnet.symbol calls --------------------------------------------------------------------------

// The outputs of a single operator under another name of their node.
Symbol renamed(const Symbol& symbol, const std::string& name) {
  std::vector<NodeOutput> outputs = symbol.outputs();
  if (outputs.empty() || outputs[0].node->is_variable()) return symbol;
  Ref<Node> node = with_inputs(*outputs[0].node, outputs[0].node->inputs);
  node->name = name;
  for (NodeOutput& output : outputs) {
    if (!(output.node == symbol.outputs()[0].node)) return symbol;
    output.node = node;
  }
  return Symbol(std::move(outputs));
}

void init_lists(py::module_& m) {
  m.def("symbol_of_tape", [](py::handle x) { return wrapped(symbol_of_tape(array_argument(x.ptr(), "get_symbol"))); });
  m.def("symbol_arguments", [](py::handle s) { return symbol_argument(s.ptr(), "symbol").list_arguments(); });
  m.def("symbol_states", [](py::handle s) { return symbol_argument(s.ptr(), "symbol").list_auxiliary_states(); });
  m.def("symbol_inputs", [](py::handle s) { return symbol_argument(s.ptr(), "symbol").list_inputs(); });
  m.def("symbol_outputs", [](py::handle s) { return symbol_argument(s.ptr(), "symbol").list_outputs(); });
  m.def("symbol_size", [](py::handle s) { return symbol_argument(s.ptr(), "symbol").outputs().size(); });
  m.def("symbol_name", [](py::handle s) -> py::object {
    Node* node = only_node(symbol_argument(s.ptr(), "symbol"));
    return node ? py::object(py::str(node->name)) : py::none();
  });
  m.def("symbol_nodes", [](py::handle s) {
    const Symbol& symbol = symbol_argument(s.ptr(), "symbol");
    NumberedGraph graph(symbol);
    py::list nodes;
    for (Node* node : graph.nodes()) {
      py::list inputs;
      for (const NodeOutput& input : node->inputs)
        inputs.append(py::make_tuple(graph.number_of(input.node.get()), input.index));
      nodes.append(py::make_tuple(node->op ? py::object(py::str(node->op->name)) : py::none(), node->name,
                                  py::cast(node->attrs), inputs));
    }
    return nodes;
  });
  m.def("symbol_heads", [](py::handle s) {
    py::list heads;
    for (const NodeOutput& output : symbol_argument(s.ptr(), "symbol").outputs())
      heads.append(py::make_tuple(output.node->name, output.index));
    return heads;
  });
}

void init_attributes(py::module_& m) {
  m.def("symbol_attr", [](py::handle s, const std::string& key) -> py::object {
    Node* node = only_node(symbol_argument(s.ptr(), "symbol"));
    if (!node) return py::none();
    auto it = node->attrs.find(stored_key(key));
    return it == node->attrs.end() ? py::none() : py::object(py::str(it->second));
  });
  m.def("symbol_set_attr", [](py::handle s, const std::string& key, const std::string& value) {
    for (const NodeOutput& output : symbol_argument(s.ptr(), "symbol").outputs())
      output.node->attrs[stored_key(key)] = value;
  });
  m.def("symbol_attrs", [](py::handle s) {
    Node* node = only_node(symbol_argument(s.ptr(), "symbol"));
    return node ? visible_attributes(*node) : py::dict();
  });
  m.def("symbol_all_attrs", [](py::handle s) {
    py::dict result;
    for (Node* node : symbol_argument(s.ptr(), "symbol").nodes())
      if (!node->attrs.empty()) result[py::str(node->name)] = visible_attributes(*node);
    return result;
  });
}

void init_graphs(py::module_& m) {
  m.def("symbol_variable", [](const std::string& name, const Attributes& attrs) {
    Attributes stored;
    for (const auto& [key, value] : attrs) stored[stored_key(key)] = value;
    return wrapped(make_variable(name, std::move(stored)));
  });
  // symbol_block(text): symbols are made by this block from now on in this thread; None for none.
  m.def("symbol_block", [](const std::optional<std::string>& block) {
    current_block() = block ? std::make_shared<const std::string>(*block) : nullptr;
  });
  m.def("symbol_item", [](py::handle s, size_t i) {
    const Symbol& symbol = symbol_argument(s.ptr(), "symbol");
    if (i >= symbol.outputs().size())
      fail(ErrorKind::index, "output ", i, " is out of range: the symbol has ", symbol.outputs().size());
    return wrapped(Symbol({symbol.outputs()[i]}), s);
  });
  m.def("symbol_group", [](py::handle symbols) {
    std::vector<NodeOutput> outputs;
    for (py::handle item : symbols) {
      const Symbol& symbol = symbol_argument(item.ptr(), "Group: an item");
      outputs.insert(outputs.end(), symbol.outputs().begin(), symbol.outputs().end());
    }
    return wrapped(Symbol(std::move(outputs)));
  });
  m.def("symbol_internals", [](py::handle s) { return wrapped(symbol_argument(s.ptr(), "symbol").internals(), s); });
  m.def("symbol_children", [](py::handle s) { return wrapped(symbol_argument(s.ptr(), "symbol").children(), s); });
  m.def("symbol_copy", [](py::handle s) { return wrapped(symbol_argument(s.ptr(), "symbol").copy(), s); });
  auto compose = [](py::handle s, py::dict values, const std::string& name) {
    std::unordered_map<std::string, NodeOutput> replacements;
    for (auto [name, value] : values) {
      const Symbol& symbol = symbol_argument(value.ptr(), "compose: a value");
      if (symbol.outputs().size() != 1)
        value_error("compose: a value must have one output, got ", symbol.outputs().size());
      replacements[py::cast<std::string>(name)] = symbol.outputs()[0];
    }
    Symbol composed = symbol_argument(s.ptr(), "symbol").compose(replacements);
    return wrapped(name.empty() ? std::move(composed) : renamed(composed, name), s);
  };
  m.def("symbol_compose", compose, py::arg("symbol"), py::arg("values"), py::arg("name") = "");
  m.def("symbol_to_json", [](py::handle s) { return to_json(symbol_argument(s.ptr(), "symbol")); });
  m.def("symbol_from_json", [](const std::string& text) { return wrapped(from_json(text)); });
  m.def("symbol_infer", infer_symbol);
  m.def("symbol_same", [](py::handle a, py::handle b) {
    return symbol_argument(a.ptr(), "symbol").outputs() == symbol_argument(b.ptr(), "symbol").outputs();
  });
  m.def("symbol_cut", [](py::handle s, const std::string& scope) {
    Cutout cutout = cut_out(symbol_argument(s.ptr(), "symbol"), scope);
    py::dict outside;
    for (auto& [name, value] : cutout.outside) outside[py::str(name)] = wrapped(Symbol({value}));
    return py::make_tuple(wrapped(std::move(cutout.symbol)), outside);
  });
  // symbol_apply(op, name, attrs, inputs, subgraphs): for operators with bodies.
  m.def("symbol_apply", [](const std::string& op_name, const std::string& name, Attributes attrs, py::handle inputs,
                           py::handle subgraphs) {
    const Op& op = Registry::get().at(op_name);
    std::vector<std::pair<std::string, Value>> params;
    for (const auto& [key, value] : attrs)
      for (const FieldSpec& field : op.fields)
        if (field.name == key) params.emplace_back(key, Value(value));
    Application application{&op, make_params(op, params), name, std::move(attrs), {}, {}, current_origin()};
    for (py::handle item : inputs)
      for (const NodeOutput& output : symbol_argument(item.ptr(), "an input").outputs())
        application.inputs.push_back(output);
    for (py::handle item : subgraphs) application.subgraphs.push_back(symbol_argument(item.ptr(), "a body"));
    return wrapped(mxnet::apply(std::move(application)));
  });
}

}  // namespace

const Symbol& symbol_argument(PyObject* object, const char* what) {
  if (!is_symbol(object)) type_error(what, " must be a Symbol, got ", Py_TYPE(object)->tp_name);
  return symbol_of(object);
}

PyObject* wrap_symbol(Symbol symbol, const char* space) {
  auto it = classes().find(space);
  PyTypeObject* type = it == classes().end() ? symbol_base_type : it->second;
  PyObject* self = check(type->tp_alloc(type, 0));
  new (&symbol_of(self)) Symbol(std::move(symbol));
  return self;
}

Origin current_origin() {
  static std::set<std::string> files;  // under the interpreter's lock
  SourceLine where = calling_line();
  if (where.file.empty()) return {current_block()};
  return {current_block(), &*files.insert(std::move(where.file)).first, where.line};
}

Attributes scoped_attributes(PyObject* attr, const std::string& what) {
  static Lazy current("mxnet.attribute", "current");
  Object scope = own(PyObject_CallNoArgs(current.get()));
  Object merged = own(PyObject_CallMethod(scope.get(), "get", "O", attr ? attr : Py_None));
  Attributes attributes;
  PyObject *key, *value;
  Py_ssize_t at = 0;
  if (!PyDict_Check(merged.get())) type_error(what, ": attr must be a dict of text");
  while (PyDict_Next(merged.get(), &at, &key, &value)) {
    if (!PyUnicode_Check(key) || !PyUnicode_Check(value)) type_error(what, ": attr must be a dict of text");
    attributes[stored_key(PyUnicode_AsUTF8(key))] = PyUnicode_AsUTF8(value);
  }
  return attributes;
}

std::string scoped_name(PyObject* name, const std::string& hint) {
  static Lazy current("mxnet.name", "current");
  Object manager = own(PyObject_CallNoArgs(current.get()));
  Object made = own(PyObject_CallMethod(manager.get(), "get", "Os", name ? name : Py_None, hint.c_str()));
  const char* text = PyUnicode_Check(made.get()) ? PyUnicode_AsUTF8(made.get()) : nullptr;
  if (!text) type_error("name must be text, got ", Py_TYPE(made.get())->tp_name);
  return text;
}

void init_symbol(py::module_& m) {
  symbol_base_type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpec(&spec)));
  m.add_object("SymbolBase", reinterpret_cast<PyObject*>(symbol_base_type));
  // The class that results of operators of a space ("sym") are instances of.
  m.def("set_symbol_class", [](const std::string& space, py::object type) {
    classes()[space] = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
  });
  init_lists(m);
  init_attributes(m);
  init_graphs(m);
  init_programs(m);
  init_passes(m);
}

}  // namespace mxnet::python
