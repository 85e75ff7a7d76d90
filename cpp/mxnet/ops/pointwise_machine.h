// A program of elementwise operators made ready for arrays of given shapes and dtypes: block by block, the loops of
// its operators run over numbers that stay in the cache. The loops are those of the single operators, and what they
// give is rounded to its dtype in between, so that the results are the same to the bit.
#pragma once
#include <span>
#include <vector>

#include "mxnet/ops/pointwise_program.h"

namespace mxnet {

class PointwiseMachine {
 public:
  // `values` are the program's, all known. aliases[i] is the input in whose memory output i lies, or -1.
  PointwiseMachine(const PointwiseProgram& program, std::vector<TensorSpec> values, std::vector<int> aliases);

  // Which input lies where the output does, or -1.
  static int alias_of(const TensorView& output, std::span<const TensorView> inputs);

  bool fits(std::span<const TensorView> inputs, std::span<const TensorView> outputs) const;
  const TensorSpec& value(int number) const { return values_[number]; }
  // An input that shares memory with an output lies there element on element.
  void run(std::span<const TensorView> inputs, std::span<const TensorView> outputs) const;

 private:
  // Places of numbers: inputs, outputs, then slots, which hold one block each.
  using Place = int;

  struct Action {
    enum class Kind { loop, cast, expand };
    Kind kind;
    Place to;
    std::vector<Place> from;
    int index = -1;  // of the loop or the expansion; also of that whose cast this is
    DType from_dtype = DType::unknown, to_dtype = DType::unknown;
  };

  // How an input that broadcasts lies in the shape of the results.
  struct Expansion {
    Shape extents, strides;
    int64_t width = 0;
    int64_t period = 1;  // it begins anew after so many elements
    void copy(const char* from, char* to, int64_t begin, int64_t n) const;
  };

  class Compiler;
  void choose_block(int slots, int64_t width);
  void perform(const Action& action, char* const* at, std::span<const TensorView> inputs, int64_t begin,
               int64_t n) const;
  void fetch(char* const* base, int64_t begin, int64_t end) const;
  void run_blocks(std::span<const TensorView> inputs, std::span<const TensorView> outputs, int64_t first,
                  int64_t last) const;

  std::vector<TensorSpec> values_;
  std::vector<int> aliases_;
  std::vector<int64_t> step_;  // bytes by which a place advances per element, 0 for slots and what broadcasts
  std::vector<PointwiseLoop> loops_;
  std::vector<Expansion> expansions_;
  std::vector<Action> once_;     // at the start of a run of blocks: what is the same for each of them
  std::vector<Action> actions_;  // for each block
  int64_t size_ = 0, block_ = 0, slot_bytes_ = 0, grain_ = 1;
  size_t num_inputs_ = 0;
  int num_slots_ = 0;
  bool fetches_ahead_ = false;
};

}  // namespace mxnet
