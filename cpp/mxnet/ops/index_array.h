// Index arrays of any dtype as int64, checked or brought into range. For *.kernel.cc only.
#pragma once
#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {

// A copy of an index array as int64. Raises on NaN; infinities become the largest and smallest integers.
class IndexArray {
 public:
  IndexArray(const KernelContext& c, const TensorView& in)
      : size_(in.size()), memory_(std::max<int64_t>(size_, 1) * 8), data_(memory_.as<int64_t>()) {
    dispatch_all(in.dtype, [&]<class T>() {
      const T* p = in.as<T>();
      if constexpr (std::is_floating_point_v<compute_t<T>>) {
        using C = compute_t<T>;
        bool nan = false;
        for (int64_t i = 0; i < size_; ++i) nan |= static_cast<C>(p[i]) != static_cast<C>(p[i]);
        if (nan) fail(ErrorKind::index, c.op.name, ": an index is NaN");
        constexpr C most = static_cast<C>(9e18);
        for (int64_t i = 0; i < size_; ++i)
          data_[i] = static_cast<int64_t>(std::clamp(static_cast<C>(p[i]), -most, most));
      } else {
        for (int64_t i = 0; i < size_; ++i) data_[i] = static_cast<int64_t>(p[i]);
      }
    });
  }

  int64_t size() const { return size_; }
  int64_t* data() { return data_; }
  const int64_t* data() const { return data_; }
  int64_t operator[](int64_t i) const { return data_[i]; }
  std::span<const int64_t> span() const { return {data_, static_cast<size_t>(size_)}; }

  void clip(int64_t extent) {
    for (int64_t i = 0; i < size_; ++i) data_[i] = std::clamp<int64_t>(data_[i], 0, extent - 1);
  }
  void wrap(int64_t extent) {
    for (int64_t i = 0; i < size_; ++i) data_[i] = (data_[i] % extent + extent) % extent;
  }
  // Raises "index 9 is out of bounds for axis 0 with size 4"; negative ones count from the end if allowed.
  void check(const char* op, int axis, int64_t extent, bool negative) {
    for (int64_t i = 0; i < size_; ++i) {
      int64_t k = data_[i];
      if (k < 0 && negative) k += extent;
      if (k < 0 || k >= extent)
        fail(ErrorKind::index, op, ": index ", data_[i], " is out of bounds for axis ", axis, " with size ", extent);
      data_[i] = k;
    }
  }

 private:
  int64_t size_;
  Scratch memory_;
  int64_t* data_;
};

}  // namespace mxnet
