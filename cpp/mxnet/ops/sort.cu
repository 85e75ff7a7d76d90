// Sorting and selecting along an axis on a GPU. Not run on hardware.
#include "mxnet/ops/sort.h"

#include <bit>

#include "mxnet/ops/indices.cuh"
#include "mxnet/ops/reduce.h"
#include "mxnet/ops/sort_keys.h"

namespace mxnet::cuda {
namespace {

// The rows that are sorted: element j of row r at (r / inner * extent + j) * inner + r % inner.
struct Rows {
  int64_t count, extent, inner;
  __device__ int64_t at(int64_t r, int64_t j, int64_t length) const {
    return (r / inner * length + j) * inner + r % inner;
  }
};

Rows rows_of(const char* op, const std::optional<int>& axis, const Shape& shape) {
  Split3 at = axis ? split_at(shape, normal_axis(op, *axis, shape)) : Split3{1, shape.size(), 1};
  return {at.outer * at.inner, at.extent, at.inner};
}

template <class T>
void make_keys(const KernelContext& c, Rows rows, const T* data, bool descending, bool same_zeros, uint64_t* keys,
               int64_t* places) {
  key_t<T> flip = static_cast<key_t<T>>(descending ? ~key_t<T>{0} : key_t<T>{0});
  each(c, rows.count * rows.extent, [=] __device__(int64_t i) {
    keys[i] = key_of(data[rows.at(i / rows.extent, i % rows.extent, rows.extent)], flip, same_zeros);
    places[i] = i;
  });
}

void number_rows(const KernelContext& c, Rows rows, const int64_t* places, uint64_t* keys) {
  each(c, rows.count * rows.extent,
       [=] __device__(int64_t i) { keys[i] = static_cast<uint64_t>(places[i] / rows.extent); });
}

// For each row the places of its elements in order, as numbers r * extent + j.
class Order {
 public:
  Order(const KernelContext& c, Rows rows, const TensorView& in, bool descending, bool same_zeros)
      : size_(rows.count * rows.extent), memory_(c, std::max<int64_t>(size_, 1) * 32) {
    uint64_t* keys = memory_.as<uint64_t>();
    int64_t* places = memory_.as<int64_t>() + 2 * size_;
    DType dtype = in.dtype == DType::boolean ? DType::uint8 : in.dtype;
    dispatch_all(dtype, [&]<class T>() {
      if constexpr (!std::is_same_v<T, bool>)
        make_keys(c, rows, in.as<const T>(), descending, same_zeros, keys, places);
    });
    // By key first and then, keeping that order, by row: all rows at once.
    sort_pairs(c, size_, 8 * static_cast<int>(size_of(dtype)), keys, keys + size_, places, places + size_);
    place_ = places + size_;
    if (rows.count == 1) return;
    number_rows(c, rows, places + size_, keys);
    sort_pairs(c, size_, std::bit_width(static_cast<uint64_t>(rows.count)), keys, keys + size_, places + size_, places);
    place_ = places;
  }
  const int64_t* places() const { return place_; }

 private:
  int64_t size_;
  Scratch memory_;
  const int64_t* place_;
};

// The first k elements of each row, or their indices.
void put_elements(const KernelContext& c, Rows rows, int64_t k, const int64_t* places, const TensorView& in,
                  const TensorView& out) {
  Elements from(in), to(out);
  each(c, rows.count * k, [=] __device__(int64_t i) {
    int64_t r = i / k, j = i % k, place = places[r * rows.extent + j] % rows.extent;
    to.put(rows.at(r, j, k), from, rows.at(r, place, rows.extent));
  });
}
void put_indices(const KernelContext& c, Rows rows, int64_t k, const int64_t* places, const TensorView& out) {
  AnyArray to(out);
  each(c, rows.count * k, [=] __device__(int64_t i) {
    int64_t r = i / k, j = i % k;
    to.store(rows.at(r, j, k), places[r * rows.extent + j] % rows.extent);
  });
}
void put_mask(const KernelContext& c, Rows rows, int64_t k, const int64_t* places, const TensorView& out) {
  fill_zero(c, out.data, out.size() * size_of(out.dtype));
  AnyArray to(out);
  each(c, rows.count * k, [=] __device__(int64_t i) {
    int64_t r = i / k;
    to.store(rows.at(r, places[r * rows.extent + i % k] % rows.extent, rows.extent), 1);
  });
}

void sort(const SortParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Rows rows = rows_of("sort", p.axis, c.in(0).shape());
  Order order(c, rows, c.in(0), !p.is_ascend, false);
  put_elements(c, rows, rows.extent, order.places(), c.in(0), c.out(0));
}

void argsort(const ArgsortParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Rows rows = rows_of("argsort", p.axis, c.in(0).shape());
  Order order(c, rows, c.in(0), !p.is_ascend, true);
  put_indices(c, rows, rows.extent, order.places(), c.out(0));
}

void topk(const TopkParams& p, KernelContext& c) {
  if (c.in(0).size() == 0) return;
  Rows rows = rows_of("topk", p.axis, c.in(0).shape());
  int64_t k = p.k == 0 ? rows.extent : p.k;
  Order order(c, rows, c.in(0), !p.is_ascend, true);
  if (p.ret_typ == TopkResult::mask) return put_mask(c, rows, k, order.places(), c.out(0));
  if (p.ret_typ == TopkResult::indices) return put_indices(c, rows, k, order.places(), c.out(0));
  put_elements(c, rows, k, order.places(), c.in(0), c.out(0));
  if (p.ret_typ == TopkResult::both) put_indices(c, rows, k, order.places(), c.out(1));
}

const bool registered[] = {
    kernel<SortParams>("sort", sort),
    kernel<ArgsortParams>("argsort", argsort),
    kernel<TopkParams>("topk", topk),
};

}  // namespace
}  // namespace mxnet::cuda
