#include "mxnet/graph/memory_plan.h"

#include <algorithm>
#include <limits>
#include <map>

namespace mxnet {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int kForever = std::numeric_limits<int>::max();

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Offsets in one growing block.
class Arena {
 public:
  int64_t take(int64_t bytes) {
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it)
      if (it->second >= bytes && (best == free_.end() || it->second < best->second)) best = it;
    if (best == free_.end()) return take_at_end(bytes);
    auto [offset, size] = *best;
    free_.erase(best);
    if (size > bytes) free_[offset + bytes] = size - bytes;
    return offset;
  }
  void give_back(int64_t offset, int64_t bytes) {
    if (bytes == 0) return;
    auto it = free_.emplace(offset, bytes).first;
    if (auto next = std::next(it); next != free_.end() && it->first + it->second == next->first) {
      it->second += next->second;
      free_.erase(next);
    }
    if (it == free_.begin()) return;
    auto before = std::prev(it);
    if (before->first + before->second != it->first) return;
    before->second += it->second;
    free_.erase(it);
  }
  int64_t size() const { return size_; }

 private:
  // Grows the block; a free piece at its end becomes part of the new one.
  int64_t take_at_end(int64_t bytes) {
    int64_t offset = size_;
    if (!free_.empty()) {
      auto last = std::prev(free_.end());
      if (last->first + last->second == size_) {
        offset = last->first;
        free_.erase(last);
      }
    }
    size_ = offset + bytes;
    return offset;
  }

  std::map<int64_t, int64_t> free_;  // offset, bytes
  int64_t size_ = 0;
};

class Planner {
 public:
  explicit Planner(const MemoryTask& task) : task_(task), graph_(task.graph) {
    plan_.place_of.assign(graph_.num_values(), -1);
    plan_.no_kernel.resize(graph_.nodes().size());
    leaves_.resize(graph_.num_values());
    for (int value : task.outputs) leaves_[value] = true;
  }

  MemoryPlan run() {
    find_roots();
    find_last_uses();
    place_inputs();
    for (size_t i = 0; i < graph_.nodes().size(); ++i)
      if (!graph_.nodes()[i]->is_variable()) place_node(i);
    lay_out();
    return std::move(plan_);
  }

 private:
  int64_t bytes_of(int value) const {
    const TensorSpec& spec = task_.specs[value];
    return spec.shape.size() * size_of(spec.dtype);
  }

  // A view of an input that leaves the graph is one for the caller too, so it must be one always.
  bool is_view(size_t number) const {
    View view = graph_.nodes()[number]->op->view;
    return view == View::always || (view == View::on_tape && !leaves_[graph_.first_value(number)]);
  }

