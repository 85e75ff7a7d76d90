#include "mxnet/op/invoke.h"

#include <algorithm>
#include <new>

#include "mxnet/device/gpu.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/observe.h"

namespace mxnet {
namespace {

RecordHook record_hook = nullptr;
std::string (*location_hook)() = nullptr;

// Up to this many elements an operation runs in the caller when its arrays are idle: queueing costs more.
constexpr int64_t kSmall = 16384;
constexpr int64_t kSmallHeavy = 1024;

// One application of an operator with all it needs to run later.
struct Call {
  const Op* op;
  ParamsRef params;
  bool training;
  RandomState random;
};

std::string describe(std::span<const NDArray> arrays) {
  std::string text;
  for (const NDArray& a : arrays)
    if (a.defined()) text += str(text.empty() ? "" : ", ", a.shape(), " ", a.dtype());
  return text;
}

// Runs the kernel; a failure tells operator, arrays and place of the call, which is looked up here when the caller
// itself runs the kernel.
void run_guarded(const Call& call, std::span<const NDArray> inputs, std::span<const NDArray> outputs,
                 const std::string* known_where) {
  constexpr size_t kInline = 8;
  TensorView local[2 * kInline];
  std::vector<TensorView> heap;
  TensorView* views = local;
  if (inputs.size() > kInline || outputs.size() > kInline) {
    heap.resize(inputs.size() + outputs.size());
    views = heap.data();
  }
  TensorView* next = views;
  for (const NDArray& a : inputs) *next++ = a.view();
  for (const NDArray& a : outputs) *next++ = a.view();
  Context ctx = !outputs.empty() ? outputs[0].ctx() : inputs[0].ctx();
  KernelContext context{*call.op,
                        {views, inputs.size()},
                        {views + inputs.size(), outputs.size()},
                        ctx,
                        call.training,
                        call.random.key,
                        call.random.offset,
                        ctx.on_host() ? nullptr : gpu_library()->stream(ctx.id)};
  run_kernel(*call.op, call.params->data(), context, known_where, [&](const char* text) {
    return inputs.empty() ? std::string(text) : str(text, " [arrays: ", describe(inputs), "]");
  });
}

// The Vars an operation reads and writes: outputs and mutable inputs are written, the rest is read.
struct Access {
  static constexpr size_t kInline = 16;
  Var* local_reads[kInline];
  Var* local_writes[kInline];
  std::vector<Var*> heap_reads, heap_writes;
  std::span<Var* const> reads, writes;

