// Op: one immutable record per operator - name, typed parameters, inputs, inference, kernels, gradient.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mxnet/ndarray/ndarray.h"
#include "mxnet/op/params.h"

namespace mxnet {

class Op;
class GradContext;
class Expr;

// What inference knows of an array; unknown parts are Shape::unknown(), -1 extents, DType::unknown.
struct TensorSpec {
  Shape shape = Shape::unknown();
  DType dtype = DType::unknown;
  bool present = true;  // false: an optional input that was left out

  TensorSpec with_shape(Shape s) const { return {std::move(s), dtype, present}; }
  // `other` where it is known, else this one's own type.
  TensorSpec with_dtype(DType other) const { return {shape, other == DType::unknown ? dtype : other, present}; }
};

// Inference: fills outputs from inputs, and inputs that are not known yet (deferred parameters, symbols)
// from what is. All inputs of an eager call are known.
class InferContext {
 public:
  InferContext(const Op& op, std::span<TensorSpec> in, std::span<TensorSpec> out) : op_(op), in_(in), out_(out) {}

  const Op& op() const { return op_; }
  int num_inputs() const { return static_cast<int>(in_.size()); }
  int num_outputs() const { return static_cast<int>(out_.size()); }
  TensorSpec& in(int i) { return in_[i]; }
  TensorSpec& out(int i) { return out_[i]; }
  bool has(int i) const { return i < static_cast<int>(in_.size()) && in_[i].present; }
  const Shape& shape(int i) const { return in_[i].shape; }

  // Input i has this shape: fills unknown extents, raises on a mismatch. Absent inputs are ignored.
  void expect_shape(int i, const Shape& shape);
  void expect_dtype(int i, DType dtype);
  // Rank of input i is one of [low, high].
  void expect_rank(int i, int low, int high);
  void expect_rank(int i, int rank) { expect_rank(i, rank, rank); }
  // All present inputs in [first, last) share one dtype (unknown ones take it); returns it.
  DType same_dtype(int first = 0, int last = -1);
  int axis(int64_t axis, const Shape& shape) const;  // normal_axis with the op's name

  // Raises "<op>: ..." as a ValueError or TypeError.
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    value_error(name(), ": ", parts...);
  }
  template <class... Parts>
  [[noreturn]] void fail_type(const Parts&... parts) const {
    type_error(name(), ": ", parts...);
  }
  std::string_view name() const;
  std::string_view input_name(int i) const;

 private:
  const Op& op_;
  std::span<TensorSpec> in_, out_;
};

// What a kernel gets. Outputs are allocated, never aliased with inputs unless the op is `inplace()`.
struct KernelContext {
  const Op& op;
  std::span<const TensorView> inputs;
  std::span<const TensorView> outputs;
  Context ctx;
  bool training = false;    // autograd.is_training() at the call
  uint64_t random_key = 0;  // with random_offset: this call's place in the counter-based stream
  uint64_t random_offset = 0;
  void* stream = nullptr;  // the CUDA stream on a gpu

  const TensorView& in(int i) const { return inputs[i]; }
  const TensorView& out(int i) const { return outputs[i]; }
  bool has(int i) const { return i < static_cast<int>(inputs.size()) && inputs[i].present(); }
};

using Kernel = std::function<void(const void* params, KernelContext&)>;

struct InputSpec {
  std::string name;
  std::string doc;
  bool optional = false;
  bool is_mutable = false;  // written by the kernel (moving averages, optimizer states)
};

// Whether the single output may be input 0 under another shape, sharing its memory, instead of a copy:
// always, or where nobody can tell because arrays on the tape are not written in place.
enum class View : uint8_t { no, on_tape, always };

struct Spelling {
  std::string space;  // "nd", "np", "npx"
  std::string name;
};

class Op {
 public:
  std::string name;
  std::vector<std::string> aliases;
  std::string doc;
  std::vector<InputSpec> inputs;
  std::string variadic;  // name of the field that counts a variadic input; empty for a fixed list
  std::vector<FieldSpec> fields;
  std::vector<Spelling> spellings;
  bool is_method = false;

