// How a thread waits for another one.
#pragma once
#include <atomic>
#include <cstdint>

#include "mxnet/storage/spinlock.h"

namespace mxnet {

// Around real blocking: calls the hooks of the embedding language. Open it before taking any lock.
class Blocking {
 public:
  Blocking();
  ~Blocking();
  Blocking(const Blocking&) = delete;

 private:
  void* token_;
  void (*leave_)(void*);
};

// False where this process has one CPU: spinning there only keeps the other thread from working.
bool spinning_helps();

// Waits a few microseconds for `done`, which is cheaper than sleeping if it comes true.
template <class Done>
bool spin_until(const Done& done) {
  if (done()) return true;
  if (!spinning_helps()) return false;
  for (int i = 0; i < 150; ++i) {
    cpu_pause();
    if (done()) return true;
  }
  return false;
}

// Set once, by any thread; may end as soon as it is seen set.
class Event {
 public:
  void set() {
    set_.store(1, std::memory_order_release);
    set_.notify_all();
  }
  bool is_set() const { return set_.load(std::memory_order_acquire) != 0; }
  void wait() {
    if (spin_until([this] { return is_set(); })) return;
    Blocking blocking;
    while (!is_set()) set_.wait(0, std::memory_order_acquire);
  }

 private:
  std::atomic<int> set_{0};
};

}  // namespace mxnet
