#include "mxnet/ops/indexing.h"

#include "mxnet/ops/index_array.h"
#include "mxnet/ops/move.h"
#include "mxnet/ops/reduce.h"

namespace mxnet {
namespace {

// Elements of `width` bytes by a type of that width.
template <class F>
void dispatch_bytes(int64_t width, const F& f) {
  if (width == 1) return f.template operator()<uint8_t>();
  if (width == 2) return f.template operator()<uint16_t>();
  if (width == 4) return f.template operator()<uint32_t>();
  f.template operator()<uint64_t>();
}

// ---- Rows by number: to[o][j] = from[o][index[j]], rows of `bytes` bytes. ----

void gather_run(const char* from, char* to, const int64_t* index, int64_t n, int64_t bytes) {
  if (bytes <= 8 && (bytes & (bytes - 1)) == 0) {
    dispatch_bytes(bytes, [&]<class E>() {
      const E* s = reinterpret_cast<const E*>(from);
      E* d = reinterpret_cast<E*>(to);
      for (int64_t j = 0; j < n; ++j) d[j] = s[index[j]];
    });
    return;
  }
  constexpr int64_t kAhead = 8;  // rows to fetch ahead: they lie anywhere
  for (int64_t j = 0; j < n; ++j) {
    if (j + kAhead < n) {
      const char* next = from + index[j + kAhead] * bytes;
      for (int64_t k = 0; k < std::min<int64_t>(bytes, 256); k += 64) __builtin_prefetch(next + k);
    }
    detail::copy_bytes(to + j * bytes, from + index[j] * bytes, bytes);
  }
}

void gather_rows(const char* from, char* to, std::span<const int64_t> index, int64_t outer, int64_t rows,
                 int64_t bytes) {
  int64_t m = static_cast<int64_t>(index.size());
  if (m == 0 || bytes == 0) return;
  parallel_for(outer * m, std::max<int64_t>(1, 65536 / std::max<int64_t>(bytes, 8)), [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end;) {
      int64_t o = u / m, j = u % m, n = std::min(m - j, end - u);
      gather_run(from + o * rows * bytes, to + u * bytes, index.data() + j, n, bytes);
      u += n;
    }
  });
}

// The reverse: to[o][r] is the sum of from[o][j] over index[j] = r, in order of j for any number of threads.
// The js are sorted by row first, so that each row of the result is written once and by one thread.
struct ByRow {
  std::vector<int64_t> start, order;

  ByRow(std::span<const int64_t> index, int64_t rows) : start(rows + 1), order(index.size()) {
    for (int64_t r : index) ++start[r + 1];
    for (int64_t r = 0; r < rows; ++r) start[r + 1] += start[r];
    std::vector<int64_t> next(start.begin(), start.end() - 1);
    for (size_t j = 0; j < index.size(); ++j) order[next[index[j]]++] = static_cast<int64_t>(j);
  }
};

template <class T>
void add_rows(const T* from, T* to, std::span<const int64_t> js, int64_t n) {
  using A = compute_t<T>;
  if (js.size() == 1) return (void)std::copy_n(from + js[0] * n, n, to);
  if constexpr (std::is_same_v<A, T>) {
    std::copy_n(from + js[0] * n, n, to);
    for (int64_t j : js.subspan(1))
      for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(to[i] + from[j * n + i]);
  } else {
    constexpr int64_t kBlock = 512;
    A sum[kBlock];
    for (int64_t first = 0; first < n; first += kBlock) {
      int64_t m = std::min(kBlock, n - first);
      std::fill_n(sum, m, A{});
      for (int64_t j : js)
        for (int64_t i = 0; i < m; ++i) sum[i] += static_cast<A>(from[j * n + first + i]);
      for (int64_t i = 0; i < m; ++i) to[first + i] = static_cast<T>(sum[i]);
    }
  }
}

void scatter_add_rows(const TensorView& from, const TensorView& to, std::span<const int64_t> index, int64_t outer,
                      int64_t rows, int64_t n) {
  if (to.size() == 0) return;
  ByRow by_row(index, rows);
  int64_t m = static_cast<int64_t>(index.size());
  dispatch_all(to.dtype, [&]<class T>() {
    parallel_for(outer * rows, std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        int64_t o = u / rows, r = u % rows;
        std::span<const int64_t> js(by_row.order.data() + by_row.start[r],
                                    static_cast<size_t>(by_row.start[r + 1] - by_row.start[r]));
        T* row = to.as<T>() + u * n;
        if (js.empty())
          std::fill_n(row, n, T{});
        else
          add_rows(from.as<T>() + o * m * n, row, js, n);
      }
    });
  });
}

