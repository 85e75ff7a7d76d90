#include "mxnet/engine/ticket.h"

#include "mxnet/base/error.h"

namespace mxnet {

void Ticket::start(const char* name, Task task, Completion done) {
  auto ticket = std::make_shared<Ticket>(name, std::move(task), std::move(done));
  try {
    ticket->task_([ticket](const std::exception_ptr& error) { ticket->finish(error); });
  } catch (...) {
    ticket->finish(std::current_exception());
  }
  ticket->leave();
}

Ticket::~Ticket() {
  if (finished_.load(std::memory_order_acquire)) return;
  finish(std::make_exception_ptr(
      Error(ErrorKind::runtime, str("operation '", name_, "' ended without calling its completion"))));
}

void Ticket::finish(const std::exception_ptr& error) {
  if (finished_.exchange(true, std::memory_order_acq_rel)) return;
  leave();
  done_(error);
}

// What the task holds (arrays, usually) goes when it has returned and is done, whichever is later.
void Ticket::leave() {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) task_ = nullptr;
}

}  // namespace mxnet