  // The value whose place each value shares by being a view of it.
  void find_roots() {
    for (int value = 0; value < graph_.num_values(); ++value) roots_.push_back(value);
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      if (graph_.nodes()[i]->is_variable() || !is_view(i)) continue;
      plan_.no_kernel[i] = true;
      roots_[graph_.first_value(i)] = roots_[graph_.reads(i)[0]];
    }
  }

  void find_last_uses() {
    last_use_.assign(graph_.num_values(), -1);
    auto use = [&](int value, int node) { last_use_[roots_[value]] = std::max(last_use_[roots_[value]], node); };
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      int number = static_cast<int>(i);
      for (int k = 0; k < graph_.nodes()[i]->num_outputs(); ++k) use(graph_.first_value(i) + k, number);
      if (graph_.nodes()[i]->is_variable()) continue;
      for (int value : graph_.reads(i))
        if (value >= 0) use(value, number);
    }
    for (int value : task_.outputs) use(value, kForever);
    for (int value : task_.saved) use(value, kForever);
  }

  int add_place(Place::Kind kind, int index, int64_t bytes, int first_use, int last_use) {
    plan_.places.push_back({kind, index, 0, bytes});
    spans_.push_back({first_use, last_use});
    return static_cast<int>(plan_.places.size()) - 1;
  }

  void place_inputs() {
    for (size_t i = 0; i < task_.inputs.size(); ++i)
      if (int value = task_.inputs[i]; value >= 0)
        plan_.place_of[value] = add_place(Place::Kind::input, static_cast<int>(i), bytes_of(value), 0, kForever);
  }

  void place_node(size_t number) {
    int first = graph_.first_value(number), now = static_cast<int>(number);
    if (plan_.no_kernel[number]) {
      plan_.place_of[first] = plan_.place_of[roots_[first]];
      return;
    }
    for (int value = first; value < first + graph_.nodes()[number]->num_outputs(); ++value) {
      int& place = plan_.place_of[value];
      place = overwritten_place(value, now);
      if (place >= 0) continue;
      place = reusable_place(number, value);
      if (place >= 0)
        spans_[place].last = last_use_[value];
      else
        place = add_place(Place::Kind::temporary, 0, bytes_of(value), now, last_use_[value]);
    }
  }

  // The place of an input that the value is to be written over; an input that leaves the graph leaves it changed.
  int overwritten_place(int value, int now) const {
    auto it = task_.overwritten.find(value);
    if (it == task_.overwritten.end()) return -1;
    int last_use = last_use_[roots_[it->second]];
    return last_use <= now || last_use == kForever ? plan_.place_of[it->second] : -1;
  }

  // The place of an input that nobody needs after this node, for an output of an operator that may work in place.
  int reusable_place(size_t number, int out) const {
    const Node& node = *graph_.nodes()[number];
    if (!node.op->is_inplace || (node.num_outputs() > 1 && !node.op->any_inplace)) return -1;
    std::vector<int> reads = graph_.reads(number);
    for (int value : reads) {
      if (value < 0 || last_use_[roots_[value]] != static_cast<int>(number)) continue;
      int place = plan_.place_of[value];
      bool alike =
          task_.specs[value].shape == task_.specs[out].shape && task_.specs[value].dtype == task_.specs[out].dtype;
      auto shares = [&](int other) { return other >= 0 && plan_.place_of[other] == place; };
      bool once = std::count_if(reads.begin(), reads.end(), shares) == 1;
      bool taken = false;  // by an output before this one
      for (int other = graph_.first_value(number); other < out; ++other) taken |= shares(other);
      if (alike && once && !taken && plan_.places[place].kind == Place::Kind::temporary) return place;
    }
    return -1;
  }

  void lay_out() {
    for (int value : task_.outputs) leave(value, Place::Kind::output);
    for (int value : task_.saved) leave(value, Place::Kind::saved);
    Arena arena;
    std::vector<std::vector<int>> starting(graph_.nodes().size()), ending(graph_.nodes().size());
    for (size_t p = 0; p < plan_.places.size(); ++p) {
      if (plan_.places[p].kind != Place::Kind::temporary) continue;
      starting[spans_[p].first].push_back(static_cast<int>(p));
      ending[spans_[p].last].push_back(static_cast<int>(p));
    }
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      for (int p : starting[i]) plan_.places[p].offset = arena.take(aligned(plan_.places[p].bytes));
      for (int p : ending[i]) arena.give_back(plan_.places[p].offset, aligned(plan_.places[p].bytes));
    }
    plan_.temporary_bytes = arena.size();
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      if (graph_.nodes()[i]->is_variable() || plan_.no_kernel[i]) continue;
      int first = graph_.first_value(i);
      for (int value = first; value < first + graph_.nodes()[i]->num_outputs(); ++value)
        if (plan_.places[plan_.place_of[value]].kind == Place::Kind::temporary)
          plan_.unshared_bytes += aligned(bytes_of(value));
    }
  }

  // Takes the place of a value out of the temporary block.
  void leave(int value, Place::Kind kind) {
    Place& place = plan_.places[plan_.place_of[value]];
    if (place.kind != Place::Kind::temporary) return;
    place.kind = kind;
    if (kind == Place::Kind::output) {
      place.index = plan_.num_outputs++;
    } else {
      place.offset = plan_.saved_bytes;
      plan_.saved_bytes += aligned(std::max<int64_t>(place.bytes, 1));  // empty ones too have a place
    }
  }

  struct Span {
    int first, last;
  };

  const MemoryTask& task_;
  const NumberedGraph& graph_;
  MemoryPlan plan_;
  std::vector<bool> leaves_;   // values that leave the graph
  std::vector<int> roots_;     // by value
  std::vector<int> last_use_;  // by value that is a root: number of a node
  std::vector<Span> spans_;    // by place: nodes between which it is in use
};

}  // namespace

MemoryPlan plan_memory(const MemoryTask& task) { return Planner(task).run(); }

}  // namespace mxnet
