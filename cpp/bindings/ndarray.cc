// The NDArray base type: a C type with number slots, so that an operator sign costs no Python frame.
#include <cstring>
#include <map>
#include <new>

#include "mxnet/autograd/tape.h"
#include "mxnet/op/observe.h"
#include "python.h"

namespace mxnet::python {

PyTypeObject* array_base_type = nullptr;

namespace {

std::map<std::string, PyTypeObject*>& classes() {
  static std::map<std::string, PyTypeObject*> map;
  return map;
}
PyTypeObject* default_class = nullptr;

PyObject* array_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self) new (&array_of(self)) NDArray();
  return self;
}

// NDArray(other) shares the other's array: how subclasses convert.
int array_init(PyObject* self, PyObject* args, PyObject*) {
  return guarded_status([&] {
    if (PyTuple_GET_SIZE(args) == 0) return;
    array_of(self) = array_argument(PyTuple_GET_ITEM(args, 0), "NDArray");
  });
}

void array_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  array_of(self).~NDArray();
  type->tp_free(self);
  Py_DECREF(type);
}

template <class F>
PyObject* with_array(PyObject* self, F&& f) {
  return guarded([&]() -> PyObject* {
    NDArray& array = array_of(self);
    if (!array.defined()) value_error("NDArray: the array is empty (it was never given contents)");
    return f(array);
  });
}

// --- arithmetic -------------------------------------------------------------------------------------

using SignOf = Sign Signs::*;

bool is_operand(PyObject* object) { return is_array(object) || is_scalar(object) || is_deferred(object); }

// For what a sign does not take. NumPy would take our array for one of its own and leave the tape.
PyObject* not_implemented(const Sign& sign, PyObject* a, PyObject* b) {
  static Lazy numpy_array("numpy", "ndarray");
  auto* type = reinterpret_cast<PyTypeObject*>(numpy_array.get());
  if (PyObject_TypeCheck(a, type) || PyObject_TypeCheck(b, type))
    type_error(sign.arrays().name, ": got a numpy.ndarray beside an NDArray; convert it with mx.nd.array");
  return Py_NewRef(Py_NotImplemented);
}

template <SignOf sign>
PyObject* binary(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    if (!is_operand(a) || !is_operand(b)) return not_implemented(signs().*sign, a, b);
    return call_binary(signs().*sign, a, b);
  });
}

template <SignOf sign>
PyObject* in_place(PyObject* self, PyObject* other) {
  return guarded([&]() -> PyObject* {
    if (!is_operand(other)) return not_implemented(signs().*sign, self, other);
    Object result = own(call_binary(signs().*sign, self, other));
    NDArray& array = array_of(self);
    const NDArray& value = array_of(result.get());
    if (!(value.shape() == array.shape()))
      value_error((signs().*sign).arrays().name, ": an array of shape ", array.shape(),
                  " cannot hold the result of shape ", value.shape());
    TapeEntry* entry = tape_entry(array);
    if (call_state().recording && entry && !entry->node)
      fail(ErrorKind::runtime, (signs().*sign).arrays().name, ": a variable with a gradient (shape ", array.shape(),
           ") cannot be changed in place inside autograd.record(); use x = x + y");
    if (call_state().recording && value.tape) {
      array = value;  // a new value under the old name keeps what the tape has saved
    } else {
      copy(value, array);
    }
    return Py_NewRef(self);
  });
}

PyObject* power(PyObject* a, PyObject* b, PyObject*) { return binary<&Signs::power>(a, b); }

PyObject* call_unary(PyObject* self, const char* op) {
  return with_array(self, [&](NDArray& array) -> PyObject* {
    const Op& record = Registry::get().at(op);
    return wrap(std::move(invoke(record, make_params(record, {}), {&array, 1})[0]), Py_TYPE(self));
  });
}
PyObject* negative(PyObject* self) { return call_unary(self, "negative"); }
PyObject* absolute(PyObject* self) { return call_unary(self, "abs"); }
PyObject* positive(PyObject* self) { return Py_NewRef(self); }

// By identity: == compares elements.
Py_hash_t hash(PyObject* self) { return static_cast<Py_hash_t>(reinterpret_cast<uintptr_t>(self) >> 4); }

