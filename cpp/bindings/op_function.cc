// Operators as Python callables: one C type whose instances differ in operator and result class. Arguments
// go through vectorcall straight into the operator's typed parameters.
#include "python.h"

#include <pybind11/stl.h>
#include <structmember.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <span>

#include "symbol.h"

namespace mxnet::python {

namespace {

struct OpFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  const Op* op;
  const char* space;
  bool symbolic;   // makes symbols instead of computing arrays
  bool is_method;  // an attribute of the class of arrays or symbols
  PyObject* name;
  std::vector<PyObject*>* names;  // interned: inputs, then fields
};
PyTypeObject* op_function_type = nullptr;

OpFunction* function_of(PyObject* self) { return reinterpret_cast<OpFunction*>(self); }

// What a call was given, sorted out.
struct Arguments {
  std::vector<PyObject*> inputs;  // borrowed; null or None where left out
  std::vector<Object> owned;      // keeps converted inputs alive
  ParamsRef params;
  PyObject* out = nullptr;
  PyObject* ctx = nullptr;
  // Of a symbol:
  PyObject* name = nullptr;
  PyObject* attr = nullptr;
  Attributes attributes;                                 // what was given, as text
  std::vector<std::pair<std::string, PyObject*>> named;  // symbols for inputs that the parameters name
};

bool is_attribute(std::string_view name) { return name.size() > 4 && name.starts_with("__") && name.ends_with("__"); }

bool is_null(PyObject* object) {
  static Lazy null("mxnet.base", "_Null");
  return object == null.get();
}

class Parser {
 public:
  Parser(OpFunction* function, Arguments& result) : function_(function), op_(*function->op), result_(result) {
    result_.params = op_.new_params();
  }

  void parse(PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
    size_t declared = op_.inputs.size();
    result_.inputs.reserve(std::max<size_t>(declared, n));
    if (op_.is_variadic())
      take_variadic(args, n);
    else
      take_positional(args, n, declared);
    Py_ssize_t num_keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < num_keywords; ++i) take_keyword(PyTuple_GET_ITEM(kwnames, i), args[n + i]);
    finish();
  }

 private:
  void set(size_t field, PyObject* object) {
    if (is_null(object)) return;
    const FieldSpec& spec = op_.fields[field];
    if (static_cast<int>(field) == op_.ctx_field) {
      result_.ctx = object;
      if (object == Py_None) return;
    }
    Value value = to_value(object);
    spec.set(result_.params->data(), value, spec.what);
    // None goes without saying where it is the default.
    bool said = object != Py_None || spec.required || !spec.default_value.none();
    if (function_->symbolic && said) result_.attributes[spec.name] = to_text(value);
    given_ |= uint64_t{1} << field;
  }

  static bool is_input(PyObject* object) { return is_array(object) || is_deferred(object) || is_symbol(object); }

  void take_positional(PyObject* const* args, Py_ssize_t n, size_t declared) {
    for (Py_ssize_t i = 0; i < n; ++i) {
      if (static_cast<size_t>(i) < declared) {
        result_.inputs.push_back(args[i]);
      } else if (i - declared < op_.fields.size()) {
        set(i - declared, args[i]);
      } else if (!take_trailing(i - declared - op_.fields.size(), args[i])) {
        type_error(op_.name, ": got ", n, " positional arguments; signature is ", op_.signature());
      }
    }
  }

  // What MXNet 1.x takes by position behind the parameters.
  bool take_trailing(size_t place, PyObject* object) {
    static constexpr std::array of_arrays{"out", "name"};
    static constexpr std::array of_symbols{"name", "attr", "out"};
    std::span<const char* const> names(of_arrays);
    if (function_->symbolic) names = of_symbols;
    if (place >= names.size()) return false;
    if (object != Py_None && !is_null(object)) take_special(names[place], object);
    return true;
  }

