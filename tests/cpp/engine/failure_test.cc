// Exceptions travel with the Vars and surface at the next wait.
#include <doctest/doctest.h>

#include "support.h"

namespace mxnet::test {
namespace {

void push_failing(Engine& engine, const Vars& writes, const char* text = "broken") {
  engine.push([text] { fail_with(text); }, {}, writes, on(Lane::compute));
}

TEST_CASE("engine: a failure passes on to what reads it and is raised once") {
  for (const auto& options : {per_device(), pooled(), in_caller()}) {
    ThreadedEngine engine(options);
    VarSet vars(4);
    bool ran = false;
    push_failing(engine, vars.pick({0}));
    engine.push([&] { ran = true; }, vars.pick({0}), vars.pick({1}), on(Lane::io));
    engine.push([&] { ran = true; }, {}, vars.pick({0, 2}), on(Lane::compute));  // may write in place
    engine.wait_to_read(vars[3]);
    CHECK_THROWS_WITH_AS(engine.wait_to_read(vars[2]), "broken", Error);
    CHECK_FALSE(ran);
    for (size_t i = 0; i < 2; ++i) CHECK_NOTHROW(engine.wait_to_write(vars[i]));
    CHECK_NOTHROW(engine.wait_all());
    engine.push([&] { ran = true; }, vars.pick({0}), vars.pick({1}), on(Lane::compute));
    engine.wait_to_read(vars[1]);
    CHECK(ran);
  }
}

TEST_CASE("engine: wait_all raises the first failure that no wait has raised") {
  ThreadedEngine engine(per_device());
  VarSet vars(3);
  push_failing(engine, vars.pick({0}), "first");
  push_failing(engine, vars.pick({1}), "second");
  push_failing(engine, vars.pick({2}), "third");
  CHECK_THROWS_WITH(engine.wait_to_write(vars[0]), "first");
  CHECK_THROWS_WITH(engine.wait_all(), "second");
  CHECK_NOTHROW(engine.wait_all());
  CHECK_NOTHROW(engine.wait_to_read(vars[2]));
}

TEST_CASE("engine: a failure without Vars reaches wait_all") {
  ThreadedEngine engine(per_device());
  push_failing(engine, {});
  CHECK_THROWS_WITH(engine.wait_all(), "broken");
}

TEST_CASE("engine: an unraised failure is kept while others come and go") {
  ThreadedEngine engine(per_device());
  VarSet vars(2);
  for (int i = 0; i < 200; ++i) {
    push_failing(engine, vars.pick({0}));
    CHECK_THROWS_WITH(engine.wait_to_read(vars[0]), "broken");
  }
  for (int i = 0; i < 200; ++i) push_failing(engine, vars.pick({1}), i ? "later" : "oldest");
  CHECK_THROWS_WITH(engine.wait_all(), "oldest");
}

TEST_CASE("engine: try_run marks its writes, and NaiveEngine raises at once") {
  ThreadedEngine engine(per_device());
  VarSet vars(2);
  bool ran = false;
  CHECK(engine.try_run([] { fail_with("in caller"); }, {}, vars.pick({0})));
  CHECK(engine.try_run([&] { ran = true; }, vars.pick({0}), vars.pick({1})));
  CHECK_FALSE(ran);
  CHECK_THROWS_WITH(engine.wait_to_read(vars[1]), "in caller");
  CHECK(engine.try_run([&] { ran = true; }, vars.pick({0}), vars.pick({1})));
  CHECK(ran);

  NaiveEngine naive;
  auto broken = [] { fail_with("at once"); };
  CHECK_THROWS_WITH(naive.try_run(broken, {}, vars.pick({0})), "at once");
  CHECK_THROWS_WITH(naive.push(broken, {}, vars.pick({0}), {}), "at once");
  auto async_broken = [](const Completion& done) { done(std::make_exception_ptr(Error(ErrorKind::value, "async"))); };
  CHECK_THROWS_WITH(naive.push_async(async_broken, {}, vars.pick({0}), {}), "async");
  CHECK(vars[0].idle());
  CHECK_NOTHROW(naive.wait_all());
}

TEST_CASE("engine: only one of several waiting threads raises") {
  ThreadedEngine engine(per_device());
  VarSet vars(1);
  Barrier gate;
  engine.push([&] { gate.wait(), fail_with("once"); }, {}, vars.pick({0}), on(Lane::compute));
  std::atomic<int> raised{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        engine.wait_to_read(vars[0]);
      } catch (const Error&) {
        ++raised;
      }
    });
  }
  gate.open();
  for (std::thread& thread : threads) thread.join();
  CHECK(raised == 1);
}

TEST_CASE("engine: asynchronous operations end by their completion") {
  ThreadedEngine engine(per_device());
  VarSet vars(3);
  Completion later;
  Barrier started;
  auto keep = [&](Completion done) { later = std::move(done), started.open(); };
  engine.push_async(keep, {}, vars.pick({0}), on(Lane::io));
  started.wait();
  CHECK_FALSE(vars[0].idle());
  std::thread other([&] { later(nullptr), later(std::make_exception_ptr(1)), later = nullptr; });
  CHECK_NOTHROW(engine.wait_to_read(vars[0]));
  other.join();

  engine.push_async([](const Completion&) {}, {}, vars.pick({1}), {"forgetful"});
  CHECK_THROWS_WITH(engine.wait_to_read(vars[1]), "operation 'forgetful' ended without calling its completion");
  engine.push_async([](const Completion&) { fail_with("threw"); }, {}, vars.pick({1}), on(Lane::compute));
  CHECK_THROWS_WITH(engine.wait_to_read(vars[1]), "threw");
  engine.push_async([](const Completion& done) { done(nullptr), fail_with("too late"); }, {}, vars.pick({2}), {});
  CHECK_NOTHROW(engine.wait_to_read(vars[2]));
  CHECK_NOTHROW(engine.wait_all());
}

}  // namespace
}  // namespace mxnet::test
