#include "mxnet/base/dtype.h"

#include <array>

namespace mxnet {
namespace {

struct Entry {
  DType dtype;
  std::string_view name;
  int8_t size;
  bool floating;
};

constexpr std::array<Entry, 9> kTypes{{
    {DType::float32, "float32", 4, true},
    {DType::float64, "float64", 8, true},
    {DType::float16, "float16", 2, true},
    {DType::bfloat16, "bfloat16", 2, true},
    {DType::uint8, "uint8", 1, false},
    {DType::int8, "int8", 1, false},
    {DType::int32, "int32", 4, false},
    {DType::int64, "int64", 8, false},
    {DType::boolean, "bool", 1, false},
}};

const Entry& entry(DType dtype) {
  for (const Entry& e : kTypes)
    if (e.dtype == dtype) return e;
  unsupported_dtype(dtype);
}

}  // namespace

int64_t size_of(DType dtype) { return entry(dtype).size; }

std::string_view name_of(DType dtype) { return dtype == DType::unknown ? "unknown" : entry(dtype).name; }

DType dtype_from_name(std::string_view name) {
  for (const Entry& e : kTypes)
    if (e.name == name) return e.dtype;
  std::string known;
  for (const Entry& e : kTypes) known += str(known.empty() ? "" : ", ", e.name);
  type_error("dtype '", name, "' is not supported; the element types are ", known);
}

bool is_floating(DType dtype) { return dtype != DType::unknown && entry(dtype).floating; }

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

void unsupported_dtype(DType dtype) {
  if (static_cast<int>(dtype) < -1 || static_cast<int>(dtype) > 12)
    type_error("dtype code ", static_cast<int>(dtype), " is unknown");
  type_error("dtype ", name_of(dtype), " is not supported here");
}

}  // namespace mxnet