  // All leading arrays, or one list of them; what follows are parameters.
  void take_variadic(PyObject* const* args, Py_ssize_t n) {
    Py_ssize_t i = 0;
    if (n > 0 && (PyList_Check(args[0]) || PyTuple_Check(args[0]))) {
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(args[0]); ++k)
        result_.inputs.push_back(PySequence_Fast_GET_ITEM(args[0], k));
      i = 1;
    }
    for (; i < n && is_input(args[i]); ++i) result_.inputs.push_back(args[i]);
    for (size_t field = 0; i < n; ++i, ++field) {
      if (field < op_.fields.size() && op_.fields[field].name == op_.variadic) ++field;
      if (field >= op_.fields.size())
        type_error(op_.name, ": got too many positional arguments; signature is ", op_.signature());
      set(field, args[i]);
    }
  }

  void take_keyword(PyObject* name, PyObject* value) {
    const std::vector<PyObject*>& names = *function_->names;
    size_t index = 0;
    while (index < names.size() && names[index] != name) ++index;
    if (index == names.size())
      for (index = 0; index < names.size() && PyUnicode_Compare(names[index], name) != 0;) ++index;
    size_t declared = op_.inputs.size();
    if (index < declared) return take_input(index, value);
    if (index < names.size()) return set(index - declared, value);
    take_special(PyUnicode_AsUTF8(name), value);
  }

  void take_input(size_t index, PyObject* value) {
    if (op_.is_variadic() && (PyList_Check(value) || PyTuple_Check(value))) return take_variadic(&value, 1);
    if (result_.inputs.size() <= index) result_.inputs.resize(index + 1, nullptr);
    if (result_.inputs[index]) type_error(op_.name, ": got ", op_.inputs[index].name, " twice");
    result_.inputs[index] = value;
  }

  // Keywords every front end takes: out, ctx, arg0, arg1...; name, attr and __attributes__ are a symbol's and without
  // effect on arrays.
  void take_special(const char* name, PyObject* value) {
    if (std::strcmp(name, "out") == 0) {
      result_.out = value == Py_None ? nullptr : value;
    } else if (std::strcmp(name, "ctx") == 0) {
      result_.ctx = value;
    } else if (op_.is_variadic() && std::strncmp(name, "arg", 3) == 0 && is_input(value)) {
      result_.inputs.push_back(value);
    } else if (function_->symbolic) {
      take_symbolic(name, value);
    } else if (std::strcmp(name, "name") != 0 && std::strcmp(name, "attr") != 0 && !is_attribute(name)) {
      if (op_.free_params && !is_array(value)) return set_free(name, value);
      unknown_parameter(name);
    }
  }

  // Operators without parameters took any in MXNet 1.x.
  void unknown_parameter(const char* name) {
    std::string text = str(op_.name, ": there is no parameter '", name, "'");
    if (!op_.fields.empty()) type_error(text, "; signature is ", op_.signature());
    if (PyErr_WarnFormat(PyExc_UserWarning, 1, "%s; it is ignored", text.c_str()) < 0) throw PythonError();
  }

  // name, attr, and attributes such as __lr_mult__.
  void take_symbolic(const char* name, PyObject* value) {
    std::string_view text(name);
    if (text == "name") {
      result_.name = value;
    } else if (text == "attr") {
      result_.attr = value;
    } else if (std::string key = stored_key(text); is_attribute(key)) {
      result_.attributes[key] = PyUnicode_AsUTF8(own(PyObject_Str(value)).get());
    } else if (op_.inputs_of && is_input(value)) {
      result_.named.emplace_back(name, value);
    } else if (op_.free_params) {
      set_free(name, value);
    } else {
      unknown_parameter(name);
    }
  }

  void set_free(const char* name, PyObject* value) {
    Object text = own(PyObject_Str(value));
    op_.free_params(result_.params->data()).emplace_back(name, PyUnicode_AsUTF8(text.get()));
    if (function_->symbolic) result_.attributes[name] = PyUnicode_AsUTF8(text.get());
  }

  void finish() {
    for (size_t i = 0; i < op_.fields.size(); ++i) {
      const FieldSpec& spec = op_.fields[i];
      bool given = given_ >> i & 1;
      if (!given && op_.is_variadic() && spec.name == op_.variadic)
        spec.set(result_.params->data(), Value(static_cast<int64_t>(result_.inputs.size())), spec.what);
      else if (spec.required && !given)
        type_error(op_.name, ": parameter '", spec.name, "' is missing; signature is ", op_.signature());
    }
    bool deferred = false;
    for (PyObject* object : result_.inputs) deferred |= object && is_deferred(object);
    if (!deferred) return;
    for (PyObject* object : result_.inputs) result_.owned.push_back(Object::borrow(object ? object : Py_None));
    resolve_deferred(op_, result_.params, result_.owned);
    for (size_t i = 0; i < result_.inputs.size(); ++i) result_.inputs[i] = result_.owned[i].get();
  }

  OpFunction* function_;
  const Op& op_;
  Arguments& result_;
  uint64_t given_ = 0;
};

