// Sharing one kernel's work among the compute team.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>

#include "mxnet/base/cpu.h"
#include "mxnet/engine/engine.h"

namespace mxnet {

// How many threads are worth waking for n items when fewer than `grain` are not worth a thread; 1 off the
// compute thread, so that a small operation in the caller starts no team.
inline int team_size(int64_t n, int64_t grain) {
  if (n < 2 * grain || !on_compute_thread()) return 1;
  return static_cast<int>(std::min<int64_t>(compute_threads(), n / grain));
}

// Calls body(begin, end) over [0, n). Shares are taken dynamically, several per thread, so that a busy
// neighbour on one core costs only its own share. The first exception of a share is rethrown.
template <class F>
void parallel_for(int64_t n, int64_t grain, const F& body) {
  int threads = team_size(n, grain);
  if (threads <= 1) {
    if (n > 0) body(int64_t{0}, n);
    return;
  }
  int64_t share = std::max(grain, (n + threads * 4 - 1) / (threads * 4));
  std::atomic<int64_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
#pragma omp parallel num_threads(threads)
  {
    for (int64_t begin; (begin = next.fetch_add(share, std::memory_order_relaxed)) < n;) {
      try {
        body(begin, std::min(begin + share, n));
      } catch (...) {
        std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace mxnet
