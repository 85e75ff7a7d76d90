// What fused convolutions and fused dense layers share: post-ops from parameters, and the gradient through them.
#pragma once
#include <vector>

#include "mxnet/op/expr.h"
#include "mxnet/ops/post_ops.h"

namespace mxnet {

template <class P>
PostOps post_ops(const P& p) {
  return {p.with_addend, p.function, p.alpha, p.beta};
}

// The gradient of the sum, of which `op` gives a function; also sets that of the addend, input 3.
template <class P>
Expr sum_gradient(const OpRef& op, const P& p, GradContext& g) {
  if (p.packed) fail(ErrorKind::not_implemented, op.op().name, ": with packed weights it has no gradient");
  Expr dsum = g.dout(0);
  if (p.function != PostFunction::none) {
    P plain = p;
    plain.function = PostFunction::none;
    std::vector<Expr> inputs;
    for (int i = 0; i < g.num_inputs(); ++i) inputs.push_back(g.in(i));
    dsum = dsum * post_slope(post_ops(p), op.with(inputs, make_params(plain))[0]);
  }
  if (g.needs(3)) g.din(3) = dsum;
  return dsum;
}

}  // namespace mxnet