Arrays input_arrays(const Op& op, const std::vector<PyObject*>& objects) {
  Arrays arrays;
  arrays.reserve(objects.size());
  for (size_t i = 0; i < objects.size(); ++i) {
    PyObject* object = objects[i];
    if (!object || object == Py_None) {
      arrays.emplace_back();
    } else if (is_array(object)) {
      arrays.push_back(array_of(object));
    } else {
      type_error(op.name, ": ", op.input_name(static_cast<int>(i)), " must be an NDArray, got ",
                 Py_TYPE(object)->tp_name, "; convert it with mx.nd.array");
    }
  }
  while (!arrays.empty() && !arrays.back().defined() && arrays.size() > op.inputs.size()) arrays.pop_back();
  return arrays;
}

// Writing into a variable's array while recording would leave its gradient undefined.
void check_out_variable(const Op& op, const NDArray& out) {
  if (call_state().recording && out.tape && op.differentiable())
    fail(ErrorKind::runtime, op.name, ": out (shape ", out.shape(),
         ") is on the autograd tape; inside autograd.record() write the result to a new array");
}

PyObject* call_with_out(const Op& op, Arguments& arguments, Arrays& inputs, std::optional<Context> ctx) {
  bool many = PyList_Check(arguments.out) || PyTuple_Check(arguments.out);
  Object sequence = many ? own(PySequence_Fast(arguments.out, "")) : own(PyTuple_Pack(1, arguments.out));
  Arrays out;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.get()); ++i) {
    out.push_back(array_argument(PySequence_Fast_GET_ITEM(sequence.get(), i), "out"));
    check_out_variable(op, out.back());
  }
  invoke(op, arguments.params, inputs, out, ctx);
  for (size_t i = 0; i < out.size(); ++i) array_of(PySequence_Fast_GET_ITEM(sequence.get(), i)).tape = out[i].tape;
  return Py_NewRef(arguments.out);
}

Context context_of(PyObject* object) {
  if (!PyUnicode_Check(object)) return context_argument(object);
  static Lazy parse("mxnet.context", "_context_from_text");
  return context_argument(own(PyObject_CallOneArg(parse.get(), object)).get());
}

// The outputs of symbols; a group counts as several inputs where any number is taken.
std::vector<NodeOutput> input_outputs(const Op& op, const std::vector<PyObject*>& objects) {
  std::vector<NodeOutput> inputs;
  for (size_t i = 0; i < objects.size(); ++i) {
    PyObject* object = objects[i];
    if (!object || object == Py_None) {
      inputs.emplace_back();
      continue;
    }
    std::string name = op.input_name(static_cast<int>(i));
    if (!is_symbol(object))
      type_error(op.name, ": ", name, " must be a Symbol, got ", Py_TYPE(object)->tp_name,
                 is_array(object) ? "; operators of mx.nd take arrays" : "");
    const std::vector<NodeOutput>& outputs = symbol_of(object).outputs();
    if (outputs.size() != 1 && !op.is_variadic())
      value_error(op.name, ": ", name, " must be a symbol of one output, got ", outputs.size());
    inputs.insert(inputs.end(), outputs.begin(), outputs.end());
  }
  return inputs;
}

