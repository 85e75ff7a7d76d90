// Connectionist temporal classification (Graves et al., 2006).
#pragma once
#include <array>
#include <string_view>

#include "mxnet/op/op.h"

namespace mxnet {

enum class BlankLabel { first, last };
constexpr std::array<std::pair<BlankLabel, std::string_view>, 2> names_of(BlankLabel) {
  return {{{BlankLabel::first, "first"}, {BlankLabel::last, "last"}}};
}

struct CtcParams {
  bool use_data_lengths = false;
  bool use_label_lengths = false;
  BlankLabel blank_label = BlankLabel::first;

  static constexpr auto fields() {
    using P = CtcParams;
    return std::tuple{
        field("use_data_lengths", &P::use_data_lengths, "Whether `data_lengths` is given; else all steps count."),
        field("use_label_lengths", &P::use_label_lengths,
              "Whether `label_lengths` is given; else a label ends before its first padding value: 0 with blank_label "
              "'first', -1 with 'last'."),
        field("blank_label", &P::blank_label, "Whether the blank is the first or the last class.")};
  }
};

// Places of the inputs and outputs of the operator on logarithms of probabilities. A path visits the positions of
// its label with blanks between and around them: S = 2 L + 1 positions.
namespace ctc {
enum Input { log_probs, label, data_lengths, label_lengths };
enum Output {
  loss,   // (N,)
  alpha,  // (N, T, S): log of the probability to be at a position, up to each step
  place,  // (N, S): where the class of a position lies in a row of N C elements
  skip,   // (N, S): 0 if the position may be reached from two before it, else kNever
  last    // (N, S): 0 for the two positions a path may end at, else kNever
};
// The logarithm of a probability of zero, finite so that differences stay numbers.
inline constexpr float kNever = -1e30f;
inline constexpr float kPossible = -1e29f;  // less means: there is no path
}  // namespace ctc

}  // namespace mxnet
