// Arrays of indices on a GPU. Not run on hardware.
#pragma once
#include <algorithm>
#include <vector>

#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {

// An array of which elements are only moved.
struct Elements {
  char* data;
  int width;

  Elements(const TensorView& view) : data(view.as<char>()), width(static_cast<int>(size_of(view.dtype))) {}
  // Element i becomes element j of `from`, which has the same width.
  __device__ void put(int64_t i, const Elements& from, int64_t j) const {
    switch (width) {
      case 1: return put_as<uint8_t>(i, from, j);
      case 2: return put_as<uint16_t>(i, from, j);
      case 4: return put_as<uint32_t>(i, from, j);
      default: return put_as<uint64_t>(i, from, j);
    }
  }

 private:
  template <class E>
  __device__ void put_as(int64_t i, const Elements& from, int64_t j) const {
    reinterpret_cast<E*>(data)[i] = reinterpret_cast<const E*>(from.data)[j];
  }
};

// f<V>() with the type that sums of such elements are made in.
template <class F>
void dispatch_number(DType dtype, const F& f) {
  if (dtype == DType::float64) return f.template operator()<double>();
  if (is_floating(dtype)) return f.template operator()<float>();
  f.template operator()<int64_t>();
}

// An index array as int64, brought into range. NaN counts as 0: what is wrong with an index is found out only where
// the mode asks for it, since the host has to wait for that.
class Indices {
 public:
  enum Mode { any, clip, wrap, check, check_from_end };

  Indices(const KernelContext& c, const TensorView& in, Mode mode, int64_t extent = 0, int axis = 0);
  int64_t* data() const { return memory_.as<int64_t>(); }
  // The same for `count` of the indices.
  void bring_into(const KernelContext& c, int64_t begin, int64_t count, Mode mode, int64_t extent, int axis);

 private:
  Scratch memory_;
};

// The positions of an index array by the row they name, in their order.
class ByRow {
 public:
  ByRow(const KernelContext& c, const int64_t* index, int64_t count);
  const uint64_t* rows() const { return memory_.as<uint64_t>() + count_; }
  const int64_t* order() const { return memory_.as<int64_t>() + 3 * count_; }
  // The first position of the sorted rows that is not before `row`.
  __device__ static int64_t first(const uint64_t* rows, int64_t count, int64_t row) {
    int64_t begin = 0, end = count;
    while (begin < end) {
      int64_t middle = begin + (end - begin) / 2;
      if (rows[middle] < static_cast<uint64_t>(row))
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }

 private:
  int64_t count_;
  Scratch memory_;
};

// Sorts pairs by the low `bits` bits of their keys; equal keys keep their order.
void sort_pairs(const KernelContext& c, int64_t count, int bits, const uint64_t* keys, uint64_t* sorted_keys,
                const int64_t* values, int64_t* sorted_values);

// A list of the host's in working memory.
Scratch uploaded(const KernelContext& c, const std::vector<int64_t>& list);

// One number from the device, after all that has been queued.
template <class T>
T read_back(const KernelContext& c, const T* from) {
  T value;
  check(cudaMemcpyAsync(&value, from, sizeof value, cudaMemcpyDeviceToHost, stream_of(c)), "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream_of(c)), "cudaStreamSynchronize");
  return value;
}

}  // namespace mxnet::cuda
