// Kernels of the operators that rearrange elements, written once for every device: D says how it moves, see HostMoves.
#pragma once
#include "mxnet/op/registry.h"
#include "mxnet/ops/move_axes.h"
#include "mxnet/ops/shape.h"

namespace mxnet {

template <class D>
class ShapeMoves {
 public:
  static bool add_all();

 private:
  static void run(Move& move, KernelContext& c, int64_t from_offset = 0, int64_t to_offset = 0) {
    int64_t width = size_of(c.in(0).dtype);
    D::move(c, move, width, c.in(0).as<char>() + from_offset * width, c.out(0).as<char>() + to_offset * width);
  }

  // ---- Axes in another order. ----

  static void permute(KernelContext& c, std::span<const int> axes) {
    const Shape& shape = c.in(0).shape();
    Shape from = strides_of(shape), to = strides_of(c.out(0).shape());
    Move move;
    for (size_t i = 0; i < axes.size(); ++i) move.add(shape[axes[i]], from[axes[i]], to[static_cast<int>(i)]);
    run(move, c);
  }

  static void transpose(const TransposeParams& p, KernelContext& c) {
    permute(c, permutation(p, c.in(0).shape().ndim()));
  }

  static void swap_axes(const SwapAxisParams& p, KernelContext& c) {
    const Shape& shape = c.in(0).shape();
    std::vector<int> axes(shape.ndim());
    for (int i = 0; i < shape.ndim(); ++i) axes[i] = i;
    std::swap(axes[normal_axis("SwapAxis", p.dim1, shape)], axes[normal_axis("SwapAxis", p.dim2, shape)]);
    permute(c, axes);
  }

  static void reverse(const ReverseParams& p, KernelContext& c) {
    const Shape& shape = c.in(0).shape();
    Shape strides = strides_of(shape);
    AxisSet set = 0;
    for (int64_t axis : p.axis) set |= AxisSet{1} << normal_axis("reverse", axis, shape);
    Move move;
    int64_t offset = 0;
    for (int i = 0; i < shape.ndim(); ++i) {
      bool back = contains(set, i);
      move.add(shape[i], back ? -strides[i] : strides[i], strides[i]);
      if (back) offset += (shape[i] - 1) * strides[i];
    }
    run(move, c, offset);
  }

  // (N, b, b, C, H, W) to (N, C, H, b, W, b), or the other way round.
  static void move_blocks(KernelContext& c, const Shape& pixels, int64_t b, bool to_space) {
    int64_t channels = pixels[1], height = pixels[2] / b, width = pixels[3] / b;
    Shape deep = strides_of({pixels[0], b, b, channels, height, width});
    Shape wide = strides_of({pixels[0], channels, height, b, width, b});
    struct Pair {
      int64_t extent, deep, wide;
    };
    Pair n{pixels[0], deep[0], wide[0]}, y{b, deep[1], wide[3]}, x{b, deep[2], wide[5]}, ch{channels, deep[3], wide[1]},
        h{height, deep[4], wide[2]}, w{width, deep[5], wide[4]};
    Move move;
    if (to_space)
      for (const Pair& p : {n, ch, h, y, w, x}) move.add(p.extent, p.deep, p.wide);
    else
      for (const Pair& p : {n, y, x, ch, h, w}) move.add(p.extent, p.wide, p.deep);
    run(move, c);
  }

  // ---- Repetition. ----

  static void broadcast(KernelContext& c) {
    const Shape &shape = c.in(0).shape(), &target = c.out(0).shape();
    Shape from = strides_of(shape), to = strides_of(target);
    Move move;
    int extra = target.ndim() - shape.ndim();
    for (int i = 0; i < target.ndim(); ++i) {
      bool repeated = i < extra || shape[i - extra] == 1;
      move.add(target[i], repeated ? 0 : from[i - extra], to[i]);
    }
    run(move, c);
  }

