#include "mxnet/engine/engine.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "mxnet/base/error.h"
#include "mxnet/engine/blocking.h"
#include "mxnet/engine/naive_engine.h"
#include "mxnet/engine/running.h"
#include "mxnet/engine/threaded_engine.h"
#include "mxnet/engine/turn.h"
#include "mxnet/storage/host_memory.h"

namespace mxnet {
namespace {

std::atomic<void* (*)()> enter_hook{nullptr};
std::atomic<void (*)(void*)> leave_hook{nullptr};

ThreadedEngine* threaded = nullptr;  // the process's engine if it has threads

int64_t env_number(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  int64_t value = text ? std::strtoll(text, nullptr, 10) : 0;
  return value > 0 ? value : otherwise;
}

// A team of OpenMP threads does not live on in a child; without one the child starts its own.
void end_own_team() {
  ThreadState& state = thread_state();
  if (state.had_team) omp_pause_resource_all(omp_pause_hard);
  state.had_team = false;
}

void register_fork_handlers() {
  pthread_atfork(
      [] {
        if (threaded) threaded->before_fork();
        end_own_team();
      },
      [] {
        if (threaded) threaded->after_fork(false);
      },
      [] {
        if (threaded) threaded->after_fork(true);
      });
}

Engine& start_engine() {
  const char* wish = std::getenv("MXNET_ENGINE_TYPE");
  std::string_view type = wish ? wish : "ThreadedEnginePerDevice";
  Engine* engine = nullptr;
  if (type == "NaiveEngine") {
    engine = new NaiveEngine;
  } else if (type == "ThreadedEngine" || type == "ThreadedEnginePerDevice") {
    ThreadedEngine::Options options;
    options.per_device = type == "ThreadedEnginePerDevice";
    options.in_caller = !spinning_helps();
    options.io_threads = static_cast<int>(std::clamp<int64_t>(env_number("MXNET_CPU_WORKER_NTHREADS", 1), 1, 64));
    options.max_operations = env_number("MXNET_ENGINE_MAX_PENDING_OPERATIONS", options.max_operations);
    int64_t bytes = std::min(options.max_bytes, storage::host_memory_bytes() / 4);
    options.max_bytes = env_number("MXNET_ENGINE_MAX_PENDING_BYTES", bytes);
    engine = threaded = new ThreadedEngine(options);
  } else {
    value_error("MXNET_ENGINE_TYPE is '", type, "'; it can be ThreadedEnginePerDevice, ThreadedEngine or NaiveEngine");
  }
  register_fork_handlers();
  std::atexit([] {
    if (!thread_state().lane) Engine::get().shutdown();  // exit() inside an operation has to do without
  });
  return *engine;
}

}  // namespace

// Never destroyed: Vars and arrays may be used until the process is gone.
Engine& Engine::get() {
  static Engine& engine = start_engine();
  return engine;
}

void Engine::set_blocking_hooks(BlockingHooks hooks) {
  enter_hook.store(hooks.enter, std::memory_order_relaxed);
  leave_hook.store(hooks.leave, std::memory_order_release);
}

Blocking::Blocking() {
  leave_ = leave_hook.load(std::memory_order_acquire);
  auto enter = enter_hook.load(std::memory_order_relaxed);
  token_ = enter ? enter() : nullptr;
  ThreadState& state = thread_state();
  if (state.holds_operation) state.lane->enter_blocking();
}

Blocking::~Blocking() {
  ThreadState& state = thread_state();
  if (state.holds_operation) state.lane->leave_blocking();
  if (leave_) leave_(token_);
}

bool spinning_helps() {
  static const bool several = [] {
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof cpus, &cpus) != 0 || CPU_COUNT(&cpus) > 1;
  }();
  return several;
}

ThreadState& thread_state() {
  thread_local ThreadState state;
  return state;
}

bool on_compute_thread() { return thread_state().compute; }

bool HeldVars::stands_before(size_t index) const {
  return std::find(writes_.begin(), writes_.begin() + static_cast<std::ptrdiff_t>(index), writes_[index]) !=
         writes_.begin() + static_cast<std::ptrdiff_t>(index);
}

Ref<Failure> HeldVars::find_failure() const {
  for (auto vars : {reads_, writes_})
    for (Var* var : vars)
      if (Ref<Failure> failure = var->failure()) return failure;
  return nullptr;
}

void HeldVars::mark_writes(const Ref<Failure>& failure) const {
  for (Var* var : writes_) var->set_failure(failure);
}

void wait_for_turn(Var& var, bool for_write) {
  spin_until([&] { return for_write ? var.idle() : var.readable(); });
  Var* vars[] = {&var};
  std::span<Var* const> none, one(vars);
  Ref<Failure> failure;
  {
    Turn turn(Request::Kind::wait, for_write ? none : one, for_write ? one : none);
    failure = turn.find_failure();
  }
  if (!failure) return;
  if (std::exception_ptr error = failure->take()) std::rethrow_exception(std::move(error));
}

}  // namespace mxnet
