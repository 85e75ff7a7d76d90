#include "mxnet/engine/threaded_engine.h"

#include <algorithm>

#include "mxnet/base/error.h"
#include "mxnet/engine/blocking.h"
#include "mxnet/engine/bulk.h"
#include "mxnet/engine/naive_engine.h"
#include "mxnet/engine/running.h"
#include "mxnet/engine/ticket.h"
#include "mxnet/engine/turn.h"

namespace mxnet {

// --- Operation ---

void Operation::ready() {
  Operation* self = this;
  engine_.dispatch({&self, 1});
}

void Operation::run() {
  Running running(schedule_.lane == Lane::compute);
  if (Ref<Failure> failure = find_failure()) return engine_.finish(this, failure);
  std::exception_ptr error;
  try {
    if (async_task_) {
      return Ticket::start(schedule_.name, std::move(async_task_),
                           [this](std::exception_ptr result) { engine_.finish(this, std::move(result)); });
    }
    task_();
  } catch (...) {
    error = std::current_exception();
  }
  task_ = nullptr;  // before anybody learns that it is done: what it holds is free then
  engine_.finish(this, std::move(error));
}

// --- Pushing ---

ThreadedEngine::ThreadedEngine(const Options& options) : options_(options) { runs_in_caller_ = options.in_caller; }

ThreadedEngine::~ThreadedEngine() { shutdown(); }

void ThreadedEngine::push(std::function<void()> task, std::span<Var* const> reads, std::span<Var* const> writes,
                          const Schedule& schedule) {
  if (stopped_.load(std::memory_order_acquire)) return run_stopped(task, reads, writes, schedule);
  submit(std::make_unique<Operation>(*this, std::move(task), nullptr, schedule), reads, writes);
}

void ThreadedEngine::push_async(std::function<void(Completion)> task, std::span<Var* const> reads,
                                std::span<Var* const> writes, const Schedule& schedule) {
  if (stopped_.load(std::memory_order_acquire)) {
    auto run = [&] { run_to_completion(schedule.name, std::move(task)); };
    return run_stopped(run, reads, writes, schedule);
  }
  submit(std::make_unique<Operation>(*this, nullptr, std::move(task), schedule), reads, writes);
}

void ThreadedEngine::submit(std::unique_ptr<Operation> operation, std::span<Var* const> reads,
                            std::span<Var* const> writes) {
  if (!has_room()) wait_for_room();
  const int64_t bytes = operation->schedule().bytes;
  count(bytes, 1);
  bool is_ready = false;
  try {
    is_ready = operation->claim(reads, writes);
  } catch (...) {
    count(bytes, -1);
    throw;
  }
  Operation* pushed = operation.release();  // may be done already unless it is ready here
  if (is_ready && runs_in_caller()) {
    under_way_.fetch_add(1);
    pushed->run();
  } else if (!bulk::gather(is_ready ? pushed : nullptr) && is_ready) {
    dispatch({&pushed, 1});
  }
}

// After shutdown: no thread is there to run it, so the caller does when it is its turn.
void ThreadedEngine::run_stopped(const std::function<void()>& task, std::span<Var* const> reads,
                                 std::span<Var* const> writes, const Schedule& schedule) {
  bulk::Waiting waiting;
  Turn turn(Request::Kind::operation, reads, writes);
  if (Ref<Failure> failure = turn.find_failure()) return turn.mark_writes(failure);
  Running running(schedule.lane == Lane::compute);
  try {
    task();
  } catch (...) {
    turn.mark_writes(failures_.add(std::current_exception()));
  }
}

void ThreadedEngine::dispatch(std::span<Operation* const> operations) {
  under_way_.fetch_add(static_cast<int64_t>(operations.size()));
  while (!operations.empty()) {
    WorkerLane* lane = lane_for(operations[0]->schedule());
    size_t same = 1;
    while (same < operations.size() && lane_for(operations[same]->schedule()) == lane) ++same;
    if (!lane || !lane->push(operations.first(same)))
      for (Operation* operation : operations.first(same)) operation->run();
    operations = operations.subspan(same);
  }
}

// --- Ending ---

void ThreadedEngine::finish(Operation* operation, std::exception_ptr error) {
  finish(operation, error ? failures_.add(std::move(error)) : nullptr);
}

void ThreadedEngine::finish(Operation* operation, const Ref<Failure>& failure) {
  if (failure) operation->mark_writes(failure);
  operation->give_back();
  const int64_t bytes = operation->schedule().bytes;
  delete operation;
  under_way_.fetch_sub(1);
  count(bytes, -1);
  wake_waiters();
}

void ThreadedEngine::count(int64_t bytes, int sign) {
  bytes_.fetch_add(sign * bytes);
  pending_.fetch_add(sign);
}

// Threads count themselves before looking at what this counted before: one of the two sees the other.
void ThreadedEngine::wake_waiters() {
  bool for_room = gate_->for_room.load() > 0 && (has_much_room() || under_way_.load() == 0);
  bool for_rest = gate_->for_rest.load() > 0 &&
                  (pending_.load() <= gate_->rest.load() || under_way_.load() <= gate_->resting.load());
  if (!for_room && !for_rest) return;
  std::lock_guard lock(gate_->mutex);
  gate_->changed.notify_all();
}

// --- Waiting ---

bool ThreadedEngine::has_room() const {
  return pending_.load() < options_.max_operations && bytes_.load() < options_.max_bytes;
}

// Threads that wait for room are woken late, so that they can push many operations in a row.
bool ThreadedEngine::has_much_room() const {
  return pending_.load() <= options_.max_operations / 4 * 3 && bytes_.load() <= options_.max_bytes / 4 * 3;
}

// Goes on in any case where waiting could be for ever: an operation that pushes may be what the others wait
// for, and if none is under way, all of them wait for Vars that somebody holds in try_run, maybe this thread.
void ThreadedEngine::wait_for_room() {
  if (thread_state().operations > 0) return;
  bulk::Waiting waiting;
  auto done = [this] { return has_much_room() || under_way_.load() == 0; };
  if (spin_until(done)) return;
  Blocking blocking;
  std::unique_lock lock(gate_->mutex);
  gate_->for_room.fetch_add(1);
  gate_->changed.wait(lock, done);
  gate_->for_room.fetch_sub(1);
}

// Waits until nothing is pending but the operations this thread is in. Inside an operation, what is pending may
// wait for that very operation: there it is rest when nothing but operations that wait for rest is under way.
void ThreadedEngine::come_to_rest() {
  bulk::Waiting waiting;
  const int64_t own = thread_state().operations;
  auto done = [&] { return pending_.load() <= own || (own > 0 && under_way_.load() <= gate_->resting.load()); };
  gate_->resting.fetch_add(own);
  if (!spin_until(done)) {
    Blocking blocking;
    std::unique_lock lock(gate_->mutex);
    if (gate_->rest.load() < own || gate_->for_rest.load() == 0) gate_->rest.store(own);
    gate_->for_rest.fetch_add(1);
    if (own > 0) gate_->changed.notify_all();
    gate_->changed.wait(lock, done);
    gate_->for_rest.fetch_sub(1);
  }
  gate_->resting.fetch_sub(own);
}

void ThreadedEngine::wait(Var& var, bool for_write) {
  bulk::Waiting waiting;
  wait_for_turn(var, for_write);
}

void ThreadedEngine::wait_all() {
  come_to_rest();
  if (std::exception_ptr error = failures_.take()) std::rethrow_exception(std::move(error));
}

int ThreadedEngine::set_bulk_size(int size) { return bulk::set_size(size); }

// --- Lanes ---

WorkerLane* ThreadedEngine::lane_for(const Schedule& schedule) {
  size_t index = 0;
  if (options_.per_device) {
    bool own_threads = schedule.lane == Lane::compute || schedule.lane == Lane::copy;
    size_t device = 0;
    if (own_threads && !schedule.ctx.on_host()) device = 1 + static_cast<size_t>(schedule.ctx.id) % (kDevices - 1);
    index = device * kLanes + static_cast<size_t>(schedule.lane);
  }
  if (WorkerLane* lane = lanes_[index].load(std::memory_order_acquire)) return lane;
  std::lock_guard lock(lanes_mutex_);
  if (lanes_closed_) return nullptr;
  WorkerLane* lane = lanes_[index].load(std::memory_order_relaxed);
  if (lane) return lane;
  lane = make_lane(schedule).release();
  lanes_[index].store(lane, std::memory_order_release);
  return lane;
}

std::unique_ptr<WorkerLane> ThreadedEngine::make_lane(const Schedule& schedule) const {
  using Compute = WorkerLane::Compute;
  if (!options_.per_device)
    return std::make_unique<WorkerLane>("mx_worker", std::max(2, options_.io_threads), Compute::first);
  switch (schedule.lane) {
    case Lane::compute: return std::make_unique<WorkerLane>("mx_compute", 1, Compute::all);
    case Lane::copy: return std::make_unique<WorkerLane>("mx_copy", schedule.ctx.on_host() ? 1 : 2, Compute::none);
    case Lane::io: return std::make_unique<WorkerLane>("mx_io", std::max(1, options_.io_threads), Compute::none);
    case Lane::callback: break;
  }
  return std::make_unique<WorkerLane>("mx_callback", 1, Compute::none);
}

void ThreadedEngine::shutdown() {
  if (thread_state().lane) fail(ErrorKind::runtime, "Engine::shutdown: an operation cannot end the engine it runs on");
  stopped_.store(true, std::memory_order_release);
  runs_in_caller_ = true;
  come_to_rest();
  std::array<std::unique_ptr<WorkerLane>, kDevices * kLanes> ended;
  {
    std::lock_guard lock(lanes_mutex_);
    lanes_closed_ = true;
    for (size_t i = 0; i < ended.size(); ++i) ended[i].reset(lanes_[i].exchange(nullptr));
  }
}

// --- Fork ---

void ThreadedEngine::before_fork() {
  for (;;) {
    // A fork inside an operation cannot wait for it; the child then has to keep off the engine's arrays.
    if (thread_state().operations == 0) come_to_rest();
    bulk::mutex().lock();
    lanes_mutex_.lock();
    for (auto& lane : lanes_)
      if (lane.load()) lane.load()->mutex().lock();
    gate_->mutex.lock();
    failures_.mutex().lock();
    if (pending_.load() == 0 || thread_state().operations > 0) return;
    after_fork(false);
  }
}

void ThreadedEngine::after_fork(bool in_child) {
  failures_.mutex().unlock();
  gate_->mutex.unlock();
  for (auto& lane : lanes_)
    if (lane.load()) lane.load()->mutex().unlock();
  lanes_mutex_.unlock();
  bulk::mutex().unlock();
  if (!in_child) return;
  // The threads are gone, and with them the use of what they slept on: left as it is, never destroyed.
  for (auto& lane : lanes_) lane.store(nullptr);
  (void)gate_.release();
  gate_ = std::make_unique<Gate>();
  pending_ = thread_state().operations;
  under_way_ = pending_.load();
  bytes_ = 0;
  thread_state().lane = nullptr;
  thread_state().holds_operation = false;
}

}  // namespace mxnet
