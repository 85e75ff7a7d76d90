// Linear quantization: float32 numbers as 8-bit integers and back, with the range they stand for.
//
// A range of magnitude r maps to 127 for int8, 255 for uint8 and 2^31 - 1 for int32, without an offset: 0 stays 0. Some
// of the operators map it half a step further out, as MXNet 1.9.1 has it.
#include <cmath>
#include <limits>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/simple.h"

namespace mxnet {
namespace {

constexpr int64_t kGrain = 32768;

enum class QuantizedType { automatic, int8, uint8 };
constexpr std::array<std::pair<QuantizedType, std::string_view>, 3> names_of(QuantizedType) {
  return {{{QuantizedType::automatic, "auto"}, {QuantizedType::int8, "int8"}, {QuantizedType::uint8, "uint8"}}};
}

struct Range {
  float low = 0, high = 0;
  float magnitude() const { return std::max(std::abs(low), std::abs(high)); }
};

Range range_of(const TensorView& low, const TensorView& high) { return {*low.as<float>(), *high.as<float>()}; }
Range range_of(const TensorView& data) {
  const float* x = data.as<float>();
  Range range{std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  for (int64_t i = 0; i < data.size(); ++i) range = {std::min(range.low, x[i]), std::max(range.high, x[i])};
  return data.size() > 0 ? range : Range{};
}

constexpr float kInt32Steps = 2147483647.0f;
template <class Q>
constexpr float kSteps = static_cast<float>(std::numeric_limits<Q>::max());
template <class Q>
constexpr float kWideSteps = kSteps<Q> + 0.5f;

template <class F>
void dispatch_quantized(DType dtype, const F& f) {
  if (dtype == DType::int8) return f.template operator()<int8_t>();
  f.template operator()<uint8_t>();
}

// Rounds half away from zero and saturates; what is not a number becomes 0.
template <class Q>
Q quantized(float x, float scale) {
  float y = std::round(x * scale);
  if (!(y == y)) return 0;
  return static_cast<Q>(std::clamp<float>(y, std::numeric_limits<Q>::min(), std::numeric_limits<Q>::max()));
}

// Quantizes value(i) and tells the range: that of int8 is symmetric.
template <bool wide, class F>
void write_quantized(Range range, KernelContext& c, const F& value) {
  float magnitude = range.magnitude();
  dispatch_quantized(c.out(0).dtype, [&]<class Q>() {
    float scale = magnitude > 0 ? (wide ? kWideSteps<Q> : kSteps<Q>) / magnitude : 0.0f;
    Q* out = c.out(0).as<Q>();
    parallel_for(c.out(0).size(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = quantized<Q>(value(i), scale);
    });
    if (std::is_same_v<Q, int8_t>) range = {-magnitude, magnitude};
  });
  *c.out(1).as<float>() = range.low;
  *c.out(2).as<float>() = range.high;
}

// Outputs 1 and 2 are one number each.
void infer_range_outputs(InferContext& c) { c.out(1) = c.out(2) = {Shape{1}, DType::float32}; }
void expect_range_inputs(InferContext& c) {
  for (int i : {1, 2}) {
    expect_number(c, i);
    c.expect_dtype(i, DType::float32);
  }
}

struct QuantizeParams {
  QuantizedType out_type = QuantizedType::uint8;
  static constexpr auto fields() {
    return std::tuple{field("out_type", &QuantizeParams::out_type, "'int8' or 'uint8'.")};
  }
};

const Op& quantize = define_op<QuantizeParams>("_contrib_quantize")
                         .doc(
                             "round(x * s / r), where r is the greater magnitude of the range and s 127 for int8 and "
                             "255 for uint8. Outputs are the integers and the two ends of their range.")
                         .input("data", "Numbers, float32.")
                         .input("min_range", "Lower end of the range, one number.")
                         .input("max_range", "Upper end of the range, one number.")
                         .outputs(3)
                         .infer([](const QuantizeParams& p, InferContext& c) {
                           if (p.out_type == QuantizedType::automatic) c.fail("out_type must be 'int8' or 'uint8'");
                           c.expect_dtype(0, DType::float32);
                           expect_range_inputs(c);
                           c.out(0) = {c.shape(0), p.out_type == QuantizedType::int8 ? DType::int8 : DType::uint8};
                           infer_range_outputs(c);
                         })
                         .cpu([](const QuantizeParams&, KernelContext& c) {
                           const float* x = c.in(0).as<float>();
                           write_quantized<false>(range_of(c.in(1), c.in(2)), c, [&](int64_t i) { return x[i]; });
                         });

struct CalibratedParams {
  QuantizedType out_type = QuantizedType::int8;
  std::optional<double> min_calib_range, max_calib_range;

  bool calibrated() const { return min_calib_range && max_calib_range; }
  Range range() const { return {static_cast<float>(*min_calib_range), static_cast<float>(*max_calib_range)}; }
  // 'auto' is uint8 where the range is known to have no negative numbers.
  DType dtype() const {
    bool positive = out_type == QuantizedType::automatic && calibrated() && *min_calib_range >= 0;
    return out_type == QuantizedType::uint8 || positive ? DType::uint8 : DType::int8;
  }
  static constexpr auto fields() {
    using P = CalibratedParams;
    return std::tuple{
        field("out_type", &P::out_type, "'int8', 'uint8', or 'auto': uint8 for a range without negative numbers."),
        field("min_calib_range", &P::min_calib_range, "Lower end of the range; that of the data if not given."),
        field("max_calib_range", &P::max_calib_range, "Upper end of the range; that of the data if not given.")};
  }
};

const Op& quantize_v2 =
    define_op<CalibratedParams>("_contrib_quantize_v2")
        .doc(
            "round(x * s / r) with the range given by numbers or taken from the data, s 127.5 for int8 "
            "and 255.5 for uint8. Outputs are the integers and the two ends of their range.")
        .input("data", "Numbers, float32.")
        .outputs(3)
        .infer([](const CalibratedParams& p, InferContext& c) {
          c.expect_dtype(0, DType::float32);
          c.out(0) = {c.shape(0), p.dtype()};
          infer_range_outputs(c);
        })
        .cpu([](const CalibratedParams& p, KernelContext& c) {
          const float* x = c.in(0).as<float>();
          Range range = p.calibrated() ? p.range() : range_of(c.in(0));
          write_quantized<true>(range, c, [&](int64_t i) { return x[i]; });
        });

const Op& requantize =
    define_op<CalibratedParams>("_contrib_requantize")
        .doc(
            "int32 numbers, of which 2^31 - 1 stands for the greater magnitude of the range, as 8-bit "
            "integers. Outputs are these and the two ends of their range.")
        .input("data", "Sums of products, int32.")
        .input("min_range", "Lower end of what int32 stands for, one number.")
        .input("max_range", "Upper end of what int32 stands for, one number.")
        .outputs(3)
        .infer([](const CalibratedParams& p, InferContext& c) {
          c.expect_dtype(0, DType::int32);
          expect_range_inputs(c);
          c.out(0) = {c.shape(0), p.dtype()};
          infer_range_outputs(c);
        })
        .cpu([](const CalibratedParams& p, KernelContext& c) {
          const int32_t* x = c.in(0).as<int32_t>();
          float scale = range_of(c.in(1), c.in(2)).magnitude() / kInt32Steps;
          auto value = [&](int64_t i) { return static_cast<float>(x[i]) * scale; };
          Range range;
          for (int64_t i = 0; i < c.in(0).size(); ++i)
            range = {std::min(range.low, value(i)), std::max(range.high, value(i))};
          float magnitude = (p.calibrated() ? p.range() : range).magnitude();
          write_quantized<false>({0, magnitude}, c, value);
        });

void expect_quantized(InferContext& c, int i) {
  DType dtype = c.in(i).dtype;
  if (dtype != DType::unknown && dtype != DType::int8 && dtype != DType::uint8)
    c.fail_type(c.input_name(i), " has dtype ", dtype, ", expected int8 or uint8");
}

enum class DequantizedType { float32 };
constexpr std::array<std::pair<DequantizedType, std::string_view>, 1> names_of(DequantizedType) {
  return {{{DequantizedType::float32, "float32"}}};
}
struct DequantizeParams {
  DequantizedType out_type = DequantizedType::float32;
  static constexpr auto fields() {
    return std::tuple{field("out_type", &DequantizeParams::out_type, "Dtype of the result.")};
  }
};

const Op& dequantize = define_op<DequantizeParams>("_contrib_dequantize")
                           .doc("x r / s, the numbers that integers of quantize_v2 stand for, as float32.")
                           .input("data", "Integers, int8 or uint8.")
                           .input("min_range", "Lower end of their range, one number.")
                           .input("max_range", "Upper end of their range, one number.")
                           .infer([](const DequantizeParams&, InferContext& c) {
                             expect_quantized(c, 0);
                             expect_range_inputs(c);
                             c.out(0) = {c.shape(0), DType::float32};
                           })
                           .cpu([](const DequantizeParams&, KernelContext& c) {
                             float magnitude = range_of(c.in(1), c.in(2)).magnitude();
                             float* out = c.out(0).as<float>();
                             dispatch_quantized(c.in(0).dtype, [&]<class Q>() {
                               const Q* x = c.in(0).as<Q>();
                               float scale = magnitude / kWideSteps<Q>;
                               parallel_for(c.out(0).size(), kGrain, [&](int64_t begin, int64_t end) {
                                 for (int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(x[i]) * scale;
                               });
                             });
                           });

// What changes the integers alone hands their range on.
void infer_with_range(InferContext& c) {
  expect_quantized(c, 0);
  expect_range_inputs(c);
  c.out(0) = c.in(0);
  infer_range_outputs(c);
}
void copy_range(KernelContext& c) {
  *c.out(1).as<float>() = *c.in(1).as<float>();
  *c.out(2).as<float>() = *c.in(2).as<float>();
}

const Op& quantized_flatten = define_op("_contrib_quantized_flatten")
                                  .doc("Quantized data (N, ..) as (N, all else), and its range unchanged.")
                                  .input("data", "Integers, int8 or uint8.")
                                  .input("min_data", "Lower end of their range, one number.")
                                  .input("max_data", "Upper end of their range, one number.")
                                  .outputs(3)
                                  .infer([](const NoParams&, InferContext& c) {
                                    infer_with_range(c);
                                    const Shape& s = c.shape(0);
                                    if (!s.rank_known()) return;
                                    if (s.ndim() < 1) c.fail("data is a scalar, expected at least one axis");
                                    c.out(0).shape = {s[0], s.known() ? s.product(1, s.ndim()) : kUnknown};
                                  })
                                  .cpu([](const NoParams&, KernelContext& c) {
                                    std::copy_n(c.in(0).as<char>(), c.in(0).size(), c.out(0).as<char>());
                                    copy_range(c);
                                  });

enum class QuantizedActivation { relu, sigmoid, softrelu, softsign, tanh };
constexpr std::array<std::pair<QuantizedActivation, std::string_view>, 5> names_of(QuantizedActivation) {
  using enum QuantizedActivation;
  return {{{relu, "relu"}, {sigmoid, "sigmoid"}, {softrelu, "softrelu"}, {softsign, "softsign"}, {tanh, "tanh"}}};
}
struct QuantizedActParams {
  QuantizedActivation act_type = QuantizedActivation::relu;
  static constexpr auto fields() {
    return std::tuple{field("act_type", &QuantizedActParams::act_type, "'relu'; the others are refused.").required()};
  }
};

const Op& quantized_act = define_op<QuantizedActParams>("_contrib_quantized_act")
                              .doc("max(x, 0) of quantized data, and its range unchanged.")
                              .input("data", "Integers, int8 or uint8.")
                              .input("min_data", "Lower end of their range, one number.")
                              .input("max_data", "Upper end of their range, one number.")
                              .outputs(3)
                              .infer([](const QuantizedActParams& p, InferContext& c) {
                                if (p.act_type != QuantizedActivation::relu) c.fail("act_type must be 'relu'");
                                infer_with_range(c);
                              })
                              .cpu([](const QuantizedActParams&, KernelContext& c) {
                                dispatch_quantized(c.in(0).dtype, [&]<class Q>() {
                                  const Q* x = c.in(0).as<Q>();
                                  Q* out = c.out(0).as<Q>();
                                  for (int64_t i = 0; i < c.in(0).size(); ++i) out[i] = std::max(x[i], Q(0));
                                });
                                copy_range(c);
                              });

}  // namespace
}  // namespace mxnet
