#include "mxnet/ops/pointwise.h"

#include <unordered_map>

#include "mxnet/base/cpu.h"

namespace mxnet {
namespace {

// Filled before main() and by nobody later.
std::unordered_map<std::string, PointwiseOp>& table() {
  static auto* entries = new std::unordered_map<std::string, PointwiseOp>();
  return *entries;
}

// Operators that hand their input on: what they do to its type is done by the conversion around the loop.
PointwiseLoop copy_loop(const void*, DType dtype) {
  DType number = dtype == DType::boolean ? dtype : compute_dtype(dtype);
  ElementLoop loop = dispatch_width(number, []<class T>() -> ElementLoop {
    return [](int64_t n, void* out, const void* const* in) {
      if (out != in[0]) std::memcpy(out, in[0], static_cast<size_t>(n) * sizeof(T));
    };
  });
  return {loop, number};
}

const bool registered = [] {
  for (const char* name : {"_copy", "BlockGrad", "make_loss", "_contrib_gradientmultiplier", "Cast", "amp_cast"})
    add_pointwise_op(name, {copy_loop, Operands::same, 0});
  for (const char* name : {"_broadcast_to", "broadcast_to"})
    add_pointwise_op(name, {copy_loop, Operands::broadcast, 0});
  return true;
}();

}  // namespace

bool add_pointwise_op(const char* op, const PointwiseOp& entry) {
  if (entry.level > isa_level()) return true;
  auto [it, fresh] = table().try_emplace(op, entry);
  if (!fresh && entry.level > it->second.level) it->second = entry;
  return true;
}

const PointwiseOp* find_pointwise(const Op& op) {
  auto it = table().find(op.name);
  return it == table().end() ? nullptr : &it->second;
}

}  // namespace mxnet
