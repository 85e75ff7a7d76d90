// What the calling thread is doing for the engine.
#pragma once

namespace mxnet {

class WorkerLane;

struct ThreadState {
  int operations = 0;            // pushed operations under way on this thread, nested ones included
  bool compute = false;          // on_compute_thread()
  bool had_team = false;         // ran a compute operation outside a lane, maybe with a team of threads
  WorkerLane* lane = nullptr;    // the lane this thread works for
  bool may_compute = true;       // false for a lane's thread that must not open parallel regions
  bool holds_operation = false;  // counts as active in its lane
};
ThreadState& thread_state();

// Set while an operation runs on this thread.
class Running {
 public:
  explicit Running(bool compute) : state_(thread_state()), compute_before_(state_.compute) {
    ++state_.operations;
    state_.compute = compute && state_.may_compute;
    state_.had_team |= state_.compute && !state_.lane;
  }
  ~Running() {
    --state_.operations;
    state_.compute = compute_before_;
  }
  Running(const Running&) = delete;

 private:
  ThreadState& state_;
  const bool compute_before_;
};

}  // namespace mxnet
