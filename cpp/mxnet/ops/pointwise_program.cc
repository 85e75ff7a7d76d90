#include "mxnet/ops/pointwise_program.h"

#include <algorithm>
#include <charconv>

#include "mxnet/op/invoke.h"

namespace mxnet {
namespace {

constexpr const char* kName = "_fused_pointwise";
// Far more than a graph's fused groups have; keeps a wrong number in a text from taking all memory.
constexpr int kMostValues = 4096;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The parts of a text between separators that stand in no parentheses.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (text[i] == '(' || text[i] == '[')) ++depth;
    if (i < text.size() && (text[i] == ')' || text[i] == ']')) --depth;
    if (i < text.size() && (text[i] != separator || depth > 0)) continue;
    std::string_view part = trimmed(text.substr(begin, i - begin));
    if (!part.empty()) parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

// What is known of a value after an operator's inference, which may have forgotten what it did not need.
bool merge(const TensorSpec& found, TensorSpec& known) {
  TensorSpec merged = found;
  if (!merged.shape.rank_known()) merged.shape = known.shape;
  if (known.shape.rank_known() && known.shape.ndim() == merged.shape.ndim())
    for (int i = 0; i < merged.shape.ndim(); ++i)
      if (merged.shape[i] == kUnknown) merged.shape[i] = known.shape[i];
  if (merged.dtype == DType::unknown) merged.dtype = known.dtype;
  bool changed = !(merged.shape == known.shape) || merged.dtype != known.dtype;
  known = merged;
  return changed;
}

void check_operands(const Op& op, size_t count) {
  size_t least = 0;
  for (const InputSpec& input : op.inputs) least += !input.optional;
  size_t most = op.is_variadic() ? kMostValues : op.inputs.size();
  if (count < least || count > most)
    value_error(kName, ": ", op.name, " takes ", least, op.is_variadic() ? " or more" : "", " operands, got ", count);
}

}  // namespace

// During reading, results are numbered -1, -2, ...: the number of inputs is not known yet.
PointwiseProgram::PointwiseProgram(std::string_view text) {
  size_t arrow = text.find("->");
  if (arrow == std::string_view::npos)
    type_error(kName, ": program must say what it gives, as in 'relu(x0) -> t0', got '", text, "'");
  for (std::string_view part : split(text.substr(0, arrow), ';')) read_instruction(part);
  for (std::string_view part : split(text.substr(arrow + 2), ',')) {
    int value = read_value(part);
    if (value >= 0) value_error(kName, ": the program gives its input ", part, ", expected results of instructions");
    outputs_.push_back(value);
  }
  if (outputs_.empty()) value_error(kName, ": the program '", text, "' gives nothing");
  for (size_t i = 0; i < outputs_.size(); ++i)
    if (std::count(outputs_.begin(), outputs_.end(), outputs_[i]) > 1)
      value_error(kName, ": the program gives t", -1 - outputs_[i], " twice");
  for (const Instruction& instruction : instructions_)
    for (int value : instruction.operands) num_inputs_ = std::max(num_inputs_, value + 1);
  auto number = [&](int& value) { value = value < 0 ? num_inputs_ - 1 - value : value; };
  for (Instruction& instruction : instructions_)
    std::for_each(instruction.operands.begin(), instruction.operands.end(), number);
  std::for_each(outputs_.begin(), outputs_.end(), number);
}

int PointwiseProgram::read_value(std::string_view text) const {
  int index = -1;
  const char* end = text.data() + text.size();
  bool named = text.size() > 1 && (text[0] == 'x' || text[0] == 't');
  if (!named || std::from_chars(text.data() + 1, end, index).ptr != end || index < 0 || index >= kMostValues)
    value_error(kName, ": '", text, "' is no value, expected an input x0, x1, ... or a result t0, t1, ...");
  if (text[0] == 'x') return index;
  if (index >= static_cast<int>(instructions_.size()))
    value_error(kName, ": ", text, " is used before an instruction gives it");
  return -1 - index;
}

