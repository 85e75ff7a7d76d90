// WorkerLane: threads that run ready operations, highest priority first, then in the order they came.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "mxnet/engine/operation.h"

namespace mxnet {

class WorkerLane {
 public:
  // Which of the threads count as compute threads when they run a compute operation.
  enum class Compute : uint8_t { none, first, all };

  // At most `limit` operations run at a time.
  WorkerLane(std::string name, int limit, Compute compute)
      : name_(std::move(name)), limit_(static_cast<size_t>(limit)), compute_(compute) {}
  WorkerLane(const WorkerLane&) = delete;
  ~WorkerLane() { stop(); }

  // False, and nothing taken, if the lane has no thread and the system gives none.
  bool push(std::span<Operation* const> operations);
  // Runs what is still queued and ends the threads.
  void stop();

  // Around blocking in one of the lane's threads: another one takes its place meanwhile, so that an operation
  // may wait for one behind it.
  void enter_blocking();
  void leave_blocking();

  // Held across fork.
  std::mutex& mutex() { return mutex_; }

 private:
  struct Entry {
    int priority;
    uint64_t order;
    Operation* operation;
    bool operator<(const Entry& other) const {
      return priority != other.priority ? priority < other.priority : order > other.order;
    }
  };

  void work(bool compute);
  Operation* next();
  bool start_threads();
  void wake_one();

  const std::string name_;
  const size_t limit_;
  const Compute compute_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
  std::vector<Entry> queue_;       // a heap
  std::atomic<size_t> queued_{0};  // its size, for spinning threads
  uint64_t order_ = 0;
  size_t active_ = 0;    // threads that run an operation and are not blocked in it
  size_t blocked_ = 0;   // threads that are blocked in an operation
  size_t sleeping_ = 0;  // threads without work
  size_t waking_ = 0;    // of those, notified and not yet up
  bool stopping_ = false;
};

}  // namespace mxnet
