// NaiveEngine: every operation runs in the thread that pushes it, before push returns. For debugging.
#pragma once
#include "mxnet/engine/engine.h"

namespace mxnet {

class NaiveEngine final : public Engine {
 public:
  NaiveEngine();

  void push(std::function<void()> task, std::span<Var* const> reads, std::span<Var* const> writes,
            const Schedule& schedule) override;
  void push_async(std::function<void(Completion)> task, std::span<Var* const> reads, std::span<Var* const> writes,
                  const Schedule& schedule) override;
  void wait_all() override {}
  const char* type() const override { return "NaiveEngine"; }
  int set_bulk_size(int size) override { return bulk_size_.exchange(size); }
  void shutdown() override {}

 protected:
  void wait(Var& var, bool for_write) override;

 private:
  std::atomic<int> bulk_size_{0};  // only remembered
};

// Calls an asynchronous operation's task, waits for its completion and raises the exception it fails with.
void run_to_completion(const char* name, std::function<void(Completion)> task);

}  // namespace mxnet
