// GPU kernels that pick elements by arrays of indices, and those that put elements back. Not run on hardware.
#include "mxnet/ops/indexing.h"

#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/indices.cuh"
#include "mxnet/ops/reduce.h"

namespace mxnet::cuda {
namespace {

// ---- Rows by number: to[o][j] = from[o][index[j]]. ----

struct Rows {
  int64_t outer, count, extent, inner;
};

void gather_rows(const KernelContext& c, const TensorView& in, const TensorView& out, const int64_t* index, Rows r) {
  Elements from(in), to(out);
  each(c, r.outer * r.count * r.inner, [=] __device__(int64_t i) {
    int64_t k = i % r.inner, u = i / r.inner;
    to.put(i, from, (u / r.count * r.extent + index[u % r.count]) * r.inner + k);
  });
}

// The reverse: each element of the result adds up, in their order, the elements that belong to its row.
template <class V>
void add_rows(const KernelContext& c, const TensorView& in, const TensorView& out, const ByRow& by_row, Rows r) {
  AnyArray from(in), to(out);
  const uint64_t* sorted = by_row.rows();
  const int64_t* order = by_row.order();
  each(c, out.size(), [=] __device__(int64_t i) {
    int64_t k = i % r.inner, row = i / r.inner % r.extent, o = i / r.inner / r.extent;
    V sum = 0;
    for (int64_t j = ByRow::first(sorted, r.count, row); j < r.count && sorted[j] == row; ++j)
      sum += from.load<V>((o * r.count + order[j]) * r.inner + k);
    to.store(i, sum);
  });
}

void scatter_add_rows(const KernelContext& c, const TensorView& in, const TensorView& out, const int64_t* index,
                      Rows r) {
  if (out.size() == 0) return;
  ByRow by_row(c, index, r.count);
  dispatch_number(out.dtype, [&]<class V>() { add_rows<V>(c, in, out, by_row, r); });
}

// The same without adding: of several elements for one place any may win.
void write_rows(const KernelContext& c, const TensorView& in, const TensorView& out, const int64_t* index,
                int64_t count, int64_t inner) {
  Elements from(in), to(out);
  each(c, count * inner, [=] __device__(int64_t i) { to.put(index[i / inner] * inner + i % inner, from, i); });
}

// ---- take and Embedding. ----

Indices::Mode mode_of(IndexMode mode) {
  return mode == IndexMode::clip ? Indices::clip : mode == IndexMode::wrap ? Indices::wrap : Indices::check;
}

void take_rows(KernelContext& c, const TensorView& data, const TensorView& indices, int axis, IndexMode mode) {
  Split3 at = split_at(data.shape(), axis);
  Indices index(c, indices, mode_of(mode), at.extent, axis);
  gather_rows(c, data, c.out(0), index.data(), {at.outer, indices.size(), at.extent, at.inner});
}

void take(const TakeParams& p, KernelContext& c) {
  take_rows(c, c.in(0), c.in(1), normal_axis("take", p.axis, c.in(0).shape()), p.mode);
}

void take_backward(const TakeBackwardParams& p, KernelContext& c) {
  int axis = normal_axis("_backward_take", p.axis, p.shape);
  Split3 at = split_at(p.shape, axis);
  Indices index(c, c.in(1), mode_of(p.mode), at.extent, axis);
  scatter_add_rows(c, c.in(0), c.out(0), index.data(), {at.outer, c.in(1).size(), at.extent, at.inner});
}

void embedding(const EmbeddingParams&, KernelContext& c) { take_rows(c, c.in(1), c.in(0), 0, IndexMode::clip); }

// ---- pick: one element along the axis for each position of the others. ----

void pick_at(KernelContext& c, const Split3& at, PickMode mode) {
  Indices index(c, c.in(1), mode == PickMode::clip ? Indices::clip : Indices::wrap, at.extent);
  Elements from(c.in(0)), to(c.out(0));
  const int64_t* picked = index.data();
  each(c, c.in(1).size(), [=] __device__(int64_t i) {
    to.put(i, from, (i / at.inner * at.extent + picked[i]) * at.inner + i % at.inner);
  });
}

void pick(const PickParams& p, KernelContext& c) {
  pick_at(c, split_at(c.in(0).shape(), normal_axis("pick", *p.axis, c.in(0).shape())), p.mode);
}

void batch_take(KernelContext& c) { pick_at(c, split_at(c.in(0).shape(), 1), PickMode::clip); }

void pick_backward(const PickBackwardParams& p, KernelContext& c) {
  Split3 at = split_at(p.shape, normal_axis("_backward_pick", *p.axis, p.shape));
  fill_zero(c, c.out(0).data, c.out(0).size() * size_of(c.out(0).dtype));
  if (c.out(0).size() == 0) return;
  Indices index(c, c.in(1), p.mode == PickMode::clip ? Indices::clip : Indices::wrap, at.extent);
  Elements from(c.in(0)), to(c.out(0));
  const int64_t* picked = index.data();
  each(c, c.in(1).size(), [=] __device__(int64_t i) {
    to.put((i / at.inner * at.extent + picked[i]) * at.inner + i % at.inner, from, i);
  });
}

void copy_first(KernelContext& c) { copy(c, c.in(0).data, c.out(0).data, c.in(0).size() * size_of(c.in(0).dtype)); }

void fill_element(KernelContext& c) {
  int64_t rows = c.in(0).shape()[0], columns = c.in(0).shape()[1];
  Indices index(c, c.in(2), Indices::check, columns, 1);
  copy_first(c);
  Elements from(c.in(1)), to(c.out(0));
  const int64_t* column = index.data();
  each(c, rows, [=] __device__(int64_t i) { to.put(i * columns + column[i], from, i); });
}

void one_hot(const OneHotParams& p, KernelContext& c) {
  Indices index(c, c.in(0), Indices::any);
  AnyArray to(c.out(0));
  const int64_t* hot = index.data();
  int64_t depth = p.depth;
  double on = p.on_value, off = p.off_value;
  each(c, c.out(0).size(), [=] __device__(int64_t i) { to.store(i, hot[i / depth] == i % depth ? on : off); });
}

// ---- Index tuples: the first axes of an array taken as one. ----

// The row that each tuple of indices (depth, count) names.
Scratch tuple_rows(const KernelContext& c, const TensorView& indices, const Shape& shape) {
  Indices index(c, indices, Indices::any);
  int64_t depth = indices.shape()[0], count = indices.shape().product(1, indices.shape().ndim());
  Scratch rows(c, std::max<int64_t>(count, 1) * 8);
  fill_zero(c, rows.data(), count * 8);
  int64_t* row = rows.as<int64_t>();
  for (int axis = 0; axis < depth; ++axis) {
    int64_t extent = shape[axis];
    index.bring_into(c, axis * count, count, Indices::check_from_end, extent, axis);
    const int64_t* from = index.data() + axis * count;
    each(c, count, [=] __device__(int64_t j) { row[j] = row[j] * extent + from[j]; });
  }
  return rows;
}

Rows tuple_split(const TensorView& indices, const Shape& shape) {
  int depth = static_cast<int>(indices.shape()[0]);
  return {1, indices.shape().product(1, indices.shape().ndim()), shape.product(0, depth),
          shape.product(depth, shape.ndim())};
}

void gather_nd(KernelContext& c) {
  Scratch tuples = tuple_rows(c, c.in(1), c.in(0).shape());
  gather_rows(c, c.in(0), c.out(0), tuples.as<int64_t>(), tuple_split(c.in(1), c.in(0).shape()));
}

void scatter_nd(const ScatterParams& p, KernelContext& c) {
  Scratch tuples = tuple_rows(c, c.in(1), p.shape);
  fill_zero(c, c.out(0).data, c.out(0).size() * size_of(c.out(0).dtype));
  Rows r = tuple_split(c.in(1), p.shape);
  write_rows(c, c.in(0), c.out(0), tuples.as<int64_t>(), r.count, r.inner);
}

void gather_nd_backward(const ScatterParams& p, KernelContext& c) {
  Scratch tuples = tuple_rows(c, c.in(1), p.shape);
  scatter_add_rows(c, c.in(0), c.out(0), tuples.as<int64_t>(), tuple_split(c.in(1), p.shape));
}

void scatter_set_nd(const ScatterParams& p, KernelContext& c) {
  Scratch tuples = tuple_rows(c, c.in(2), p.shape);
  SafeInput values(c, c.in(1), c.out(0), true);
  copy_first(c);
  Rows r = tuple_split(c.in(2), p.shape);
  write_rows(c, values.view, c.out(0), tuples.as<int64_t>(), r.count, r.inner);
}

void index_copy(KernelContext& c) {
  Split3 at = split_at(c.in(0).shape(), 0);
  Indices index(c, c.in(1), Indices::check, at.extent, 0);
  copy_first(c);
  write_rows(c, c.in(2), c.out(0), index.data(), c.in(1).size(), at.inner);
}

// ---- Numbers of elements and places. ----

StridedAxes axes_of(const Shape& shape) {
  StridedAxes axes;
  Shape strides = strides_of(shape);
  for (int i = 0; i < shape.ndim(); ++i) axes.add(std::max<int64_t>(shape[i], 1), strides[i]);
  return axes;
}

void ravel(const RavelParams& p, KernelContext& c) {
  Indices index(c, c.in(0), Indices::any);
  StridedAxes axes = axes_of(p.shape);
  AnyArray to(c.out(0));
  const int64_t* from = index.data();
  int64_t count = c.out(0).size();
  each(c, count, [=] __device__(int64_t j) {
    int64_t place = 0;
    for (int axis = 0; axis < axes.rank; ++axis) place += from[axis * count + j] * axes.a_strides[axis];
    to.store(j, place);
  });
}

void unravel(const RavelParams& p, KernelContext& c) {
  Indices index(c, c.in(0), Indices::any);
  StridedAxes axes = axes_of(p.shape);
  AnyArray to(c.out(0));
  const int64_t* from = index.data();
  int64_t count = c.in(0).size();
  each(c, count, [=] __device__(int64_t j) {
    int64_t place = from[j];
    for (int axis = axes.rank - 1; axis >= 0; --axis) {
      int64_t extent = axes.extents[axis];
      to.store(axis * count + j, axis > 0 ? place % extent : place);
      place /= extent;
    }
  });
}

void index_array(const IndexArrayParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  Shape strides = strides_of(shape);
  StridedAxes axes;
  for (int i = 0; i < (p.axes ? p.axes->ndim() : shape.ndim()); ++i) {
    int axis = p.axes ? normal_axis("_contrib_index_array", (*p.axes)[i], shape) : i;
    axes.add(shape[axis], strides[axis]);
  }
  int64_t* to = c.out(0).as<int64_t>();
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    int axis = static_cast<int>(i % axes.rank);
    to[i] = i / axes.rank / axes.a_strides[axis] % axes.extents[axis];
  });
}

