// The extension module: one init function per concept.
#include "python.h"

PYBIND11_MODULE(_core, m) {
  using namespace mxnet::python;
  m.doc() = "The C++ core of mxnet.";
  init_errors(m);
  init_array(m);
  init_symbol(m);
  init_observed(m);
  init_op_function(m);
  init_deferred(m);
  init_autograd(m);
  init_recording(m);
  init_runtime(m);
  init_interop(m);
  init_custom(m);
}
