// Basic indexing: integers, slices, Ellipsis and None. A contiguous result is a view; anything else goes
// through the slice operators. Other keys are handed to mxnet.ndarray.indexing.
#include "mxnet/autograd/tape.h"
#include "mxnet/op/observe.h"
#include "python.h"

namespace mxnet::python {
namespace {

// A basic key resolved against a shape.
struct Region {
  std::vector<int64_t> begin, step, count;  // per axis of the array
  Shape shape;                              // of the result: without integer axes, with new ones
};

bool is_basic_item(PyObject* item) {
  if (item == Py_None || item == Py_Ellipsis || PySlice_Check(item)) return true;
  if (PyLong_Check(item)) return !PyBool_Check(item);
  return PyIndex_Check(item) && !PySequence_Check(item) && !is_array(item);  // a NumPy array has an index slot too
}

// The items of a key, borrowed; empty with `basic` false when it needs advanced indexing.
std::vector<PyObject*> items_of(PyObject* key, bool& basic) {
  std::vector<PyObject*> items;
  if (PyTuple_Check(key))
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) items.push_back(PyTuple_GET_ITEM(key, i));
  else
    items.push_back(key);
  basic = true;
  for (PyObject* item : items) basic = basic && is_basic_item(item);
  return items;
}

class Resolver {
 public:
  explicit Resolver(const Shape& shape) : shape_(shape) {}

  Region resolve(const std::vector<PyObject*>& items) {
    int used = 0, ellipses = 0;
    for (PyObject* item : items) {
      used += item != Py_None && item != Py_Ellipsis;
      ellipses += item == Py_Ellipsis;
    }
    if (used > shape_.ndim()) fail(ErrorKind::index, "index: got ", used, " indices for an array of shape ", shape_);
    if (ellipses > 1) fail(ErrorKind::index, "index: an index can have only one Ellipsis ('...')");
    for (PyObject* item : items) {
      if (item == Py_None) {
        region_.shape.push_back(1);
      } else if (item == Py_Ellipsis) {
        for (int i = shape_.ndim() - used; i > 0; --i) whole();
      } else if (PySlice_Check(item)) {
        slice(item);
      } else {
        integer(item);
      }
    }
    while (axis_ < shape_.ndim()) whole();
    return std::move(region_);
  }

 private:
  void axis(int64_t begin, int64_t step, int64_t count) {
    region_.begin.push_back(begin);
    region_.step.push_back(step);
    region_.count.push_back(count);
    ++axis_;
  }
  void whole() {
    region_.shape.push_back(shape_[axis_]);
    axis(0, 1, shape_[axis_]);
  }
  void slice(PyObject* item) {
    Py_ssize_t begin, end, step;
    if (PySlice_Unpack(item, &begin, &end, &step) < 0) throw PythonError();
    Py_ssize_t count = PySlice_AdjustIndices(shape_[axis_], &begin, &end, step);
    region_.shape.push_back(count);
    axis(begin, step, count);
  }
  void integer(PyObject* item) {
    Py_ssize_t index = PyNumber_AsSsize_t(item, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) throw PythonError();
    int64_t extent = shape_[axis_];
    if (index < -extent || index >= extent)
      fail(ErrorKind::index, "index ", index, " is out of bounds for axis ", axis_, " with size ", extent);
    axis(index < 0 ? index + extent : index, 1, 1);
  }

