// An exception on its way from the operation that failed to the wait that raises it.
#pragma once
#include <atomic>
#include <exception>
#include <mutex>
#include <vector>

#include "mxnet/base/ref.h"

namespace mxnet {

// Shared by every Var the exception has reached: once a wait has raised it, all of them are clean again.
class Failure : public RefCounted {
 public:
  explicit Failure(std::exception_ptr error) : error_(std::move(error)) {}

  bool raised() const { return raised_.load(std::memory_order_acquire); }
  // For a wait to raise: the exception for the first caller, null for others. It leaves with the thread that
  // raises it, so that no other one destroys it.
  std::exception_ptr take() { return raised_.exchange(true, std::memory_order_acq_rel) ? nullptr : std::move(error_); }

 private:
  std::exception_ptr error_;
  std::atomic<bool> raised_{false};
};

// The failures that wait_all has to answer for, oldest first.
class FailureLog {
 public:
  Ref<Failure> add(std::exception_ptr error);
  // The oldest exception that no wait has raised, or null; all later ones count as raised with it.
  std::exception_ptr take();

  // Held across fork.
  std::mutex& mutex() { return mutex_; }

 private:
  std::mutex mutex_;
  std::vector<Ref<Failure>> failures_;
};

}  // namespace mxnet
