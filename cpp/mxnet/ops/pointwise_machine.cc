#include "mxnet/ops/pointwise_machine.h"

#include <algorithm>
#include <numeric>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

// Bytes that the blocks of all places of a program may fill, so that they stay in the first-level cache.
constexpr int64_t kCacheBytes = 28 * 1024;
constexpr int64_t kLeastBlock = 256, kMostBlock = 2048;
// Bytes of arrays from which on they are not expected in the cache. Their blocks are smaller, and what the next one
// needs is asked for in so many parts: the CPU waits for a few lines of memory at a time.
constexpr int64_t kMuch = 4 * 1024 * 1024, kMostFetched = 1024, kFetchParts = 8;
// Places of a program for which no memory is asked for.
constexpr size_t kLocalPlaces = 64;

// The type a value waits in between instructions.
DType waiting_dtype(DType dtype) {
  return dtype == DType::float16 || dtype == DType::bfloat16 ? DType::float32 : dtype;
}

template <class T>
void copy_runs(const T* from, T* to, const Shape& extents, const Shape& strides, int64_t begin, int64_t n) {
  int last = extents.ndim() - 1;
  Shape index = extents;
  for (int i = last; i >= 0; --i) {
    index[i] = begin % extents[i];
    begin /= extents[i];
    from += index[i] * strides[i];
  }
  while (n > 0) {
    int64_t run = std::min(n, extents[last] - index[last]);
    to = strides[last] ? std::copy_n(from, run, to) : std::fill_n(to, run, *from);
    n -= run;
    from -= index[last] * strides[last];
    index[last] = 0;
    for (int i = last - 1; i >= 0; --i) {
      from += strides[i];
      if (++index[i] < extents[i]) break;
      from -= extents[i] * strides[i];
      index[i] = 0;
    }
  }
}

}  // namespace

void PointwiseMachine::Expansion::copy(const char* from, char* to, int64_t begin, int64_t n) const {
  auto run = [&]<class T>() {
    copy_runs(reinterpret_cast<const T*>(from), reinterpret_cast<T*>(to), extents, strides, begin, n);
  };
  if (width == 1) return run.template operator()<uint8_t>();
  if (width == 2) return run.template operator()<uint16_t>();
  if (width == 4) return run.template operator()<uint32_t>();
  run.template operator()<uint64_t>();
}

// Turns instructions into actions and gives each value its place.
class PointwiseMachine::Compiler {
 public:
  Compiler(PointwiseMachine& machine, const PointwiseProgram& program)
      : machine_(machine),
        program_(program),
        last_use_(program.num_values(), -1),
        place_(program.num_values(), kNowhere),
        output_of_(program.num_values(), -1) {
    for (size_t i = 0; i < program.instructions().size(); ++i)
      for (int value : program.instructions()[i].operands) last_use_[value] = static_cast<int>(i);
    for (size_t i = 0; i < program.outputs().size(); ++i) output_of_[program.outputs()[i]] = static_cast<int>(i);
    for (int i = 0; i < program.num_inputs(); ++i) machine_.step_.push_back(is_full(i) ? size_of(spec(i).dtype) : 0);
    for (int value : program.outputs()) machine_.step_.push_back(size_of(spec(value).dtype));
    first_slot_ = static_cast<Place>(machine_.step_.size());
  }

  void run() {
    for (int i = 0; i < program_.num_inputs(); ++i)
      if (last_use_[i] >= 0 && !is_full(i)) expand(i);
    for (size_t i = 0; i < program_.instructions().size(); ++i) compile(static_cast<int>(i));
    for (auto [value, output] : late_) cast(place_[value], waiting(value), output, spec(value).dtype);
    machine_.step_.resize(first_slot_ + num_slots_);
  }
  int num_slots() const { return num_slots_; }
  int64_t widest() const { return widest_; }

 private:
  static constexpr Place kNowhere = -1;

  const TensorSpec& spec(int value) const { return machine_.values_[value]; }
  DType waiting(int value) const { return waiting_dtype(spec(value).dtype); }
  // An array of as many elements as the results lies as they do.
  bool is_full(int input) const { return spec(input).shape.size() == machine_.size_; }

