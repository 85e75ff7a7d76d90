#include "mxnet/graph/update_layout.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace mxnet {
namespace {

// Arrays that share a chunk are one only if they are the same part of it.
class Numbers {
 public:
  Numbers(std::span<const NDArray> inputs, std::span<const NDArray> grads) {
    for (std::span<const NDArray> arrays : {inputs, grads})
      for (const NDArray& array : arrays) add(array);
  }

  // The number of an array, a new one if it is not known; none for another part of known memory.
  std::optional<int> of(const NDArray& array) {
    auto it = known_.find(array.chunk().get());
    if (it == known_.end()) return add(array);
    if (!same_memory(arrays_[it->second], array)) return {};
    return it->second;
  }
  std::span<const NDArray> from(size_t first) const { return std::span(arrays_).subspan(first); }

 private:
  int add(const NDArray& array) {
    int number = static_cast<int>(arrays_.size());
    arrays_.push_back(array);
    if (array.defined()) known_.emplace(array.chunk().get(), number);
    return number;
  }

  Arrays arrays_;
  std::unordered_map<const void*, int> known_;
};

bool works_in_place(const Op& op) {
  return op.is_inplace && op.cpu_kernel() && !op.bind && !op.draws && op.lane == Lane::compute;
}

// The places of a call's arrays in what it reads.
std::optional<UpdateLayout::Entry> entry_of(const UpdateCall& call, Numbers& numbers) {
  UpdateLayout::Entry entry{call.op, {}, {}};
  if (!works_in_place(*call.op)) return {};
  for (const NDArray& array : call.inputs) {
    std::optional<int> number = numbers.of(array);
    if (!number) return {};
    entry.reads.push_back(*number);
  }
  for (const NDArray& array : call.outputs) {
    std::optional<int> number = numbers.of(array);
    if (!number || std::find(entry.reads.begin(), entry.reads.end(), *number) == entry.reads.end()) return {};
    entry.writes.push_back(*number);
  }
  return entry;
}

}  // namespace

std::optional<UpdateLayout> UpdateLayout::of(std::span<const UpdateCall> calls, std::span<const NDArray> inputs,
                                             std::span<const NDArray> grads) {
  UpdateLayout layout;
  Numbers numbers(inputs, grads);
  std::unordered_set<int> touched, written;
  for (const UpdateCall& call : calls) {
    std::optional<Entry> entry = entry_of(call, numbers);
    if (!entry) return {};
    // No call reads what another one writes.
    for (int number : entry->reads)
      if (written.contains(number)) return {};
    for (size_t i = 0; i < entry->reads.size(); ++i) {
      if (!call.op->writes_input(call.params->data(), i)) continue;
      if (touched.contains(entry->reads[i])) return {};
      written.insert(entry->reads[i]);
    }
    for (int number : entry->writes)
      if (touched.contains(number) || !written.insert(number).second) return {};
    touched.insert(entry->reads.begin(), entry->reads.end());
    layout.entries_.push_back(std::move(*entry));
  }
  for (const NDArray& array : numbers.from(inputs.size() + grads.size()))
    layout.others_.push_back({array.shape(), array.dtype()});
  return layout;
}

bool UpdateLayout::fits(std::span<const UpdateCall> calls, std::span<const NDArray> inputs,
                        std::span<const NDArray> grads) const {
  if (calls.size() != entries_.size()) return false;
  size_t known = inputs.size() + grads.size();
  Arrays others(others_.size());
  auto same = [&](int number, const NDArray& array) {
    size_t n = static_cast<size_t>(number);
    if (n < inputs.size()) return same_memory(inputs[n], array);
    if (n < known) return same_memory(grads[n - inputs.size()], array);
    NDArray& other = others[n - known];
    const TensorSpec& spec = others_[n - known];
    if (other.defined()) return same_memory(other, array);
    other = array;
    return array.shape() == spec.shape && array.dtype() == spec.dtype;
  };
  for (size_t c = 0; c < calls.size(); ++c) {
    const Entry& entry = entries_[c];
    if (calls[c].op != entry.op) return false;
    if (!std::equal(entry.reads.begin(), entry.reads.end(), calls[c].inputs.begin(), calls[c].inputs.end(), same))
      return false;
    if (!std::equal(entry.writes.begin(), entry.writes.end(), calls[c].outputs.begin(), calls[c].outputs.end(), same))
      return false;
  }
  return true;
}

Arrays UpdateLayout::others_of(std::span<const UpdateCall> calls, size_t num_known) const {
  Arrays others(others_.size());
  for (size_t c = 0; c < calls.size(); ++c)
    for (size_t i = 0; i < entries_[c].reads.size(); ++i)
      if (size_t n = static_cast<size_t>(entries_[c].reads[i]); n >= num_known)
        others[n - num_known] = calls[c].inputs[i];
  return others;
}

}  // namespace mxnet
