// Running an operator on arrays: infer, allocate, hand to the engine, record.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mxnet/op/registry.h"

namespace mxnet {

using Arrays = std::vector<NDArray>;

// Takes the place of running operators: what is called while one is in force becomes a graph. Its arrays have a shape
// and a dtype but no memory.
class GraphBuilder {
 public:
  virtual ~GraphBuilder() = default;
  // The visible outputs of an application.
  virtual Arrays apply(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs) = 0;
};

// How the calls of this thread are carried out.
struct CallState {
  bool recording = false;
  bool training = false;
  GraphBuilder* builder = nullptr;
};
CallState& call_state();

// Sets it for a scope.
class CallStateScope {
 public:
  explicit CallStateScope(CallState state) : saved_(std::exchange(call_state(), state)) {}
  CallStateScope(const CallStateScope&) = delete;
  ~CallStateScope() { call_state() = saved_; }

 private:
  CallState saved_;
};

// Applies `op`. `out`, if not empty, holds one array per visible output to write into. `ctx` is where an
// operator without inputs makes its result. Returns the visible outputs. Shape and dtype errors are raised
// here; what fails later is raised at the next wait on a result.
Arrays invoke(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs, std::span<NDArray> out = {},
              std::optional<Context> ctx = {});

// Inference alone; raises as invoke would.
std::vector<TensorSpec> infer(const Op& op, const ParamsRef& params, std::span<TensorSpec> inputs);

// A params object from name-value pairs; raises on an unknown name, a missing required one, a bad value.
using Attrs = std::initializer_list<std::pair<const char*, Value>>;
ParamsRef make_params(const Op& op, std::span<const std::pair<std::string, Value>> attrs);
ParamsRef make_params(const Op& op, Attrs attrs);
// Equality of two params objects of one operator, and their text form.
std::vector<std::pair<std::string, std::string>> params_text(const Op& op, const ParamsRef& params);

// The next place in a context's stream of random numbers; `count` draws are set aside.
struct RandomState {
  uint64_t key = 0;
  uint64_t offset = 0;
};
RandomState draw_random(Context ctx, uint64_t count);
void seed_random(uint64_t seed);  // every context
void seed_random(uint64_t seed, Context ctx);

// Called for each recorded operator; autograd installs it.
using RecordHook = void (*)(const Op&, const ParamsRef&, std::span<const NDArray> inputs, std::span<NDArray> outputs);
void set_record_hook(RecordHook hook);

// Where the call came from, "file.py:12", for errors that surface later; an embedding language installs it.
void set_location_hook(std::string (*hook)());
std::string current_location();  // empty without a hook

// The exception being handled, which a kernel of `op` has raised.
Error kernel_error(const Op& op);

// Calls the kernel of `op` for the context's device. A failure leaves as an Error that begins with the operator's name;
// `tell(text)` adds what is known of the call. `where` is the place of the call, null: that of this one.
template <class Tell>
void run_kernel(const Op& op, const void* params, KernelContext& context, const std::string* where, const Tell& tell) {
  try {
    op.kernel(context.ctx)(params, context);
  } catch (...) {
    Error error = kernel_error(op);
    std::string text = tell(error.what()), place = where ? *where : current_location();
    throw Error(error.kind(), place.empty() ? text : text + " [called at " + place + "]");
  }
}

}  // namespace mxnet