PyObject* rich_compare(PyObject* a, PyObject* b, int operation) {
  switch (operation) {
    case Py_EQ: return b == Py_None ? Py_NewRef(Py_False) : binary<&Signs::equal>(a, b);
    case Py_NE: return b == Py_None ? Py_NewRef(Py_True) : binary<&Signs::not_equal>(a, b);
    case Py_LT: return binary<&Signs::less>(a, b);
    case Py_LE: return binary<&Signs::less_equal>(a, b);
    case Py_GT: return binary<&Signs::greater>(a, b);
    default: return binary<&Signs::greater_equal>(a, b);
  }
}

// --- one element ------------------------------------------------------------------------------------

PyObject* element(const NDArray& array, const char* what) {
  if (array.size() != 1)
    value_error(what, ": the array of shape ", array.shape(), " does not hold exactly one element");
  HandWritten::note_read(array);
  array.wait_to_read();
  alignas(8) char bytes[8];
  copy_to_host(array, bytes, size_of(array.dtype()));
  return dispatch_all(array.dtype(), [&]<class T>() -> PyObject* {
    T x;
    std::memcpy(&x, bytes, sizeof x);
    if constexpr (std::is_same_v<T, bool>) return PyBool_FromLong(x);
    if constexpr (std::is_integral_v<T>) return PyLong_FromLongLong(x);
    return PyFloat_FromDouble(static_cast<double>(x));
  });
}

PyObject* item(PyObject* self, PyObject*) {
  return with_array(self, [](NDArray& a) { return element(a, "item"); });
}
// As numpy.asscalar gave it: a NumPy scalar of the array's type.
PyObject* asscalar(PyObject* self, PyObject*) {
  return with_array(self, [](NDArray& a) -> PyObject* {
    Object value = own(element(a, "asscalar"));
    if (a.dtype() == DType::bfloat16) return value.release();
    return check(PyObject_CallOneArg(numpy_type(a.dtype()), value.get()));
  });
}
PyObject* to_float(PyObject* self) {
  return with_array(self, [](NDArray& a) {
    Object value = own(element(a, "float()"));
    return PyNumber_Float(value.get());
  });
}
PyObject* to_int(PyObject* self) {
  return with_array(self, [](NDArray& a) {
    Object value = own(element(a, "int()"));
    return PyNumber_Long(value.get());
  });
}
PyObject* to_index(PyObject* self) {
  return with_array(self, [](NDArray& a) -> PyObject* {
    if (is_floating(a.dtype()) || a.size() != 1)  // a TypeError: Python then tries the buffer protocol, as in bytes(x)
      type_error("index: only an integer array of one element can be an index, got ", a.dtype(), " of shape ",
                 a.shape());
    return element(a, "index");
  });
}
int to_bool(PyObject* self) {
  int truth = -1;
  guarded_status([&] {
    NDArray& a = array_of(self);
    if (a.size() > 1)
      value_error("bool(): the truth value of an array of shape ", a.shape(), " is ambiguous; reduce it first");
    if (a.size() == 0) {
      truth = 0;
      return;
    }
    Object value = own(element(a, "bool()"));
    truth = PyObject_IsTrue(value.get());
  });
  return truth;
}

Py_ssize_t length(PyObject* self) {
  Py_ssize_t n = -1;
  guarded_status([&] {
    const NDArray& a = array_of(self);
    if (a.shape().ndim() == 0) type_error("len() of an array without dimensions");
    n = a.shape()[0];
  });
  return n;
}

// --- properties -------------------------------------------------------------------------------------

PyObject* get_shape(PyObject* self, void*) {
  return guarded([&] { return shape_tuple(array_of(self).shape()); });
}
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(array_of(self).shape().ndim()); }
PyObject* get_size(PyObject* self, void*) { return PyLong_FromLongLong(array_of(self).size()); }
PyObject* get_dtype(PyObject* self, void*) {
  return guarded([&] { return Py_NewRef(numpy_type(array_of(self).dtype())); });
}
PyObject* get_dtype_name(PyObject* self, void*) {
  return guarded([&] { return PyUnicode_FromString(std::string(name_of(array_of(self).dtype())).c_str()); });
}
PyObject* get_context(PyObject* self, void*) {
  return with_array(self, [](NDArray& a) { return context_object(a.ctx()); });
}
PyObject* get_stype(PyObject*, void*) { return PyUnicode_FromString("default"); }
PyObject* get_handle(PyObject* self, void*) { return PyLong_FromVoidPtr(&array_of(self)); }
PyObject* get_writable(PyObject*, void*) { Py_RETURN_TRUE; }

