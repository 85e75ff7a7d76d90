// Operation: one pushed task with the Vars it waits for.
#pragma once
#include <functional>

#include "mxnet/engine/engine.h"
#include "mxnet/engine/request.h"

namespace mxnet {

class ThreadedEngine;

class Operation final : public Request {
 public:
  using Task = std::function<void()>;
  using AsyncTask = std::function<void(Completion)>;

  Operation(ThreadedEngine& engine, Task task, AsyncTask async_task, const Schedule& schedule)
      : Request(Kind::operation),
        engine_(engine),
        task_(std::move(task)),
        async_task_(std::move(async_task)),
        schedule_(schedule) {}

  // Runs the task, or starts it; the engine ends the operation when it is done. Throws nothing.
  void run();

  const Schedule& schedule() const { return schedule_; }
  ThreadedEngine& engine() const { return engine_; }

 private:
  void ready() override;

  ThreadedEngine& engine_;
  Task task_;
  AsyncTask async_task_;
  const Schedule schedule_;
};

}  // namespace mxnet
