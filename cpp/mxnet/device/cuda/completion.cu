// A thread per device waits for events of its compute stream, first in, first out. Unlike a callback of the
// stream it may call CUDA (completions release memory), and it sees the errors of what ran.
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "mxnet/device/cuda/cuda.h"

namespace mxnet::cuda {
namespace {

using Done = std::function<void(std::exception_ptr)>;

class Watcher {
 public:
  explicit Watcher(int device) : device_(device) {
    std::thread([this] { run(); }).detach();  // lives as long as the process
  }

  void add(Done done) {
    std::unique_lock lock(mutex_);  // held over the recording: events wait in the order of the stream
    DeviceScope scope(device_);
    cudaEvent_t event = take_event();
    check(cudaEventRecord(event, compute_stream(device_)), "cudaEventRecord");
    waiting_.push_back({event, std::move(done)});
    lock.unlock();
    wake_.notify_one();
  }

 private:
  struct Entry {
    cudaEvent_t event;
    Done done;
  };

  cudaEvent_t take_event() {
    if (!spare_.empty()) {
      cudaEvent_t event = spare_.back();
      spare_.pop_back();
      return event;
    }
    cudaEvent_t event;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync), "cudaEventCreate");
    return event;
  }

  void run() {
    std::exception_ptr failure;
    try {
      check(cudaSetDevice(device_), "cudaSetDevice");
    } catch (...) {
      failure = std::current_exception();
    }
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return !waiting_.empty(); });
      Entry entry = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      std::exception_ptr error = failure;
      try {
        check(cudaEventSynchronize(entry.event), "cudaEventSynchronize");
      } catch (...) {
        error = std::current_exception();
      }
      entry.done(error);
      entry.done = nullptr;
      lock.lock();
      spare_.push_back(entry.event);
    }
  }

  const int device_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> waiting_;
  std::vector<cudaEvent_t> spare_;
};

}  // namespace

void when_done(int device, Done done) {
  static std::mutex mutex;
  static auto& watchers = *new std::map<int, std::unique_ptr<Watcher>>();
  std::unique_lock lock(mutex);
  std::unique_ptr<Watcher>& watcher = watchers[device];
  if (!watcher) watcher = std::make_unique<Watcher>(device);
  lock.unlock();
  watcher->add(std::move(done));
}

}  // namespace mxnet::cuda
