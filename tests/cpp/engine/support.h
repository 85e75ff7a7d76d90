// What the engine's tests share.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "mxnet/base/error.h"
#include "mxnet/engine/naive_engine.h"
#include "mxnet/engine/threaded_engine.h"

namespace mxnet::test {

using Vars = std::vector<Var*>;

struct VarSet {
  explicit VarSet(size_t count) {
    for (size_t i = 0; i < count; ++i) vars.push_back(make_ref<Var>());
  }
  Var& operator[](size_t i) const { return *vars[i]; }
  Vars pick(std::initializer_list<size_t> indexes) const {
    Vars picked;
    for (size_t i : indexes) picked.push_back(vars[i].get());
    return picked;
  }
  std::vector<Ref<Var>> vars;
};

// An operation that stays under way until it is opened.
class Barrier {
 public:
  void open() {
    opened_ = true;
    opened_.notify_all();
  }
  void wait() const { opened_.wait(false); }

 private:
  std::atomic<bool> opened_{false};
};

inline Schedule on(Lane lane, int priority = 0) { return {"test", Context::cpu(), lane, priority, 0}; }
inline ThreadedEngine::Options per_device() { return {}; }
inline ThreadedEngine::Options pooled() { return {.per_device = false, .io_threads = 3}; }
inline ThreadedEngine::Options in_caller() { return {.in_caller = true}; }

[[noreturn]] inline void fail_with(const char* text) { throw Error(ErrorKind::value, text); }

inline void nap(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

}  // namespace mxnet::test
