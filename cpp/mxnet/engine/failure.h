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
  // True for the first caller only: of several waits, one raises.
  bool claim() { return !raised_.exchange(true, std::memory_order_acq_rel); }
  const std::exception_ptr& error() const { return error_; }

 private:
  const std::exception_ptr error_;
  std::atomic<bool> raised_{false};
};

// The failures that wait_all has to answer for, oldest first.
class FailureLog {
 public:
  Ref<Failure> add(std::exception_ptr error);
  // The oldest failure that no wait has raised, already claimed, or null; all later ones are forgotten too.
  Ref<Failure> take();

  // Held across fork.
  std::mutex& mutex() { return mutex_; }

 private:
  std::mutex mutex_;
  std::vector<Ref<Failure>> failures_;
};

}  // namespace mxnet
