#include "mxnet/engine/worker_lane.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <system_error>

#include "mxnet/engine/blocking.h"
#include "mxnet/engine/running.h"

namespace mxnet {
namespace {

constexpr size_t kMaxThreads = 256;

// Threads started under it take no signals: those belong to the program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

bool WorkerLane::push(std::span<Operation* const> operations) {
  std::lock_guard lock(mutex_);
  if (!start_threads()) return false;
  for (Operation* operation : operations) {
    queue_.push_back({operation->schedule().priority, order_++, operation});
    std::push_heap(queue_.begin(), queue_.end());
  }
  queued_.store(queue_.size(), std::memory_order_relaxed);
  for (size_t i = 0; i < operations.size(); ++i) wake_one();
  return true;
}

// Locked. Brings the threads that are not blocked up to the limit.
bool WorkerLane::start_threads() {
  size_t wanted = std::min(limit_ + blocked_, kMaxThreads);
  if (threads_.size() >= wanted) return true;
  SignalsBlocked signals_blocked;
  try {
    while (threads_.size() < wanted) {
      bool compute = compute_ == Compute::all || (compute_ == Compute::first && threads_.empty());
      threads_.emplace_back([this, compute] { work(compute); });
    }
  } catch (const std::system_error&) {
    // The system gives no more: those that run will do.
  }
  return !threads_.empty();
}

// Locked.
void WorkerLane::wake_one() {
  if (waking_ >= sleeping_) return;
  ++waking_;
  wake_.notify_one();
}

void WorkerLane::work(bool compute) {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  ThreadState& state = thread_state();
  state.lane = this;
  state.may_compute = compute;
  while (Operation* operation = next()) operation->run();
}

// The next operation, which then counts as active until the thread asks again; null when the lane ends.
Operation* WorkerLane::next() {
  ThreadState& state = thread_state();
  std::unique_lock lock(mutex_);
  if (std::exchange(state.holds_operation, false)) --active_;
  if (queue_.empty() && !stopping_ && spinning_helps()) {
    lock.unlock();
    spin_until([this] { return queued_.load(std::memory_order_relaxed) > 0; });
    lock.lock();
  }
  while (queue_.empty() || active_ >= limit_) {
    if (stopping_ && queue_.empty()) return nullptr;
    ++sleeping_;
    wake_.wait(lock);
    --sleeping_;
    if (waking_ > 0) --waking_;
  }
  std::pop_heap(queue_.begin(), queue_.end());
  Operation* operation = queue_.back().operation;
  queue_.pop_back();
  queued_.store(queue_.size(), std::memory_order_relaxed);
  ++active_;
  state.holds_operation = true;
  return operation;
}

void WorkerLane::enter_blocking() {
  std::lock_guard lock(mutex_);
  --active_;
  ++blocked_;
  if (queue_.empty()) return;
  start_threads();
  wake_one();
}

void WorkerLane::leave_blocking() {
  std::lock_guard lock(mutex_);
  ++active_;
  --blocked_;
}

void WorkerLane::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace mxnet
