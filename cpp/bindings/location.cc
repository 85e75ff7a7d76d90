// Which line of the program called.
#include "python.h"

#include <frameobject.h>

namespace mxnet::python {
namespace {

// Folder of the package, with a slash at its end.
const std::string& package_folder() {
  static const std::string folder = [] {
    Object module(PyImport_ImportModule("mxnet"));
    Object file(module ? PyObject_GetAttrString(module.get(), "__file__") : nullptr);
    const char* text = file ? PyUnicode_AsUTF8(file.get()) : nullptr;
    if (!text) PyErr_Clear();
    std::string path = text ? text : "";
    return path.substr(0, path.rfind('/') + 1);
  }();
  return folder;
}

}  // namespace

SourceLine calling_line() {
  const std::string& package = package_folder();
  Object frame = Object::borrow(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
  while (frame) {
    auto* f = reinterpret_cast<PyFrameObject*>(frame.get());
    Object code(reinterpret_cast<PyObject*>(PyFrame_GetCode(f)));
    Object file = Object::borrow(reinterpret_cast<PyCodeObject*>(code.get())->co_filename);
    const char* path = PyUnicode_AsUTF8(file.get());
    if (!path) PyErr_Clear();
    if (path && (package.empty() || std::string_view(path).substr(0, package.size()) != package))
      return {path, PyFrame_GetLineNumber(f)};
    frame = Object(reinterpret_cast<PyObject*>(PyFrame_GetBack(f)));
  }
  return {};
}

std::string python_location() {
  if (!Py_IsInitialized() || !PyGILState_Check()) return {};
  SourceLine where = calling_line();
  return where.file.empty() ? std::string() : str(where.file, ":", where.line);
}

}  // namespace mxnet::python
