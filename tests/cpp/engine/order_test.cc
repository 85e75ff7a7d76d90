// Operations take effect as if they ran one after the other in an order that every thread's pushes agree with.
#include <doctest/doctest.h>

#include <random>

#include "support.h"

namespace mxnet::test {
namespace {

// One step of a random program on cells: writes get a value that depends on everything read and on the order.
struct Step {
  std::vector<size_t> reads, writes;
  Lane lane;
  uint64_t salt;
};

Step random_step(std::mt19937& random, size_t first, size_t count) {
  Step step;
  step.lane = static_cast<Lane>(random() % 4);
  step.salt = random();
  std::vector<size_t> cells(count);
  for (size_t i = 0; i < count; ++i) cells[i] = first + i;
  std::shuffle(cells.begin(), cells.end(), random);
  size_t writes = random() % 3, reads = random() % 4;
  step.writes.assign(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(writes));
  step.reads.assign(cells.begin() + static_cast<std::ptrdiff_t>(writes),
                    cells.begin() + static_cast<std::ptrdiff_t>(std::min(count, writes + reads)));
  return step;
}

void apply(const Step& step, std::vector<uint64_t>& cells) {
  uint64_t sum = step.salt;
  for (size_t r : step.reads) sum = sum * 31 + cells[r];
  for (size_t w : step.writes) cells[w] = cells[w] * 17 + sum;
}

void run_program(Engine& engine, const VarSet& vars, std::vector<uint64_t>& cells, const std::vector<Step>& program,
                 int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  int bulk_before = 0;
  for (const Step& step : program) {
    Vars reads, writes;
    for (size_t r : step.reads) reads.push_back(&vars[r]);
    for (size_t w : step.writes) writes.push_back(&vars[w]);
    auto task = [&step, &cells] { apply(step, cells); };
    unsigned dice = random() % 64;
    if (dice < 16 && engine.try_run(task, reads, writes)) continue;
    if (dice == 16) bulk_before = engine.set_bulk_size(8);
    if (dice == 17) engine.set_bulk_size(bulk_before);
    if (dice == 18 && !writes.empty()) engine.wait_to_read(*writes[0]);
    if (dice == 19 && !writes.empty()) engine.wait_to_write(*writes[0]);
    if (dice < 40) {
      engine.push(task, reads, writes, on(step.lane, static_cast<int>(dice % 5)));
    } else {
      engine.push_async([task](const Completion& done) { task(), done(nullptr); }, reads, writes, on(step.lane));
    }
  }
  engine.set_bulk_size(0);
}

// Every thread has cells of its own, so that the result does not depend on how the threads meet.
void check_partitioned(Engine& engine) {
  constexpr size_t kThreads = 4, kShare = 6;
  constexpr int kSteps = 2000;
  VarSet vars(kThreads * kShare);
  std::vector<uint64_t> cells(kThreads * kShare, 1), expected = cells;
  std::vector<std::vector<Step>> programs(kThreads);
  for (size_t t = 0; t < kThreads; ++t) {
    std::mt19937 random(static_cast<unsigned>(t + 1));
    for (int i = 0; i < kSteps; ++i) programs[t].push_back(random_step(random, t * kShare, kShare));
    for (const Step& step : programs[t]) apply(step, expected);
  }
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] { run_program(engine, vars, cells, programs[t], static_cast<int>(t)); });
  for (std::thread& thread : threads) thread.join();
  engine.wait_all();
  CHECK(cells == expected);
}

// All threads use all cells: sums do not depend on the order, but are wrong if two writers ever meet, and
// the operations of one cycle of Vars hang if two threads' operations stand in different orders.
void check_shared(Engine& engine) {
  constexpr size_t kCells = 20, kThreads = 4;
  constexpr int kSteps = 1500;
  VarSet vars(kCells);
  std::vector<int64_t> cells(kCells, 0);
  std::vector<std::atomic<int64_t>> expected(kCells);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(100 + t));
      for (int i = 0; i < kSteps; ++i) {
        Step step = random_step(random, 0, kCells);
        Vars reads, writes;
        for (size_t r : step.reads) reads.push_back(&vars[r]);
        for (size_t w : step.writes) writes.push_back(&vars[w]), expected[w] += static_cast<int64_t>(step.salt);
        auto task = [step, &cells] {
          for (size_t w : step.writes) cells[w] += static_cast<int64_t>(step.salt);
        };
        if (i % 3 == 0 && engine.try_run(task, reads, writes)) continue;
        engine.push(task, reads, writes, on(step.lane));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  engine.wait_all();
  for (size_t i = 0; i < kCells; ++i) CHECK(cells[i] == expected[i]);
}

TEST_CASE("engine: random programs give the result of their order") {
  for (const auto& options : {per_device(), pooled(), in_caller()}) {
    ThreadedEngine engine(options);
    check_partitioned(engine);
    check_shared(engine);
  }
  NaiveEngine naive;
  check_partitioned(naive);
  check_shared(naive);
}

TEST_CASE("engine: reads run side by side, writes alone and in order") {
  ThreadedEngine engine(per_device());
  VarSet vars(1);
  Barrier first_read;
  std::vector<int> order;
  engine.push([&] { first_read.wait(); }, vars.pick({0}), {}, on(Lane::io));
  bool second_read = false;
  engine.push([&] { second_read = true, first_read.open(); }, vars.pick({0}), {}, on(Lane::copy));
  engine.push([&] { order.push_back(second_read ? 1 : -1); }, {}, vars.pick({0}), on(Lane::io));
  engine.push([&] { order.push_back(2); }, {}, vars.pick({0}), on(Lane::compute));
  engine.wait_to_read(vars[0]);
  CHECK(order == std::vector<int>{1, 2});
}

TEST_CASE("engine: the highest priority goes first, then the oldest") {
  ThreadedEngine engine(per_device());
  VarSet vars(8);
  Barrier gate;
  std::vector<int> order;
  engine.push([&] { gate.wait(); }, {}, vars.pick({7}), on(Lane::io));
  int priorities[] = {0, 5, 0, -1, 5};
  for (size_t i = 0; i < 5; ++i)
    engine.push([&order, i] { order.push_back(static_cast<int>(i)); }, {}, vars.pick({i}), on(Lane::io, priorities[i]));
  gate.open();
  engine.wait_all();
  CHECK(order == std::vector<int>{1, 4, 0, 2, 3});
}

TEST_CASE("engine: a Var may be repeated, and one in both lists counts as written") {
  for (const auto& options : {per_device(), in_caller()}) {
    ThreadedEngine engine(options);
    VarSet vars(3);
    int runs = 0;
    engine.push([&] { ++runs; }, vars.pick({0, 0, 1}), vars.pick({2, 2, 1}), on(Lane::compute));
    engine.wait_all();
    CHECK(engine.try_run([&] { ++runs; }, vars.pick({0, 0, 1}), vars.pick({2, 2})));
    CHECK(runs == 2);
    for (size_t i = 0; i < 3; ++i) CHECK(vars[i].idle());
  }
}

TEST_CASE("engine: a pushed operation keeps its Vars alive") {
  ThreadedEngine engine(per_device());
  Barrier gate;
  bool ran = false;
  {
    VarSet vars(1);
    engine.push([&] { gate.wait(); }, {}, vars.pick({0}), on(Lane::compute));
    engine.push([&] { ran = true; }, vars.pick({0}), {}, on(Lane::compute));
  }
  gate.open();
  engine.wait_all();
  CHECK(ran);
}

}  // namespace
}  // namespace mxnet::test