// ---- take and Embedding. ----

IndexArray indices_in_mode(KernelContext& c, const TensorView& in, IndexMode mode, int axis, int64_t extent) {
  IndexArray index(c, in);
  if (index.size() > 0 && extent == 0)
    fail(ErrorKind::index, c.op.name, ": axis ", axis, " is empty, nothing can be taken from it");
  if (mode == IndexMode::clip)
    index.clip(extent);
  else if (mode == IndexMode::wrap)
    index.wrap(extent);
  else
    index.check(c.op.name.c_str(), axis, extent, false);
  return index;
}

void take_rows(KernelContext& c, const TensorView& data, const TensorView& indices, int axis, IndexMode mode) {
  Split3 at = split_at(data.shape(), axis);
  IndexArray index = indices_in_mode(c, indices, mode, axis, at.extent);
  gather_rows(data.as<char>(), c.out(0).as<char>(), index.span(), at.outer, at.extent, at.inner * size_of(data.dtype));
}

void take(const TakeParams& p, KernelContext& c) {
  take_rows(c, c.in(0), c.in(1), normal_axis("take", p.axis, c.in(0).shape()), p.mode);
}

void take_backward(const TakeBackwardParams& p, KernelContext& c) {
  int axis = normal_axis("_backward_take", p.axis, p.shape);
  Split3 at = split_at(p.shape, axis);
  IndexArray index = indices_in_mode(c, c.in(1), p.mode, axis, at.extent);
  scatter_add_rows(c.in(0), c.out(0), index.span(), at.outer, at.extent, at.inner);
}

// ---- pick: one element along the axis for each position of the others. ----

IndexArray pick_indices(KernelContext& c, PickMode mode, int64_t extent) {
  IndexArray index(c, c.in(1));
  if (extent == 0) return index;
  if (mode == PickMode::clip)
    index.clip(extent);
  else
    index.wrap(extent);
  return index;
}

// Calls f(position among the results, position in the array).
template <class F>
void each_pick(const IndexArray& index, const Split3& at, const F& f) {
  parallel_for(index.size(), 8192, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) f(k, (k / at.inner * at.extent + index[k]) * at.inner + k % at.inner);
  });
}

void pick_at(KernelContext& c, const Split3& at, PickMode mode) {
  IndexArray index = pick_indices(c, mode, at.extent);
  dispatch_width(c.in(0).dtype, [&]<class E>() {
    const E* data = c.in(0).as<E>();
    E* out = c.out(0).as<E>();
    each_pick(index, at, [=](int64_t k, int64_t place) { out[k] = data[place]; });
  });
}

void pick(const PickParams& p, KernelContext& c) {
  pick_at(c, split_at(c.in(0).shape(), normal_axis("pick", *p.axis, c.in(0).shape())), p.mode);
}

void batch_take(const NoParams&, KernelContext& c) { pick_at(c, split_at(c.in(0).shape(), 1), PickMode::clip); }

void pick_backward(const PickBackwardParams& p, KernelContext& c) {
  Split3 at = split_at(p.shape, normal_axis("_backward_pick", *p.axis, p.shape));
  fill_zero(c.out(0));
  if (c.out(0).size() == 0) return;
  IndexArray index = pick_indices(c, p.mode, at.extent);
  dispatch_width(c.in(0).dtype, [&]<class E>() {
    const E* data = c.in(0).as<E>();
    E* out = c.out(0).as<E>();
    each_pick(index, at, [=](int64_t k, int64_t place) { out[place] = data[k]; });
  });
}

