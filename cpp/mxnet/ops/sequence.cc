#include "mxnet/ops/sequence.h"

namespace mxnet {
namespace {

const char* const kData = "Array of shape (time, batch, ...), or (batch, time, ...) with axis 1.";
const char* const kLengths = "Length of each sequence of the batch, with use_sequence_length.";

void check_lengths(InferContext& c, bool used, int axis, const Shape& shape) {
  if (axis != 0 && axis != 1) c.fail("axis is ", axis, ", expected 0 or 1");
  if (used && !c.has(1)) c.fail("use_sequence_length needs sequence_length");
  if (!shape.rank_known()) return;
  if (shape.ndim() < 2) c.fail("data has shape ", shape, ", expected at least 2 dimensions");
  if (used) c.expect_shape(1, Shape{shape[1 - axis]});
}

// The gradient's array together with the lengths, if there are any.
std::vector<Expr> with_lengths(GradContext& g) {
  std::vector<Expr> inputs{g.dout(0)};
  if (g.has(1)) inputs.push_back(g.in(1));
  return inputs;
}

const Op& mask_op =
    define_op<SequenceMaskParams>("SequenceMask")
        .doc("`data` with everything behind the end of each sequence replaced by `value`.")
        .alias({"_npx_sequence_mask"})
        .input("data", kData)
        .optional_input("sequence_length", kLengths)
        .infer([](const SequenceMaskParams& p, InferContext& c) {
          check_lengths(c, p.use_sequence_length, p.axis, c.shape(0));
          c.out(0) = c.in(0);
        })
        .gradient([](const SequenceMaskParams& p, GradContext& g) {
          static const OpRef mask("SequenceMask");
          g.din(0) = mask.with(with_lengths(g), make_params(SequenceMaskParams{p.use_sequence_length, 0, p.axis}))[0];
        })
        .grad_uses(true, false);

Shape without_time(const Shape& shape, int axis) {
  Shape rest = shape;
  rest.erase(axis);
  return rest;
}

const Op& last_op =
    define_op<SequenceParams>("SequenceLast")
        .doc("The last element of each sequence; the axis of time is taken out.")
        .input("data", kData)
        .optional_input("sequence_length", kLengths)
        .infer([](const SequenceParams& p, InferContext& c) {
          check_lengths(c, p.use_sequence_length, p.axis, c.shape(0));
          c.out(0).dtype = c.in(0).dtype;
          if (c.shape(0).rank_known()) c.out(0).shape = without_time(c.shape(0), p.axis);
        })
        .gradient([](const SequenceParams& p, GradContext& g) {
          static const OpRef back("_backward_SequenceLast");
          g.din(0) =
              back.with(with_lengths(g),
                        make_params(SequenceLastBackwardParams{p.use_sequence_length, p.axis, g.in(0).shape()}))[0];
        })
        .grad_uses(true, false);

const Op& last_back_op =
    define_op<SequenceLastBackwardParams>("_backward_SequenceLast")
        .doc("Zeros of `shape` with `data` in the last place of each sequence.")
        .input("data", "Array of the shape that SequenceLast gives.")
        .optional_input("sequence_length", kLengths)
        .infer([](const SequenceLastBackwardParams& p, InferContext& c) {
          check_lengths(c, p.use_sequence_length, p.axis, p.shape);
          c.out(0) = c.in(0).with_shape(p.shape);
          c.expect_shape(0, without_time(p.shape, p.axis));
        })
        .gradient([](const SequenceLastBackwardParams& p, GradContext& g) {
          static const OpRef last("SequenceLast");
          g.din(0) = last.with(with_lengths(g), make_params(SequenceParams{p.use_sequence_length, p.axis}))[0];
        })
        .grad_uses(true, false);

const Op& reverse_op = define_op<SequenceParams>("SequenceReverse")
                           .doc("`data` with each sequence in reverse order; what lies behind its end stays.")
                           .input("data", kData)
                           .optional_input("sequence_length", kLengths)
                           .infer([](const SequenceParams& p, InferContext& c) {
                             check_lengths(c, p.use_sequence_length, p.axis, c.shape(0));
                             c.out(0) = c.in(0);
                           })
                           .gradient([](const SequenceParams& p, GradContext& g) {
                             static const OpRef reverse("SequenceReverse");
                             g.din(0) = reverse.with(with_lengths(g), make_params(p))[0];
                           })
                           .grad_uses(true, false);

}  // namespace
}  // namespace mxnet
