// Ticket: an asynchronous operation under way, from the call of its task to its completion.
#pragma once
#include <atomic>
#include <exception>
#include <functional>
#include <memory>

#include "mxnet/engine/engine.h"

namespace mxnet {

class Ticket {
 public:
  using Task = std::function<void(Completion)>;

  // Calls the task, and `done` exactly once: at the first completion, with what the task throws before it,
  // or with an error when the completion is dropped. Arguments of `done` are null for success.
  static void start(const char* name, Task task, Completion done);

  Ticket(const char* name, Task task, Completion done) : name_(name), task_(std::move(task)), done_(std::move(done)) {}
  ~Ticket();
  Ticket(const Ticket&) = delete;

 private:
  void finish(const std::exception_ptr& error);
  void leave();

  const char* const name_;
  Task task_;
  Completion done_;
  std::atomic<bool> finished_{false};
  std::atomic<int> users_{2};  // of the task: its call, and what it started
};

}  // namespace mxnet
