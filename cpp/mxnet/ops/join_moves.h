// Kernels of the operators that put arrays together, take them apart or add a border, written once for every device:
// D says how it moves, see HostMoves.
#pragma once
#include "mxnet/op/registry.h"
#include "mxnet/ops/join.h"
#include "mxnet/ops/move_axes.h"

namespace mxnet {

template <class D>
class JoinMoves {
 public:
  static bool add_all() {
    D::template add<ConcatParams>("Concat", concat);
    D::template add<ConcatParams>("_rnn_param_concat", concat);
    D::template add<StackParams>("stack", [](const StackParams& p, KernelContext& c) {
      join(c, normal_axis("stack", p.axis, c.out(0).shape()), true);
    });
    D::template add<SliceChannelParams>("SliceChannel", split_evenly);
    D::template add<SplitParams>("_split_v2", split_at_indices);
    D::template add<PadParams>("Pad", pad);
    return true;
  }

 private:
  // Moves `rows` runs of `run` elements between arrays whose rows are `from` and `to` elements long.
  static void move_rows(const KernelContext& c, const void* source, void* target, int64_t width, int64_t rows,
                        int64_t run, int64_t from, int64_t to) {
    Move move;
    move.add(rows, from, to);
    move.add(run, 1, 1);
    D::move(c, move, width, source, target);
  }

  static void join(KernelContext& c, int axis, bool stacked) {
    const Shape& shape = c.out(0).shape();
    int64_t width = size_of(c.out(0).dtype), rows = shape.product(0, axis), row = shape.product(axis, shape.ndim());
    int64_t inner = shape.product(axis + 1, shape.ndim()), begin = 0;
    for (const TensorView& in : c.inputs) {
      int64_t run = (stacked ? 1 : in.shape()[axis]) * inner;
      move_rows(c, in.data, c.out(0).as<char>() + begin * width, width, rows, run, run, row);
      begin += run;
    }
  }

  static void split(KernelContext& c, int axis, std::span<const int64_t> bounds) {
    const Shape& shape = c.in(0).shape();
    int64_t width = size_of(c.in(0).dtype), rows = shape.product(0, axis), row = shape.product(axis, shape.ndim());
    int64_t inner = shape.product(axis + 1, shape.ndim());
    for (size_t i = 0; i < c.outputs.size(); ++i) {
      int64_t run = (bounds[i + 1] - bounds[i]) * inner;
      move_rows(c, c.in(0).as<char>() + bounds[i] * inner * width, c.outputs[i].data, width, rows, run, row, run);
    }
  }

  static void split_evenly(const SliceChannelParams& p, KernelContext& c) {
    int axis = normal_axis("SliceChannel", p.axis, c.in(0).shape());
    std::vector<int64_t> bounds;
    for (int i = 0; i <= p.num_outputs; ++i) bounds.push_back(i * (c.in(0).shape()[axis] / p.num_outputs));
    split(c, axis, bounds);
  }

  static void split_at_indices(const SplitParams& p, KernelContext& c) {
    int axis = normal_axis("_split_v2", p.axis, c.in(0).shape());
    split(c, axis, split_bounds("_split_v2", p, c.in(0).shape()[axis]));
  }

  // ---- Borders. ----

  // The array inside, then the border axis by axis: along each axis whole slices of the result so far are repeated.
  static void pad(const PadParams& p, KernelContext& c) {
    const Shape &shape = c.in(0).shape(), &padded = c.out(0).shape();
    const TensorView& out = c.out(0);
    if (out.size() == 0) return;
    int64_t width = size_of(out.dtype), offset = 0;
    Shape from = strides_of(shape), to = strides_of(padded);
    if (p.mode == PadMode::constant) {
      Move fill;
      fill.add(out.size(), 0, 1);
      dispatch_all(out.dtype, [&]<class T>() {
        T value = static_cast<T>(p.constant_value);
        D::spread(c, fill, sizeof(T), &value, out.data);
      });
    }
    Move inside;
    for (int i = 0; i < shape.ndim(); ++i) {
      inside.add(shape[i], from[i], to[i]);
      offset += p.pad_width[2 * i] * to[i];
    }
    D::move(c, inside, width, c.in(0).data, out.as<char>() + offset * width);
    if (p.mode == PadMode::constant) return;
    // Axes before `axis` are filled in their inner part only, axes after it altogether.
    for (int axis = shape.ndim() - 1; axis >= 0; --axis) {
      int64_t start = 0;
      for (int i = 0; i < axis; ++i) start += p.pad_width[2 * i] * to[i];
      for (int64_t at = 0; at < padded[axis]; ++at) {
        int64_t source = padded_source(p.mode, at - p.pad_width[2 * axis], shape[axis]) + p.pad_width[2 * axis];
        if (source == at) continue;
        Move slab;
        for (int i = 0; i < axis; ++i) slab.add(shape[i], to[i], to[i]);
        slab.add(to[axis], 1, 1);
        D::move(c, slab, width, out.as<char>() + (start + source * to[axis]) * width,
                out.as<char>() + (start + at * to[axis]) * width);
      }
    }
  }

  static void concat(const ConcatParams& p, KernelContext& c) {
    join(c, normal_axis("Concat", p.dim, c.out(0).shape()), false);
  }
};

}  // namespace mxnet
