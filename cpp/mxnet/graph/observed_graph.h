// ObservedGraph: the graph of operators that a piece of code runs on arrays, written down while it runs.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "mxnet/graph/symbol.h"
#include "mxnet/op/invoke.h"
#include "mxnet/op/observe.h"

namespace mxnet {

// The code runs as it would without an observer. What cannot be written down makes the graph unknown: contents that are
// read, writing into arrays, operators written in Python, and a change of autograd's state. Arrays that the code did
// not get by an operator become variables; whether they are the same the next time is for the caller to see.
class ObservedGraph : public CallObserver {
 public:
  ~ObservedGraph() override { stop(); }

  // Names the variable for an array.
  void name(const NDArray& array, const std::string& name);
  void start();  // in this thread
  void stop();

  struct Result {
    Symbol symbol;
    std::map<std::string, NDArray> captured;  // variables that have no name of their own
  };
  // The graph of these arrays; nothing if it is unknown.
  std::optional<Result> result(std::span<const NDArray> outputs);

  void operator_ran(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs,
                    std::span<const NDArray> outputs, bool given) override;

 private:
  // A window on memory. The arrays are held, so that none is mistaken for another.
  using Key = std::tuple<const Chunk*, int64_t, std::vector<int64_t>, DType>;
  struct Known {
    NDArray array;
    NodeOutput value;
    uint64_t version;
  };

  static Key key(const NDArray& array);
  static void host_reads(const NDArray& array);
  bool observes() const { return running_ && !unknown_; }
  std::optional<NodeOutput> value_of(const NDArray& array);
  void know(const NDArray& array, NodeOutput value);
  std::string node_name(const Op& op);

  std::map<Key, Known> known_;
  std::map<const Chunk*, int> chunks_;  // of known arrays: how many are results of operators
  std::map<std::string, NDArray> captured_;
  std::map<std::string, int> names_;
  CallState state_;
  CallObserver* outer_ = nullptr;
  bool running_ = false, unknown_ = false;
};

}  // namespace mxnet
