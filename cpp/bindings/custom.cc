// Custom operators written in Python (mxnet.operator).
#include "mxnet/ops/custom.h"

#include "mxnet/autograd/tape.h"

#include "python.h"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace mxnet::python {
namespace {

// Python's own account of an error, its first line in front.
std::string account_of(const py::error_already_set& error) {
  static Lazy describe("mxnet.operator", "_describe_error");
  if (error.trace()) PyException_SetTraceback(error.value().ptr(), error.trace().ptr());
  Object text(PyObject_CallOneArg(describe.get(), error.value().ptr()));
  const char* utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  if (utf8) return utf8;
  PyErr_Clear();
  return error.what();
}

ErrorKind kind_of(const py::error_already_set& error) {
  if (error.matches(PyExc_ValueError)) return ErrorKind::value;
  if (error.matches(PyExc_TypeError)) return ErrorKind::type;
  if (error.matches(PyExc_IndexError)) return ErrorKind::index;
  if (error.matches(PyExc_KeyError)) return ErrorKind::key;
  if (error.matches(PyExc_NotImplementedError)) return ErrorKind::not_implemented;
  return ErrorKind::runtime;
}

// Calls f with the interpreter's lock held; a Python error leaves as an Error.
template <class F>
void call_python(const std::string& name, const char* step, F&& f) {
  py::gil_scoped_acquire lock;
  auto rethrow = [&](const py::error_already_set& error) {
    fail(kind_of(error), "Custom: ", step, " of operator '", name, "' failed: ", account_of(error));
  };
  try {
    f();
  } catch (const PythonError&) {
    rethrow(py::error_already_set());
  } catch (const py::error_already_set& error) {
    rethrow(error);
  }
}

// A Python object whose last owner may be any thread.
class Kept {
 public:
  explicit Kept(py::object object) : object_(object.release().ptr()) {}
  Kept(const Kept&) = delete;
  ~Kept() {
    if (!Py_IsInitialized()) return;
    py::gil_scoped_acquire lock;
    Py_DECREF(object_);
  }
  py::handle get() const { return object_; }

 private:
  PyObject* object_;
};

py::list wrapped(const Arrays& arrays) {
  py::list list;
  for (const NDArray& array : arrays) list.append(py::reinterpret_steal<py::object>(wrap(array)));
  return list;
}

py::list requests(const std::vector<bool>& needed) {
  py::list list;
  for (bool one : needed) list.append(one ? "write" : "null");
  return list;
}

// Assignments under recording put new arrays into the place of old ones; states are written in their own memory all
// the same.
void take_results(CustomOperator::Gradients& arrays, const py::list& dins, const py::list& states) {
  for (size_t i = 0; i < arrays.dins.size(); ++i) arrays.dins[i] = array_of(py::object(dins[i]).ptr());
  for (size_t i = 0; i < arrays.states.size(); ++i) {
    const NDArray& state = array_of(py::object(states[i]).ptr());
    if (!(state.chunk() == arrays.states[i].chunk())) copy(state.detached(), arrays.states[i]);
  }
}

class PythonOperator final : public CustomOperator {
 public:
  PythonOperator(std::string name, py::object object) : name_(std::move(name)), object_(std::move(object)) {}

  void forward(bool training, Arrays inputs, Arrays outputs, Arrays states) override {
    call_python(name_, "forward", [&] {
      using namespace py::literals;
      py::list req = requests(std::vector<bool>(outputs.size(), true));
      object_.get().attr("forward")("is_train"_a = training, "req"_a = req, "in_data"_a = wrapped(inputs),
                                    "out_data"_a = wrapped(outputs), "aux"_a = wrapped(states));
    });
  }

