// ThreadedEngine: operations run on the lanes' threads while the pushing thread goes on.
#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "mxnet/engine/engine.h"
#include "mxnet/engine/operation.h"
#include "mxnet/engine/worker_lane.h"

namespace mxnet {

class ThreadedEngine final : public Engine {
 public:
  struct Options {
    bool per_device = true;  // lanes of their own per device and kind; false: one pool for all
    bool in_caller = false;  // operations that are ready when pushed run in the caller
    int io_threads = 1;
    int64_t max_operations = 1024;  // the run-ahead: pending operations and the bytes they pin
    int64_t max_bytes = int64_t{512} << 20;
  };
  explicit ThreadedEngine(const Options& options);
  ~ThreadedEngine() override;

  void push(std::function<void()> task, std::span<Var* const> reads, std::span<Var* const> writes,
            const Schedule& schedule) override;
  void push_async(std::function<void(Completion)> task, std::span<Var* const> reads, std::span<Var* const> writes,
                  const Schedule& schedule) override;
  void wait_all() override;
  const char* type() const override { return options_.per_device ? "ThreadedEnginePerDevice" : "ThreadedEngine"; }
  int set_bulk_size(int size) override;
  void shutdown() override;

  // Called by operations: all Vars are there; it is done, with the exception it ended with or with the
  // failure it found on a Var.
  void dispatch(std::span<Operation* const> operations);
  void finish(Operation* operation, std::exception_ptr error);
  void finish(Operation* operation, const Ref<Failure>& failure);

  // Around fork: brings the engine to rest, and on again in the parent or, without its threads, in the child.
  void before_fork();
  void after_fork(bool in_child);

  int64_t pending_operations() const { return pending_.load(); }

 protected:
  void wait(Var& var, bool for_write) override;

 private:
  // Where threads sleep until enough is done. Replaced in a forked child, whose copy may be in any state.
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<int> for_room{0}, for_rest{0};  // threads waiting, by what they wait for
    std::atomic<int64_t> rest{0};               // the number of pending operations that one of them takes for rest
    std::atomic<int64_t> resting{0};            // operations whose threads wait for rest
  };

  void submit(std::unique_ptr<Operation> operation, std::span<Var* const> reads, std::span<Var* const> writes);
  void run_stopped(const std::function<void()>& task, std::span<Var* const> reads, std::span<Var* const> writes,
                   const Schedule& schedule);
  void count(int64_t bytes, int sign);
  bool has_room() const;
  bool has_much_room() const;
  void wait_for_room();
  void come_to_rest();
  void wake_waiters();
  WorkerLane* lane_for(const Schedule& schedule);
  std::unique_ptr<WorkerLane> make_lane(const Schedule& schedule) const;

  static constexpr size_t kDevices = 17;  // the host and up to 16 GPUs; more GPUs share lanes
  static constexpr size_t kLanes = 4;

  const Options options_;
  std::atomic<int64_t> pending_{0};    // operations pushed and not done
  std::atomic<int64_t> bytes_{0};      // what they pin
  std::atomic<int64_t> under_way_{0};  // those of them that need nothing but a thread to end
  std::atomic<bool> stopped_{false};
  std::unique_ptr<Gate> gate_ = std::make_unique<Gate>();
  std::mutex lanes_mutex_;
  bool lanes_closed_ = false;
  std::array<std::atomic<WorkerLane*>, kDevices * kLanes> lanes_{};
};

}  // namespace mxnet
