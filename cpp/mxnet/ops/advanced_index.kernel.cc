#include "mxnet/ops/index_array.h"
#include "mxnet/ops/indexing.h"
#include "mxnet/ops/move.h"
#include "mxnet/ops/reduce.h"

namespace mxnet {
namespace {

// Where the elements of a result lie in the array that is indexed: `offsets` of the index positions, `kept` of the
// positions on the axes before, and a run of `run` elements at the sum of two of them.
struct Places {
  std::vector<int64_t> offsets, kept;
  int64_t run;
  bool adjacent;

  Places(KernelContext& c, const Shape& shape, const Shape& axes, int first_index) : run(1), adjacent(true) {
    std::vector<Shape> shapes;
    for (size_t i = first_index; i < c.inputs.size(); ++i) shapes.push_back(c.inputs[i].shape());
    AdvancedLayout layout(c.op.name.c_str(), shape, axes, shapes);
    run = layout.run;
    adjacent = layout.adjacent;
    offsets.resize(layout.index_shape.size());
    Shape strides = strides_of(shape);
    for (int i = 0; i < axes.ndim(); ++i) {
      int axis = normal_axis(c.op.name.c_str(), axes[i], shape);
      IndexArray index(c, c.inputs[first_index + i]);
      if (!offsets.empty()) index.check(c.op.name.c_str(), axis, shape[axis], true);
      add_offsets(index, shapes[i], layout.index_shape, strides[axis]);
    }
    kept.resize(layout.outer.size());
    for (size_t k = 0; k < kept.size(); ++k) {
      int64_t rest = static_cast<int64_t>(k);
      for (int i = layout.outer.ndim() - 1; i >= 0; --i) {
        kept[k] += rest % layout.outer[i] * layout.outer_strides[i];
        rest /= layout.outer[i];
      }
    }
  }

  int64_t num_kept() const { return static_cast<int64_t>(kept.size()); }
  int64_t num_offsets() const { return static_cast<int64_t>(offsets.size()); }
  // Position in the result of the run for offset j and kept position k.
  int64_t row(int64_t k, int64_t j) const { return (adjacent ? k * num_offsets() + j : j * num_kept() + k) * run; }

 private:
  void add_offsets(const IndexArray& index, const Shape& shape, const Shape& full, int64_t stride) {
    if (shape == full) {
      for (size_t j = 0; j < offsets.size(); ++j) offsets[j] += index[static_cast<int64_t>(j)] * stride;
      return;
    }
    std::vector<int64_t> spread(offsets.size());
    Shape from = strides_of(shape), to = strides_of(full);
    Move move;
    int extra = full.ndim() - shape.ndim();
    for (int i = 0; i < full.ndim(); ++i)
      move.add(full[i], i < extra || shape[i - extra] == 1 ? 0 : from[i - extra], to[i]);
    run_move(move, sizeof(int64_t), index.data(), spread.data());
    for (size_t j = 0; j < offsets.size(); ++j) offsets[j] += spread[j] * stride;
  }
};

void advanced_index(const AdvancedIndexParams& p, KernelContext& c) {
  Places places(c, c.in(0).shape(), p.axes, 1);
  if (c.out(0).size() == 0) return;
  int64_t n = places.num_offsets(), run = places.run, rows = n * places.num_kept();
  dispatch_width(c.in(0).dtype, [&]<class E>() {
    const E* data = c.in(0).as<E>();
    E* out = c.out(0).as<E>();
    parallel_for(rows, std::max<int64_t>(1, 16384 / run), [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        int64_t j = places.adjacent ? u % n : u / places.num_kept(),
                k = places.adjacent ? u / n : u % places.num_kept();
        const E* from = data + places.offsets[j] + places.kept[k];
        if (run == 1)
          out[u] = *from;
        else
          detail::copy_bytes(reinterpret_cast<char*>(out + u * run), reinterpret_cast<const char*>(from),
                             run * static_cast<int64_t>(sizeof(E)));
      }
    });
  });
}

// Calls f(k, first, n) for the kept positions, or for parts of the run if there is one kept position only: whoever
// has a part goes through the index positions in order, so that the result does not depend on the threads.
template <class F>
void each_part(const Places& places, const F& f) {
  int64_t n = places.num_offsets();
  if (places.num_kept() == 0) return;
  if (places.num_kept() > 1) {
    parallel_for(places.num_kept(), std::max<int64_t>(1, 16384 / std::max<int64_t>(n * places.run, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t k = begin; k < end; ++k) f(k, int64_t{0}, places.run);
                 });
    return;
  }
  constexpr int64_t kPart = 256;
  int64_t parts = (places.run + kPart - 1) / kPart;
  parallel_for(parts, std::max<int64_t>(1, 16384 / std::max<int64_t>(n * kPart, 1)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(int64_t{0}, i * kPart, std::min(kPart, places.run - i * kPart));
  });
}

void advanced_index_add(const AdvancedIndexAddParams& p, KernelContext& c) {
  Places places(c, p.shape, p.axes, 1);
  int64_t size = c.out(0).size();
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    using A = compute_t<T>;
    std::vector<A> wide(std::is_same_v<A, T> ? 0 : size);
    A* sums = nullptr;
    if constexpr (std::is_same_v<A, T>) {
      sums = c.out(0).as<T>();
      std::fill_n(sums, size, A{});
    } else {
      sums = wide.data();
    }
    const T* data = c.in(0).as<T>();
    if (c.in(0).size() > 0)
      each_part(places, [&](int64_t k, int64_t first, int64_t n) {
        for (int64_t j = 0; j < places.num_offsets(); ++j) {
          A* to = sums + places.offsets[j] + places.kept[k] + first;
          const T* from = data + places.row(k, j) + first;
          for (int64_t i = 0; i < n; ++i) to[i] = static_cast<A>(to[i] + static_cast<A>(from[i]));
        }
      });
    if constexpr (!std::is_same_v<A, T>)
      std::transform(wide.begin(), wide.end(), c.out(0).as<T>(), [](A x) { return static_cast<T>(x); });
  });
}