  void backward(Gradients& arrays) override {
    HandWritten watch;
    call_python(name_, "backward", [&] {
      using namespace py::literals;
      py::list dins = wrapped(arrays.dins), states = wrapped(arrays.states);
      object_.get().attr("backward")("req"_a = requests(arrays.needed), "out_grad"_a = wrapped(arrays.douts),
                                     "in_data"_a = wrapped(arrays.inputs), "out_data"_a = wrapped(arrays.outputs),
                                     "in_grad"_a = dins, "aux"_a = states);
      if (call_state().recording) take_results(arrays, dins, states);
    });
    if (call_state().recording)
      watch.settle(arrays.dins, arrays.douts, "Custom: the backward of operator '" + name_ + "'");
  }

 private:
  const std::string name_;
  const Kept object_;
};

// Shapes with None for what is unknown, and names of dtypes.
py::tuple described(std::span<const TensorSpec> specs) {
  py::list shapes, dtypes;
  for (const TensorSpec& spec : specs) {
    py::object shape = py::none();
    if (spec.shape.rank_known()) shape = py::reinterpret_steal<py::object>(shape_tuple(spec.shape));
    shapes.append(shape);
    dtypes.append(py::reinterpret_borrow<py::object>(numpy_type(spec.dtype)));
  }
  return py::make_tuple(shapes, dtypes);
}

TensorSpec spec_of(py::handle pair) {
  TensorSpec spec;
  py::object shape = pair[py::int_(0)], dtype = pair[py::int_(1)];
  if (!shape.is_none()) {
    spec.shape = shape_argument(shape.ptr());
    for (int i = 0; i < spec.shape.ndim(); ++i)
      if (spec.shape[i] < 0) spec.shape[i] = kUnknown;
  }
  spec.dtype = dtype_argument(dtype.ptr(), DType::unknown);
  return spec;
}

class PythonKind final : public CustomKind {
 public:
  PythonKind(std::string name, py::object object) : name_(std::move(name)), object_(std::move(object)) {
    arguments = py::cast<std::vector<std::string>>(object_.get().attr("arguments"));
    states = py::cast<std::vector<std::string>>(object_.get().attr("states"));
    outputs = py::cast<std::vector<std::string>>(object_.get().attr("outputs"));
  }

  void infer(InferContext& c) const override {
    std::vector<TensorSpec> inputs, inferred;
    for (int i = 0; i < c.num_inputs(); ++i) inputs.push_back(c.in(i));
    call_python(name_, "inference", [&] {
      py::tuple known = described(inputs);
      for (py::handle pair : object_.get().attr("infer")(known[0], known[1])) inferred.push_back(spec_of(pair));
    });
    int in = 0;
    for (; in < c.num_inputs(); ++in) {
      c.expect_shape(in, inferred[in].shape);
      if (inferred[in].dtype != DType::unknown) c.expect_dtype(in, inferred[in].dtype);
    }
    for (int i = 0; i < c.num_outputs(); ++i) c.out(i) = inferred[in + i];
  }

  std::shared_ptr<CustomOperator> create(Context ctx, std::span<const TensorSpec> inputs) const override {
    std::shared_ptr<CustomOperator> made;
    call_python(name_, "create_operator", [&] {
      py::tuple known = described(inputs);
      py::object device = py::reinterpret_steal<py::object>(context_object(ctx));
      made = std::make_shared<PythonOperator>(name_, object_.get().attr("create")(device, known[0], known[1]));
    });
    return made;
  }

 private:
  const std::string name_;
  const Kept object_;
};

std::shared_ptr<const CustomKind> make_python_kind(const std::string& name, const FreeParams& params) {
  std::shared_ptr<const CustomKind> kind;
  call_python(name, "construction", [&] {
    static Lazy make("mxnet.operator", "_make_kind");
    py::dict attrs;
    for (const auto& [key, value] : params) attrs[py::str(key)] = value;
    kind = std::make_shared<PythonKind>(name, py::handle(make.get())(name, attrs));
  });
  return kind;
}

}  // namespace

void init_custom(py::module_&) { set_custom_factory(make_python_kind); }

}  // namespace mxnet::python