  Access(const Call& call, std::span<const NDArray> inputs, std::span<const NDArray> outputs) {
    Var** r = local_reads;
    Var** w = local_writes;
    if (inputs.size() + outputs.size() > kInline) {
      heap_reads.resize(inputs.size());
      heap_writes.resize(inputs.size() + outputs.size());
      r = heap_reads.data();
      w = heap_writes.data();
    }
    size_t num_writes = 0, num_reads = 0;
    for (const NDArray& a : outputs) w[num_writes++] = &a.var();
    const Op& op = *call.op;
    std::vector<InputSpec> actual;
    if (op.inputs_of) actual = op.inputs_of(call.params->data());
    const std::vector<InputSpec>& specs = op.inputs_of ? actual : op.inputs;
    for (size_t i = 0; i < std::min(inputs.size(), specs.size()); ++i)
      if (inputs[i].defined() && specs[i].is_mutable) w[num_writes++] = &inputs[i].var();
    for (const NDArray& a : inputs)
      if (a.defined() && std::find(w, w + num_writes, &a.var()) == w + num_writes) r[num_reads++] = &a.var();
    reads = {r, num_reads};
    writes = {w, num_writes};
  }
};

// A kernel on a GPU is only queued on the device's stream by its call; it is done when the stream has come so far.
void execute_on_gpu(Call&& call, const Access& access, std::span<const NDArray> inputs,
                    std::span<const NDArray> outputs, const Schedule& schedule) {
  auto task = [call = std::move(call), in = Arrays(inputs.begin(), inputs.end()),
               out = Arrays(outputs.begin(), outputs.end()), device = schedule.ctx.id,
               where = current_location()](Completion done) {
    run_guarded(call, in, out, &where);
    gpu_library()->when_done(device, std::move(done));
  };
  Engine::get().push_async(std::move(task), access.reads, access.writes, schedule);
}

void execute(Call&& call, std::span<const NDArray> inputs, std::span<const NDArray> outputs) {
  const Op& op = *call.op;
  Engine& engine = Engine::get();
  Access access(call, inputs, outputs);
  Context ctx = !outputs.empty() ? outputs[0].ctx() : inputs[0].ctx();
  int64_t elements = 0, bytes = 0;
  for (const NDArray& a : inputs)
    if (a.defined()) elements += a.size();
  for (const NDArray& a : outputs) elements += a.size(), bytes += a.bytes();
  Schedule schedule{op.name.c_str(), ctx, op.lane, 0, bytes};
  if (!ctx.on_host()) return execute_on_gpu(std::move(call), access, inputs, outputs, schedule);
  bool small = elements <= (op.is_heavy ? kSmallHeavy : kSmall);
  if (small && op.lane == Lane::compute) {
    auto task = [&] { run_guarded(call, inputs, outputs, nullptr); };
    if (engine.try_run(task, access.reads, access.writes)) return;
  }
  auto task = [call = std::move(call), in = Arrays(inputs.begin(), inputs.end()),
               out = Arrays(outputs.begin(), outputs.end()),
               where = current_location()] { run_guarded(call, in, out, &where); };
  engine.push(std::move(task), access.reads, access.writes, schedule);
}

Context common_context(const Op& op, std::span<const NDArray> inputs, std::span<NDArray> out,
                       std::optional<Context> ctx) {
  const NDArray* first = nullptr;
  for (const NDArray& a : inputs) {
    if (!a.defined()) continue;
    if (!first) first = &a;
    if (!(a.ctx() == first->ctx()) && !(a.ctx().on_host() && first->ctx().on_host()))
      value_error(op.name, ": inputs are on different devices, ", first->ctx(), " and ", a.ctx(),
                  "; move them with as_in_context");
  }
  if (first) return first->ctx();
  if (!out.empty()) return out[0].ctx();
  return ctx.value_or(Context::cpu());
}

// The first use of a GPU opens libmxnet_cuda; its kernels then join their operators.
void check_kernel(const Op& op, Context ctx) {
  if (!ctx.on_host()) {
    check_gpu(ctx.id);
    static const bool joined = (Registry::get().all(), true);
    (void)joined;
  }
  if (!op.kernel(ctx)) fail(ErrorKind::not_implemented, op.name, ": there is no kernel for ", ctx);
}

// A parameter may ask for any number of outputs.
int count_outputs(const Op& op, const ParamsRef& params, int num_inputs) {
  constexpr int kMost = 1 << 20;
  int count = op.num_outputs(params->data(), num_inputs);
  if (count > kMost) value_error(op.name, ": would have ", count, " outputs, more than ", kMost);
  return count;
}

void check_out(const Op& op, const NDArray& out, const TensorSpec& spec) {
  if (!(out.shape() == spec.shape)) value_error(op.name, ": out has shape ", out.shape(), ", expected ", spec.shape);
  if (out.dtype() != spec.dtype) type_error(op.name, ": out has dtype ", out.dtype(), ", expected ", spec.dtype);
}

void check_inputs(const Op& op, std::span<const NDArray> inputs) {
  size_t declared = op.inputs.size();
  if (!op.is_variadic() && inputs.size() > declared)
    type_error(op.name, ": takes ", declared, " arrays, got ", inputs.size(), "; signature is ", op.signature());
  if (op.is_variadic()) return;
  for (size_t i = 0; i < declared; ++i)
    if (!op.inputs[i].optional && (i >= inputs.size() || !inputs[i].defined()))
      type_error(op.name, ": array '", op.inputs[i].name, "' is missing; signature is ", op.signature());
}

NDArray make_output(const Op& op, const TensorSpec& spec, Context ctx) {
  if (!spec.shape.known()) value_error(op.name, ": the shape of the result does not follow from the arguments");
  try {
    return NDArray(spec.shape, spec.dtype, ctx);
  } catch (const Error& error) {
    throw Error(error.kind(), op.name + ": " + error.what());
  }
}

bool gives_view(const Op& op, std::span<const NDArray> inputs, std::span<const NDArray> out) {
  if (op.view == View::no || std::any_of(out.begin(), out.end(), [](const NDArray& a) { return a.defined(); }))
    return false;
  return op.view == View::always || (call_state().recording && inputs[0].tape);
}

// Inference comes first, so that what does not fit is told in terms of this operator and not of its parts.
Arrays run_composition(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs, std::span<NDArray> out) {
  std::vector<TensorSpec> specs(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    specs[i].present = inputs[i].defined();
    if (specs[i].present) specs[i] = {inputs[i].shape(), inputs[i].dtype()};
  }
  infer(op, params, specs);
  std::vector<Expr> arguments(inputs.begin(), inputs.end());
  std::vector<Expr> results;
  try {
    results = op.compose(params->data(), arguments);
  } catch (const Error& error) {
    std::string_view text = error.what();
    throw Error(error.kind(), text.starts_with(op.name) ? std::string(text) : str(op.name, ": ", text));
  }
  Arrays outputs;
  for (size_t i = 0; i < results.size(); ++i) {
    outputs.push_back(results[i].array());
    if (i >= out.size() || !out[i].defined()) continue;
    check_out(op, out[i], {outputs[i].shape(), outputs[i].dtype()});
    copy(outputs[i], out[i]);
    if (outputs[i].tape) out[i].tape = outputs[i].tape;
  }
  return outputs;
}

}  // namespace

CallState& call_state() {
  thread_local CallState state;
  return state;
}

CallObserver*& call_observer() {
  thread_local CallObserver* observer = nullptr;
  return observer;
}

void set_record_hook(RecordHook hook) { record_hook = hook; }
void set_location_hook(std::string (*hook)()) { location_hook = hook; }
std::string current_location() { return location_hook ? location_hook() : std::string(); }

Error kernel_error(const Op& op) {
  auto told = [&](ErrorKind kind, std::string_view text) {
    return Error(kind, text.starts_with(op.name) ? std::string(text) : str(op.name, ": ", text));
  };
  try {
    throw;
  } catch (const Error& error) {
    return told(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    return told(ErrorKind::memory, "out of memory");
  } catch (const std::exception& error) {
    return told(ErrorKind::runtime, error.what());
  }
}

std::vector<TensorSpec> infer(const Op& op, const ParamsRef& params, std::span<TensorSpec> inputs) {
  std::vector<TensorSpec> outputs(count_outputs(op, params, static_cast<int>(inputs.size())));
  InferContext context(op, inputs, outputs);
  op.infer(params->data(), context);
  return outputs;
}

Arrays invoke(const Op& op, const ParamsRef& given, std::span<const NDArray> inputs, std::span<NDArray> out,
              std::optional<Context> ctx_hint) {
  if (GraphBuilder* builder = call_state().builder) return builder->apply(op, given, inputs);
  check_inputs(op, inputs);
  if (op.compose) return run_composition(op, given, inputs, out);
  Context ctx = common_context(op, inputs, out, ctx_hint);

  int num_inputs = static_cast<int>(inputs.size());
  int num_outputs = count_outputs(op, given, num_inputs);
  constexpr int kInline = 8;
  TensorSpec local[kInline];
  std::vector<TensorSpec> heap;
  TensorSpec* specs = local;
  if (num_inputs + num_outputs > kInline) {
    heap.resize(num_inputs + num_outputs);
    specs = heap.data();
  }
  for (int i = 0; i < num_inputs; ++i) {
    const NDArray& a = inputs[i];
    if (a.defined())
      specs[i].shape = a.shape(), specs[i].dtype = a.dtype();
    else
      specs[i].present = false;
  }
  std::span<TensorSpec> out_specs(specs + num_inputs, num_outputs);
  for (size_t i = 0; i < out.size() && i < out_specs.size(); ++i)
    if (out[i].defined()) out_specs[i] = {out[i].shape(), out[i].dtype()};
  InferContext infer_context(op, {specs, static_cast<size_t>(num_inputs)}, out_specs);
  op.infer(given->data(), infer_context);

  check_kernel(op, ctx);
  ParamsRef bound;
  if (op.bind) bound = op.bind(given->data(), ctx, {specs, static_cast<size_t>(num_inputs)});
  const ParamsRef& params = bound ? bound : given;
  Arrays outputs;
  outputs.reserve(num_outputs);
  bool redirected = false;
  bool view = gives_view(op, inputs, out);
  if (view) outputs.push_back(inputs[0].reshaped(out_specs[0].shape));
  for (int i = 0; i < num_outputs && !view; ++i) {
    bool given = i < static_cast<int>(out.size()) && out[i].defined();
    if (given) check_out(op, out[i], out_specs[i]);
    if (given && (op.is_inplace || !shares_memory(out[i], inputs))) {
      outputs.push_back(out[i].detached());
    } else {
      redirected |= given;
      outputs.push_back(make_output(op, out_specs[i], ctx));
    }
  }

  CallState& state = call_state();
  Call call{&op, params, state.training, {}};
  if (op.is_random(params->data(), state.training)) {
    uint64_t count = 1;
    for (const NDArray& a : outputs) count += static_cast<uint64_t>(a.size());
    call.random = draw_random(ctx, count);
  }
  if (!view) execute(std::move(call), inputs, outputs);
  if (state.recording && op.differentiable() && record_hook) record_hook(op, params, inputs, outputs);
  if (CallObserver* observer = call_observer())
    observer->operator_ran(op, params, inputs, outputs,
                           std::any_of(out.begin(), out.end(), [](const NDArray& a) { return a.defined(); }));

  for (size_t i = 0; i < out.size() && i < outputs.size(); ++i) {
    if (!out[i].defined()) continue;
    if (redirected && !(out[i].chunk() == outputs[i].chunk())) copy(outputs[i], out[i]);
    if (outputs[i].tape) out[i].tape = outputs[i].tape;
  }
  int visible = op.num_visible ? op.num_visible(params->data(), num_inputs) : num_outputs;
  outputs.resize(visible);
  return outputs;
}

namespace {

void set_fields(const Op& op, void* params, std::vector<bool>& given, std::string_view name, const Value& value) {
  for (size_t i = 0; i < op.fields.size(); ++i) {
    if (op.fields[i].name != name) continue;
    op.fields[i].set(params, value, op.fields[i].what);
    given[i] = true;
    return;
  }
  if (op.free_params) {
    op.free_params(params).emplace_back(name, to_text(value));
    return;
  }
  type_error(op.name, ": there is no parameter '", name, "'; signature is ", op.signature());
}

void check_required(const Op& op, const std::vector<bool>& given) {
  for (size_t i = 0; i < given.size(); ++i)
    if (op.fields[i].required && !given[i])
      type_error(op.name, ": parameter '", op.fields[i].name, "' is missing; signature is ", op.signature());
}

template <class Range>
ParamsRef params_from(const Op& op, const Range& attrs) {
  ParamsRef params = op.new_params();
  std::vector<bool> given(op.fields.size());
  for (const auto& [name, value] : attrs) set_fields(op, params->data(), given, name, value);
  check_required(op, given);
  return params;
}

}  // namespace

ParamsRef make_params(const Op& op, std::span<const std::pair<std::string, Value>> attrs) {
  return params_from(op, attrs);
}
ParamsRef make_params(const Op& op, Attrs attrs) { return params_from(op, attrs); }

std::vector<std::pair<std::string, std::string>> params_text(const Op& op, const ParamsRef& params) {
  std::vector<std::pair<std::string, std::string>> items;
  for (const FieldSpec& field : op.fields) items.emplace_back(field.name, to_text(field.get(params->data())));
  if (op.free_params)
    for (const auto& item : op.free_params(params->data())) items.push_back(item);
  return items;
}

}  // namespace mxnet