void fill_element(const NoParams&, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  IndexArray index(c, c.in(2));
  index.check("fill_element_0index", 1, shape[1], false);
  copy_all(c.out(0).data, c.in(0).data, shape.size() * size_of(c.in(0).dtype));
  dispatch_width(c.in(0).dtype, [&]<class E>() {
    for (int64_t i = 0; i < shape[0]; ++i) c.out(0).as<E>()[i * shape[1] + index[i]] = c.in(1).as<E>()[i];
  });
}

void one_hot(const OneHotParams& p, KernelContext& c) {
  IndexArray index(c, c.in(0));
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    T on = static_cast<T>(p.on_value), off = static_cast<T>(p.off_value);
    parallel_for(index.size(), std::max<int64_t>(1, 32768 / std::max<int64_t>(p.depth, 1)),
                 [&](int64_t begin, int64_t end) {
                   T* row = c.out(0).as<T>() + begin * p.depth;
                   std::fill_n(row, (end - begin) * p.depth, off);
                   for (int64_t i = begin; i < end; ++i, row += p.depth)
                     if (index[i] >= 0 && index[i] < p.depth) row[index[i]] = on;
                 });
  });
}

// ---- Index tuples. ----

// The row of each tuple of indices (depth, count) in an array whose first `depth` axes are taken as one.
std::vector<int64_t> tuple_rows(KernelContext& c, const TensorView& indices, const Shape& shape) {
  int depth = static_cast<int>(indices.shape()[0]);
  int64_t count = indices.shape().product(1, indices.shape().ndim());
  IndexArray index(c, indices);
  std::vector<int64_t> rows(count);
  for (int axis = 0; axis < depth; ++axis) {
    int64_t extent = shape[axis];
    for (int64_t j = 0; j < count; ++j) {
      int64_t k = index[axis * count + j];
      if (k < -extent || k >= extent)
        fail(ErrorKind::index, c.op.name, ": index ", k, " is out of bounds for axis ", axis, " with size ", extent);
      rows[j] = rows[j] * extent + (k < 0 ? k + extent : k);
    }
  }
  return rows;
}

Split3 tuple_split(const TensorView& indices, const Shape& shape) {
  int depth = static_cast<int>(indices.shape()[0]);
  return {1, shape.product(0, depth), shape.product(depth, shape.ndim())};
}

void gather_nd(const NoParams&, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  Split3 at = tuple_split(c.in(1), shape);
  gather_rows(c.in(0).as<char>(), c.out(0).as<char>(), tuple_rows(c, c.in(1), shape), 1, at.extent,
              at.inner * size_of(c.in(0).dtype));
}

void write_rows(const TensorView& from, const TensorView& to, std::span<const int64_t> rows, int64_t bytes) {
  for (size_t j = 0; j < rows.size(); ++j)
    detail::copy_bytes(to.as<char>() + rows[j] * bytes, from.as<char>() + static_cast<int64_t>(j) * bytes, bytes);
}

void scatter_nd(const ScatterParams& p, KernelContext& c) {
  std::vector<int64_t> rows = tuple_rows(c, c.in(1), p.shape);
  fill_zero(c.out(0));
  write_rows(c.in(0), c.out(0), rows, tuple_split(c.in(1), p.shape).inner * size_of(c.in(0).dtype));
}

void gather_nd_backward(const ScatterParams& p, KernelContext& c) {
  std::vector<int64_t> rows = tuple_rows(c, c.in(1), p.shape);
  Split3 at = tuple_split(c.in(1), p.shape);
  scatter_add_rows(c.in(0), c.out(0), rows, 1, at.extent, at.inner);
}

