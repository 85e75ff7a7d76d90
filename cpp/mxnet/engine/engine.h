// The dependency engine: runs operations in parallel as far as their reads and writes of Vars allow.
// It orders tokens and knows no tensors.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>

#include "mxnet/base/ref.h"
#include "mxnet/device/context.h"
#include "mxnet/engine/failure.h"
#include "mxnet/engine/var.h"

namespace mxnet {

// Which threads run an operation. Compute operations of one device run one at a time, each on the
// device's whole team of threads; the other lanes have threads of their own. All host contexts are one device.
enum class Lane : uint8_t { compute, copy, io, callback };

struct Schedule {
  const char* name = "";  // for diagnostics; must outlive the operation
  Context ctx{};
  Lane lane = Lane::compute;
  int priority = 0;   // larger runs earlier among the ready operations of a lane
  int64_t bytes = 0;  // memory the operation pins while it waits; bounds the run-ahead
};

// Called by an asynchronous operation exactly once when it is done, from any thread; a non-null
// exception means it failed. Dropping every copy uncalled is a failure too; a second call does nothing.
using Completion = std::function<void(std::exception_ptr)>;

class Engine {
 public:
  static Engine& get();

  virtual ~Engine() = default;

  // Runs `task` once every earlier write of `reads` and every earlier access of `writes` is done.
  // A Var may not stand in both lists (it then counts as written); duplicates within one list are allowed.
  // A task that throws marks its writes with the exception; an operation that finds a mark on a Var it reads
  // or writes (it may write in place) is not run and passes the mark on. Once a wait has raised the exception,
  // its marks are gone from all Vars. NaiveEngine raises at once instead.
  // Blocks while the run-ahead is at its bound, except in a thread that is running an operation.
  virtual void push(std::function<void()> task, std::span<Var* const> reads, std::span<Var* const> writes,
                    const Schedule& schedule) = 0;
  virtual void push_async(std::function<void(Completion)> task, std::span<Var* const> reads,
                          std::span<Var* const> writes, const Schedule& schedule) = 0;

  // Runs `task` in the calling thread at once if every Var is idle, with the same effect on the Vars
  // as push; returns false, having done nothing, if one is busy. Never blocks.
  template <class Task>
  bool try_run(Task&& task, std::span<Var* const> reads, std::span<Var* const> writes);

  // Blocks until what was pushed before has written (and, for wait_to_write, read) the Var, then raises
  // the exception it carries, if any, and clears it.
  void wait_to_read(Var& var);
  void wait_to_write(Var& var);
  // Blocks until everything pushed is done and raises the first exception that no wait has raised yet;
  // later ones are dropped with it.
  virtual void wait_all() = 0;

  // True when everything should run in the caller: NaiveEngine, or a process confined to one CPU.
  bool runs_in_caller() const { return runs_in_caller_.load(std::memory_order_relaxed); }
  // The value of MXNET_ENGINE_TYPE in force.
  virtual const char* type() const = 0;

  // Operations pushed within a Bulk scope of one thread are handed over together when `size` of them
  // have gathered, when the scope ends, or when any thread waits. Returns the previous size.
  virtual int set_bulk_size(int size) = 0;

  // Waits for everything and joins all threads; later pushes run in the caller. Idempotent.
  virtual void shutdown() = 0;

  // Called around every wait that may block, in any thread, so that an embedding language can release its lock.
  struct BlockingHooks {
    void* (*enter)() = nullptr;  // before blocking; the result goes to leave
    void (*leave)(void*) = nullptr;
  };
  static void set_blocking_hooks(BlockingHooks hooks);

 protected:
  virtual void wait(Var& var, bool for_write) = 0;

  std::atomic<bool> runs_in_caller_{false};
  bool throws_at_once_ = false;  // NaiveEngine: a failing task raises from push and try_run
  FailureLog failures_;
};

// True on the thread(s) that run compute operations, where kernels may open parallel regions.
bool on_compute_thread();

}  // namespace mxnet

#include "mxnet/engine/try_run.h"