// ---- Along one axis: (outer, axis, inner), with an index array of another extent on the axis. ----

void take_along(const AlongParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  int axis = normal_axis("_take_along_axis", p.axis, shape);
  Split3 at = split_at(shape, axis);
  int64_t count = c.in(1).shape()[axis];
  Indices index(c, c.in(1), Indices::check_from_end, at.extent, axis);
  const int64_t* places = index.data();
  Elements from(c.in(0)), to(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    to.put(i, from, (i / (count * at.inner) * at.extent + places[i]) * at.inner + i % at.inner);
  });
}

// Each element looks for its own among the indices.
template <class V>
void add_along_as(const KernelContext& c, const Split3& at, int64_t count, const int64_t* places) {
  AnyArray from(c.in(0)), to(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    int64_t k = i % at.inner, row = i / at.inner % at.extent, first = i / at.inner / at.extent * count * at.inner + k;
    V sum = 0;
    for (int64_t j = 0; j < count; ++j)
      if (places[first + j * at.inner] == row) sum += from.load<V>(first + j * at.inner);
    to.store(i, sum);
  });
}

void add_along(const AlongBackwardParams& p, KernelContext& c) {
  int axis = normal_axis("_add_along_axis", p.axis, p.shape);
  Split3 at = split_at(p.shape, axis);
  Indices index(c, c.in(1), Indices::check_from_end, at.extent, axis);
  dispatch_number(c.out(0).dtype, [&]<class V>() { add_along_as<V>(c, at, c.in(1).shape()[axis], index.data()); });
}

const bool registered[] = {
    kernel<AlongParams>("_take_along_axis", take_along),
    kernel<AlongBackwardParams>("_add_along_axis", add_along),
    kernel<TakeParams>("take", take),
    kernel<TakeBackwardParams>("_backward_take", take_backward),
    kernel<EmbeddingParams>("Embedding", embedding),
    kernel<PickParams>("pick", pick),
    kernel("batch_take", batch_take),
    kernel<PickBackwardParams>("_backward_pick", pick_backward),
    kernel("fill_element_0index", fill_element),
    kernel<OneHotParams>("one_hot", one_hot),
    kernel("gather_nd", gather_nd),
    kernel<ScatterParams>("scatter_nd", scatter_nd),
    kernel<ScatterParams>("_backward_gather_nd", gather_nd_backward),
    kernel<ScatterParams>("_scatter_set_nd", scatter_set_nd),
    kernel("_contrib_index_copy", index_copy),
    kernel<RavelParams>("_ravel_multi_index", ravel),
    kernel<RavelParams>("_unravel_index", unravel),
    kernel<IndexArrayParams>("_contrib_index_array", index_array),
};

}  // namespace
}  // namespace mxnet::cuda
