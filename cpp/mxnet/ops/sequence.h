// Operators on batches of sequences of different lengths: time on one of the first two axes, the batch on the other.
#pragma once
#include "mxnet/ops/axes.h"

namespace mxnet {

struct SequenceParams {
  bool use_sequence_length = false;
  int axis = 0;

  static constexpr auto fields() {
    using P = SequenceParams;
    return std::tuple{field("use_sequence_length", &P::use_sequence_length,
                            "Whether lengths are given; else all sequences are full."),
                      field("axis", &P::axis, "The axis of time, 0 or 1.")};
  }
};

struct SequenceMaskParams {
  bool use_sequence_length = false;
  float value = 0;
  int axis = 0;

  static constexpr auto fields() {
    using P = SequenceMaskParams;
    return std::tuple{
        field("use_sequence_length", &P::use_sequence_length, "Whether lengths are given; else nothing is masked."),
        field("value", &P::value, "What stands behind the end of a sequence."),
        field("axis", &P::axis, "The axis of time, 0 or 1.")};
  }
};

struct SequenceLastBackwardParams {
  bool use_sequence_length = false;
  int axis = 0;
  Shape shape;

  static constexpr auto fields() {
    using P = SequenceLastBackwardParams;
    return std::tuple{field("use_sequence_length", &P::use_sequence_length, "As in SequenceLast."),
                      field("axis", &P::axis, "The axis of time, 0 or 1."),
                      field("shape", &P::shape, "Shape of the result.").required()};
  }
};

}  // namespace mxnet