void copy_first(KernelContext& c) {
  if (c.in(0).data != c.out(0).data) copy_all(c.out(0).data, c.in(0).data, c.in(0).size() * size_of(c.in(0).dtype));
}

void scatter_set_nd(const ScatterParams& p, KernelContext& c) {
  std::vector<int64_t> rows = tuple_rows(c, c.in(2), p.shape);
  HostMoves::Apart values(c, c.in(1), c.out(0));
  copy_first(c);
  write_rows(values.view, c.out(0), rows, tuple_split(c.in(2), p.shape).inner * size_of(c.in(0).dtype));
}

void index_copy(const NoParams&, KernelContext& c) {
  Split3 at = split_at(c.in(0).shape(), 0);
  IndexArray index(c, c.in(1));
  index.check("_contrib_index_copy", 0, at.extent, false);
  copy_first(c);
  write_rows(c.in(2), c.out(0), index.span(), at.inner * size_of(c.in(0).dtype));
}

// ---- Numbers of elements and places. ----

void ravel(const RavelParams& p, KernelContext& c) {
  IndexArray index(c, c.in(0));
  int64_t count = c.out(0).size();
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    for (int64_t j = 0; j < count; ++j) {
      int64_t place = 0;
      for (int axis = 0; axis < p.shape.ndim(); ++axis) place = place * p.shape[axis] + index[axis * count + j];
      c.out(0).as<T>()[j] = static_cast<T>(place);
    }
  });
}

void unravel(const RavelParams& p, KernelContext& c) {
  IndexArray index(c, c.in(0));
  int64_t count = index.size();
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    for (int64_t j = 0; j < count; ++j) {
      int64_t place = index[j];
      for (int axis = p.shape.ndim() - 1; axis > 0; --axis) {
        int64_t extent = std::max<int64_t>(p.shape[axis], 1);
        c.out(0).as<T>()[axis * count + j] = static_cast<T>(place % extent);
        place /= extent;
      }
      if (p.shape.ndim() > 0) c.out(0).as<T>()[j] = static_cast<T>(place);
    }
  });
}

void index_array(const IndexArrayParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  Shape strides = strides_of(shape);
  std::vector<int> axes;
  if (p.axes)
    for (int64_t axis : *p.axes) axes.push_back(normal_axis("_contrib_index_array", axis, shape));
  else
    for (int axis = 0; axis < shape.ndim(); ++axis) axes.push_back(axis);
  int64_t* out = c.out(0).as<int64_t>();
  for (int64_t i = 0; i < shape.size(); ++i)
    for (int axis : axes) *out++ = i / strides[axis] % shape[axis];
}

const bool registered[] = {
    cpu_kernel<TakeParams>("take", take),
    cpu_kernel<TakeBackwardParams>("_backward_take", take_backward),
    cpu_kernel<EmbeddingParams>(
        "Embedding",
        [](const EmbeddingParams&, KernelContext& c) { take_rows(c, c.in(1), c.in(0), 0, IndexMode::clip); }),
    cpu_kernel<PickParams>("pick", pick),
    cpu_kernel<NoParams>("batch_take", batch_take),
    cpu_kernel<PickBackwardParams>("_backward_pick", pick_backward),
    cpu_kernel<NoParams>("fill_element_0index", fill_element),
    cpu_kernel<OneHotParams>("one_hot", one_hot),
    cpu_kernel<NoParams>("gather_nd", gather_nd),
    cpu_kernel<ScatterParams>("scatter_nd", scatter_nd),
    cpu_kernel<ScatterParams>("_backward_gather_nd", gather_nd_backward),
    cpu_kernel<ScatterParams>("_scatter_set_nd", scatter_set_nd),
    cpu_kernel<NoParams>("_contrib_index_copy", index_copy),
    cpu_kernel<RavelParams>("_ravel_multi_index", ravel),
    cpu_kernel<RavelParams>("_unravel_index", unravel),
    cpu_kernel<IndexArrayParams>("_contrib_index_array", index_array),
};

}  // namespace
}  // namespace mxnet
