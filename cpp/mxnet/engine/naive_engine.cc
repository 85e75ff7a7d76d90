#include "mxnet/engine/naive_engine.h"

#include "mxnet/engine/running.h"
#include "mxnet/engine/ticket.h"
#include "mxnet/engine/turn.h"

namespace mxnet {

NaiveEngine::NaiveEngine() {
  runs_in_caller_ = true;
  throws_at_once_ = true;
}

void NaiveEngine::push(std::function<void()> task, std::span<Var* const> reads, std::span<Var* const> writes,
                       const Schedule& schedule) {
  Turn turn(Request::Kind::operation, reads, writes);
  Running running(schedule.lane == Lane::compute);
  task();
}

void NaiveEngine::push_async(std::function<void(Completion)> task, std::span<Var* const> reads,
                             std::span<Var* const> writes, const Schedule& schedule) {
  Turn turn(Request::Kind::operation, reads, writes);
  Running running(schedule.lane == Lane::compute);
  run_to_completion(schedule.name, std::move(task));
}

void NaiveEngine::wait(Var& var, bool for_write) { wait_for_turn(var, for_write); }

void run_to_completion(const char* name, std::function<void(Completion)> task) {
  struct Result {
    Event done;
    std::exception_ptr error;
  };
  Result result;
  Ticket::start(name, std::move(task), [&](const std::exception_ptr& error) {
    result.error = error;
    result.done.set();
  });
  result.done.wait();
  if (result.error) std::rethrow_exception(result.error);
}

}  // namespace mxnet
