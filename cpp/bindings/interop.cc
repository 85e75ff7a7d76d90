// Arrays in and out of other libraries: NumPy through the buffer protocol, DLPack both ways.
#include <cstring>
#include <memory>

#include "mxnet/autograd/tape.h"

#include "python.h"

namespace py = pybind11;

namespace mxnet::python {
namespace {

// --- NumPy ------------------------------------------------------------------------------------------

DType dtype_of_format(const char* format, Py_ssize_t item_size) {
  std::string_view text = format ? format : "B";
  if (!text.empty() && std::string_view("<=@|").find(text[0]) != std::string_view::npos) text.remove_prefix(1);
  if (text == "f") return DType::float32;
  if (text == "d") return DType::float64;
  if (text == "e") return DType::float16;
  if (text == "?") return DType::boolean;
  if (text == "B") return DType::uint8;
  if (text == "b") return DType::int8;
  bool integer = text == "i" || text == "l" || text == "q";
  if (integer && item_size == 4) return DType::int32;
  if (integer && item_size == 8) return DType::int64;
  return DType::unknown;
}

// A buffer acquired from a Python object, released with the lock held.
class BufferView {
 public:
  BufferView(PyObject* object, int flags) {
    if (PyObject_GetBuffer(object, &view_, flags) != 0) throw PythonError();
  }
  ~BufferView() { PyBuffer_Release(&view_); }
  BufferView(const BufferView&) = delete;
  BufferView& operator=(const BufferView&) = delete;
  const Py_buffer& get() const { return view_; }

 private:
  Py_buffer view_;
};

NDArray from_buffer(PyObject* object, Context ctx) {
  BufferView buffer(object, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT);
  const Py_buffer& view = buffer.get();
  DType dtype = dtype_of_format(view.format, view.itemsize);
  if (dtype == DType::unknown)
    type_error("array: elements of buffer format '", view.format,
               "' are not supported; convert them with astype first");
  Shape shape;
  for (int i = 0; i < view.ndim; ++i) shape.push_back(view.shape[i]);
  NDArray array(shape, dtype, ctx);
  if (view.len > 0) copy_from_host(view.buf, view.len, array);
  return array;
}

const char* format_of(DType dtype) {
  switch (dtype) {
    case DType::float32: return "f";
    case DType::float64: return "d";
    case DType::float16: return "e";
    case DType::bfloat16: return "H";
    case DType::uint8: return "B";
    case DType::int8: return "b";
    case DType::int32: return "i";
    case DType::int64: return "q";
    default: return "?";
  }
}

// What an exported buffer holds: a copy, since the engine may write to the array at any later time.
struct Snapshot {
  std::vector<char> data;
  std::vector<Py_ssize_t> shape, strides;
};

// --- DLPack -----------------------------------------------------------------------------------------
// The structures of the DLPack specification, version 0.8.

struct DLDevice {
  int32_t type;
  int32_t id;
};
struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor tensor;
  void* manager;
  void (*deleter)(DLManagedTensor*);
};

enum DLCode : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kBool = 6 };

DLDataType to_dlpack(DType dtype) {
  auto bits = static_cast<uint8_t>(size_of(dtype) * 8);
  switch (dtype) {
    case DType::bfloat16: return {kBfloat, bits, 1};
    case DType::boolean: return {kBool, bits, 1};
    case DType::uint8: return {kUInt, bits, 1};
    case DType::int8:
    case DType::int32:
    case DType::int64: return {kInt, bits, 1};
    default: return {kFloat, bits, 1};
  }
}

DType from_dlpack(DLDataType type) {
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::uint8, DType::int8,
                      DType::int32, DType::int64, DType::boolean}) {
    DLDataType known = to_dlpack(dtype);
    if (known.code == type.code && known.bits == type.bits && type.lanes == 1) return dtype;
  }
  type_error("from_dlpack: element type of code ", static_cast<int>(type.code), " with ", static_cast<int>(type.bits),
             " bits is not supported");
}

struct Exported {
  DLManagedTensor managed;
  NDArray array;
  std::vector<int64_t> shape;
};

constexpr const char* kCapsule = "dltensor";
constexpr const char* kUsedCapsule = "used_dltensor";

void drop_capsule(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, kCapsule)) return;  // taken over by a consumer
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, kCapsule));
  managed->deleter(managed);
}

void check_contiguous(const DLTensor& t) {
  if (!t.strides) return;
  int64_t stride = 1;
  for (int i = t.ndim - 1; i >= 0; --i) {
    if (t.shape[i] > 1 && t.strides[i] != stride)
      value_error("from_dlpack: the tensor is not contiguous in row-major order; make it contiguous first");
    stride *= t.shape[i];
  }
}

