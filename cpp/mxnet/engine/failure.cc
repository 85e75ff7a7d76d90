#include "mxnet/engine/failure.h"

#include <algorithm>
#include <iterator>

namespace mxnet {

Ref<Failure> FailureLog::add(std::exception_ptr error) {
  constexpr size_t kKept = 64;  // wait_all raises the oldest only; a program that never waits must not fill memory
  Ref<Failure> failure = make_ref<Failure>(std::move(error));
  std::vector<Ref<Failure>> raised;  // freed after the lock: an exception may hold what other locks guard
  std::lock_guard lock(mutex_);
  auto gone = std::stable_partition(failures_.begin(), failures_.end(), [](auto& f) { return !f->raised(); });
  raised.assign(std::move_iterator(gone), std::move_iterator(failures_.end()));
  failures_.erase(gone, failures_.end());
  if (failures_.size() < kKept) failures_.push_back(failure);
  return failure;
}

std::exception_ptr FailureLog::take() {
  std::vector<Ref<Failure>> failures;
  {
    std::lock_guard lock(mutex_);
    failures.swap(failures_);
  }
  std::exception_ptr oldest;
  for (Ref<Failure>& failure : failures)
    if (std::exception_ptr error = failure->take(); !oldest) oldest = std::move(error);
  return oldest;
}

}  // namespace mxnet