  static void tile(const TileParams& p, KernelContext& c) {
    const Shape &shape = c.in(0).shape(), &target = c.out(0).shape();
    Shape from = strides_of(shape), to = strides_of(target);
    Move move;
    for (int i = 0; i < target.ndim(); ++i) {
      int own = i - target.ndim() + shape.ndim(), rep = i - target.ndim() + p.reps.ndim();
      int64_t extent = own >= 0 ? shape[own] : 1;
      if (rep >= 0) move.add(p.reps[rep], 0, extent * to[i]);
      if (own >= 0) move.add(extent, from[own], to[i]);
    }
    run(move, c);
  }

  static void repeat(const RepeatParams& p, KernelContext& c) {
    const Shape& shape = c.in(0).shape();
    int axis = p.axis ? normal_axis("repeat", *p.axis, shape) : 0;
    int64_t outer = p.axis ? shape.product(0, axis + 1) : shape.size(),
            inner = p.axis ? shape.product(axis + 1, shape.ndim()) : 1;
    Move move;
    move.add(outer, inner, inner * p.repeats);
    move.add(p.repeats, 0, inner);
    move.add(inner, 1, 1);
    run(move, c);
  }

  // ---- Parts. ----

  // The axes of a part of an array; `to_part` tells which side the part is.
  static int64_t part_axes(Move& move, const Shape& whole, const Ranges& ranges, bool from_whole) {
    Shape part = strides_of(shape_of(ranges)), strides = strides_of(whole);
    int64_t offset = 0;
    for (int i = 0; i < whole.ndim(); ++i) {
      int64_t step = ranges[i].step * strides[i];
      move.add(ranges[i].count, from_whole ? step : part[i], from_whole ? part[i] : step);
      offset += ranges[i].begin * strides[i];
    }
    return offset;
  }

  static void slice(KernelContext& c, const Ranges& ranges) {
    Move move;
    int64_t offset = part_axes(move, c.in(0).shape(), ranges, true);
    run(move, c, offset);
  }

  static void scatter(const SliceScatterParams& p, KernelContext& c) {
    const Shape& part = c.in(0).shape();
    if (!(part == p.shape)) D::zero(c, c.out(0));
    Move move;
    int64_t offset = part_axes(move, p.shape, scatter_ranges(p, part), false);
    run(move, c, 0, offset);
  }

  static void copy_whole(KernelContext& c) {
    D::copy(c, c.in(0).data, c.out(0).data, c.in(0).size() * size_of(c.in(0).dtype));
  }

  static void slice_assign(const SliceParams& p, KernelContext& c) {
    const TensorView &rhs = c.in(1), &out = c.out(0);
    int64_t width = size_of(out.dtype);
    typename D::Apart source(c, rhs, out);  // it may be another window of the array that is written
    copy_whole(c);
    Move move;
    int64_t offset = part_axes(move, out.shape(), slice_ranges("_slice_assign", p, out.shape()), false);
    D::move(c, move, width, source.view.data, out.as<char>() + offset * width);
  }

  static void slice_assign_scalar(const SliceScalarParams& p, KernelContext& c) {
    const TensorView& out = c.out(0);
    copy_whole(c);
    Move move;
    Ranges ranges = slice_ranges("_slice_assign_scalar", p, out.shape());
    int64_t offset = part_axes(move, out.shape(), ranges, false);
    for (int i = 0; i < move.size(); ++i) move[i].from = 0;
    dispatch_all(out.dtype, [&]<class T>() {
      T value = static_cast<T>(p.scalar);
      D::spread(c, move, sizeof(T), &value, out.as<T>() + offset);
    });
  }

  // ---- Diagonals: the array on one side, its diagonals with the others in front on the other. ----