PyObject* get_grad(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    TapeEntry* entry = tape_entry(array_of(self));
    if (!entry || entry->node || !entry->grad.defined()) return Py_NewRef(Py_None);
    return wrap(entry->grad, Py_TYPE(self));
  });
}
PyObject* get_fresh_grad(PyObject* self, void*) {
  TapeEntry* entry = tape_entry(array_of(self));
  return PyBool_FromLong(entry && entry->fresh);
}
int set_fresh_grad(PyObject* self, PyObject* value, void*) {
  if (TapeEntry* entry = tape_entry(array_of(self))) entry->fresh = value && PyObject_IsTrue(value);
  return 0;
}

PyGetSetDef properties[] = {
    {"shape", get_shape, nullptr, "Extents of the array, a tuple of ints.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of dimensions.", nullptr},
    {"size", get_size, nullptr, "Number of elements.", nullptr},
    {"dtype", get_dtype, nullptr, "Element type as a NumPy type, such as numpy.float32.", nullptr},
    {"_dtype_name", get_dtype_name, nullptr, nullptr, nullptr},
    {"context", get_context, nullptr, "Device the array lives on.", nullptr},
    {"ctx", get_context, nullptr, "Device the array lives on.", nullptr},
    {"stype", get_stype, nullptr, "Storage type: 'default' for a dense array.", nullptr},
    {"handle", get_handle, nullptr, "Address of the core's array, for debugging.", nullptr},
    {"writable", get_writable, nullptr, nullptr, nullptr},
    {"grad", get_grad, nullptr, "Gradient array of a variable (attach_grad), else None.", nullptr},
    {"_fresh_grad", get_fresh_grad, set_fresh_grad, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

// --- methods ----------------------------------------------------------------------------------------

PyObject* wait_to_read(PyObject* self, PyObject*) {
  return with_array(self, [](NDArray& a) { return a.wait_to_read(), Py_NewRef(Py_None); });
}
PyObject* wait_to_write(PyObject* self, PyObject*) {
  return with_array(self, [](NDArray& a) { return a.wait_to_write(), Py_NewRef(Py_None); });
}

PyObject* detach(PyObject* self, PyObject*) {
  return with_array(self, [&](NDArray& a) { return wrap(a.detached(), Py_TYPE(self)); });
}

PyObject* shape_of_argument(PyObject* const* args, Py_ssize_t n) {
  if (n == 1 && !PyLong_Check(args[0]) && !PyIndex_Check(args[0])) return Py_NewRef(args[0]);
  PyObject* tuple = PyTuple_New(n);
  for (Py_ssize_t i = 0; tuple && i < n; ++i) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
  return tuple;
}

// reshape(2, 3), reshape((2, 3)), reshape(shape=..., reverse=...): the rules are the operator's, the memory is shared.
PyObject* reshape(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    static const Op& op = Registry::get().at("Reshape");
    std::vector<std::pair<std::string, Value>> attrs;
    if (n > 0) attrs.emplace_back("shape", to_value(own(shape_of_argument(args, n)).get()));
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); ++i)
      attrs.emplace_back(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, i)), to_value(args[n + i]));
    for (auto& [name, value] : attrs)
      if (name == "shape" && value.get<int64_t>()) value = Value::List{value};
    const NDArray& array = array_of(self);
    ParamsRef params = make_params(op, attrs);
    if (call_state().recording && array.tape) return wrap(std::move(invoke(op, params, {&array, 1})[0]), Py_TYPE(self));
    TensorSpec spec{array.shape(), array.dtype()};
    NDArray view = array.reshaped(infer(op, params, {&spec, 1})[0].shape);
    if (CallObserver* observer = call_observer()) observer->operator_ran(op, params, {&array, 1}, {&view, 1}, false);
    return wrap(std::move(view), Py_TYPE(self));
  });
}

