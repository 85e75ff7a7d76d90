// Var: a token that operations read and write. Who holds it, and who waits for it, orders the operations.
#pragma once
#include <atomic>
#include <cstdint>

#include "mxnet/base/ref.h"
#include "mxnet/engine/failure.h"

namespace mxnet {

class Request;
struct Claim;
struct ReadyList;

class Var final : public RefCounted {
 public:
  // Grows whenever a write is issued (pushed, or run by try_run), not when it is done.
  uint64_t version() const { return version_.load(std::memory_order_relaxed); }

  // No write is pending and no failure to raise: what a wait finds in the common case.
  bool readable() const { return !(state_.load(std::memory_order_acquire) & ~kReaders); }
  // Nothing is pending at all.
  bool idle() const { return state_.load(std::memory_order_acquire) == 0; }

 private:
  friend class Request;
  friend class HeldVars;

  // The state word: holders and waiters of the Var. While kLocked is set only the locker changes it.
  static constexpr uint32_t kLocked = 1;   // the queue or the failure is being changed
  static constexpr uint32_t kQueued = 2;   // claims wait in the queue, newcomers queue behind them
  static constexpr uint32_t kWriter = 4;   // an operation writes
  static constexpr uint32_t kFailed = 8;   // failure_ is set
  static constexpr uint32_t kReader = 16;  // one unit per reading operation
  static constexpr uint32_t kReaders = ~uint32_t{kReader - 1};

  // The fast path: true when the Var was taken at once. `seen` gathers the states met.
  bool try_read(uint32_t& seen) {
    uint32_t word = state_.load(std::memory_order_relaxed);
    while (!(word & (kLocked | kQueued | kWriter)) || wait_unlocked(word, kQueued | kWriter))
      if (state_.compare_exchange_weak(word, word + kReader, std::memory_order_acquire, std::memory_order_relaxed)) {
        seen |= word;
        return true;
      }
    return false;
  }
  bool try_write(uint32_t& seen) {
    uint32_t word = state_.load(std::memory_order_relaxed);
    while (!(word & ~kFailed) || wait_unlocked(word, ~(kFailed | kLocked)))
      if (state_.compare_exchange_weak(word, word | kWriter, std::memory_order_acquire, std::memory_order_relaxed)) {
        seen |= word;
        return true;
      }
    return false;
  }
  void end_read() {
    uint32_t word = state_.load(std::memory_order_relaxed);
    while (!(word & (kLocked | kQueued)))
      if (state_.compare_exchange_weak(word, word - kReader, std::memory_order_release, std::memory_order_relaxed))
        return;
    end_slowly(false);
  }
  void end_write() {
    uint32_t word = state_.load(std::memory_order_relaxed);
    while (!(word & (kLocked | kQueued)))
      if (state_.compare_exchange_weak(word, word - kWriter, std::memory_order_release, std::memory_order_relaxed))
        return;
    end_slowly(true);
  }
  // Only by the holder of a write or of the lock.
  void count_write() { version_.store(version() + 1, std::memory_order_relaxed); }

  bool wait_unlocked(uint32_t& word, uint32_t busy) const;
  void end_slowly(bool write);
  uint32_t lock();
  void unlock(uint32_t word) { state_.store(word, std::memory_order_release); }
  uint32_t enqueue(uint32_t word, Claim& claim, int& granted);
  uint32_t grant_waiting(uint32_t word, ReadyList& ready);
  void give_back(bool write, ReadyList& ready);
  void set_failure(const Ref<Failure>& failure);
  Ref<Failure> failure();

  std::atomic<uint32_t> state_{0};
  std::atomic<uint64_t> version_{0};
  Claim* first_ = nullptr;  // the queue, oldest first
  Claim* last_ = nullptr;
  Ref<Failure> failure_;
};

}  // namespace mxnet
