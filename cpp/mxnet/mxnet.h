// The face of the library for C++ programs: arrays, operators, gradients.
//
//   #include "mxnet/mxnet.h"
//   using namespace mxnet;
//
//   NDArray x = ones(Shape{2, 3}, DType::float32, Context::cpu()).array();
//   mark_variable(x, zeros_like(x).array(), GradReq::write);
//   Expr loss;
//   {
//     RecordScope recording;                       // what runs here goes on the tape
//     loss = apply("sum", {square(Expr(x) * 3.0)});
//   }
//   backward(loss);                                // d loss / dx = 18 x
//   std::vector<float> gradient(6);
//   copy_to_host(gradient_of(x), gradient.data(), 6 * sizeof(float));
//
// Any registered operator runs by name through `apply` or, with arrays and typed parameters, through `invoke`.
// Errors are mxnet::Error with a sentence and a kind; those of work that runs later are raised by the next wait
// (wait_to_read, copy_to_host). Link with libmxnet (find_package(mxnet) in the installed package).
#pragma once

#include "mxnet/autograd/tape.h"
#include "mxnet/base/error.h"
#include "mxnet/engine/engine.h"
#include "mxnet/ndarray/ndarray.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/invoke.h"
#include "mxnet/storage/storage.h"

namespace mxnet {

// Records what this thread runs while it lives; `training` is what dropout and batch norm ask.
class RecordScope {
 public:
  explicit RecordScope(bool training = true) : saved_(call_state()) { call_state() = {true, training}; }
  ~RecordScope() { call_state() = saved_; }
  RecordScope(const RecordScope&) = delete;
  RecordScope& operator=(const RecordScope&) = delete;

 private:
  CallState saved_;
};

// Gradients of every variable `head` was computed from, into their gradient arrays. The head counts with weight one.
inline void backward(const Expr& head) {
  NDArray array = head.array();
  backward({&array, 1}, {}, {}, {});
}

// The gradient array of a variable made by mark_variable; an empty NDArray for anything else.
inline NDArray gradient_of(const NDArray& variable) {
  TapeEntry* entry = tape_entry(variable);
  return entry && !entry->node ? entry->grad : NDArray();
}

}  // namespace mxnet