  std::function<ParamsRef()> new_params;
  std::function<int(const void* params, int num_inputs)> num_outputs;
  std::function<int(const void* params, int num_inputs)> num_visible;  // how many a caller sees
  std::function<void(const void* params, InferContext&)> infer;
  std::function<void(const void* params, GradContext&)> gradient;       // composed of public ops: any order
  std::function<void(const void* params, GradContext&)> fast_gradient;  // fused kernels: when no graph is kept
  std::function<std::vector<Expr>(const void* params, std::span<const Expr>)> compose;  // no kernel of its own

  bool is_inplace = false;       // an output may share memory with an input
  bool any_inplace = false;      // so may each of several outputs, with whatever input
  View view = View::no;          // the kernel is left out where the output is a view of input 0
  bool is_heavy = false;         // more than a few operations per element: not run in the caller
  bool uses_training = false;    // behaves differently under train_mode
  bool grad_uses_inputs = true;  // what the tape must keep for the gradient
  bool grad_uses_outputs = true;
  int grad_first_output = 0;  // outputs before this one are not kept for it
  int ctx_field = -1;         // index of the field that names the context of an op without inputs

  // Whether a call draws random numbers; empty: never.
  std::function<bool(const void* params, bool training)> draws;

  // For operators defined elsewhere (Custom):
  Lane lane = Lane::compute;                             // the threads that run the kernel
  std::function<FreeParams&(void* params)> free_params;  // parameters beside `fields`
  // Inputs and names of outputs where they depend on the parameters.
  std::function<std::vector<InputSpec>(const void* params)> inputs_of;
  std::function<std::vector<std::string>(const void* params)> output_names;
  // Params for one application to such inputs: a copy with a state of its own, which the gradient finds there.
  std::function<ParamsRef(const void* params, Context, std::span<const TensorSpec> inputs)> bind;

  bool is_variadic() const { return !variadic.empty(); }
  bool differentiable() const { return gradient || compose; }
  bool is_random(const void* params, bool training) const { return draws && draws(params, training); }
  const Kernel& cpu_kernel() const { return cpu_kernel_; }
  const Kernel& gpu_kernel() const { return gpu_kernel_; }
  const Kernel& kernel(Context ctx) const { return ctx.on_host() ? cpu_kernel_ : gpu_kernel_; }
  std::string signature() const;  // "softmax(data, length=None, axis=-1, ...)"
  std::string input_name(int i) const;
  // Whether the kernel writes input i.
  bool writes_input(const void* params, size_t i) const {
    if (inputs_of) return depends_writes_input(params, i);
    return i < inputs.size() && inputs[i].is_mutable;
  }

 private:
  friend class Registry;
  bool depends_writes_input(const void* params, size_t i) const;

  Kernel cpu_kernel_, gpu_kernel_;
};

// Builds an Op; returned by define_op and filled by chained calls.
template <class P>
class OpBuilder {
 public:
  explicit OpBuilder(Op& op) : op_(op) {
    op_.fields = field_specs<P>();
    for (FieldSpec& f : op_.fields) f.what = op_.name + ": " + f.name;
    op_.new_params = [] { return ParamsRef(new TypedParams<P>()); };
    op_.num_outputs = [](const void*, int) { return 1; };
  }
  operator const Op&() const { return op_; }

