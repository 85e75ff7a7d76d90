// The library as a C++ program uses it.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "mxnet/mxnet.h"

using namespace mxnet;

namespace {

NDArray array_of(const Shape& shape, const std::vector<float>& values) {
  NDArray array(shape, DType::float32, Context::cpu());
  copy_from_host(values.data(), values.size() * sizeof(float), array);
  return array;
}

std::vector<float> values_of(const NDArray& array) {
  std::vector<float> values(array.size());
  copy_to_host(array, values.data(), values.size() * sizeof(float));
  return values;
}

NDArray variable(const Shape& shape, const std::vector<float>& values) {
  NDArray array = array_of(shape, values);
  mark_variable(array, zeros_like(array).array(), GradReq::write);
  return array;
}

std::string error_of(auto&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("gradients of the example in mxnet.h") {
  NDArray x = variable({2, 3}, {1, 2, 3, 4, 5, 6});
  Expr loss;
  {
    RecordScope recording;
    loss = apply("sum", {square(Expr(x) * 3.0)});
  }
  backward(loss);
  CHECK(values_of(loss.array()) == std::vector<float>{9 * 91});
  CHECK(values_of(gradient_of(x)) == std::vector<float>{18, 36, 54, 72, 90, 108});
}

TEST_CASE("a gradient of a gradient") {
  NDArray x = variable({3}, {0.5f, 1, 2});
  Arrays second;
  {
    RecordScope recording;
    NDArray y = tanh(Expr(x)).array();
    Arrays first = backward({&y, 1}, {}, {&x, 1}, {.retain_graph = true, .create_graph = true});
    second = backward({&first[0], 1}, {}, {&x, 1}, {});
  }
  std::vector<float> got = values_of(second[0]);
  for (int i = 0; i < 3; ++i) {
    double t = std::tanh(std::vector<double>{0.5, 1, 2}[i]);
    CHECK(got[i] == doctest::Approx(-2 * t * (1 - t * t)).epsilon(1e-4));
  }
}

TEST_CASE("gradient descent fits a line") {
  NDArray x = array_of({4, 1}, {0, 1, 2, 3}), y = array_of({4, 1}, {1, 3, 5, 7});
  NDArray w = variable({1, 1}, {0}), b = variable({1}, {0});
  static const OpRef sgd("sgd_update");
  for (int step = 0; step < 500; ++step) {
    Expr loss;
    {
      RecordScope recording;
      loss = apply("mean", {square(apply("dot", {x, w}) + Expr(b) - Expr(y))});
    }
    backward(loss);
    for (NDArray* p : {&w, &b})
      invoke(sgd.op(), make_params(sgd.op(), {{"lr", 0.1}}), std::array{*p, gradient_of(*p)}, {p, 1});
  }
  CHECK(values_of(w)[0] == doctest::Approx(2).epsilon(1e-3));
  CHECK(values_of(b)[0] == doctest::Approx(1).epsilon(1e-3));
}

TEST_CASE("errors are sentences") {
  NDArray a = array_of({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(error_of([&] { apply("softmax", {a}, {{"axis", 3}}); }) == "softmax: axis 3 is out of range for shape (2, 3)");
  CHECK(error_of([&] { apply("no_such_operator", {a}); }) == "operator 'no_such_operator' is not registered");
  CHECK(error_of([&] { apply("dot", {a, a}); }).starts_with("dot: "));
  CHECK(error_of([&] { backward(Expr(a)); }).starts_with("backward: "));
}

TEST_CASE("a second backward without retain_graph says what to do") {
  NDArray x = variable({1}, {2});
  Expr y;
  {
    RecordScope recording;
    y = square(Expr(x));
  }
  backward(y);
  CHECK(error_of([&] { backward(y); }).find("retain_graph=True") != std::string::npos);
}

TEST_CASE("a long tape is taken apart without recursion") {
  NDArray x = variable({1}, {1});
  {
    RecordScope recording;
    Expr y = x;
    for (int i = 0; i < 200000; ++i) y = y + 1e-6;
    backward(y);
  }
  CHECK(values_of(gradient_of(x))[0] == 1);
}