  const Shape& shape_;
  int axis_ = 0;
  Region region_;
};

// Offset of the region if it is one contiguous stretch, else -1.
int64_t contiguous_offset(const Shape& shape, const Region& region) {
  int64_t offset = 0, stride = 1;
  bool partial = false;  // an axis to the right is not whole: the ones before must be single
  for (int i = shape.ndim() - 1; i >= 0; --i) {
    if (partial && region.count[i] != 1) return -1;
    if (region.step[i] != 1 && region.count[i] > 1) return -1;
    offset += region.begin[i] * stride;
    partial |= region.count[i] != shape[i];
    stride *= shape[i];
  }
  return offset;
}

// begin, end and step as the slice operators take them.
ParamsRef slice_params(const Op& op, const Region& region, const Value* scalar = nullptr) {
  Value::List begin, end, step;
  for (size_t i = 0; i < region.begin.size(); ++i) {
    int64_t last = region.begin[i] + region.step[i] * region.count[i];
    begin.emplace_back(region.begin[i]);
    if (last < 0)
      end.emplace_back();
    else
      end.emplace_back(last);
    step.emplace_back(region.step[i]);
  }
  if (scalar) return make_params(op, {{"begin", begin}, {"end", end}, {"step", step}, {"scalar", *scalar}});
  return make_params(op, {{"begin", begin}, {"end", end}, {"step", step}});
}

// Legacy arrays have no rank 0: one element has shape (1,).
Shape result_shape(const Region& region, PyTypeObject* type) {
  if (region.shape.ndim() == 0 && type == array_class("nd")) return {1};
  return region.shape;
}

bool recorded(const NDArray& array) { return call_state().recording && array.tape; }

// A part of an array as a view; to an observer it is what operators would make.
NDArray view_of(const NDArray& array, const Region& region, const Shape& shape, int64_t offset) {
  NDArray view = array.window(shape, offset);
  CallObserver* observer = call_observer();
  if (!observer) return view;
  static const Op &slice = Registry::get().at("slice"), &reshape = Registry::get().at("_reshape_to");
  NDArray part = array.window(Shape{std::span<const int64_t>(region.count)}, offset);
  observer->operator_ran(slice, slice_params(slice, region), {&array, 1}, {&part, 1}, false);
  observer->operator_ran(reshape, make_params(reshape, {{"shape", shape}}), {&part, 1}, {&view, 1}, false);
  return view;
}

// The value of an assignment as an array of the target's dtype and device, and no more dimensions.
NDArray value_array(PyObject* value, const NDArray& target) {
  if (is_array(value)) return array_of(value);
  static Lazy array("mxnet.ndarray.ndarray", "array");
  Object ctx = own(context_object(target.ctx()));
  Object made = own(PyObject_CallFunctionObjArgs(array.get(), value, ctx.get(), numpy_type(target.dtype()), nullptr));
  return array_of(made.get());
}

NDArray broadcast_value(NDArray value, const Shape& shape) {
  while (value.shape().ndim() > shape.ndim() && value.shape()[0] == 1) {
    Shape fewer = value.shape();
    fewer.erase(0);
    value = reshape(value, fewer).array();
  }
  if (!(broadcast_shape(value.shape(), shape) == shape))
    value_error("assignment: a value of shape ", value.shape(), " does not broadcast to shape ", shape);
  return broadcast_to(value, shape).array();
}

void fill(const NDArray& target, const Value& value) {
  static const Op& op = Registry::get().at("_full");
  NDArray out = target;
  invoke(op, make_params(op, {{"shape", target.shape()}, {"value", value}, {"dtype", target.dtype()}}), {}, {&out, 1});
}

// Assignment as a new value under the old name: the only form that the tape can follow.
NDArray assigned_copy(const NDArray& target, const Region& region, PyObject* value) {
  if (is_scalar(value)) {
    static const Op& op = Registry::get().at("_slice_assign_scalar");
    Value scalar = to_value(value);
    return invoke(op, slice_params(op, region, &scalar), {&target, 1})[0];
  }
  static const Op& op = Registry::get().at("_slice_assign");
  Shape counts{std::span<const int64_t>(region.count)};
  Expr source = cast(broadcast_value(value_array(value, target), region.shape), target.dtype());
  NDArray inputs[2]{target, reshape(source, counts).array()};
  return invoke(op, slice_params(op, region), inputs)[0];
}

void assign_in_place(const NDArray& target, const Region& region, PyObject* value) {
  int64_t offset = contiguous_offset(target.shape(), region);
  Shape counts{std::span<const int64_t>(region.count)};
  if (offset >= 0) {
    NDArray window = target.window(region.shape, offset);
    if (is_scalar(value)) return fill(window, to_value(value));
    return copy(broadcast_value(value_array(value, target), region.shape), window);
  }
  NDArray out = target;
  if (is_scalar(value)) {
    static const Op& op = Registry::get().at("_slice_assign_scalar");
    Value scalar = to_value(value);
    invoke(op, slice_params(op, region, &scalar), {&target, 1}, {&out, 1});
    return;
  }
  static const Op& op = Registry::get().at("_slice_assign");
  NDArray source = cast(broadcast_value(value_array(value, target), region.shape), target.dtype()).array();
  NDArray inputs[2]{target, source.reshaped(counts)};
  invoke(op, slice_params(op, region), inputs, {&out, 1});
}

// Nothing of the array, yet on the tape where the array is: its gradient is zero.
NDArray empty_part(const NDArray& array, const Shape& shape) {
  NDArray part(shape, array.dtype(), array.ctx());
  if (!recorded(array)) return part;
  NDArray whole = array.detached();
  record_custom([whole](std::span<const Expr>) { return std::vector<Expr>{zeros_like(whole)}; }, {&array, 1},
                {&part, 1});
  return part;
}

}  // namespace

PyObject* array_get_item(PyObject* self, PyObject* key) {
  return guarded([&]() -> PyObject* {
    bool basic;
    std::vector<PyObject*> items = items_of(key, basic);
    if (!basic) {
      static Lazy get("mxnet.ndarray.indexing", "get");
      return check(PyObject_CallFunctionObjArgs(get.get(), self, key, nullptr));
    }
    const NDArray& array = array_of(self);
    Region region = Resolver(array.shape()).resolve(items);
    Shape shape = result_shape(region, Py_TYPE(self));
    int64_t offset = contiguous_offset(array.shape(), region);
    if (offset >= 0 && !recorded(array)) return wrap(view_of(array, region, shape, offset), Py_TYPE(self));
    if (shape.size() == 0) return wrap(empty_part(array, shape), Py_TYPE(self));
    static const Op& slice = Registry::get().at("slice");
    Expr part = invoke(slice, slice_params(slice, region), {&array, 1})[0];
    return wrap(reshape(part, shape).array(), Py_TYPE(self));
  });
}

int array_set_item(PyObject* self, PyObject* key, PyObject* value) {
  return guarded_status([&] {
    if (!value) type_error("NDArray: elements cannot be deleted");
    NDArray& array = array_of(self);
    bool recording = call_state().recording;
    TapeEntry* entry = tape_entry(array);
    if (recording && entry && !entry->node && entry->req != GradReq::null)
      fail(ErrorKind::runtime, "assignment: a variable with a gradient (shape ", array.shape(),
           ") cannot be changed in place inside autograd.record()");
    bool basic;
    std::vector<PyObject*> items = items_of(key, basic);
    if (!basic) {
      static Lazy set("mxnet.ndarray.indexing", "set");
      Object done = own(PyObject_CallFunctionObjArgs(set.get(), self, key, value, nullptr));
      return;
    }
    Region region = Resolver(array.shape()).resolve(items);
    if (region.shape.size() == 0) return;
    bool on_tape = recording && (array.tape || (is_array(value) && array_of(value).tape));
    if (on_tape)
      array = assigned_copy(array, region, value);
    else
      assign_in_place(array, region, value);
  });
}

}  // namespace mxnet::python
