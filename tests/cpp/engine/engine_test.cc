// The engine's life: where operations run, how far pushing runs ahead, bulk, shutdown and fork.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support.h"

namespace mxnet::test {
namespace {

TEST_CASE("engine: try_run runs in the caller when all is idle and does nothing otherwise") {
  ThreadedEngine engine(per_device());
  VarSet vars(3);
  std::thread::id ran_on;
  CHECK(engine.try_run([&] { ran_on = std::this_thread::get_id(); }, vars.pick({0, 1}), vars.pick({2})));
  CHECK(ran_on == std::this_thread::get_id());

  Barrier gate;
  bool ran = false;
  auto task = [&] { ran = true; };
  engine.push([&] { gate.wait(); }, vars.pick({0}), vars.pick({1}), on(Lane::io));
  uint64_t version = vars[2].version();
  CHECK_FALSE(engine.try_run(task, {}, vars.pick({2, 0})));
  CHECK_FALSE(engine.try_run(task, vars.pick({2, 1}), {}));
  CHECK_FALSE(ran);
  CHECK(vars[2].version() == version);
  CHECK(vars[2].idle());
  CHECK(engine.try_run(task, vars.pick({0}), vars.pick({2})));  // two reads go together
  CHECK(ran);
  gate.open();
  engine.wait_all();
}

TEST_CASE("engine: the version counts issued writes") {
  ThreadedEngine engine(per_device());
  VarSet vars(2);
  Barrier gate;
  uint64_t before = vars[0].version();
  engine.push([&] { gate.wait(); }, {}, vars.pick({0}), on(Lane::io));
  CHECK(vars[0].version() == before + 1);
  engine.push([] {}, vars.pick({0}), vars.pick({1}), on(Lane::io));
  CHECK(vars[0].version() == before + 1);
  gate.open();
  engine.wait_to_write(vars[0]);
  CHECK(vars[0].version() == before + 1);
  CHECK(engine.try_run([] {}, {}, vars.pick({0})));
  CHECK(vars[0].version() == before + 2);
}

TEST_CASE("engine: compute operations run on the compute thread, one at a time") {
  CHECK_FALSE(on_compute_thread());
  ThreadedEngine engine(per_device());
  VarSet vars(6);
  std::atomic<int> active{0}, most{0}, compute{0}, other{0};
  for (size_t i = 0; i < 4; ++i) {
    auto task = [&] {
      most = std::max(most.load(), ++active);
      compute += on_compute_thread();
      nap(1), --active;
    };
    engine.push(task, {}, vars.pick({i}), {"test", Context::cpu(static_cast<int>(i)), Lane::compute, 0, 0});
  }
  for (Lane lane : {Lane::copy, Lane::io, Lane::callback})
    engine.push([&] { other += on_compute_thread(); }, {}, vars.pick({4}), on(lane));
  engine.wait_all();
  CHECK(most == 1);
  CHECK(compute == 4);
  CHECK(other == 0);

  ThreadedEngine caller(in_caller());
  NaiveEngine naive;
  for (Engine* here : {static_cast<Engine*>(&caller), static_cast<Engine*>(&naive)}) {
    CHECK(here->runs_in_caller());
    bool computes = false;
    std::thread::id ran_on;
    auto task = [&] { computes = on_compute_thread(), ran_on = std::this_thread::get_id(); };
    here->push(task, {}, vars.pick({5}), on(Lane::compute));
    CHECK(computes);
    CHECK(ran_on == std::this_thread::get_id());
    CHECK_FALSE(on_compute_thread());
  }
}

TEST_CASE("engine: an operation that waits makes room for the one it waits for") {
  ThreadedEngine engine(per_device());
  VarSet vars(2);
  bool inner = false;
  auto outer = [&] {
    engine.push([&] { inner = true; }, {}, vars.pick({1}), on(Lane::callback));
    engine.wait_to_read(vars[1]);
  };
  engine.push(outer, {}, vars.pick({0}), on(Lane::callback));
  engine.wait_to_read(vars[0]);
  CHECK(inner);
}

TEST_CASE("engine: the run-ahead is bounded by operations and bytes") {
  for (bool by_bytes : {false, true}) {
    ThreadedEngine engine({.max_operations = by_bytes ? 1000 : 8, .max_bytes = by_bytes ? 800 : 1 << 20});
    VarSet vars(1);
    int64_t most = 0;
    int done = 0;
    for (int i = 0; i < 200; ++i) {
      engine.push([&] { nap(0), ++done; }, {}, vars.pick({0}), {"test", Context::cpu(), Lane::compute, 0, 100});
      most = std::max(most, engine.pending_operations());
    }
    engine.wait_all();
    CHECK(done == 200);
    CHECK(most <= 8);
  }
}

TEST_CASE("engine: the bound blocks neither operations that push nor a thread that holds what they need") {
  ThreadedEngine engine({.max_operations = 4});
  VarSet vars(2);
  std::atomic<int> done{0};
  auto spread = [&] {
    for (int i = 0; i < 20; ++i) engine.push([&] { ++done; }, {}, vars.pick({1}), on(Lane::compute));
  };
  engine.push(spread, {}, vars.pick({0}), on(Lane::compute));
  engine.wait_all();
  CHECK(done == 20);
  auto queue = [&] {
    for (int i = 0; i < 20; ++i) engine.push([&] { ++done; }, {}, vars.pick({0}), on(Lane::compute));
  };
  CHECK(engine.try_run(queue, {}, vars.pick({0})));
  engine.wait_all();
  CHECK(done == 40);
}

TEST_CASE("engine: bulk keeps back until it is full, ended or waited for") {
  ThreadedEngine engine(per_device());
  VarSet vars(2);
  std::atomic<int> done{0};
  auto push = [&](size_t var) { engine.push([&] { ++done; }, {}, vars.pick({var}), on(Lane::compute)); };
  CHECK(engine.set_bulk_size(3) == 0);
  push(0), push(0);
  nap(5);
  CHECK(done == 0);
  CHECK_FALSE(engine.try_run([] {}, vars.pick({0}), {}));
  push(1);
  engine.wait_to_read(vars[0]);
  engine.wait_to_read(vars[1]);
  CHECK(done == 3);
  push(0);
  engine.wait_to_read(vars[0]);
  CHECK(done == 4);
  push(0);
  std::thread([&] { engine.wait_to_read(vars[0]); }).join();
  CHECK(done == 5);
  push(0);
  CHECK(engine.set_bulk_size(0) == 3);
  engine.wait_all();
  CHECK(done == 6);
  std::thread([&] { engine.set_bulk_size(10), push(0); }).join();  // the end of a thread ends its scope
  engine.wait_all();
  CHECK(done == 7);
}

std::atomic<int> entered{0}, left{0};

TEST_CASE("engine: blocking waits call the hooks, others do not") {
  entered = left = 0;
  Engine::set_blocking_hooks(
      {[]() -> void* { return ++entered, &entered; }, [](void* token) { left += token == &entered; }});
  {
    ThreadedEngine engine(per_device());
    VarSet vars(1);
    engine.wait_to_read(vars[0]);
    engine.try_run([] {}, {}, vars.pick({0}));
    engine.wait_all();
    CHECK(entered == 0);
    engine.push([] { nap(5); }, {}, vars.pick({0}), on(Lane::io));
    engine.wait_to_read(vars[0]);
  }
  Engine::set_blocking_hooks({});
  CHECK(entered == 1);
  CHECK(left == 1);
}

TEST_CASE("engine: shutdown ends what is pending; later pushes run in the caller") {
  ThreadedEngine engine(per_device());
  VarSet vars(2);
  int done = 0;
  for (int i = 0; i < 50; ++i) engine.push([&] { ++done; }, {}, vars.pick({0}), on(Lane::compute));
  engine.shutdown();
  CHECK(done == 50);
  engine.shutdown();
  CHECK(engine.runs_in_caller());
  std::thread::id ran_on;
  engine.push([&] { ran_on = std::this_thread::get_id(); }, {}, vars.pick({0}), on(Lane::io));
  CHECK(ran_on == std::this_thread::get_id());
  std::thread later;
  auto async = [&](Completion complete) { later = std::thread([complete] { nap(2), complete(nullptr); }); };
  engine.push_async(async, {}, vars.pick({0}), on(Lane::io));
  CHECK(vars[0].idle());
  later.join();
  CHECK_NOTHROW(engine.push([] { fail_with("after the end"); }, {}, vars.pick({1}), on(Lane::io)));
  CHECK_THROWS_WITH(engine.wait_to_read(vars[1]), "after the end");
}

TEST_CASE("engine: shutdown is refused inside an operation") {
  ThreadedEngine engine(per_device());
  VarSet vars(1);
  engine.push([&] { engine.shutdown(); }, {}, vars.pick({0}), on(Lane::io));
  CHECK_THROWS_WITH(engine.wait_all(), "Engine::shutdown: an operation cannot end the engine it runs on");
}

#if !defined(__SANITIZE_THREAD__)  // it does not support threads in a forked child
TEST_CASE("engine: parent and child both go on after a fork") {
  Engine& engine = Engine::get();
  VarSet vars(2);
  std::atomic<int> done{0};
  auto work = [&](int times) {
    for (int i = 0; i < times; ++i) engine.push([&] { nap(0), ++done; }, {}, vars.pick({0}), on(Lane::compute));
  };
  for (int round = 1; round <= 3; ++round) {
    work(100);
    pid_t child = fork();
    if (child == 0) {
      bool rested = done == round * 200 - 100;
      work(100);
      engine.wait_to_read(vars[0]);
      bool raised = false;
      try {
        engine.push([] { fail_with("in the child"); }, {}, vars.pick({1}), on(Lane::io));
        engine.wait_all();
      } catch (const Error&) {
        raised = true;
      }
      engine.shutdown();
      _exit(rested && raised && done == round * 200 ? 0 : 1);
    }
    work(100);
    engine.wait_all();
    CHECK(done == round * 200);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}
#endif

}  // namespace
}  // namespace mxnet::test