  OpBuilder& doc(const char* text) { return op_.doc = text, *this; }
  OpBuilder& alias(std::initializer_list<const char*> names) {
    return op_.aliases.insert(op_.aliases.end(), names.begin(), names.end()), *this;
  }
  OpBuilder& input(const char* name, const char* doc = "") { return op_.inputs.push_back({name, doc}), *this; }
  OpBuilder& optional_input(const char* name, const char* doc = "") {
    return op_.inputs.push_back({name, doc, true}), *this;
  }
  OpBuilder& mutable_input(const char* name, const char* doc = "") {
    return op_.inputs.push_back({name, doc, false, true}), *this;
  }
  // Any number of inputs, counted by the field `count`.
  OpBuilder& variadic(const char* name, const char* count, const char* doc = "") {
    op_.variadic = count;
    return input(name, doc);
  }
  OpBuilder& outputs(int n) {
    op_.num_outputs = [n](const void*, int) { return n; };
    return *this;
  }
  template <class F>  // int f(const P&, int num_inputs)
  OpBuilder& outputs_of(F f) {
    op_.num_outputs = [f](const void* p, int n) { return f(*static_cast<const P*>(p), n); };
    return *this;
  }
  template <class F>
  OpBuilder& visible_of(F f) {
    op_.num_visible = [f](const void* p, int n) { return f(*static_cast<const P*>(p), n); };
    return *this;
  }
  OpBuilder& visible(int n) {
    return visible_of([n](const P&, int) { return n; });
  }
  template <class F>  // void f(const P&, InferContext&)
  OpBuilder& infer(F f) {
    op_.infer = [f](const void* p, InferContext& c) { f(*static_cast<const P*>(p), c); };
    return *this;
  }
  template <class F>  // void f(const P&, GradContext&)
  OpBuilder& gradient(F f) {
    op_.gradient = [f](const void* p, GradContext& g) { f(*static_cast<const P*>(p), g); };
    return *this;
  }
  template <class F>
  OpBuilder& fast_gradient(F f) {
    op_.fast_gradient = [f](const void* p, GradContext& g) { f(*static_cast<const P*>(p), g); };
    return *this;
  }
  template <class F>  // std::vector<Expr> f(const P&, std::span<const Expr>)
  OpBuilder& compose(F f) {
    op_.compose = [f](const void* p, std::span<const Expr> in) { return f(*static_cast<const P*>(p), in); };
    return *this;
  }
  // A kernel that needs no vector code; the others register themselves from *.kernel.cc.
  template <class F>  // void f(const P&, KernelContext&)
  OpBuilder& cpu(F f);

  OpBuilder& inplace() { return op_.is_inplace = true, *this; }
  OpBuilder& any_inplace() { return op_.is_inplace = op_.any_inplace = true, *this; }
  OpBuilder& view(View when) { return op_.view = when, *this; }
  OpBuilder& heavy() { return op_.is_heavy = true, *this; }
  OpBuilder& random() {
    return random_if([](const P&, bool) { return true; });
  }
  template <class F>  // bool f(const P&, bool training)
  OpBuilder& random_if(F f) {
    op_.draws = [f](const void* p, bool training) { return f(*static_cast<const P*>(p), training); };
    return *this;
  }
  OpBuilder& uses_training() { return op_.uses_training = true, *this; }
  // What of its arrays the gradient reads; of the outputs, those from `first_output` on.
  OpBuilder& grad_uses(bool inputs, bool outputs, int first_output = 0) {
    op_.grad_uses_inputs = inputs;
    op_.grad_uses_outputs = outputs;
    op_.grad_first_output = first_output;
    return *this;
  }
  // The field that names the context, for operators without inputs.
  OpBuilder& context_field(std::string_view name) {
    for (size_t i = 0; i < op_.fields.size(); ++i)
      if (op_.fields[i].name == name) op_.ctx_field = static_cast<int>(i);
    return *this;
  }
  OpBuilder& lane(Lane lane) { return op_.lane = lane, *this; }
  OpBuilder& free_params(FreeParams P::* member) {
    op_.free_params = [member](void* p) -> FreeParams& { return static_cast<P*>(p)->*member; };
    return *this;
  }
  template <class F>  // std::vector<InputSpec> f(const P&)
  OpBuilder& inputs_of(F f) {
    op_.inputs_of = [f](const void* p) { return f(*static_cast<const P*>(p)); };
    return *this;
  }
  template <class F>  // std::vector<std::string> f(const P&)
  OpBuilder& output_names(F f) {
    op_.output_names = [f](const void* p) { return f(*static_cast<const P*>(p)); };
    return *this;
  }
  template <class F>  // P f(const P&, Context, std::span<const TensorSpec> inputs)
  OpBuilder& bind(F f) {
    op_.bind = [f](const void* p, Context ctx, std::span<const TensorSpec> inputs) {
      return make_params(f(*static_cast<const P*>(p), ctx, inputs));
    };
    return *this;
  }
  OpBuilder& spell(const char* space, const char* name) { return op_.spellings.push_back({space, name}), *this; }
  OpBuilder& method() { return op_.is_method = true, *this; }

 private:
  Op& op_;
};

}  // namespace mxnet

#include "mxnet/op/registry.h"