  Place take(DType dtype) {
    widest_ = std::max(widest_, size_of(dtype));
    if (free_.empty()) return first_slot_ + num_slots_++;
    Place slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(Place place) {
    if (place >= first_slot_) free_.push_back(place);
  }
  void cast(Place from, DType from_dtype, Place to, DType to_dtype) {
    machine_.actions_.push_back({Action::Kind::cast, to, {from}, -1, from_dtype, to_dtype});
  }

  // Lays an input that broadcasts out in full. It keeps its slots, as this may be done once for many blocks.
  void expand(int input) {
    BroadcastPlan plan(spec(program_.outputs()[0]).shape, spec(input).shape, spec(input).shape);
    Expansion expansion{plan.extents, plan.a_strides, size_of(spec(input).dtype), 1};
    bool inner = false;
    for (int i = 0; i < plan.extents.ndim(); ++i) {
      inner |= plan.a_strides[i] != 0;
      if (inner) expansion.period *= plan.extents[i];
    }
    place_[input] = take(waiting(input));
    Place raw = waiting(input) == spec(input).dtype ? place_[input] : take(spec(input).dtype);
    int index = static_cast<int>(machine_.expansions_.size());
    machine_.expansions_.push_back(expansion);
    machine_.actions_.push_back({Action::Kind::expand, raw, {input}, index});
    if (raw == place_[input]) return;
    cast(raw, spec(input).dtype, place_[input], waiting(input));
    machine_.actions_.back().index = index;
  }

  Place load(int value) {
    if (place_[value] != kNowhere) return place_[value];
    if (waiting(value) == spec(value).dtype) return place_[value] = value;
    place_[value] = take(waiting(value));
    cast(value, spec(value).dtype, place_[value], waiting(value));
    return place_[value];
  }

  // The operand as the loop wants it; a converted copy is put on `temporary`.
  Place operand(int value, DType wanted, std::vector<Place>& temporary) {
    Place place = load(value);
    if (waiting(value) == wanted) return place;
    Place converted = take(wanted);
    cast(place, waiting(value), converted, wanted);
    temporary.push_back(converted);
    return converted;
  }

  // Whether output `output` may be written by instruction `number`: not if its memory is still read as an input.
  bool may_write(int output, int number, bool folds) const {
    int input = machine_.aliases_[output];
    return input < 0 || last_use_[input] < (folds ? number : number + 1);
  }

  void compile(int number) {
    const auto& instruction = program_.instructions()[number];
    int result = program_.num_inputs() + number;
    PointwiseLoop loop = instruction.pointwise->loop(instruction.params->data(), spec(result).dtype);
    std::vector<Place> operands, temporary;
    for (size_t i = 0; i < instruction.operands.size(); ++i) {
      bool condition = i == 0 && loop.condition != DType::unknown;
      operands.push_back(operand(instruction.operands[i], condition ? loop.condition : loop.number, temporary));
    }
    auto release = [&] {
      for (Place place : temporary) give_back(place);
      for (size_t i = 0; i < instruction.operands.size(); ++i) {
        int value = instruction.operands[i];
        bool again = std::count(instruction.operands.begin(), instruction.operands.begin() + i, value) > 0;
        bool input = value < program_.num_inputs() && !is_full(value);
        bool late = output_of_[value] >= 0 && is_late(value);
        if (last_use_[value] == number && !again && !input && !late) give_back(place_[value]);
      }
    };
    // A loop may write over its operands, but not where it reads them in turn or they are of several widths.
    bool over = !loop.folds && loop.condition == DType::unknown;
    if (over) release();
    store(result, number, loop, operands);
    if (!over) release();
  }

  bool is_late(int value) const {
    return std::any_of(late_.begin(), late_.end(), [&](const auto& pair) { return pair.first == value; });
  }

  // Runs the loop and brings what it gives to where the value waits.
  void store(int result, int number, const PointwiseLoop& loop, const std::vector<Place>& operands) {
    DType dtype = spec(result).dtype;
    int output = output_of_[result];
    Place target = output >= 0 ? program_.num_inputs() + output : kNowhere;
    bool late = output >= 0 && !may_write(output, number, loop.folds);
    bool read_later = last_use_[result] >= 0 || late;
    if (late) late_.emplace_back(result, target), target = kNowhere;

    bool as_it_is = loop.number == dtype;
    Place raw = as_it_is && target != kNowhere ? target : take(loop.number);
    emit(loop, operands, raw);
    if (as_it_is) {
      place_[result] = raw;
      return finish(result, read_later);
    }
    // Rounded to its dtype, then widened again for those who read on.
    Place rounded = target != kNowhere ? target : take(dtype);
    cast(raw, loop.number, rounded, dtype);
    if (waiting(result) == dtype) {
      give_back(raw);
      place_[result] = rounded;
      return finish(result, read_later);
    }
    if (read_later) cast(rounded, dtype, raw, waiting(result));
    give_back(rounded);
    place_[result] = raw;
    finish(result, read_later);
  }

  void finish(int result, bool read_later) {
    if (!read_later) give_back(place_[result]);
  }

  void emit(const PointwiseLoop& loop, const std::vector<Place>& operands, Place to) {
    int index = static_cast<int>(machine_.loops_.size());
    machine_.loops_.push_back(loop);
    if (!loop.folds) {
      machine_.actions_.push_back({Action::Kind::loop, to, operands, index});
      return;
    }
    if (operands.size() == 1) return cast(operands[0], loop.number, to, loop.number);
    for (size_t i = 1; i < operands.size(); ++i)
      machine_.actions_.push_back({Action::Kind::loop, to, {i == 1 ? operands[0] : to, operands[i]}, index});
  }

  PointwiseMachine& machine_;
  const PointwiseProgram& program_;
  std::vector<int> last_use_;                // the last instruction that reads a value
  std::vector<Place> place_;                 // where a value waits
  std::vector<int> output_of_;               // which output a value is
  std::vector<std::pair<int, Place>> late_;  // outputs that are written when the block is done
  std::vector<Place> free_;
  Place first_slot_ = 0;
  int num_slots_ = 0;
  int64_t widest_ = 1;
};

PointwiseMachine::PointwiseMachine(const PointwiseProgram& program, std::vector<TensorSpec> values,
                                   std::vector<int> aliases)
    : values_(std::move(values)), aliases_(std::move(aliases)) {
  size_ = values_[program.outputs()[0]].shape.size();
  num_inputs_ = static_cast<size_t>(program.num_inputs());
  if (size_ == 0) return;
  Compiler compiler(*this, program);
  compiler.run();
  num_slots_ = compiler.num_slots();
  choose_block(num_slots_, compiler.widest());
  int64_t instructions = static_cast<int64_t>(program.instructions().size());
  grain_ = std::max<int64_t>(1, std::clamp(2 * kElementGrain / instructions, block_, kElementGrain) / block_);
}

// A block is a multiple of the periods of as many broadcast inputs as possible: they are then laid out once.
void PointwiseMachine::choose_block(int slots, int64_t width) {
  int64_t streams = std::count_if(step_.begin(), step_.end(), [](int64_t step) { return step > 0; });
  int64_t most = std::clamp(kCacheBytes / (width * std::max<int64_t>(1, slots + streams)), kLeastBlock, kMostBlock);
  int64_t period = 1;
  std::vector<bool> is_once(expansions_.size());
  for (size_t i = 0; i < expansions_.size(); ++i) {
    int64_t common = std::lcm(period, expansions_[i].period);
    is_once[i] = common <= most;
    if (is_once[i]) period = common;
  }
  int64_t unit = std::lcm(period, int64_t{64}), bytes = 0;
  for (int64_t step : step_) bytes += step * size_;
  fetches_ahead_ = bytes > kMuch;
  if (fetches_ahead_) most = std::clamp(unit, std::min(kMostFetched, most), most);
  block_ = unit <= most ? most / unit * unit : most / period * period;
  std::vector<Action> rest;
  for (Action& action : actions_) {
    bool layout = action.kind != Action::Kind::loop && action.index >= 0;
    (layout && is_once[action.index] ? once_ : rest).push_back(std::move(action));
  }
  actions_ = std::move(rest);
  slot_bytes_ = (block_ * width + 63) / 64 * 64;
}

int PointwiseMachine::alias_of(const TensorView& output, std::span<const TensorView> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].data == output.data && output.data) return static_cast<int>(i);
  return -1;
}

