// mxnet.autograd's entry points.
#include "mxnet/autograd/tape.h"

#include "python.h"

namespace py = pybind11;

namespace mxnet::python {
namespace {

Arrays arrays_of(py::handle sequence, const char* what) {
  Arrays arrays;
  for (py::handle item : sequence) arrays.push_back(item.is_none() ? NDArray() : array_argument(item.ptr(), what));
  return arrays;
}

Arrays head_grads_of(py::object head_grads, size_t heads) {
  if (head_grads.is_none()) return {};
  Arrays grads = arrays_of(head_grads, "backward: a head gradient");
  if (grads.size() != heads) value_error("backward: got ", heads, " heads but ", grads.size(), " head gradients");
  return grads;
}

}  // namespace

void init_autograd(py::module_& m) {
  m.def("is_recording", [] { return call_state().recording; });
  m.def("is_training", [] { return call_state().training; });
  m.def("set_recording", [](bool on) { return std::exchange(call_state().recording, on); });
  m.def("set_training", [](bool on) { return std::exchange(call_state().training, on); });
  m.def("backward", [](py::object heads, py::object head_grads, bool retain_graph, bool train_mode) {
    Arrays outputs = arrays_of(heads, "backward: a head");
    backward(outputs, head_grads_of(head_grads, outputs.size()), {}, {retain_graph, false, train_mode});
  });
  m.def("grad", [](py::object heads, py::object head_grads, py::object variables, bool retain_graph, bool create_graph,
                   bool train_mode) {
    Arrays outputs = arrays_of(heads, "autograd.grad: a head");
    Arrays inputs = arrays_of(variables, "autograd.grad: a variable");
    Arrays grads =
        backward(outputs, head_grads_of(head_grads, outputs.size()), inputs, {retain_graph, create_graph, train_mode});
    py::list result;
    for (NDArray& g : grads) result.append(py::reinterpret_steal<py::object>(wrap(std::move(g))));
    return result;
  });
  m.def("mark_variables", [](py::object variables, py::object gradients, py::object reqs) {
    std::vector<py::object> grads, kinds;
    for (py::handle g : gradients) grads.push_back(py::reinterpret_borrow<py::object>(g));
    for (py::handle r : reqs) kinds.push_back(py::reinterpret_borrow<py::object>(r));
    size_t i = 0;
    for (py::handle v : variables) {
      if (i >= grads.size() || i >= kinds.size()) value_error("mark_variables: got fewer gradients than variables");
      array_argument(v.ptr(), "mark_variables: a variable");
      auto req = static_cast<GradReq>(py::cast<int>(kinds[i]));
      mark_variable(array_of(v.ptr()), array_argument(grads[i].ptr(), "mark_variables: a gradient").detached(), req);
      ++i;
    }
  });
  m.def("drop_tape", [](py::handle array) { array_of(array.ptr()).tape = nullptr; });
  m.def("on_tape", [](py::handle array) { return static_cast<bool>(array_of(array.ptr()).tape); });
}

}  // namespace mxnet::python