void PointwiseProgram::read_instruction(std::string_view text) {
  size_t open = text.find('(');
  if (open == std::string_view::npos || text.back() != ')')
    value_error(kName, ": '", text, "' is no instruction, expected 'operator(x0, parameter=value)'");
  Instruction instruction;
  instruction.op = &Registry::get().at(trimmed(text.substr(0, open)));
  instruction.pointwise = find_pointwise(*instruction.op);
  if (!instruction.pointwise) value_error(kName, ": ", instruction.op->name, " is not an elementwise operator");
  std::vector<std::pair<std::string, Value>> attrs;
  for (std::string_view part : split(text.substr(open + 1, text.size() - open - 2), ',')) {
    size_t equals = part.find('=');
    if (equals == std::string_view::npos)
      instruction.operands.push_back(read_value(part));
    else
      attrs.emplace_back(trimmed(part.substr(0, equals)), Value(trimmed(part.substr(equals + 1))));
  }
  instruction.params = make_params(*instruction.op, attrs);
  check_operands(*instruction.op, instruction.operands.size());
  if (!instruction.pointwise->loop(instruction.params->data(), DType::float32).loop)
    value_error(kName, ": ", instruction.op->name, " is not elementwise under its parameters, got '", text, "'");
  if (instructions_.size() >= kMostValues) value_error(kName, ": more than ", kMostValues, " instructions");
  instructions_.push_back(std::move(instruction));
}

std::string instruction_text(const Op& op, const ParamsRef& params, const std::vector<std::string>& operands) {
  std::string text;
  for (const std::string& operand : operands) text += (text.empty() ? "" : ", ") + operand;
  for (const FieldSpec& field : op.fields) {
    Value value = field.get(params->data());
    bool is_default = !field.required && value == field.default_value;
    if (!is_default && field.name != op.variadic)
      text += str(text.empty() ? "" : ", ", field.name, "=", to_text(value));
  }
  return op.name + "(" + text + ")";
}

std::string PointwiseProgram::text() const {
  auto name = [&](int value) { return value < num_inputs_ ? str("x", value) : str("t", value - num_inputs_); };
  std::string text;
  for (const Instruction& instruction : instructions_) {
    std::vector<std::string> operands;
    for (int value : instruction.operands) operands.push_back(name(value));
    text += (text.empty() ? "" : "; ") + instruction_text(*instruction.op, instruction.params, operands);
  }
  for (size_t i = 0; i < outputs_.size(); ++i) text += (i ? ", " : " -> ") + name(outputs_[i]);
  return text;
}

bool PointwiseProgram::infer_instruction(size_t number, std::vector<TensorSpec>& values) const {
  const Instruction& instruction = instructions_[number];
  std::vector<TensorSpec> in;
  for (int value : instruction.operands) in.push_back(values[value]);
  TensorSpec& result = values[num_inputs_ + number];
  std::vector<TensorSpec> out{result};
  InferContext context(*instruction.op, in, out);
  try {
    instruction.op->infer(instruction.params->data(), context);
  } catch (const Error& error) {
    throw Error(error.kind(), str(kName, ": ", error.what()));
  }
  bool changed = merge(out[0], result);
  for (size_t i = 0; i < in.size(); ++i) changed |= merge(in[i], values[instruction.operands[i]]);
  return changed;
}

void PointwiseProgram::infer(std::vector<TensorSpec>& values) const {
  size_t count = instructions_.size();
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < count; ++i) changed |= infer_instruction(i, values);
    for (size_t i = count; changed && i-- > 0;) infer_instruction(i, values);
  }
  check_shapes(values);
}

// Every output has one shape, to which all other values broadcast.
void PointwiseProgram::check_shapes(const std::vector<TensorSpec>& values) const {
  const Shape& full = values[outputs_[0]].shape;
  if (!full.known()) return;
  auto check = [&](int value, bool same) {
    const Shape& shape = values[value].shape;
    if (!shape.known() || shape == full || (!same && broadcast_shape(shape, full) == full)) return;
    value_error(kName, ": a value has shape ", shape, ", expected ", same ? "" : "one that broadcasts to ", full);
  };
  for (int value : outputs_) check(value, true);
  for (const Instruction& instruction : instructions_)
    for (int value : instruction.operands) check(value, false);
  for (size_t i = 0; i < instructions_.size(); ++i) {
    if (instructions_[i].pointwise->operands == Operands::broadcast) continue;
    for (int value : instructions_[i].operands)
      if (!(values[value].shape == values[num_inputs_ + i].shape) && values[value].shape.known())
        value_error(kName, ": ", instructions_[i].op->name, " has an operand of shape ", values[value].shape,
                    ", expected ", values[num_inputs_ + i].shape);
  }
}

}  // namespace mxnet
