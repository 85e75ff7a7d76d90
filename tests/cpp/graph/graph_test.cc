// Symbols, their files and programs from C++, and programs run by many threads at once.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "mxnet/autograd/tape.h"
#include "mxnet/graph/infer.h"
#include "mxnet/graph/json.h"
#include "mxnet/graph/passes.h"
#include "mxnet/graph/program.h"

using namespace mxnet;

namespace {

Symbol call(const char* name, std::vector<NodeOutput> inputs, Attrs attrs = {}, const char* node = "node") {
  const Op& op = Registry::get().at(name);
  return apply({&op, make_params(op, attrs), node, {}, std::move(inputs), {}});
}
NodeOutput one(const Symbol& symbol) { return symbol.outputs()[0]; }

NDArray filled(const Shape& shape, float value) { return full(shape, value, DType::float32, Context::cpu()).array(); }

std::vector<float> values_of(const NDArray& array) {
  std::vector<float> values(array.size());
  array.wait_to_read();
  copy_to_host(array, values.data(), values.size() * sizeof(float));
  return values;
}

// relu(x w' + b) with a batch norm behind.
Symbol layer() {
  Symbol hidden = call("FullyConnected", {one(make_variable("x"))}, {{"num_hidden", 3}}, "fc");
  return call("relu", {one(call("BatchNorm", {one(hidden)}, {}, "bn"))}, {}, "out");
}

Arrays layer_inputs(const Symbol& symbol) {
  NumberedGraph graph(symbol);
  GraphInference inference(graph, true);
  inference.know(0, {Shape{2, 4}, DType::float32});
  inference.run();
  Arrays arrays;
  for (Node* node : symbol.inputs())
    arrays.push_back(filled(inference.spec(NodeOutput{Ref<Node>(node), 0}).shape, 0.5f));
  return arrays;
}

}  // namespace

TEST_CASE("a symbol goes through a file and keeps its inputs") {
  Symbol symbol = layer();
  Symbol again = from_json(to_json(symbol));
  CHECK(again.list_inputs() == symbol.list_inputs());
  CHECK(again.list_auxiliary_states() == std::vector<std::string>{"bn_moving_mean", "bn_moving_var"});
  CHECK(to_json(again) == to_json(symbol));
}

TEST_CASE("a deep graph is built, inferred, optimized and let go without recursion") {
  Symbol symbol = make_variable("x");
  for (int i = 0; i < 100000; ++i) symbol = call("relu", {one(symbol)});
  NumberedGraph graph(symbol);
  GraphInference inference(graph, true);
  inference.know(0, {Shape{1}, DType::float32});
  inference.run();
  CHECK(inference.spec(one(symbol)).shape == Shape{1});
  CHECK(optimize(symbol, {}).nodes().size() == 100001);
}

TEST_CASE("many threads run one program on shared weights while it is not written") {
  Symbol symbol = layer();
  Program program(symbol, {true, {"x"}});
  Arrays inputs = layer_inputs(symbol);
  std::vector<float> want = values_of(program.run(inputs, Context::cpu())[0]);
  std::vector<int> wrong(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) wrong[t] += values_of(program.run(inputs, Context::cpu())[0]) != want;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(8));
}

TEST_CASE("what is kept of the weights is computed anew when one is written") {
  Symbol symbol = layer();
  Program program(symbol, {true, {"x"}});
  Arrays inputs = layer_inputs(symbol);
  std::vector<float> before = values_of(program.run(inputs, Context::cpu())[0]);
  CHECK(values_of(program.run(inputs, Context::cpu())[0]) == before);
  copy(filled(inputs[1].shape(), 2.0f), inputs[1]);
  CHECK(values_of(program.run(inputs, Context::cpu())[0]) != before);
}

TEST_CASE("an error inside a graph names the node") {
  Symbol symbol = call("elemwise_add", {one(make_variable("a")), one(make_variable("b"))}, {}, "sum");
  Program program(symbol);
  Arrays inputs{filled({2}, 1), filled({3}, 1)};
  std::string text;
  try {
    program.run(inputs, Context::cpu());
  } catch (const Error& error) {
    text = error.what();
  }
  CHECK(text.find("[node 'sum']") != std::string::npos);
}
