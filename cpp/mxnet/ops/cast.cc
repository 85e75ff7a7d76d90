// Operators that change the element type.
#include "mxnet/ndarray/cast.h"

#include <optional>
#include <tuple>

#include "mxnet/op/expr.h"

namespace mxnet {
namespace {

struct CastParams {
  DType dtype = DType::unknown;
  static constexpr auto fields() {
    return std::tuple{field("dtype", &CastParams::dtype, "Element type of the result.").required()};
  }
};

void cast_cpu(const TensorView& in, const TensorView& out) {
  cast_elements(in.data, in.dtype, out.data, out.dtype, out.size());
}

void cast_gradient(const CastParams&, GradContext& g) { g.din(0) = cast(g.dout(0), g.in(0).dtype()); }

const Op& cast_op =
    define_op<CastParams>("Cast")
        .doc("The input converted to `dtype`; floating numbers lose their fraction on the way to integers.")
        .alias({"cast", "_npi_cast", "_npx_cast"})
        .input("data", "Input array.")
        .infer([](const CastParams& p, InferContext& c) {
          if (p.dtype == DType::unknown) c.fail_type("dtype is None, expected an element type");
          c.out(0) = c.in(0).with_dtype(p.dtype);
        })
        .cpu([](const CastParams&, KernelContext& c) { cast_cpu(c.in(0), c.out(0)); })
        .gradient(cast_gradient)
        .grad_uses(false, false);

const Op& amp_cast = define_op<CastParams>("amp_cast")
                         .doc("Converts arrays of a floating dtype to `dtype` and leaves all others as they are.")
                         .input("data", "Input array.")
                         .infer([](const CastParams& p, InferContext& c) {
                           DType dtype = c.in(0).dtype;
                           c.out(0) = {c.shape(0), is_floating(dtype) ? p.dtype : dtype};
                         })
                         .cpu([](const CastParams&, KernelContext& c) { cast_cpu(c.in(0), c.out(0)); })
                         .gradient(cast_gradient)
                         .grad_uses(false, false);

struct MulticastParams {
  int num_outputs = 0;
  bool cast_narrow = false;
  static constexpr auto fields() {
    using P = MulticastParams;
    return std::tuple{
        field("num_outputs", &P::num_outputs, "Number of arrays.").required(),
        field("cast_narrow", &P::cast_narrow, "Convert to the narrowest type among them, not the widest.")};
  }
};

// float64 takes no part in mixed precision.
bool takes_part(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16 || dtype == DType::float32; }

// The common type of the inputs that take part; unknown if there is none.
DType common_floating(const MulticastParams& p, InferContext& c) {
  DType common = DType::unknown;
  for (int i = 0; i < c.num_inputs(); ++i) {
    DType dtype = c.in(i).dtype;
    if (!takes_part(dtype)) continue;
    bool better = common != DType::unknown &&
                  (p.cast_narrow ? size_of(dtype) < size_of(common) : size_of(dtype) > size_of(common));
    if (common == DType::unknown || better) common = dtype;
  }
  return common;
}

const Op& amp_multicast = define_op<MulticastParams>("amp_multicast")
                              .doc(
                                  "Converts all arrays of float16, bfloat16 and float32 to one of these, the widest or "
                                  "the narrowest among them.")
                              .variadic("data", "num_outputs", "Arrays to convert.")
                              .outputs_of([](const MulticastParams&, int num_inputs) { return num_inputs; })
                              .infer([](const MulticastParams& p, InferContext& c) {
                                DType common = common_floating(p, c);
                                for (int i = 0; i < c.num_inputs(); ++i) {
                                  DType dtype = c.in(i).dtype;
                                  c.out(i) = {c.shape(i), takes_part(dtype) ? common : dtype};
                                }
                              })
                              .cpu([](const MulticastParams&, KernelContext& c) {
                                for (size_t i = 0; i < c.inputs.size(); ++i) cast_cpu(c.inputs[i], c.outputs[i]);
                              })
                              .gradient([](const MulticastParams&, GradContext& g) {
                                for (int i = 0; i < g.num_inputs(); ++i)
                                  if (g.needs(i) && g.has_dout(i)) g.din(i) = cast(g.dout(i), g.in(i).dtype());
                              })
                              .grad_uses(false, false);

}  // namespace
}  // namespace mxnet