PyObject* astype(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"dtype", "copy", nullptr};
  PyObject* dtype_object = nullptr;
  int always = 1;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|p", const_cast<char**>(names), &dtype_object, &always))
    return nullptr;
  return with_array(self, [&](NDArray& a) -> PyObject* {
    DType dtype = dtype_argument(dtype_object, a.dtype());
    if (!always && dtype == a.dtype()) return Py_NewRef(self);
    static const Op& op = Registry::get().at("Cast");
    return wrap(std::move(invoke(op, make_params(op, {{"dtype", dtype}}), {&a, 1})[0]), Py_TYPE(self));
  });
}

// A copy on `ctx`, on the tape where autograd records.
NDArray copied(const NDArray& a, Context ctx) {
  if (ctx == a.ctx() && call_state().recording && a.tape) {
    static const Op& op = Registry::get().at("_copy");
    return invoke(op, make_params(op, {}), {&a, 1})[0];
  }
  NDArray result(a.shape(), a.dtype(), ctx);
  mxnet::copy(a, result);
  if (call_state().recording && a.tape) {
    Context home = a.ctx();
    record_custom([home](std::span<const Expr> douts) { return std::vector<Expr>{copied(douts[0].array(), home)}; },
                  {&a, 1}, {&result, 1});
  }
  return result;
}

PyObject* copy_method(PyObject* self, PyObject*) {
  return with_array(self, [&](NDArray& a) { return wrap(copied(a, a.ctx()), Py_TYPE(self)); });
}

PyObject* copyto(PyObject* self, PyObject* other) {
  return with_array(self, [&](NDArray& a) -> PyObject* {
    if (!is_array(other)) return wrap(copied(a, context_argument(other)), Py_TYPE(self));
    if (self == other) {
      if (PyErr_WarnEx(PyExc_RuntimeWarning, "copyto: the array is copied to itself, which does nothing", 1) < 0)
        throw PythonError();
      Py_RETURN_FALSE;
    }
    NDArray& target = array_of(other);
    if (!(target.shape() == a.shape()))
      value_error("copyto: the target has shape ", target.shape(), ", expected ", a.shape());
    if (!same_memory(a, target)) mxnet::copy(a, target);
    return Py_NewRef(other);
  });
}

PyObject* as_in_context(PyObject* self, PyObject* ctx) {
  return with_array(self, [&](NDArray& a) -> PyObject* {
    Context target = context_argument(ctx);
    return target == a.ctx() ? Py_NewRef(self) : wrap(copied(a, target), Py_TYPE(self));
  });
}

GradReq grad_req_argument(const char* text) {
  for (auto [name, req] : {std::pair{"null", GradReq::null}, {"write", GradReq::write}, {"add", GradReq::add}})
    if (std::strcmp(text, name) == 0) return req;
  value_error("attach_grad: grad_req must be 'write', 'add' or 'null', got '", text, "'");
}

PyObject* attach_grad(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"grad_req", "stype", nullptr};
  const char* req = "write";
  PyObject* stype = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|sO", const_cast<char**>(names), &req, &stype)) return nullptr;
  return with_array(self, [&](NDArray& a) {
    mark_variable(a, zeros(a.shape(), a.dtype(), a.ctx()).array(), grad_req_argument(req));
    return Py_NewRef(Py_None);
  });
}

PyObject* backward_method(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"out_grad", "retain_graph", "train_mode", "create_graph", nullptr};
  PyObject* out_grad = Py_None;
  int retain = 0, train = 1, create = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Oppp", const_cast<char**>(names), &out_grad, &retain, &train,
                                   &create))
    return nullptr;
  return with_array(self, [&](NDArray& a) {
    NDArray head_grad = out_grad == Py_None ? NDArray() : array_argument(out_grad, "backward: out_grad");
    backward({&a, 1}, {&head_grad, 1}, {}, {retain != 0 || create != 0, create != 0, train != 0});
    return Py_NewRef(Py_None);
  });
}

