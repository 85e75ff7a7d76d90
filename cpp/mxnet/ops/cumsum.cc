#include "mxnet/ops/cumsum.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"

namespace mxnet {
namespace {

void infer_cumsum(const CumsumParams& p, InferContext& c) {
  DType dtype = p.dtype != DType::unknown ? p.dtype : c.in(0).dtype;
  if (dtype == DType::boolean) {
    if (p.dtype == DType::boolean) c.fail_type("dtype is bool, expected a number");
    dtype = DType::int64;
  }
  c.out(0).dtype = dtype;
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  if (p.axis) c.axis(*p.axis, shape);
  c.out(0).shape = p.axis ? shape : Shape{shape.known() ? shape.size() : kUnknown};
}

const Op& cumsum = define_op<CumsumParams>("cumsum")
                       .doc("Sums of the first 1, 2, .. elements along `axis`; a vector where it is None.")
                       .input("a", "Input array.")
                       .alias({"_np_cumsum"})
                       .infer(infer_cumsum)
                       .gradient([](const CumsumParams& p, GradContext& g) {
                         static const OpRef backward("_backward_cumsum");
                         const Shape& shape = g.in(0).shape();
                         Expr d = backward.with({g.dout(0)}, make_params(CumsumParams{p.axis ? p.axis : 0}))[0];
                         g.din(0) = cast(p.axis ? d : reshape(d, shape), g.in(0).dtype());
                       })
                       .grad_uses(false, false);

const Op& cumsum_backward = define_op<CumsumParams>("_backward_cumsum")
                                .doc("Sums of the last 1, 2, .. elements along `axis`, the longest first.")
                                .input("dy", "Gradient of the sums.")
                                .infer(infer_cumsum)
                                .gradient([](const CumsumParams& p, GradContext& g) {
                                  static const OpRef forward("cumsum");
                                  g.din(0) = forward.with({g.dout(0)}, make_params(p))[0];
                                })
                                .grad_uses(false, false);

}  // namespace
}  // namespace mxnet
