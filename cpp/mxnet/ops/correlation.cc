#include "mxnet/ops/correlation.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/images.h"

namespace mxnet {
namespace {

const OpRef correlation_ref("Correlation");
const OpRef backward_ref("_backward_Correlation");
const OpRef signs_ref("_backward_Correlation_signs");

void check(const CorrelationParams& p, InferContext& c) {
  if (p.kernel_size < 1 || p.kernel_size % 2 == 0)
    c.fail("kernel_size is ", p.kernel_size, ", must be odd and positive");
  for (auto [name, value] : {std::pair{"stride1", p.stride1}, {"stride2", p.stride2}})
    if (value < 1) c.fail(name, " is ", value, ", must be at least 1");
  for (auto [name, value] : {std::pair{"max_displacement", p.max_displacement}, {"pad_size", p.pad_size}})
    if (value < 0) c.fail(name, " is ", value, ", must not be negative");
}

// Output 0 for maps of which one is input `map`.
void infer_result(const CorrelationParams& p, InferContext& c, int map) {
  check(p, c);
  c.out(0) = {Shape::unknown(), c.same_dtype()};
  const Shape& shape = c.shape(map);
  if (!shape.known()) return;
  if (shape[1] == 0) c.fail("maps of shape ", shape, " have no channels to average over");
  CorrelationGeometry g(p, shape);
  if (g.out_height == 0 || g.out_width == 0)
    c.fail("patches of ", p.kernel_size, " with displacements up to ", p.max_displacement, " do not fit into maps ",
           shape, " padded by ", p.pad_size);
  c.out(0).shape = {shape[0], g.displacements(), g.out_height, g.out_width};
}

CorrelationGradParams grad_params(const CorrelationParams& p, int which) { return {p, which}; }

// The mean of products is linear in either map, so each derivative is one of the three again. That of differences has
// the signs of the differences, which have no derivative of their own.
void correlation_gradient(const CorrelationParams& p, GradContext& g) {
  for (int i = 0; i < 2; ++i)
    if (g.needs(i)) g.din(i) = backward_ref.with({g.dout(0), g.in(0), g.in(1)}, make_params(grad_params(p, i)))[0];
}

void backward_gradient(const CorrelationGradParams& p, GradContext& g) {
  CorrelationParams plain = p;
  std::array maps{g.in(1), g.in(2)};
  if (!p.is_multiply) {
    if (g.needs(0)) g.din(0) = signs_ref.with({g.dout(0), maps[0], maps[1]}, g.params())[0];
    return;
  }
  int other = 1 - p.which;
  maps[static_cast<size_t>(p.which)] = g.dout(0);
  if (g.needs(0)) g.din(0) = correlation_ref.with(maps, make_params(plain))[0];
  if (g.needs(1 + other))
    g.din(1 + other) = backward_ref.with({g.in(0), maps[0], maps[1]}, make_params(grad_params(p, other)))[0];
}

const Op& correlation =
    define_op<CorrelationParams>("Correlation")
        .doc(
            "For each patch of the first maps and each displacement up to max_displacement the mean, over the elements "
            "of the patch and the channels, of products (or differences) with the displaced patch of the second maps "
            "(Dosovitskiy et al., 2015). From (N, C, H, W) comes (N, displacements, h, w).")
        .input("data1", "First maps (N, C, H, W) of a floating dtype.")
        .input("data2", "Second maps, likewise.")
        .infer([](const CorrelationParams& p, InferContext& c) {
          for (int i = 0; i < 2; ++i) expect_images(c, i);
          c.expect_shape(0, c.shape(1));
          c.expect_shape(1, c.shape(0));
          infer_result(p, c, 0);
        })
        .gradient(correlation_gradient)
        .grad_uses(true, false)
        .heavy();

const Op& correlation_backward = define_op<CorrelationGradParams>("_backward_Correlation")
                                     .doc("Gradient of Correlation for one of its maps.")
                                     .input("dout", "Gradient of the result.")
                                     .input("data1", "First maps.")
                                     .input("data2", "Second maps.")
                                     .infer([](const CorrelationGradParams&, InferContext& c) { c.out(0) = c.in(1); })
                                     .gradient(backward_gradient)
                                     .grad_uses(true, false)
                                     .heavy();

const Op& correlation_signs =
    define_op<CorrelationGradParams>("_backward_Correlation_signs")
        .doc("Derivative of Correlation of differences when one of its maps is moved along `data`.")
        .input("data", "What one of the maps is moved along.")
        .input("data1", "First maps.")
        .input("data2", "Second maps.")
        .infer([](const CorrelationGradParams& p, InferContext& c) { infer_result(p, c, 1); })
        .gradient([](const CorrelationGradParams&, GradContext& g) {
          if (g.needs(0)) g.din(0) = backward_ref.with({g.dout(0), g.in(1), g.in(2)}, g.params())[0];
        })
        .grad_uses(true, false)
        .heavy();

}  // namespace
}  // namespace mxnet