bool PointwiseMachine::fits(std::span<const TensorView> inputs, std::span<const TensorView> outputs) const {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].dtype != values_[i].dtype || !(inputs[i].shape() == values_[i].shape)) return false;
  for (size_t i = 0; i < outputs.size(); ++i)
    if (aliases_[i] != alias_of(outputs[i], inputs)) return false;
  return true;
}

void PointwiseMachine::perform(const Action& action, char* const* at, std::span<const TensorView> inputs, int64_t begin,
                               int64_t n) const {
  switch (action.kind) {
    case Action::Kind::loop: {
      const PointwiseLoop& f = loops_[action.index];
      const void* pointers[5];
      size_t first = f.constants_first ? 1 : 0, count = action.from.size();
      for (size_t i = 0; i < count; ++i) pointers[first + i] = at[action.from[i]];
      pointers[f.constants_first ? 0 : count] = f.constants;
      return f.loop(n, at[action.to], pointers);
    }
    case Action::Kind::cast:
      return cast_block(at[action.from[0]], action.from_dtype, at[action.to], action.to_dtype, n);
    case Action::Kind::expand:
      return expansions_[action.index].copy(inputs[action.from[0]].as<char>(), at[action.to], begin, n);
  }
}

// Asks for the next block while this one is computed: the CPU's own prefetching ends with each page, and asks for
// nothing while the loops run over slots.
void PointwiseMachine::fetch(char* const* base, int64_t begin, int64_t end) const {
  size_t arrays = step_.size() - static_cast<size_t>(num_slots_);
  for (size_t i = 0; i < arrays; ++i) {
    const char *first = base[i] + begin * step_[i], *last = base[i] + end * step_[i];
    if (i < num_inputs_)
      for (; first < last; first += 64) __builtin_prefetch(first, 0);
    else
      for (; first < last; first += 64) __builtin_prefetch(first, 1);
  }
}

