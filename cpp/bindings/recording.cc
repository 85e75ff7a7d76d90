// Recording in Python: the scopes of mxnet.autograd, and functions whose backward is written in Python.
#include <memory>

#include "mxnet/autograd/tape.h"

#include "python.h"

namespace py = pybind11;

namespace mxnet::python {
namespace {

// --- scopes -----------------------------------------------------------------------------------------

// RecordingScope(recording, training): sets the two states in a with block; None leaves one as it is.
struct Scope {
  PyObject_HEAD int8_t recording, training;  // 0, 1, or -1 for None
  CallState saved;
};

Scope* scope_of(PyObject* self) { return reinterpret_cast<Scope*>(self); }

int8_t state_argument(PyObject* object) {
  if (object == Py_None) return -1;
  int truth = PyObject_IsTrue(object);
  if (truth < 0) throw PythonError();
  return static_cast<int8_t>(truth);
}

PyObject* new_scope(PyTypeObject* type, PyObject* recording, PyObject* training) {
  return guarded([&]() -> PyObject* {
    int8_t states[2]{state_argument(recording), state_argument(training)};
    PyObject* self = check(type->tp_alloc(type, 0));
    scope_of(self)->recording = states[0];
    scope_of(self)->training = states[1];
    return self;
  });
}

PyObject* scope_new(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject *recording, *training;
  if (!PyArg_ParseTuple(args, "OO", &recording, &training)) return nullptr;
  return new_scope(type, recording, training);
}
PyObject* scope_vectorcall(PyObject* type, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  if (PyVectorcall_NARGS(nargsf) != 2 || kwnames)
    return PyErr_Format(PyExc_TypeError, "RecordingScope takes two positional arguments, recording and training");
  return new_scope(reinterpret_cast<PyTypeObject*>(type), args[0], args[1]);
}
void scope_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* scope_enter(PyObject* self, PyObject*) {
  Scope* scope = scope_of(self);
  CallState& state = call_state();
  scope->saved = state;
  if (scope->recording >= 0) state.recording = scope->recording;
  if (scope->training >= 0) state.training = scope->training;
  return Py_NewRef(self);
}
PyObject* scope_exit(PyObject* self, PyObject* const*, Py_ssize_t) {
  Scope* scope = scope_of(self);
  CallState& state = call_state();
  if (scope->recording >= 0) state.recording = scope->saved.recording;
  if (scope->training >= 0) state.training = scope->saved.training;
  Py_RETURN_NONE;
}

PyMethodDef scope_methods[] = {
    {"__enter__", scope_enter, METH_NOARGS, nullptr},
    {"__exit__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(scope_exit)), METH_FASTCALL, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyType_Slot scope_slots[] = {
    {Py_tp_doc, const_cast<char*>("A with block that sets whether autograd records and trains.")},
    {Py_tp_new, reinterpret_cast<void*>(scope_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(scope_dealloc)},
    {Py_tp_methods, scope_methods},
    {0, nullptr}};
PyType_Spec scope_spec{"mxnet._core.RecordingScope", sizeof(Scope), 0, Py_TPFLAGS_DEFAULT, scope_slots};

// --- functions --------------------------------------------------------------------------------------

Arrays arrays_of(py::handle sequence, const char* what) {
  Arrays arrays;
  for (py::handle item : sequence) arrays.push_back(item.is_none() ? NDArray() : array_argument(item.ptr(), what));
  return arrays;
}

// Calls callable(douts, kept outputs) with the interpreter's lock held. The outputs are rebuilt on the tape
// for each call: held as they are, they would keep their own node alive for ever.
class PythonGradient {
 public:
  PythonGradient(py::object callable, const Arrays& outputs, py::handle kept, std::string name)
      : callable_(callable.release().ptr()), name_(std::move(name)) {
    for (py::handle number : kept) {
      kept_.push_back(py::cast<int>(number));
      outputs_.push_back(outputs.at(kept_.back()).detached());
    }
  }
  PythonGradient(const PythonGradient&) = delete;
  PythonGradient& operator=(const PythonGradient&) = delete;
  ~PythonGradient() {
    if (!Py_IsInitialized()) return;
    PyGILState_STATE state = PyGILState_Ensure();
    Py_DECREF(callable_);
    PyGILState_Release(state);
  }

  void set_node(TapeNode* node) { node_ = node; }

  std::vector<Expr> operator()(std::span<const Expr> douts) const {
    py::gil_scoped_acquire lock;
    py::list grads, outputs;
    for (const Expr& e : douts) grads.append(py::reinterpret_steal<py::object>(wrap(e.array())));
    for (size_t i = 0; i < kept_.size(); ++i) {
      NDArray output = outputs_[i];
      auto entry = make_ref<TapeEntry>();
      entry->node = Ref<TapeNode>(node_);
      entry->index = kept_[i];
      output.tape = entry;
      outputs.append(py::reinterpret_steal<py::object>(wrap(std::move(output))));
    }
    HandWritten watch;
    Object result = own(PyObject_CallFunctionObjArgs(callable_, grads.ptr(), outputs.ptr(), nullptr));
    Arrays arrays = arrays_of(result.get(), "Function.backward: a gradient");
    if (call_state().recording) watch.settle(arrays, arrays_in(douts), name_ + ".backward");
    return std::vector<Expr>(arrays.begin(), arrays.end());
  }

 private:
  static Arrays arrays_in(std::span<const Expr> exprs) {
    Arrays arrays;
    for (const Expr& e : exprs) arrays.push_back(e.array());
    return arrays;
  }

  PyObject* callable_;
  const std::string name_;
  TapeNode* node_ = nullptr;  // owns this
  std::vector<int> kept_;
  Arrays outputs_;
};

}  // namespace

void init_recording(py::module_& m) {
  auto* type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpec(&scope_spec)));
  type->tp_vectorcall = scope_vectorcall;
  m.add_object("RecordingScope", reinterpret_cast<PyObject*>(type));

  // Puts `outputs`, computed from `inputs`, on the tape behind a Python function: callable(gradients of the
  // outputs, the outputs with the numbers in `kept`) gives the gradients of the inputs. `name` is that of the function.
  m.def("record_function",
        [](py::object callable, py::object inputs, py::object outputs, py::object kept, std::string name) {
          Arrays in = arrays_of(inputs, "Function: an input");
          Arrays out = arrays_of(outputs, "Function: an output");
          auto gradient = std::make_shared<PythonGradient>(callable, out, kept, std::move(name));
          record_custom([gradient](std::span<const Expr> douts) { return (*gradient)(douts); }, in, out);
          size_t i = 0;
          for (py::handle o : outputs) array_of(o.ptr()).tape = out[i++].tape;
          if (!out.empty() && tape_entry(out[0])) gradient->set_node(tape_entry(out[0])->node.get());
        });
}

}  // namespace mxnet::python
