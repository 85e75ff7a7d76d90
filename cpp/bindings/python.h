// What the binding files share: owning references, error translation, conversion of values.
#pragma once
#include <Python.h>

#include <pybind11/pybind11.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "mxnet/op/expr.h"

namespace mxnet::python {

// An owned Python reference.
class Object {
 public:
  Object() = default;
  explicit Object(PyObject* owned) : object_(owned) {}
  Object(const Object& other) : object_(other.object_) { Py_XINCREF(object_); }
  Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Object& operator=(Object other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Object() { Py_XDECREF(object_); }
  static Object borrow(PyObject* object) {
    Py_XINCREF(object);
    return Object(object);
  }

  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// Thrown when a Python call failed; the Python error is already set.
struct PythonError {};

inline PyObject* check(PyObject* object) {
  if (!object) throw PythonError();
  return object;
}
inline Object own(PyObject* object) { return Object(check(object)); }

// Sets the Python error for the exception in flight.
void set_error_from_current_exception();

// Runs f, a C++ function giving a new reference; exceptions become Python errors.
template <class F>
PyObject* guarded(F&& f) {
  try {
    return f();
  } catch (...) {
    set_error_from_current_exception();
    return nullptr;
  }
}
template <class F>
int guarded_status(F&& f) {
  try {
    f();
    return 0;
  } catch (...) {
    set_error_from_current_exception();
    return -1;
  }
}

// A module attribute, imported once: `static Lazy empty("numpy", "empty")`.
class Lazy {
 public:
  Lazy(const char* module, const char* name) : module_(module), name_(name) {}
  PyObject* get() {
    if (!object_) {
      Object module = own(PyImport_ImportModule(module_));
      object_ = check(PyObject_GetAttrString(module.get(), name_));
    }
    return object_;
  }

 private:
  const char *module_, *name_;
  PyObject* object_ = nullptr;  // kept for the life of the process
};

// The Python object of a C type: an NDArray, or a subclass chosen by the front end.
struct ArrayObject {
  PyObject_HEAD NDArray array;
};
extern PyTypeObject* array_base_type;
inline bool is_array(PyObject* object) { return PyObject_TypeCheck(object, array_base_type); }
inline NDArray& array_of(PyObject* object) { return reinterpret_cast<ArrayObject*>(object)->array; }
const NDArray& array_argument(PyObject* object, const char* what);
const Op& op_argument(PyObject* object, const char* what);    // of a function such as mx.nd.dot
PyObject* wrap(NDArray array, PyTypeObject* type = nullptr);  // default: the class of the "nd" space
PyTypeObject* array_class(const char* space);

// A parameter of Gluon whose shape is not known yet, standing in for its array (deferred.cc).
extern PyTypeObject* deferred_type;
bool is_deferred(PyObject* object);
// Replaces the deferred arrays among the inputs of an operator by real ones.
void resolve_deferred(const Op& op, const ParamsRef& params, std::vector<Object>& objects);

// Values and dtypes.
Value to_value(PyObject* object);
PyObject* from_value(const Value& value);
bool is_scalar(PyObject* object);
DType dtype_argument(PyObject* object, DType fallback);  // None gives the fallback
PyObject* numpy_type(DType dtype);                       // numpy.float32; borrowed
PyObject* shape_tuple(const Shape& shape);
Shape shape_argument(PyObject* object);  // an int or a sequence of ints
Context context_argument(PyObject* object);
PyObject* context_object(Context ctx);  // mxnet.context.Context; new reference
Context current_context();

// The nearest line of the program outside the package; without a file where there is none.
struct SourceLine {
  std::string file;
  int line = 0;
};
SourceLine calling_line();
std::string python_location();  // "file.py:12", from any thread

// Calls `op` on arrays with params; the results as one object or a list.
PyObject* wrap_results(Arrays&& results, PyTypeObject* type);

// What an operator sign means: for two arrays, an array and a scalar, a scalar and an array. Resolved once.
class Sign {
 public:
  Sign(const char* arrays, const char* scalar, const char* reverse_scalar)
      : arrays_(arrays), scalar_(scalar), reverse_scalar_(reverse_scalar) {}
  const Op& arrays() const { return arrays_.op(); }
  const Op& scalar() const { return scalar_.op(); }
  const Op& reverse_scalar() const { return reverse_scalar_.op(); }
  const ParamsRef& no_params() const {
    if (!no_params_) no_params_ = arrays().new_params();
    return no_params_;
  }

 private:
  OpRef arrays_, scalar_, reverse_scalar_;
  mutable ParamsRef no_params_;
};
struct Signs {
  Sign add{"broadcast_add", "_plus_scalar", "_plus_scalar"};
  Sign subtract{"broadcast_sub", "_minus_scalar", "_rminus_scalar"};
  Sign multiply{"broadcast_mul", "_mul_scalar", "_mul_scalar"};
  Sign divide{"broadcast_div", "_div_scalar", "_rdiv_scalar"};
  Sign modulo{"broadcast_mod", "_mod_scalar", "_rmod_scalar"};
  Sign power{"broadcast_power", "_power_scalar", "_rpower_scalar"};
  Sign equal{"broadcast_equal", "_equal_scalar", "_equal_scalar"};
  Sign not_equal{"broadcast_not_equal", "_not_equal_scalar", "_not_equal_scalar"};
  Sign less{"broadcast_lesser", "_lesser_scalar", "_greater_scalar"};
  Sign less_equal{"broadcast_lesser_equal", "_lesser_equal_scalar", "_greater_equal_scalar"};
  Sign greater{"broadcast_greater", "_greater_scalar", "_lesser_scalar"};
  Sign greater_equal{"broadcast_greater_equal", "_greater_equal_scalar", "_lesser_equal_scalar"};
};
const Signs& signs();

// `a sign b` where each is an array, a scalar or a deferred parameter.
PyObject* call_binary(const Sign& sign, PyObject* a, PyObject* b);

// Other libraries (interop.cc).
Object asnumpy(const NDArray& array);  // a copy
PyObject* export_dlpack(const NDArray& array);
int get_buffer(PyObject* self, Py_buffer* view, int flags);
void release_buffer(PyObject* self, Py_buffer* view);

// Basic indexing (indexing.cc).
PyObject* array_get_item(PyObject* self, PyObject* key);
int array_set_item(PyObject* self, PyObject* key, PyObject* value);

void init_errors(pybind11::module_& m);
void init_array(pybind11::module_& m);
void init_op_function(pybind11::module_& m);
void init_deferred(pybind11::module_& m);
void init_symbol(pybind11::module_& m);
void init_observed(pybind11::module_& m);
void init_autograd(pybind11::module_& m);
void init_recording(pybind11::module_& m);
void init_runtime(pybind11::module_& m);
void init_interop(pybind11::module_& m);
void init_custom(pybind11::module_& m);

}  // namespace mxnet::python