// Puts symbols given by name in their places.
void place_named(const Op& op, const Arguments& arguments, std::vector<NodeOutput>& inputs) {
  if (arguments.named.empty()) return;
  std::vector<InputSpec> specs = op.inputs_of(arguments.params->data());
  for (auto& [name, object] : arguments.named) {
    const std::string& wanted = name;
    auto it = std::find_if(specs.begin(), specs.end(), [&](const InputSpec& spec) { return spec.name == wanted; });
    if (it == specs.end()) type_error(op.name, ": there is no input '", name, "'");
    size_t place = static_cast<size_t>(it - specs.begin());
    if (inputs.size() <= place) inputs.resize(place + 1);
    if (inputs[place].node) type_error(op.name, ": got ", name, " twice");
    inputs[place] = input_outputs(op, {object}).at(0);
  }
}

// Parameters among the attributes of a scope or of `attr`. What is neither must be marked as the program's own.
void set_from_attributes(const Op& op, Application& application) {
  for (const auto& [key, text] : application.attrs) {
    if (is_attribute(key) || op.free_params) continue;
    auto named = [&key = key](const FieldSpec& f) { return f.name == key; };
    auto field = std::find_if(op.fields.begin(), op.fields.end(), named);
    if (field == op.fields.end())
      type_error(op.name, ": there is no parameter '", key, "'; attributes of your own are written __", key, "__");
    field->set(application.params->data(), Value(text), field->what);
  }
}

PyObject* make_symbol(OpFunction* function, Arguments& arguments) {
  const Op& op = *function->op;
  Application application{&op, arguments.params, {}, {}, input_outputs(op, arguments.inputs), {}, current_origin()};
  std::string hint = PyUnicode_AsUTF8(function->name);
  for (std::string_view module : {"_contrib_", "_linalg_", "_image_", "_sparse_"})  // mx.sym.contrib.x gives x0
    if (hint.starts_with(module)) hint.erase(0, module.size());
  std::transform(hint.begin(), hint.end(), hint.begin(), [](unsigned char c) { return std::tolower(c); });
  place_named(op, arguments, application.inputs);
  application.name = scoped_name(arguments.name, hint);
  application.attrs = scoped_attributes(arguments.attr, op.name);
  set_from_attributes(op, application);
  bool counted = op.is_variadic() && !arguments.attributes.contains(op.variadic) && !application.inputs.empty();
  for (const FieldSpec& field : op.fields) {
    if (!counted || field.name != op.variadic) continue;
    field.set(application.params->data(), Value(static_cast<int64_t>(application.inputs.size())), field.what);
    application.attrs[field.name] = std::to_string(application.inputs.size());
  }
  for (auto& [key, value] : arguments.attributes) application.attrs.try_emplace(key, std::move(value));
  Symbol symbol = mxnet::apply(std::move(application));
  if (!symbol.outputs().empty()) set_starts(*symbol.outputs()[0].node);
  return wrap_symbol(std::move(symbol), function->space);
}

PyObject* call(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    OpFunction* function = function_of(self);
    const Op& op = *function->op;
    Arguments arguments;
    Parser(function, arguments).parse(args, PyVectorcall_NARGS(nargsf), kwnames);
    if (function->symbolic) return make_symbol(function, arguments);
    Arrays inputs = input_arrays(op, arguments.inputs);
    std::optional<Context> ctx;
    if (inputs.empty()) {
      bool given = arguments.ctx && arguments.ctx != Py_None && PyObject_IsTrue(arguments.ctx);
      ctx = given ? context_of(arguments.ctx) : current_context();
    }
    if (arguments.out) return call_with_out(op, arguments, inputs, ctx);
    return wrap_results(invoke(op, arguments.params, inputs, {}, ctx), array_class(function->space));
  });
}

// --- introspection ----------------------------------------------------------------------------------

std::string docstring(const Op& op) {
  std::string text = op.signature() + "\n\n" + op.doc + "\n\nParameters\n----------\n";
  for (const InputSpec& input : op.inputs)
    text += str(input.name, " : NDArray", input.optional ? ", optional" : "", "\n    ", input.doc, "\n");
  for (const FieldSpec& f : op.fields) {
    text += str(f.name, " : ", f.type, f.required ? ", required" : "");
    if (!f.required) text += ", default " + to_text(f.default_value);
    text += str("\n    ", f.doc, "\n");
  }
  text += "out : NDArray or list of NDArray, optional\n    Where to put the result.\n";
  static Lazy find("mxnet.ndarray.examples", "example_of");
  Object example = own(PyObject_CallFunction(find.get(), "s", op.name.c_str()));
  std::string lines = PyUnicode_AsUTF8(example.get());
  return lines.empty() ? text : text + "\nExamples\n--------\n" + lines;
}

