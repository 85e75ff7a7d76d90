// Arrays in the type a kernel computes in. A kernel that is compiled for float and double only wraps its arrays
// in these; the others are converted on the way in and out.
#pragma once
#include "mxnet/ndarray/cast.h"
#include "mxnet/ndarray/ndarray.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {

// An array's own memory if it has the wanted type, else a converted copy.
class Converted {
 public:
  Converted(const TensorView& array, DType wanted, bool read) : array_(array), wanted_(wanted), data_(array.data) {
    if (array.dtype == wanted || !array.present()) return;
    copy_ = Scratch(array.size() * size_of(wanted));
    data_ = copy_.data();
    if (read) cast_elements(array.data, array.dtype, data_, wanted, array.size());
  }
  template <class C>
  C* as() const {
    return static_cast<C*>(data_);
  }
  // Brings a result back to the array.
  void finish() const {
    if (data_ != array_.data) cast_elements(data_, wanted_, array_.data, array_.dtype, array_.size());
  }

 private:
  TensorView array_;
  DType wanted_;
  void* data_;
  Scratch copy_;
};

inline DType working_type(const TensorView& a) { return a.dtype == DType::float64 ? DType::float64 : DType::float32; }
inline DType working_type(const TensorView& a, const TensorView& b) {
  return a.dtype == DType::float64 || b.dtype == DType::float64 ? DType::float64 : DType::float32;
}
template <class F>
void dispatch_working(DType dtype, const F& f) {
  if (dtype == DType::float64) return f.template operator()<double>();
  f.template operator()<float>();
}

}  // namespace mxnet
