#include "mxnet/ops/optimizer.h"

#include "mxnet/op/registry.h"
#include "mxnet/ops/simple.h"

namespace mxnet {
namespace {

// Weight and gradient share shape and dtype; states take the shape, in float32 where the update is mixed.
template <class U>
void infer_update(const U&, InferContext& c) {
  constexpr bool mixed = U::kind == UpdateKind::mixed || U::kind == UpdateKind::mixed_scaled;
  constexpr int states = static_cast<int>(U::states.size());
  DType dtype = c.same_dtype(0, 2);
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("weight has dtype ", dtype, ", expected a floating dtype");
  int arrays = 2 + states + (mixed ? 1 : 0);
  for (int i = 1; i < arrays; ++i) c.expect_shape(i, c.shape(0));
  for (int i = 2; i < arrays; ++i) c.expect_dtype(i, mixed ? DType::float32 : dtype);
  if (c.num_inputs() > arrays) expect_number(c, arrays);
  c.out(0) = {c.shape(0), mixed && U::gives_direction ? DType::float32 : dtype};
}

template <class U>
void define_update() {
  constexpr bool mixed = U::kind == UpdateKind::mixed || U::kind == UpdateKind::mixed_scaled;
  constexpr bool scaled = U::kind == UpdateKind::scaled || U::kind == UpdateKind::mixed_scaled;
  auto op = define_op<U>(U::name);
  op.doc(U::doc).input("weight", "Weight; the result goes to `out`, usually the same array.");
  op.input("grad", "Gradient.");
  for (const char* state : U::states) op.mutable_input(state, "State, changed in place.");
  if (mixed && U::gives_direction) op.input("weight32", "The weight in float32.");
  if (mixed && !U::gives_direction) op.mutable_input("weight32", "The weight in float32, changed in place.");
  if (scaled) op.input("rescale_grad", "Factor of the gradient, one number.");
  op.infer(infer_update<U>).inplace();
  std::string name = U::name;
  if (name == "sgd_update" || name == "sgd_mom_update" || name == "adam_update" || name == "ftrl_update")
    op.alias({("_sparse_" + name).c_str()});
}

const bool defined = (Updates::each([]<class U>() { define_update<U>(); }), true);

}  // namespace
}  // namespace mxnet
