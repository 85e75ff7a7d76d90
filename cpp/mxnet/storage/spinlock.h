// A lock for critical sections of a few nanoseconds: one atomic exchange to take, a plain store to give back.
#pragma once
#include <atomic>
#include <chrono>
#include <thread>

namespace mxnet {

inline void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// One step of waiting for a thread that is about to be done: pause, then offer the core, since the other
// thread may have lost its own, then sleep.
inline void back_off(int step) {
  if (step < 64)
    cpu_pause();
  else if (step < 1024)
    std::this_thread::yield();
  else
    std::this_thread::sleep_for(std::chrono::microseconds(50));
}

class Spinlock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire))
      for (int step = 0; held_.load(std::memory_order_relaxed); ++step) back_off(step);
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

}  // namespace mxnet
