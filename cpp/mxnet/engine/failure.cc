#include "mxnet/engine/failure.h"

namespace mxnet {

Ref<Failure> FailureLog::add(std::exception_ptr error) {
  constexpr size_t kKept = 64;  // wait_all raises the oldest only; a program that never waits must not fill memory
  Ref<Failure> failure = make_ref<Failure>(std::move(error));
  std::lock_guard lock(mutex_);
  std::erase_if(failures_, [](const Ref<Failure>& f) { return f->raised(); });
  if (failures_.size() < kKept) failures_.push_back(failure);
  return failure;
}

Ref<Failure> FailureLog::take() {
  std::vector<Ref<Failure>> failures;
  {
    std::lock_guard lock(mutex_);
    failures.swap(failures_);
  }
  Ref<Failure> oldest;
  for (Ref<Failure>& failure : failures)
    if (failure->claim() && !oldest) oldest = failure;
  return oldest;
}

}  // namespace mxnet