PyObject* get_doc(PyObject* self, void*) {
  return guarded([&] { return PyUnicode_FromString(docstring(*function_of(self)->op).c_str()); });
}
PyObject* get_name(PyObject* self, void*) { return Py_NewRef(function_of(self)->name); }
PyObject* get_module(PyObject* self, void*) {
  return PyUnicode_FromString(function_of(self)->symbolic ? "mxnet.symbol" : "mxnet.ndarray");
}
PyObject* get_signature(PyObject* self, void*) {
  return guarded([&] {
    static Lazy make("mxnet.ndarray.op", "_signature");
    Object info = own(PyObject_CallMethod(self, "op_info", nullptr));
    return check(PyObject_CallOneArg(make.get(), info.get()));
  });
}

PyObject* op_info(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    namespace py = pybind11;
    const Op& op = *function_of(self)->op;
    py::list inputs, fields;
    for (const InputSpec& i : op.inputs) inputs.append(py::make_tuple(i.name, i.doc, i.optional, i.is_mutable));
    for (const FieldSpec& f : op.fields)
      fields.append(py::make_tuple(f.name, f.type, f.required,
                                   py::reinterpret_steal<py::object>(check(from_value(f.default_value))), f.doc));
    py::dict info;
    info["name"] = op.name;
    info["aliases"] = op.aliases;
    info["doc"] = op.doc;
    info["signature"] = op.signature();
    info["inputs"] = inputs;
    info["variadic"] = op.variadic;
    info["fields"] = fields;
    info["differentiable"] = op.differentiable();
    info["is_random"] = static_cast<bool>(op.draws);  // in some calls
    info["is_inplace"] = op.is_inplace;
    info["is_method"] = op.is_method;
    info["called_as_method"] = function_of(self)->is_method;
    ParamsRef params = op.new_params();
    const auto& count = op.num_visible ? op.num_visible : op.num_outputs;
    info["num_outputs"] = count(params->data(), static_cast<int>(op.inputs.size()));  // of a call with defaults
    info["has_kernel"] = static_cast<bool>(op.cpu_kernel()) || op.compose;
    info["has_gpu_kernel"] = static_cast<bool>(op.gpu_kernel());  // known once a GPU has been used
    return info.release().ptr();
  });
}

PyObject* repr(PyObject* self) { return PyUnicode_FromFormat("<operator %U>", function_of(self)->name); }

// As a class attribute it binds like a function, so that x.sum(axis=1) passes x first.
PyObject* bind(PyObject* self, PyObject* instance, PyObject*) {
  return instance && instance != Py_None ? PyMethod_New(self, instance) : Py_NewRef(self);
}

