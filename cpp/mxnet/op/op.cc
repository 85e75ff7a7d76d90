#include "mxnet/op/op.h"

namespace mxnet {

std::string Op::input_name(int i) const {
  int last = static_cast<int>(inputs.size()) - 1;
  if (is_variadic() && i >= last) return str(inputs[last].name, i - last);
  return i <= last ? inputs[i].name : str("input ", i);
}

bool Op::depends_writes_input(const void* params, size_t i) const {
  std::vector<InputSpec> actual = inputs_of(params);
  return i < actual.size() && actual[i].is_mutable;
}

std::string Op::signature() const {
  std::string text = name + "(";
  auto add = [&](const std::string& item) { text += (text.ends_with('(') ? "" : ", ") + item; };
  for (const InputSpec& input : inputs) {
    if (is_variadic() && &input == &inputs.back())
      add("*" + input.name);
    else
      add(input.name + (input.optional ? "=None" : ""));
  }
  for (const FieldSpec& field : fields) {
    if (is_variadic() && field.name == variadic) continue;
    bool quoted = field.default_value.get<std::string>() != nullptr;
    std::string value = to_text(field.default_value);
    add(field.required ? field.name : field.name + "=" + (quoted ? "'" + value + "'" : value));
  }
  return text + (free_params ? ", **params)" : ")");
}

std::string_view InferContext::name() const { return op_.name; }

std::string_view InferContext::input_name(int i) const {
  int last = static_cast<int>(op_.inputs.size()) - 1;
  return op_.inputs[std::min(i, last)].name;
}

int InferContext::axis(int64_t axis, const Shape& shape) const { return normal_axis(op_.name.c_str(), axis, shape); }

void InferContext::expect_shape(int i, const Shape& shape) {
  if (!has(i) || !shape.rank_known()) return;
  Shape& mine = in_[i].shape;
  if (!mine.rank_known()) {
    mine = shape;
    return;
  }
  bool fits = mine.ndim() == shape.ndim();
  for (int axis = 0; fits && axis < shape.ndim(); ++axis) {
    if (mine[axis] < 0) mine[axis] = shape[axis];
    fits = shape[axis] < 0 || mine[axis] == shape[axis];
  }
  if (!fits) fail(input_name(i), " has shape ", mine, ", expected ", shape);
}

void InferContext::expect_dtype(int i, DType dtype) {
  if (!has(i)) return;
  if (in_[i].dtype == DType::unknown) in_[i].dtype = dtype;
  if (in_[i].dtype != dtype)
    fail_type(input_name(i), " has dtype ", in_[i].dtype, ", expected ", dtype, "; convert it with astype");
}

void InferContext::expect_rank(int i, int low, int high) {
  if (!has(i) || !in_[i].shape.rank_known()) return;
  int rank = in_[i].shape.ndim();
  if (rank >= low && rank <= high) return;
  if (low == high) fail(input_name(i), " has shape ", in_[i].shape, ", expected ", low, " dimensions");
  fail(input_name(i), " has shape ", in_[i].shape, ", expected ", low, " to ", high, " dimensions");
}

DType InferContext::same_dtype(int first, int last) {
  if (last < 0) last = num_inputs();
  DType dtype = DType::unknown;
  for (int i = first; i < last && dtype == DType::unknown; ++i)
    if (has(i)) dtype = in_[i].dtype;
  for (int i = first; i < last; ++i) expect_dtype(i, dtype);
  return dtype;
}

}  // namespace mxnet