// _view(shape, offset): a window on the same memory, offset in elements; not recorded.
PyObject* view(PyObject* self, PyObject* args) {
  PyObject* shape_object;
  long long offset;
  if (!PyArg_ParseTuple(args, "OL", &shape_object, &offset)) return nullptr;
  return with_array(self, [&](NDArray& a) -> PyObject* {
    Shape shape = shape_argument(shape_object);
    if (offset < 0 || offset + shape.size() > a.size())
      fail(ErrorKind::index, "_view: a window of shape ", shape, " at ", offset, " leaves the array of shape ",
           a.shape());
    return wrap(a.window(shape, offset), Py_TYPE(self));
  });
}

// Takes the place of this array's contents and memory: parameters use it when they move.
PyObject* rebind(PyObject* self, PyObject* other) {
  return guarded([&] {
    Ref<RefCounted> tape = array_of(self).tape;
    array_of(self) = array_argument(other, "_rebind").detached();
    array_of(self).tape = tape;
    return Py_NewRef(Py_None);
  });
}

PyObject* asnumpy_method(PyObject* self, PyObject*) {
  return with_array(self, [](NDArray& a) { return asnumpy(a).release(); });
}

// numpy.array(x): always a copy, so `copy` needs no answer.
PyObject* array_protocol(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"dtype", "copy", nullptr};
  PyObject *dtype = Py_None, *copy = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", const_cast<char**>(names), &dtype, &copy)) return nullptr;
  return with_array(self, [&](NDArray& a) -> PyObject* {
    Object array = asnumpy(a);
    return dtype == Py_None ? array.release() : check(PyObject_CallMethod(array.get(), "astype", "O", dtype));
  });
}

PyObject* dlpack(PyObject* self, PyObject* args, PyObject* kwargs) {
  if (PyTuple_GET_SIZE(args) > 0) return PyErr_Format(PyExc_TypeError, "__dlpack__ takes keyword arguments only");
  (void)kwargs;  // stream, max_version, dl_device, copy: nothing to do for host memory
  return with_array(self, [](NDArray& a) { return check(export_dlpack(a)); });
}
PyObject* dlpack_device(PyObject* self, PyObject*) {
  return with_array(self,
                    [](NDArray& a) { return check(Py_BuildValue("(ii)", a.ctx().on_host() ? 1 : 2, a.ctx().id)); });
}

PyCFunction with_keywords(PyObject* (*f)(PyObject*, PyObject*, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f));
}

PyMethodDef methods[] = {
    {"asnumpy", asnumpy_method, METH_NOARGS,
     "A copy as a NumPy array of the same shape and dtype; waits for the contents."},
    {"__array__", with_keywords(array_protocol), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"__dlpack__", with_keywords(dlpack), METH_VARARGS | METH_KEYWORDS,
     "The array as a DLPack capsule; memory is shared."},
    {"__dlpack_device__", dlpack_device, METH_NOARGS, nullptr},
    {"item", item, METH_NOARGS, "The one element as a Python number."},
    {"asscalar", asscalar, METH_NOARGS, "The one element as a NumPy scalar; raises ValueError unless size is 1."},
    {"wait_to_read", wait_to_read, METH_NOARGS,
     "Blocks until the contents are computed; raises what a failed operator left."},
    {"wait_to_write", wait_to_write, METH_NOARGS, "Blocks until nothing reads or writes the array."},
    {"detach", detach, METH_NOARGS, "The same array without its history on the tape."},
    {"reshape", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(reshape)), METH_FASTCALL | METH_KEYWORDS,
     "reshape(*shape, **kwargs): the elements in another shape; 0 keeps an extent, -1 is inferred, -2, -3, -4 as in "
     "Reshape."},
    {"astype", with_keywords(astype), METH_VARARGS | METH_KEYWORDS,
     "astype(dtype, copy=True): the array in another element type."},
    {"copy", copy_method, METH_NOARGS, "A copy on the same device."},
    {"copyto", copyto, METH_O, "copyto(other): copies into an array of equal shape, or to a device."},
    {"as_in_context", as_in_context, METH_O, "as_in_context(context): itself, or a copy on another device."},
    {"as_in_ctx", as_in_context, METH_O, "as_in_ctx(ctx): itself, or a copy on another device."},
    {"attach_grad", with_keywords(attach_grad), METH_VARARGS | METH_KEYWORDS,
     "attach_grad(grad_req='write', stype=None): makes the array a variable whose gradient backward computes."},
    {"backward", with_keywords(backward_method), METH_VARARGS | METH_KEYWORDS,
     "backward(out_grad=None, retain_graph=False, train_mode=True): gradients of the variables this was computed "
     "from."},
    {"_view", view, METH_VARARGS, nullptr},
    {"_rebind", rebind, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr}};