// The value broadcast to the shape of the result, in memory of its own if that is not the shape it has or if it
// is part of the array that is written.
const char* spread_value(KernelContext& c, const Shape& result, Scratch& memory) {
  const TensorView &value = c.in(1), &out = c.out(0);
  int64_t width = size_of(value.dtype);
  bool apart = value.as<char>() + value.size() * width <= out.as<char>() ||
               out.as<char>() + out.size() * width <= value.as<char>();
  if (apart && value.shape() == result) return value.as<char>();
  memory = Scratch(std::max<int64_t>(result.size() * width, 1));
  Shape from = strides_of(value.shape()), to = strides_of(result);
  Move move;
  int extra = result.ndim() - value.shape().ndim();
  for (int i = 0; i < result.ndim(); ++i)
    move.add(result[i], i < extra || value.shape()[i - extra] == 1 ? 0 : from[i - extra], to[i]);
  run_move(move, width, value.data, memory.data());
  return memory.as<char>();
}

void advanced_index_set(const AdvancedIndexParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  Places places(c, shape, p.axes, 2);
  std::vector<Shape> shapes;
  for (size_t i = 2; i < c.inputs.size(); ++i) shapes.push_back(c.inputs[i].shape());
  Scratch memory;
  const char* value = spread_value(c, AdvancedLayout(c.op.name.c_str(), shape, p.axes, shapes).result, memory);
  int64_t width = size_of(c.in(0).dtype);
  if (c.in(0).data != c.out(0).data) copy_all(c.out(0).data, c.in(0).data, shape.size() * width);
  if (places.num_offsets() == 0 || places.run == 0) return;
  each_part(places, [&](int64_t k, int64_t first, int64_t n) {
    for (int64_t j = 0; j < places.num_offsets(); ++j) {
      char* to = c.out(0).as<char>() + (places.offsets[j] + places.kept[k] + first) * width;
      detail::copy_bytes(to, value + (places.row(k, j) + first) * width, n * width);
    }
  });
}

// ---- Along one axis: (outer, axis, inner), with an index array of another extent on the axis. ----

struct Along {
  Split3 data;
  int64_t count;  // extent of the axis of the indices
  IndexArray index;

  Along(KernelContext& c, const Shape& shape, int axis)
      : data(split_at(shape, normal_axis(c.op.name.c_str(), axis, shape))),
        count(c.in(1).shape()[normal_axis(c.op.name.c_str(), axis, shape)]),
        index(c, c.in(1)) {
    index.check(c.op.name.c_str(), normal_axis(c.op.name.c_str(), axis, shape), data.extent, true);
  }
};

void take_along(const AlongParams& p, KernelContext& c) {
  Along a(c, c.in(0).shape(), p.axis);
  dispatch_width(c.in(0).dtype, [&]<class E>() {
    const E* data = c.in(0).as<E>();
    E* out = c.out(0).as<E>();
    parallel_for(a.index.size(), 8192, [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u)
        out[u] = data[(u / (a.count * a.data.inner) * a.data.extent + a.index[u]) * a.data.inner + u % a.data.inner];
    });
  });
}

void add_along(const AlongBackwardParams& p, KernelContext& c) {
  Along a(c, p.shape, p.axis);
  int64_t part = a.data.extent * a.data.inner, indices = a.count * a.data.inner;
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    using A = std::conditional_t<std::is_same_v<T, bool>, uint8_t, compute_t<T>>;
    const T* data = c.in(0).as<T>();
    parallel_for(a.data.outer, std::max<int64_t>(1, 16384 / std::max<int64_t>(part + indices, 1)),
                 [&](int64_t begin, int64_t end) {
                   std::vector<A> sums(part);
                   for (int64_t o = begin; o < end; ++o) {
                     std::fill(sums.begin(), sums.end(), A{});
                     for (int64_t u = o * indices; u < (o + 1) * indices; ++u) {
                       A& sum = sums[a.index[u] * a.data.inner + u % a.data.inner];
                       sum = static_cast<A>(sum + static_cast<A>(data[u]));
                     }
                     std::transform(sums.begin(), sums.end(), c.out(0).as<T>() + o * part,
                                    [](A x) { return static_cast<T>(x); });
                   }
                 });
  });
}

const bool registered[] = {
    cpu_kernel<AdvancedIndexParams>("_advanced_index", advanced_index),
    cpu_kernel<AdvancedIndexAddParams>("_advanced_index_add", advanced_index_add),
    cpu_kernel<AdvancedIndexParams>("_advanced_index_set", advanced_index_set),
    cpu_kernel<AlongParams>("_take_along_axis", take_along),
    cpu_kernel<AlongBackwardParams>("_add_along_axis", add_along),
};

}  // namespace
}  // namespace mxnet
