// Conversions between Python objects and the core's values.
#include <array>

#include "python.h"

namespace mxnet::python {
namespace {

constexpr std::array kDTypes{DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::uint8,
                             DType::int8,    DType::int32,   DType::int64,   DType::boolean};

const char* error_class(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::value: return "ValueError";
    case ErrorKind::type: return "TypeError";
    case ErrorKind::index: return "IndexError";
    case ErrorKind::key: return "KeyError";
    case ErrorKind::memory: return "MemoryError";
    case ErrorKind::not_implemented: return "NotImplementedError";
    case ErrorKind::os: return "OSError";
    case ErrorKind::runtime: break;
  }
  return "MXNetError";
}

// mxnet.error has a class for each kind that is an MXNetError and the builtin.
void set_error(const Error& error) {
  Object module(PyImport_ImportModule("mxnet.error"));
  Object type(module ? PyObject_GetAttrString(module.get(), error_class(error.kind())) : nullptr);
  if (!type) PyErr_Clear();
  PyErr_SetString(type ? type.get() : PyExc_RuntimeError, error.what());
}

bool is_context(PyObject* object) {
  static Lazy type("mxnet.context", "Context");
  return PyObject_IsInstance(object, type.get()) == 1;
}

// The name of a dtype given as a NumPy type, dtype or Python type; empty if it is none.
std::string dtype_name(PyObject* object) {
  for (DType dtype : kDTypes)
    if (object == numpy_type(dtype)) return std::string(name_of(dtype));
  static Lazy dtype_type("numpy", "dtype");
  if (!PyType_Check(object) && PyObject_IsInstance(object, dtype_type.get()) != 1) return {};
  Object dtype(PyObject_CallOneArg(dtype_type.get(), object));
  Object name(dtype ? PyObject_GetAttrString(dtype.get(), "name") : nullptr);
  const char* text = name ? PyUnicode_AsUTF8(name.get()) : nullptr;
  if (!text) {
    PyErr_Clear();
    return {};
  }
  return text;
}

}  // namespace

void set_error_from_current_exception() {
  try {
    throw;
  } catch (const PythonError&) {
    // already set
  } catch (pybind11::error_already_set& error) {
    error.restore();
  } catch (const Error& error) {
    set_error(error);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    set_error(Error(ErrorKind::runtime, error.what()));
  }
}

Value to_value(PyObject* object) {
  if (object == Py_None) return {};
  if (PyBool_Check(object)) return object == Py_True;
  if (PyLong_Check(object)) {
    int64_t x = PyLong_AsLongLong(object);
    if (x == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      return PyLong_AsDouble(object);
    }
    return x;
  }
  if (PyFloat_Check(object)) return PyFloat_AS_DOUBLE(object);
  if (PyUnicode_Check(object)) return check(object), std::string(PyUnicode_AsUTF8(object));
  if (PyTuple_Check(object) || PyList_Check(object)) {
    Value::List list;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(object);
    for (Py_ssize_t i = 0; i < n; ++i) list.push_back(to_value(PySequence_Fast_GET_ITEM(object, i)));
    return list;
  }
  if (std::string name = dtype_name(object); !name.empty()) return name;
  if (is_array(object)) {
    Object item = own(PyObject_CallMethod(object, "item", nullptr));
    return to_value(item.get());
  }
  if (PyIndex_Check(object)) {
    Object index = own(PyNumber_Index(object));
    return to_value(index.get());
  }
  if (is_context(object)) {
    Object text = own(PyObject_Str(object));
    return std::string(PyUnicode_AsUTF8(text.get()));
  }
  if (PyNumber_Check(object) && !PySequence_Check(object)) {
    Object number = own(PyNumber_Float(object));
    return PyFloat_AS_DOUBLE(number.get());
  }
  Object fast(PySequence_Fast(object, "a parameter must be a number, string, dtype, context or sequence"));
  if (!fast) throw PythonError();
  return to_value(Object(PySequence_List(fast.get())).get());
}

