#include "mxnet/base/shape.h"

#include "mxnet/base/error.h"

namespace mxnet {

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  if (!shape.rank_known()) return out << "(?)";
  out << '(';
  for (int i = 0; i < shape.ndim(); ++i) {
    if (i) out << ", ";
    if (shape[i] < 0)
      out << '?';
    else
      out << shape[i];
  }
  return out << (shape.ndim() == 1 ? ",)" : ")");
}

Shape strides_of(const Shape& shape) {
  Shape strides = Shape::filled(shape.ndim(), 1);
  for (int i = shape.ndim() - 2; i >= 0; --i) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  const Shape& longer = a.ndim() >= b.ndim() ? a : b;
  const Shape& shorter = a.ndim() >= b.ndim() ? b : a;
  Shape result = longer;
  int shift = longer.ndim() - shorter.ndim();
  for (int i = 0; i < shorter.ndim(); ++i) {
    int64_t x = longer[i + shift], y = shorter[i];
    if (x != y && x != 1 && y != 1) return Shape::unknown();
    result[i + shift] = x == 1 ? y : x;
  }
  return result;
}

int normal_axis(const char* op, int64_t axis, const Shape& shape) {
  int64_t rank = shape.ndim();
  if (axis < -rank || axis >= rank) fail(ErrorKind::index, op, ": axis ", axis, " is out of range for shape ", shape);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace mxnet
