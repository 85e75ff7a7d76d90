// Compiled graphs from C++: places of values, gradients, and use by many threads.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "mxnet/autograd/tape.h"
#include "mxnet/graph/memory_plan.h"
#include "mxnet/graph/program.h"
#include "mxnet/graph/step_graph.h"
#include "mxnet/graph/trace.h"

using namespace mxnet;

namespace {

NodeOutput call(const char* name, std::vector<NodeOutput> inputs, Attrs attrs = {}) {
  const Op& op = Registry::get().at(name);
  return apply({&op, make_params(op, attrs), name, {}, std::move(inputs), {}}).outputs()[0];
}
NodeOutput variable(const char* name) { return make_variable(name).outputs()[0]; }

NDArray filled(const Shape& shape, float value) { return full(shape, value, DType::float32, Context::cpu()).array(); }

std::vector<float> values_of(const NDArray& array) {
  std::vector<float> values(array.size());
  array.wait_to_read();
  copy_to_host(array, values.data(), values.size() * sizeof(float));
  return values;
}

// Operators in place and not, views, values read often and never.
Symbol random_graph(std::mt19937& random, int size) {
  std::vector<NodeOutput> values{variable("x")};
  auto pick = [&] { return values[random() % values.size()]; };
  for (int i = 0; i < size; ++i) switch (random() % 5) {
      case 0: values.push_back(call("relu", {pick()})); break;
      case 1: values.push_back(call("elemwise_add", {pick(), pick()})); break;
      case 2: values.push_back(call("Reshape", {pick()}, {{"shape", Value::List{Value(2), Value(2)}}})); break;
      case 3: values.push_back(call("dot", {pick(), pick()})); break;
      default: values.push_back(call("BlockGrad", {pick()}));
    }
  return Symbol({values.back(), pick(), pick()});
}

// The numbers of the first and last node between which each value's contents must stay.
struct Life {
  int first, last;
};
std::vector<Life> lives_of(const NumberedGraph& graph, const Symbol& symbol) {
  std::vector<Life> lives(graph.num_values());
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    int now = static_cast<int>(i);
    for (int k = 0; k < graph.nodes()[i]->num_outputs(); ++k) lives[graph.first_value(i) + k] = {now, now};
    for (int value : graph.reads(i)) lives[value].last = now;
  }
  for (const NodeOutput& output : symbol.outputs())
    lives[graph.value_of(output)].last = std::numeric_limits<int>::max();
  return lives;
}

bool overlap(const Place& a, const Place& b) {
  return a.kind == Place::Kind::temporary && b.kind == a.kind && a.offset < b.offset + b.bytes &&
         b.offset < a.offset + a.bytes;
}

// Gradient of sum(tanh(x w)) by w, and by x of the norm of the gradient by x.
Symbol product() { return Symbol({call("tanh", {call("dot", {variable("x"), variable("w")})})}); }

}  // namespace

TEST_CASE("values that are needed at the same time lie in different places") {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    Symbol symbol = random_graph(random, 30);
    NumberedGraph graph(symbol);
    VariableSpecs variables{{symbol.inputs().at(0), {Shape{2, 2}, DType::float32}}};
    std::vector<TensorSpec> specs = infer_values(graph, variables);
    std::vector<int> inputs{graph.first_value(graph.number_of(symbol.inputs()[0]))}, outputs;
    for (const NodeOutput& output : symbol.outputs()) outputs.push_back(graph.value_of(output));
    MemoryPlan plan = plan_memory({graph, specs, inputs, outputs, {}, {}});
    std::vector<Life> lives = lives_of(graph, symbol);
    for (int a = 0; a < graph.num_values(); ++a)
      for (int b = 0; b < a; ++b) {
        const Place &one = plan.places[plan.place_of[a]], &other = plan.places[plan.place_of[b]];
        bool both = lives[a].first < lives[b].last && lives[b].first < lives[a].last;
        bool same = plan.place_of[a] == plan.place_of[b];
        if (both && !same) CHECK_FALSE(overlap(one, other));
      }
    CHECK(plan.temporary_bytes <= plan.unshared_bytes);
  }
}

TEST_CASE("a program gives the numbers of its operators, whatever they share") {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    Symbol symbol = random_graph(random, 25);
    Program program(symbol);
    NDArray x = filled({2, 2}, 0.5f);
    MonitorOptions watch{[](const std::string&, const std::string&, const NDArray&) {}, false};
    Arrays want = program.run({&x, 1}, Context::cpu(), &watch);  // operator by operator
    Arrays have = program.run({&x, 1}, Context::cpu());
    for (size_t i = 0; i < want.size(); ++i) CHECK(values_of(have[i]) == values_of(want[i]));
    CHECK(values_of(x) == std::vector<float>(4, 0.5f));
  }
}

