// Parameters of Gluon whose shape is not known yet, standing in for their arrays.
#include "python.h"

#include <structmember.h>

namespace mxnet::python {

PyTypeObject* deferred_type = nullptr;

namespace {

// A parameter whose shape is not known yet: an operator that meets one infers the shape backwards and asks
// `resolve(shape)` for the array.
struct Deferred {
  PyObject_HEAD PyObject* resolve;
  PyObject* shape;  // tuple; extents of 0 or less are unknown; None if nothing is known
  PyObject* dtype;
};

Shape partial_shape(PyObject* object) {
  if (object == Py_None) return Shape::unknown();
  Shape shape = shape_argument(object);
  for (int i = 0; i < shape.ndim(); ++i)
    if (shape[i] <= 0) shape[i] = kUnknown;
  return shape;
}

PyObject* deferred_new(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject *resolve, *shape, *dtype;
  if (!PyArg_ParseTuple(args, "OOO", &resolve, &shape, &dtype)) return nullptr;
  auto* self = reinterpret_cast<Deferred*>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->resolve = Py_NewRef(resolve);
  self->shape = Py_NewRef(shape);
  self->dtype = Py_NewRef(dtype);
  return reinterpret_cast<PyObject*>(self);
}
void deferred_dealloc(PyObject* self) {
  auto* deferred = reinterpret_cast<Deferred*>(self);
  PyTypeObject* type = Py_TYPE(self);
  Py_XDECREF(deferred->resolve);
  Py_XDECREF(deferred->shape);
  Py_XDECREF(deferred->dtype);
  type->tp_free(self);
  Py_DECREF(type);
}

template <Sign Signs::* sign>
PyObject* deferred_binary(PyObject* a, PyObject* b) {
  return guarded([&] { return call_binary(signs().*sign, a, b); });
}

PyMemberDef deferred_members[] = {
    {"shape", T_OBJECT, offsetof(Deferred, shape), READONLY, "What is known of the shape."},
    {"dtype", T_OBJECT, offsetof(Deferred, dtype), READONLY, "Element type."},
    {nullptr, 0, 0, 0, nullptr}};
PyType_Slot deferred_slots[] = {
    {Py_tp_doc,
     const_cast<char*>("DeferredArray(resolve, shape, dtype): a parameter whose shape an operator will infer.")},
    {Py_tp_new, reinterpret_cast<void*>(deferred_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deferred_dealloc)},
    {Py_tp_members, deferred_members},
    {Py_nb_add, reinterpret_cast<void*>(deferred_binary<&Signs::add>)},
    {Py_nb_subtract, reinterpret_cast<void*>(deferred_binary<&Signs::subtract>)},
    {Py_nb_multiply, reinterpret_cast<void*>(deferred_binary<&Signs::multiply>)},
    {Py_nb_true_divide, reinterpret_cast<void*>(deferred_binary<&Signs::divide>)},
    {0, nullptr}};
PyType_Spec deferred_spec{"mxnet._core.DeferredArray", sizeof(Deferred), 0, Py_TPFLAGS_DEFAULT, deferred_slots};

}  // namespace

bool is_deferred(PyObject* object) { return Py_TYPE(object) == deferred_type; }

void resolve_deferred(const Op& op, const ParamsRef& params, std::vector<Object>& objects) {
  std::vector<TensorSpec> specs(objects.size());
  for (size_t i = 0; i < objects.size(); ++i) {
    PyObject* object = objects[i].get();
    if (object == Py_None) {
      specs[i].present = false;
    } else if (is_deferred(object)) {
      auto* deferred = reinterpret_cast<Deferred*>(object);
      specs[i] = {partial_shape(deferred->shape), dtype_argument(deferred->dtype, DType::float32)};
    } else {
      const NDArray& a = array_argument(object, op.input_name(static_cast<int>(i)).c_str());
      specs[i] = {a.shape(), a.dtype()};
    }
  }
  if (op.infer) infer(op, params, specs);
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!is_deferred(objects[i].get())) continue;
    if (!specs[i].shape.known())
      value_error(op.name, ": the shape of the parameter given as ", op.input_name(static_cast<int>(i)),
                  " cannot be inferred here, got ", specs[i].shape, "; give it a full shape when creating it");
    Object shape = own(shape_tuple(specs[i].shape));
    objects[i] = own(PyObject_CallOneArg(reinterpret_cast<Deferred*>(objects[i].get())->resolve, shape.get()));
  }
}

void init_deferred(pybind11::module_& m) {
  deferred_type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpec(&deferred_spec)));
  m.add_object("DeferredArray", reinterpret_cast<PyObject*>(deferred_type));
}

}  // namespace mxnet::python
