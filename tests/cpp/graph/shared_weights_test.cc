// Eight threads run one network on shared weights, for the thread sanitizer; MXNET_STRESS_SECONDS says how long.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "mxnet/graph/infer.h"
#include "mxnet/graph/program.h"

using namespace mxnet;

namespace {

constexpr int kThreads = 8;

NodeOutput call(const char* name, std::vector<NodeOutput> inputs, Attrs attrs, const char* node) {
  const Op& op = Registry::get().at(name);
  return apply({&op, make_params(op, attrs), node, {}, std::move(inputs), {}}).outputs()[0];
}

// Convolution, batch norm, a branch that is added, pooling, a dense layer.
Symbol network() {
  NodeOutput x = make_variable("x").outputs()[0];
  NodeOutput hidden =
      call("Convolution", {x}, {{"kernel", Shape{3, 3}}, {"num_filter", 8}, {"pad", Shape{1, 1}}}, "c1");
  hidden = call("relu", {call("BatchNorm", {hidden}, {{"fix_gamma", false}}, "bn")}, {}, "r1");
  NodeOutput branch = call("Convolution", {hidden}, {{"kernel", Shape{1, 1}}, {"num_filter", 8}}, "c2");
  hidden = call("elemwise_add", {branch, hidden}, {}, "sum");
  hidden = call("Pooling", {hidden}, {{"kernel", Shape{2, 2}}, {"stride", Shape{2, 2}}}, "pool");
  hidden = call("FullyConnected", {hidden}, {{"num_hidden", 10}}, "fc");
  return Symbol({call("softmax", {hidden}, {}, "out")});
}

Arrays inputs_for(const Symbol& symbol, const Shape& shape) {
  NumberedGraph graph(symbol);
  GraphInference inference(graph, true);
  inference.know(0, {shape, DType::float32});
  inference.run();
  Arrays arrays;
  std::vector<float> values;
  for (Node* node : symbol.inputs()) {
    const Shape& extents = inference.spec(NodeOutput{Ref<Node>(node), 0}).shape;
    values.resize(static_cast<size_t>(extents.size()));
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>((i * 37 + arrays.size() * 11) % 101) / 101;
    arrays.emplace_back(extents, DType::float32, Context::cpu());
    copy_from_host(values.data(), values.size() * sizeof(float), arrays.back());
  }
  return arrays;
}

std::vector<float> values_of(const NDArray& array) {
  std::vector<float> values(static_cast<size_t>(array.size()));
  array.wait_to_read();
  copy_to_host(array, values.data(), values.size() * sizeof(float));
  return values;
}

double seconds() {
  const char* text = std::getenv("MXNET_STRESS_SECONDS");
  return text ? std::atof(text) : 1.0;
}

}  // namespace

TEST_CASE("eight threads infer one network on shared weights for a while") {
  Symbol symbol = network();
  Program program(symbol, {true, {"x"}});
  Arrays weights = inputs_for(symbol, {1, 3, 8, 8});
  std::vector<Arrays> given;
  std::vector<std::vector<float>> want;
  for (int64_t batch : {1, 2, 5}) {  // threads differ in shape, so that plans for several are made side by side
    given.push_back(weights);
    given.back()[0] = inputs_for(symbol, {batch, 3, 8, 8})[0];
    want.push_back(values_of(program.run(given.back(), Context::cpu())[0]));
  }
  Program fresh(symbol, {true, {"x"}});  // its first runs are those of the threads
  std::atomic<int> wrong{0}, runs{0};
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds());
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      size_t which = static_cast<size_t>(t);
      do {
        which = (which + 1) % given.size();
        wrong += values_of(fresh.run(given[which], Context::cpu())[0]) != want[which];
        ++runs;
      } while (std::chrono::steady_clock::now() < end);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(runs >= kThreads);
}