PyObject* from_value(const Value& value) {
  struct Maker {
    PyObject* operator()(std::monostate) const { return Py_NewRef(Py_None); }
    PyObject* operator()(bool x) const { return PyBool_FromLong(x); }
    PyObject* operator()(int64_t x) const { return PyLong_FromLongLong(x); }
    PyObject* operator()(double x) const { return PyFloat_FromDouble(x); }
    PyObject* operator()(const std::string& x) const { return PyUnicode_FromStringAndSize(x.data(), x.size()); }
    PyObject* operator()(const Value::List& x) const {
      Object tuple = own(PyTuple_New(x.size()));
      for (size_t i = 0; i < x.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, check(from_value(x[i])));
      return tuple.release();
    }
  };
  return std::visit(Maker{}, value.v);
}

bool is_scalar(PyObject* object) {
  if (PyFloat_Check(object) || PyLong_Check(object)) return true;
  static Lazy generic("numpy", "generic");
  return PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(generic.get()));
}

PyObject* numpy_type(DType dtype) {
  static std::array<Lazy, 9> types{Lazy("numpy", "float32"),       Lazy("numpy", "float64"), Lazy("numpy", "float16"),
                                   Lazy("mxnet.base", "bfloat16"), Lazy("numpy", "uint8"),   Lazy("numpy", "int8"),
                                   Lazy("numpy", "int32"),         Lazy("numpy", "int64"),   Lazy("numpy", "bool_")};
  for (size_t i = 0; i < kDTypes.size(); ++i)
    if (kDTypes[i] == dtype) return types[i].get();
  return Py_None;
}

DType dtype_argument(PyObject* object, DType fallback) {
  if (!object || object == Py_None) return fallback;
  if (is_array(object)) return array_of(object).dtype();  // as numpy.dtype(array) is
  DType dtype = FieldType<DType>::from(to_value(object), "dtype");
  return dtype == DType::unknown ? fallback : dtype;
}

PyObject* shape_tuple(const Shape& shape) {
  Object tuple = own(PyTuple_New(shape.ndim()));
  for (int i = 0; i < shape.ndim(); ++i) PyTuple_SET_ITEM(tuple.get(), i, check(PyLong_FromLongLong(shape[i])));
  return tuple.release();
}

Shape shape_argument(PyObject* object) { return FieldType<Shape>::from(to_value(object), "shape"); }

Context context_argument(PyObject* object) {
  if (!object || object == Py_None) return current_context();
  if (!is_context(object)) type_error("expected a context such as mx.cpu(), got ", Py_TYPE(object)->tp_name);
  Object type = own(PyObject_GetAttrString(object, "device_typeid"));
  Object id = own(PyObject_GetAttrString(object, "device_id"));
  return {static_cast<DeviceType>(PyLong_AsLong(type.get())), static_cast<int32_t>(PyLong_AsLong(id.get()))};
}

PyObject* context_object(Context ctx) {
  static Lazy type("mxnet.context", "Context");
  static PyObject* cpu0 = nullptr;  // kept for the life of the process
  bool is_cpu0 = ctx == Context::cpu();
  if (is_cpu0 && cpu0) return Py_NewRef(cpu0);
  std::string device(name_of(ctx.type));
  Object made = own(PyObject_CallFunction(type.get(), "si", device.c_str(), ctx.id));
  if (is_cpu0) cpu0 = Py_NewRef(made.get());
  return made.release();
}

Context current_context() {
  static Lazy current("mxnet.context", "current_context");
  Object ctx = own(PyObject_CallNoArgs(current.get()));
  return context_argument(ctx.get());
}

void init_errors(pybind11::module_&) {
  pybind11::register_exception_translator([](std::exception_ptr pending) {
    try {
      if (pending) std::rethrow_exception(pending);
    } catch (const PythonError&) {
      // already set
    } catch (const Error& error) {
      set_error(error);
    }
  });
}

}  // namespace mxnet::python
