// Writing down the graph of Python code while it runs.
#include "mxnet/graph/observed_graph.h"

#include <pybind11/stl.h>

#include <memory>

#include "symbol.h"

namespace py = pybind11;

namespace mxnet::python {

void init_observed(py::module_& m) {
  py::class_<ObservedGraph>(m, "ObservedGraph", "The graph of the operators that run in a with block.")
      .def(py::init<>())
      .def("name", [](ObservedGraph& self, py::handle array,
                      const std::string& name) { self.name(array_argument(array.ptr(), "ObservedGraph.name"), name); })
      .def("__enter__", [](ObservedGraph& self) { self.start(); })
      .def("__exit__", [](ObservedGraph& self, const py::args&) { self.stop(); })
      // The symbol of these arrays and {variable: array} for arrays without a name; None if the graph is unknown.
      .def("result", [](ObservedGraph& self, py::handle outputs) -> py::object {
        Arrays arrays;
        for (py::handle item : outputs) arrays.push_back(array_argument(item.ptr(), "ObservedGraph.result"));
        std::optional<ObservedGraph::Result> result = self.result(arrays);
        if (!result) return py::none();
        py::dict captured;
        for (auto& [name, array] : result->captured)
          captured[py::str(name)] = py::reinterpret_steal<py::object>(wrap(array));
        return py::make_tuple(py::reinterpret_steal<py::object>(wrap_symbol(std::move(result->symbol))), captured);
      });
  m.def("is_observed", [] { return call_observer() != nullptr; });
  // Whether two arrays are the same window on the same memory.
  m.def("same_array", [](py::handle a, py::handle b) {
    const NDArray &x = array_argument(a.ptr(), "same_array"), &y = array_argument(b.ptr(), "same_array");
    return same_memory(x, y) && x.shape() == y.shape();
  });
}

}  // namespace mxnet::python
