// Engine's inline half: running an operation in the caller, and waits that find nothing to wait for.
// Included by engine.h.
#pragma once
#include <exception>
#include <span>

namespace mxnet {

// Vars held by the calling thread for one try_run; given back when it ends.
class HeldVars {
 public:
  HeldVars(std::span<Var* const> reads, std::span<Var* const> writes) : reads_(reads), writes_(writes) {}
  HeldVars(const HeldVars&) = delete;
  ~HeldVars() { give_back(num_writes_, num_reads_); }

  // Takes all of them or none.
  bool take() {
    uint32_t seen = 0;
    size_t w = 0, r = 0;
    while (w < writes_.size() && (writes_[w]->try_write(seen) || is_repeated(w))) ++w;
    if (w == writes_.size())
      while (r < reads_.size() && reads_[r]->try_read(seen)) ++r;
    if (r < reads_.size() || w < writes_.size()) {
      give_back(w, r);
      return false;
    }
    num_writes_ = w;
    num_reads_ = r;
    carries_failure_ = seen & Var::kFailed;
    for (Var* var : writes_) var->count_write();
    return true;
  }
  bool carries_failure() const { return carries_failure_; }

  Ref<Failure> find_failure() const;
  void mark_writes(const Ref<Failure>& failure) const;

 private:
  // A write that cannot be taken may be one that this list has taken already.
  bool is_repeated(size_t index) {
    if (index == 0 || !stands_before(index)) return false;
    has_repeats_ = true;
    return true;
  }
  bool stands_before(size_t index) const;
  void give_back(size_t num_writes, size_t num_reads) {
    for (size_t i = 0; i < num_reads; ++i) reads_[i]->end_read();
    for (size_t i = 0; i < num_writes; ++i)
      if (!has_repeats_ || !stands_before(i)) writes_[i]->end_write();
  }

  const std::span<Var* const> reads_, writes_;
  size_t num_reads_ = 0, num_writes_ = 0;
  bool carries_failure_ = false;
  bool has_repeats_ = false;
};

template <class Task>
bool Engine::try_run(Task&& task, std::span<Var* const> reads, std::span<Var* const> writes) {
  HeldVars held(reads, writes);
  if (!held.take()) return false;
  if (held.carries_failure()) [[unlikely]] {
    if (Ref<Failure> failure = held.find_failure()) {
      held.mark_writes(failure);
      return true;
    }
  }
  try {
    task();
  } catch (...) {
    if (throws_at_once_) throw;
    held.mark_writes(failures_.add(std::current_exception()));
  }
  return true;
}

inline void Engine::wait_to_read(Var& var) {
  if (!var.readable()) wait(var, false);
}

inline void Engine::wait_to_write(Var& var) {
  if (!var.idle()) wait(var, true);
}

}  // namespace mxnet