template <class F>
void* slot(F* f) {
  return reinterpret_cast<void*>(f);
}

PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>("The core's array; mxnet.nd.NDArray is its public face.")},
                       {Py_tp_new, slot(array_new)},
                       {Py_tp_init, slot(array_init)},
                       {Py_tp_dealloc, slot(array_dealloc)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, properties},
                       {Py_tp_richcompare, slot(rich_compare)},
                       {Py_tp_hash, slot(hash)},
                       {Py_nb_add, slot(binary<&Signs::add>)},
                       {Py_nb_subtract, slot(binary<&Signs::subtract>)},
                       {Py_nb_multiply, slot(binary<&Signs::multiply>)},
                       {Py_nb_true_divide, slot(binary<&Signs::divide>)},
                       {Py_nb_remainder, slot(binary<&Signs::modulo>)},
                       {Py_nb_power, slot(power)},
                       {Py_nb_inplace_add, slot(in_place<&Signs::add>)},
                       {Py_nb_inplace_subtract, slot(in_place<&Signs::subtract>)},
                       {Py_nb_inplace_multiply, slot(in_place<&Signs::multiply>)},
                       {Py_nb_inplace_true_divide, slot(in_place<&Signs::divide>)},
                       {Py_nb_inplace_remainder, slot(in_place<&Signs::modulo>)},
                       {Py_nb_negative, slot(negative)},
                       {Py_nb_positive, slot(positive)},
                       {Py_nb_absolute, slot(absolute)},
                       {Py_nb_bool, slot(to_bool)},
                       {Py_nb_float, slot(to_float)},
                       {Py_nb_int, slot(to_int)},
                       {Py_nb_index, slot(to_index)},
                       {Py_bf_getbuffer, slot(get_buffer)},
                       {Py_bf_releasebuffer, slot(release_buffer)},
                       {Py_mp_length, slot(length)},
                       {Py_mp_subscript, slot(array_get_item)},
                       {Py_mp_ass_subscript, slot(array_set_item)},
                       {0, nullptr}};

PyType_Spec spec{"mxnet._core.NDArrayBase", sizeof(ArrayObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

}  // namespace

const NDArray& array_argument(PyObject* object, const char* what) {
  if (!is_array(object))
    type_error(what, " must be an NDArray, got ", Py_TYPE(object)->tp_name, "; convert it with mx.nd.array");
  return array_of(object);
}

PyTypeObject* array_class(const char* space) {
  auto it = classes().find(space);
  return it == classes().end() ? array_base_type : it->second;
}

PyObject* wrap(NDArray array, PyTypeObject* type) {
  if (!type) type = default_class ? default_class : array_base_type;
  PyObject* self = check(type->tp_alloc(type, 0));
  new (&array_of(self)) NDArray(std::move(array));
  return self;
}

PyObject* wrap_results(Arrays&& results, PyTypeObject* type) {
  if (results.size() == 1) return wrap(std::move(results[0]), type);
  Object list = own(PyList_New(results.size()));
  for (size_t i = 0; i < results.size(); ++i) PyList_SET_ITEM(list.get(), i, wrap(std::move(results[i]), type));
  return list.release();
}

void init_array(pybind11::module_& m) {
  array_base_type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpec(&spec)));
  m.add_object("NDArrayBase", reinterpret_cast<PyObject*>(array_base_type));
  // The class that results of operators of a space ("nd", "np") are instances of.
  m.def("set_array_class", [](const std::string& space, pybind11::object type) {
    auto* made = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
    classes()[space] = made;
    if (space == "nd") default_class = made;
  });
  m.def("shares_memory", [](pybind11::handle a, pybind11::handle b) {
    const NDArray& other = array_argument(b.ptr(), "shares_memory");
    return shares_memory(array_argument(a.ptr(), "shares_memory"), {&other, 1});
  });
}

}  // namespace mxnet::python