PyGetSetDef properties[] = {{"__doc__", get_doc, nullptr, nullptr, nullptr},
                            {"__name__", get_name, nullptr, nullptr, nullptr},
                            {"__qualname__", get_name, nullptr, nullptr, nullptr},
                            {"__module__", get_module, nullptr, nullptr, nullptr},
                            {"__signature__", get_signature, nullptr, nullptr, nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef methods[] = {{"op_info", op_info, METH_NOARGS, "The operator's record as a dict."},
                         {nullptr, nullptr, 0, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, vectorcall), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                       {Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_tp_descr_get, reinterpret_cast<void*>(bind)},
                       {Py_tp_getset, properties},
                       {Py_tp_methods, methods},
                       {Py_tp_members, members},
                       {0, nullptr}};
// Functions live as long as the process: there is no deallocation.
PyType_Spec spec{
    "mxnet._core.OpFunction", sizeof(OpFunction), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    slots};

PyObject* make_function(const Op& op, const std::string& name, const char* space, bool is_method = false) {
  PyObject* self = check(op_function_type->tp_alloc(op_function_type, 0));
  OpFunction* function = function_of(self);
  function->vectorcall = call;
  function->op = &op;
  function->space = space;
  function->symbolic = std::strncmp(space, "sym", 3) == 0;
  function->is_method = is_method;
  function->name = check(PyUnicode_InternFromString(name.c_str()));
  function->names = new std::vector<PyObject*>();
  for (const InputSpec& input : op.inputs)
    function->names->push_back(check(PyUnicode_InternFromString(input.name.c_str())));
  for (const FieldSpec& field : op.fields)
    function->names->push_back(check(PyUnicode_InternFromString(field.name.c_str())));
  return Py_NewRef(self);
}

}  // namespace

const Signs& signs() {
  static const Signs signs;
  return signs;
}

const Op& op_argument(PyObject* object, const char* what) {
  if (Py_TYPE(object) != op_function_type) type_error(what, " must be an operator, got ", Py_TYPE(object)->tp_name);
  return *function_of(object)->op;
}

PyObject* call_binary(const Sign& sign, PyObject* a, PyObject* b) {
  if (is_array(a) && is_array(b)) {
    NDArray inputs[2]{array_of(a), array_of(b)};
    return wrap(std::move(invoke(sign.arrays(), sign.no_params(), inputs)[0]), Py_TYPE(a));
  }
  if (is_deferred(a) || is_deferred(b)) {
    std::vector<Object> objects{Object::borrow(a), Object::borrow(b)};
    resolve_deferred(sign.arrays(), sign.no_params(), objects);
    return call_binary(sign, objects[0].get(), objects[1].get());
  }
  bool reverse = is_array(b);
  PyObject* array = reverse ? b : a;
  const Op& op = reverse ? sign.reverse_scalar() : sign.scalar();
  ParamsRef params = op.new_params();
  op.fields[0].set(params->data(), to_value(reverse ? a : b), op.fields[0].what);
  return wrap(std::move(invoke(op, params, {&array_of(array), 1})[0]), Py_TYPE(array));
}

void init_op_function(pybind11::module_& m) {
  namespace py = pybind11;
  op_function_type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpec(&spec)));
  m.add_object("OpFunction", reinterpret_cast<PyObject*>(op_function_type));
  m.def("op_names", [] {
    py::list names;
    for (auto& [name, op] : Registry::get().names()) names.append(name);
    return names;
  });
  m.def("op_functions", [](const std::string& space) {
    const char* kept = PyUnicode_AsUTF8(check(PyUnicode_InternFromString(space.c_str())));
    py::dict functions;
    for (auto& [name, op] : Registry::get().names())
      functions[py::str(name)] = py::reinterpret_steal<py::object>(make_function(*op, name, kept));
    return functions;
  });
  m.def(
      "install_methods",
      [](py::object type, const std::string& space) {
        const char* kept = PyUnicode_AsUTF8(check(PyUnicode_InternFromString(space.c_str())));
        for (auto& [name, op] : Registry::get().names())
          if (op->is_method && !py::hasattr(type, name.c_str()))
            py::setattr(type, name.c_str(), py::reinterpret_steal<py::object>(make_function(*op, name, kept, true)));
      },
      py::arg("type"), py::arg("space") = "nd");
  m.def("infer", [](const std::string& name, py::dict attrs, py::list inputs) {
    const Op& op = Registry::get().at(name);
    std::vector<std::pair<std::string, Value>> items;
    for (auto [key, value] : attrs) items.emplace_back(py::cast<std::string>(key), to_value(value.ptr()));
    ParamsRef params = make_params(op, items);
    std::vector<TensorSpec> specs;
    for (py::handle item : inputs) {
      py::tuple pair = py::cast<py::tuple>(item);
      py::object shape = pair[0], dtype = pair[1];
      specs.push_back({shape.is_none() ? Shape::unknown() : shape_argument(shape.ptr()),
                       dtype_argument(dtype.ptr(), DType::unknown)});
    }
    py::list result;
    for (const TensorSpec& s : infer(op, params, specs)) {
      py::object shape = s.shape.known() ? py::reinterpret_steal<py::object>(shape_tuple(s.shape)) : py::none();
      py::object dtype = s.dtype == DType::unknown ? py::object(py::none()) : py::str(std::string(name_of(s.dtype)));
      result.append(py::make_tuple(shape, dtype));
    }
    return result;
  });
}

}  // namespace mxnet::python