void PointwiseMachine::run_blocks(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                                  int64_t first, int64_t last) const {
  alignas(64) char local[kCacheBytes];
  char* local_places[2 * kLocalPlaces];
  Scratch heap;
  std::vector<char*> heap_places;
  char* slots = local;
  char** base = local_places;
  if (num_slots_ * slot_bytes_ > kCacheBytes) heap = Scratch(num_slots_ * slot_bytes_), slots = heap.as<char>();
  if (step_.size() > kLocalPlaces) heap_places.resize(2 * step_.size()), base = heap_places.data();
  char **next = base, **at = base + step_.size();
  for (const TensorView& view : inputs) *next++ = view.as<char>();
  for (const TensorView& view : outputs) *next++ = view.as<char>();
  for (int i = 0; i < num_slots_; ++i) *next++ = slots + i * slot_bytes_;

  for (const Action& action : once_) perform(action, base, inputs, 0, std::min(block_, size_));
  int64_t count = static_cast<int64_t>(actions_.size());
  for (int64_t block = first; block < last; ++block) {
    int64_t begin = block * block_, n = std::min(block_, size_ - begin);
    for (size_t i = 0; i < step_.size(); ++i) at[i] = base[i] + begin * step_[i];
    int64_t end = begin + n, ahead = fetches_ahead_ && block + 1 < last ? std::min(block_, size_ - end) : 0;
    int64_t parts = ahead > 0 ? std::min(count, kFetchParts) : 0;
    for (int64_t i = 0; i < count; ++i) {
      if (i < parts) fetch(base, end + ahead * i / parts, end + ahead * (i + 1) / parts);
      perform(actions_[i], at, inputs, begin, n);
    }
  }
}

void PointwiseMachine::run(std::span<const TensorView> inputs, std::span<const TensorView> outputs) const {
  if (size_ == 0) return;
  parallel_for((size_ + block_ - 1) / block_, grain_,
               [&](int64_t first, int64_t last) { run_blocks(inputs, outputs, first, last); });
}

}  // namespace mxnet