PyObject* import_dlpack(PyObject* capsule) {
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, kCapsule));
  if (!managed) throw PythonError();
  const DLTensor& t = managed->tensor;
  if (t.device.type != 1)
    value_error("from_dlpack: only tensors in host memory are supported, got device type ", t.device.type);
  check_contiguous(t);
  DType dtype = from_dlpack(t.dtype);
  Shape shape(std::span<const int64_t>(t.shape, t.ndim));
  PyCapsule_SetName(capsule, kUsedCapsule);
  auto release = [managed] {
    if (managed->deleter) managed->deleter(managed);
  };
  auto* data = static_cast<char*>(t.data) + t.byte_offset;
  auto chunk = make_ref<Chunk>(data, shape.size() * size_of(dtype), Context::cpu(), release);
  return wrap(NDArray(chunk, shape, dtype));
}

}  // namespace

Object asnumpy(const NDArray& array) {
  static Lazy empty("numpy", "empty");
  static Lazy uint16("numpy", "uint16");
  bool bf16 = array.dtype() == DType::bfloat16;
  Object shape = own(shape_tuple(array.shape()));
  Object result = own(
      PyObject_CallFunctionObjArgs(empty.get(), shape.get(), bf16 ? uint16.get() : numpy_type(array.dtype()), nullptr));
  HandWritten::note_read(array);
  array.wait_to_read();
  if (array.size() > 0) {
    BufferView buffer(result.get(), PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE);
    copy_to_host(array, buffer.get().buf, array.bytes());
  }
  if (bf16) {
    Object dtype = Object::borrow(numpy_type(DType::bfloat16));
    return own(PyObject_CallMethod(result.get(), "view", "O", dtype.get()));
  }
  return result;
}

PyObject* export_dlpack(const NDArray& array) {
  HandWritten::note_read(array);
  array.wait_to_write();  // the consumer may read and write without the engine
  auto* exported = new Exported{{}, array.detached(), {array.shape().begin(), array.shape().end()}};
  DLTensor& t = exported->managed.tensor;
  t.data = array.data();
  t.device = {array.ctx().on_host() ? 1 : 2, array.ctx().id};
  t.ndim = array.shape().ndim();
  t.dtype = to_dlpack(array.dtype());
  t.shape = exported->shape.data();
  exported->managed.manager = exported;
  exported->managed.deleter = [](DLManagedTensor* m) { delete static_cast<Exported*>(m->manager); };
  return PyCapsule_New(&exported->managed, kCapsule, drop_capsule);
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded_status([&] {
    const NDArray& array = array_of(self);
    if (flags & PyBUF_WRITABLE) value_error("buffer: an NDArray exports a read-only copy; write with x[:] = ...");
    auto snapshot = std::make_unique<Snapshot>();
    snapshot->data.resize(array.bytes());
    HandWritten::note_read(array);
    array.wait_to_read();
    copy_to_host(array, snapshot->data.data(), snapshot->data.size());
    Shape strides = strides_of(array.shape());
    snapshot->shape.assign(array.shape().begin(), array.shape().end());
    for (int64_t stride : strides) snapshot->strides.push_back(stride * size_of(array.dtype()));
    *view = Py_buffer{snapshot->data.data(),
                      Py_NewRef(self),
                      static_cast<Py_ssize_t>(snapshot->data.size()),
                      static_cast<Py_ssize_t>(size_of(array.dtype())),
                      1,
                      array.shape().ndim(),
                      nullptr,
                      nullptr,
                      nullptr,
                      nullptr,
                      nullptr};
    if (flags & PyBUF_FORMAT) view->format = const_cast<char*>(format_of(array.dtype()));
    if (flags & PyBUF_ND) view->shape = snapshot->shape.data();
    if ((flags & PyBUF_STRIDES) == PyBUF_STRIDES) view->strides = snapshot->strides.data();
    view->internal = snapshot.release();
  });
}

void release_buffer(PyObject*, Py_buffer* view) { delete static_cast<Snapshot*>(view->internal); }

void init_interop(py::module_& m) {
  auto object = [](PyObject* owned) { return py::reinterpret_steal<py::object>(owned); };
  m.def("array_from_numpy", [object](py::handle source, int type, int id) {
    return object(wrap(from_buffer(source.ptr(), {static_cast<DeviceType>(type), id})));
  });
  m.def("empty", [object](py::handle shape, py::handle dtype, int type, int id) {
    Context ctx{static_cast<DeviceType>(type), id};
    return object(wrap(NDArray(shape_argument(shape.ptr()), dtype_argument(dtype.ptr(), DType::float32), ctx)));
  });
  m.def("asnumpy",
        [object](py::handle array) { return object(asnumpy(array_argument(array.ptr(), "asnumpy")).release()); });
  m.def("to_dlpack",
        [object](py::handle array) { return object(check(export_dlpack(array_argument(array.ptr(), "to_dlpack")))); });
  m.def("from_dlpack", [object](py::handle capsule) { return object(import_dlpack(capsule.ptr())); });
}

}  // namespace mxnet::python
