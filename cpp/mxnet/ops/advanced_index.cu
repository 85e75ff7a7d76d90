// GPU kernels of NumPy's indexing by arrays. Not run on hardware.
#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/indexing.h"
#include "mxnet/ops/indices.cuh"
#include "mxnet/ops/move.cuh"

namespace mxnet::cuda {
namespace {

// Where the runs of a result lie in the array that is indexed, see the kernels of the CPU.
struct Places {
  const int64_t* offsets;  // of the index positions
  StridedAxes kept;        // of the positions on the axes before the last indexed one
  int64_t num_offsets, num_kept, run;
  bool adjacent;

  // Of the run for index position j and kept position k: in the array, and in the result.
  __device__ int64_t in_array(int64_t j, int64_t k) const {
    return offsets[j] + kept.offsets(static_cast<uint64_t>(k)).a;
  }
  __device__ int64_t in_result(int64_t j, int64_t k) const {
    return (adjacent ? k * num_offsets + j : j * num_kept + k) * run;
  }
};

void add_offsets(const KernelContext& c, const int64_t* index, const StridedAxes& spread, int64_t n, int64_t stride,
                 int64_t* offsets) {
  each(c, n, [=] __device__(int64_t j) { offsets[j] += index[spread.offsets(static_cast<uint64_t>(j)).a] * stride; });
}

std::vector<Shape> index_shapes(const KernelContext& c, int first_index) {
  std::vector<Shape> shapes;
  for (size_t i = static_cast<size_t>(first_index); i < c.inputs.size(); ++i) shapes.push_back(c.inputs[i].shape());
  return shapes;
}

// The places, whose offsets stand in `memory`.
Places places_of(const KernelContext& c, const Shape& shape, const Shape& axes, int first_index, Scratch& memory) {
  const char* op = c.op.name.c_str();
  std::vector<Shape> shapes = index_shapes(c, first_index);
  AdvancedLayout layout(op, shape, axes, shapes);
  int64_t n = layout.index_shape.size();
  memory = Scratch(c, std::max<int64_t>(n, 1) * 8);
  fill_zero(c, memory.data(), n * 8);
  Places places{memory.as<int64_t>(), {}, n, layout.outer.size(), layout.run, layout.adjacent};
  for (int i = 0; i < layout.outer.ndim(); ++i) places.kept.add(layout.outer[i], layout.outer_strides[i]);
  Shape strides = strides_of(shape);
  for (int i = 0; i < axes.ndim() && n > 0; ++i) {
    int axis = normal_axis(op, axes[i], shape);
    Indices index(c, c.inputs[static_cast<size_t>(first_index + i)], Indices::check_from_end, shape[axis], axis);
    const Shape& own = shapes[static_cast<size_t>(i)];
    StridedAxes spread{BroadcastPlan(layout.index_shape, own, own)};
    add_offsets(c, index.data(), spread, n, strides[axis], memory.as<int64_t>());
  }
  return places;
}

void advanced_index(const AdvancedIndexParams& p, KernelContext& c) {
  Scratch memory;
  Places places = places_of(c, c.in(0).shape(), p.axes, 1, memory);
  Elements from(c.in(0)), to(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    int64_t u = i / places.run, j = places.adjacent ? u % places.num_offsets : u / places.num_kept;
    int64_t k = places.adjacent ? u / places.num_offsets : u % places.num_kept;
    to.put(i, from, places.in_array(j, k) + i % places.run);
  });
}

// A thread has an element of all runs for one kept position, in the order of the indices.
template <class V>
void add_runs(const KernelContext& c, const Places& places, V* sums) {
  AnyArray from(c.in(0));
  each(c, places.num_kept * places.run, [=] __device__(int64_t i) {
    int64_t k = i / places.run, e = i % places.run;
    for (int64_t j = 0; j < places.num_offsets; ++j)
      sums[places.in_array(j, k) + e] += from.load<V>(places.in_result(j, k) + e);
  });
}

template <class V>
constexpr DType kSumType = std::is_same_v<V, double>  ? DType::float64
                           : std::is_same_v<V, float> ? DType::float32
                                                      : DType::int64;

void advanced_index_add(const AdvancedIndexAddParams& p, KernelContext& c) {
  Scratch memory;
  Places places = places_of(c, p.shape, p.axes, 1, memory);
  const TensorView& out = c.out(0);
  dispatch_number(out.dtype, [&]<class V>() {
    int64_t bytes = out.size() * static_cast<int64_t>(sizeof(V));
    Scratch sums(c, std::max<int64_t>(bytes, 1));
    fill_zero(c, sums.data(), bytes);
    if (c.in(0).size() > 0) add_runs(c, places, sums.as<V>());
    cast(c, TensorView{sums.data(), out.extents, kSumType<V>}, out);
  });
}

void set_runs(const KernelContext& c, const Places& places, const TensorView& values) {
  Elements from(values), to(c.out(0));
  each(c, places.num_kept * places.run, [=] __device__(int64_t i) {
    int64_t k = i / places.run, e = i % places.run;
    for (int64_t j = 0; j < places.num_offsets; ++j)
      to.put(places.in_array(j, k) + e, from, places.in_result(j, k) + e);
  });
}

void advanced_index_set(const AdvancedIndexParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  Scratch memory;
  Places places = places_of(c, shape, p.axes, 2, memory);
  Shape result = AdvancedLayout(c.op.name.c_str(), shape, p.axes, index_shapes(c, 2)).result;
  // The value as it is broadcast, in memory of its own: it may be part of the array that is written.
  const TensorView& value = c.in(1);
  int64_t width = size_of(value.dtype);
  Scratch spread(c, std::max<int64_t>(result.size() * width, 1));
  Shape from = BroadcastPlan::strides_in(result, value.shape()), to = strides_of(result);
  Move move;
  for (int i = 0; i < result.ndim(); ++i) move.add(result[i], from[i], to[i]);
  GpuMoves::move(c, move, width, value.data, spread.data());
  copy(c, c.in(0).data, c.out(0).data, shape.size() * width);
  if (places.num_offsets > 0) set_runs(c, places, {spread.data(), &result, value.dtype});
}

const bool registered[] = {
    kernel<AdvancedIndexParams>("_advanced_index", advanced_index),
    kernel<AdvancedIndexAddParams>("_advanced_index_add", advanced_index_add),
    kernel<AdvancedIndexParams>("_advanced_index_set", advanced_index_set),
};

}  // namespace
}  // namespace mxnet::cuda