TEST_CASE("a compiled graph has gradients of gradients") {
  Program program(product());
  std::vector<std::vector<float>> results;
  for (bool compiled : {false, true}) {
    Arrays inputs{filled({2, 3}, 0.3f), filled({3, 4}, 0.2f)};
    for (NDArray& a : inputs) mark_variable(a, filled(a.shape(), 0), GradReq::write);
    CallStateScope state({true, true});
    MonitorOptions watch{[](const std::string&, const std::string&, const NDArray&) {}, false};
    Arrays out = program.run(inputs, Context::cpu(), compiled ? nullptr : &watch);
    Arrays first = backward(out, {}, std::span(inputs).first(1), {true, true, true});
    Expr loss = sum(square(Expr(first[0])), std::vector{0, 1}, false);
    backward(std::array{loss.array()}, {}, {}, {});
    for (const NDArray& a : inputs) results.push_back(values_of(tape_entry(a)->grad));
  }
  for (size_t i = 0; i < 2; ++i)
    for (size_t k = 0; k < results[i].size(); ++k) CHECK(results[i + 2][k] == doctest::Approx(results[i][k]));
}

TEST_CASE("a step writes gradients into their arrays") {
  Program program(product());
  Arrays inputs{filled({2, 3}, 0.3f), filled({3, 4}, 0.2f)}, grads{NDArray(), filled({3, 4}, 9)};
  std::optional<Arrays> loss = program.run_step(inputs, {grads, {}}, Context::cpu());
  REQUIRE(loss);
  float y = values_of((*loss)[0])[0];
  for (float g : values_of(grads[1])) CHECK(g == doctest::Approx(2 * 0.3f * (1 - y * y)));
}

TEST_CASE("a step updates parameters by calls whose parameters may change") {
  Program program(product());
  const Op& op = Registry::get().at("sgd_mom_update");
  NDArray w = filled({3, 4}, 0.2f), velocity = filled({3, 4}, 0);
  Arrays inputs{filled({2, 3}, 0.3f), w}, grads{NDArray(), filled({3, 4}, 0)};
  double want_w = 0.2, want_velocity = 0;
  for (double rate : {0.1, 0.1, 0.01}) {
    ParamsRef params = make_params(op, {{"lr", rate}, {"momentum", 0.5}});
    UpdateCall update{&op, params, {w, grads[1], velocity}, {w}};
    std::optional<Arrays> loss = program.run_step(inputs, {grads, {&update, 1}}, Context::cpu());
    REQUIRE(loss);
    double y = std::tanh(0.9 * want_w);
    want_velocity = 0.5 * want_velocity - rate * 2 * 0.3 * (1 - y * y);
    want_w += want_velocity;
    for (float value : values_of(w)) CHECK(value == doctest::Approx(want_w));
    for (float value : values_of(velocity)) CHECK(value == doctest::Approx(want_velocity));
  }
}

TEST_CASE("a step that needs a finite loss changes nothing but gradients where it is none") {
  Program program(product());
  const Op& op = Registry::get().at("sgd_update");
  NDArray w = filled({3, 4}, 0.2f);
  for (bool needs_finite : {true, false}) {
    Arrays inputs{filled({2, 3}, std::nanf("")), w}, grads{NDArray(), filled({3, 4}, 0)};
    UpdateCall update{&op, make_params(op, {{"lr", 0.1}}), {w, grads[1]}, {w}};
    REQUIRE(program.run_step(inputs, {grads, {&update, 1}, needs_finite}, Context::cpu()));
    CHECK(std::isnan(values_of(grads[1])[0]));
    CHECK(std::isnan(values_of(w)[0]) == !needs_finite);
  }
}

TEST_CASE("updates that depend on each other, or write what they do not read, are no part of a program") {
  Program program(product());
  const Op& op = Registry::get().at("sgd_update");
  NDArray w = filled({3, 4}, 0.2f);
  Arrays inputs{filled({2, 3}, 0.3f), w}, grads{NDArray(), filled({3, 4}, 0)};
  UpdateCall update{&op, make_params(op, {{"lr", 0.1}}), {w, grads[1]}, {w}};
  std::array twice{update, update};
  CHECK_FALSE(program.run_step(inputs, {grads, twice}, Context::cpu()));
  update.outputs = {filled({3, 4}, 0)};
  CHECK_FALSE(program.run_step(inputs, {grads, {&update, 1}}, Context::cpu()));
  for (float value : values_of(w)) CHECK(value == 0.2f);
}

TEST_CASE("many threads train and infer with one program") {
  Program program(product());
  std::vector<float> want;
  std::vector<int> wrong(8);
  NDArray w = filled({3, 4}, 0.2f);
  auto gradient = [&] {
    Arrays inputs{filled({2, 3}, 0.3f), w};
    mark_variable(inputs[0], filled({2, 3}, 0), GradReq::write);
    CallStateScope state({true, true});
    Arrays out = program.run(inputs, Context::cpu());
    backward(out, {}, {}, {});
    return values_of(tape_entry(inputs[0])->grad);
  };
  want = gradient();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 30; ++i) wrong[t] += gradient() != want;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(8));
}

TEST_CASE("a graph of a hundred thousand nodes is compiled with its gradient") {
  NodeOutput value = variable("x");
  for (int i = 0; i < 100000; ++i) value = call("_plus_scalar", {value}, {{"scalar", 1.0}});
  Program program(Symbol({value}));
  NDArray x = filled({1}, 0);
  mark_variable(x, filled({1}, 0), GradReq::write);
  CallStateScope state({true, true});
  Arrays out = program.run({&x, 1}, Context::cpu());
  CHECK(values_of(out[0])[0] == 100000.0f);
  backward(out, {}, {}, {});
  CHECK(values_of(tape_entry(x)->grad)[0] == 1.0f);
}