  static int64_t diagonal_axes(Move& move, const Shape& whole, const Diagonal& d, bool from_whole) {
    Shape strides = strides_of(whole);
    int64_t around = whole.size() / (whole[d.axis1] * whole[d.axis2]) * d.count;
    auto add = [&](int64_t extent, int64_t in_whole, int64_t in_part) {
      move.add(extent, from_whole ? in_whole : in_part, from_whole ? in_part : in_whole);
    };
    for (int i = 0; i < whole.ndim(); ++i) {
      if (i == d.axis1 || i == d.axis2) continue;
      around /= std::max<int64_t>(whole[i], 1);
      add(whole[i], strides[i], around);
    }
    add(d.count, strides[d.axis1] + strides[d.axis2], 1);
    return d.row * strides[d.axis1] + d.column * strides[d.axis2];
  }

  static void diag(const DiagParams& p, KernelContext& c) {
    const Shape& shape = c.in(0).shape();
    Move move;
    if (shape.ndim() == 1) {
      int64_t side = c.out(0).shape()[0];
      D::zero(c, c.out(0));
      move.add(shape[0], 1, side + 1);
      run(move, c, 0, std::max<int64_t>(-p.k, 0) * side + std::max<int64_t>(p.k, 0));
      return;
    }
    if (c.out(0).size() == 0) return;
    int64_t offset = diagonal_axes(move, shape, diagonal("diag", p.k, p.axis1, p.axis2, shape), true);
    run(move, c, offset);
  }

  static void diag_scatter(const DiagScatterParams& p, KernelContext& c) {
    D::zero(c, c.out(0));
    if (c.in(0).size() == 0) return;
    Move move;
    int64_t offset = diagonal_axes(move, p.shape, diagonal("_backward_diag", p.k, p.axis1, p.axis2, p.shape), false);
    run(move, c, 0, offset);
  }
};

template <class D>
bool ShapeMoves<D>::add_all() {
  D::template add<TransposeParams>("transpose", transpose);
  D::template add<SwapAxisParams>("SwapAxis", swap_axes);
  D::template add<ReverseParams>("reverse", reverse);
  D::template add<BlockParams>("depth_to_space", [](const BlockParams& p, KernelContext& c) {
    move_blocks(c, c.out(0).shape(), p.block_size, true);
  });
  D::template add<BlockParams>("space_to_depth", [](const BlockParams& p, KernelContext& c) {
    move_blocks(c, c.in(0).shape(), p.block_size, false);
  });
  D::template add<ShapeParams>("_broadcast_to", [](const ShapeParams&, KernelContext& c) { broadcast(c); });
  D::template add<ShapeParams>("broadcast_to", [](const ShapeParams&, KernelContext& c) { broadcast(c); });
  D::template add<BroadcastAxisParams>("broadcast_axis",
                                       [](const BroadcastAxisParams&, KernelContext& c) { broadcast(c); });
  D::template add<BroadcastLikeParams>("broadcast_like",
                                       [](const BroadcastLikeParams&, KernelContext& c) { broadcast(c); });
  D::template add<TileParams>("tile", tile);
  D::template add<RepeatParams>("repeat", repeat);
  D::template add<SliceParams>(
      "slice", [](const SliceParams& p, KernelContext& c) { slice(c, slice_ranges("slice", p, c.in(0).shape())); });
  D::template add<SliceAxisParams>("slice_axis", [](const SliceAxisParams& p, KernelContext& c) {
    slice(c, slice_axis_ranges(p, c.in(0).shape()));
  });
  D::template add<SliceLikeParams>("slice_like", [](const SliceLikeParams& p, KernelContext& c) {
    slice(c, slice_like_ranges(p, c.in(0).shape(), c.in(1).shape()));
  });
  D::template add<CropParams>("Crop", [](const CropParams& p, KernelContext& c) {
    slice(c, crop_ranges(p, c.in(0).shape(), c.has(1) ? &c.in(1).shape() : nullptr));
  });
  D::template add<SliceScatterParams>("_backward_slice", scatter);
  D::template add<SliceParams>("_slice_assign", slice_assign);
  D::template add<SliceScalarParams>("_slice_assign_scalar", slice_assign_scalar);
  D::template add<DiagParams>("diag", diag);
  D::template add<DiagScatterParams>("_backward_diag", diag_scatter);
  return true;
}

}  // namespace mxnet
