#include "mxnet/ops/reduce.h"

#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/ops/lanes.h"
#include "mxnet/ops/reduction.h"

namespace mxnet {
namespace {

// Elements that one conversion or one lane-wise accumulation takes.
constexpr int64_t kBlock = 2048;

// The input as lanes.
template <class L>
struct Source {
  const char* data;
  int64_t width;                                                // bytes of an element
  void (*widen)(const void* from, L* to, int64_t n) = nullptr;  // null if elements are lanes already

  Source at(int64_t offset) const { return {data + offset * width, width, widen}; }
  // n <= kBlock lanes; `buffer` is where converted ones go.
  const L* lanes(int64_t offset, int64_t n, L* buffer) const {
    const char* p = data + offset * width;
    if (!widen) return reinterpret_cast<const L*>(p);
    widen(p, buffer, n);
    return buffer;
  }
};

// Where totals go, after what is done with each of them at the end.
template <class Total>
struct Sink {
  char* data;
  int64_t width;
  void (*narrow)(const Total* from, void* to, int64_t n);
  Finish finish;
  int64_t count;  // elements in one total

  void put(int64_t first, Total* totals, int64_t n) const {
    if (finish == Finish::mean) {
      if constexpr (std::is_integral_v<Total>)
        for (int64_t i = 0; i < n; ++i) totals[i] = count ? totals[i] / count : 0;
      else
        for (int64_t i = 0; i < n; ++i) totals[i] /= static_cast<Total>(count);
    } else if (finish == Finish::root) {
      for (int64_t i = 0; i < n; ++i) totals[i] = static_cast<Total>(std::sqrt(static_cast<double>(totals[i])));
    } else if (finish == Finish::truth) {
      for (int64_t i = 0; i < n; ++i) totals[i] = totals[i] != 0;
    }
    narrow(totals, data + first * width, n);
  }
};

template <class Total, class T>
void narrow(const Total* from, void* to, int64_t n) {
  T* p = static_cast<T*>(to);
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<T>(from[i]);
}

// ---- Where the elements lie. ----

// Steps through the positions of some axes, the last one fastest.
class Walk {
 public:
  Walk(std::span<const ReduceAxis> axes, int64_t position) : axes_(axes), index_(axes.size()) {
    for (size_t i = axes.size(); i-- > 0;) {
      if (axes[i].count == 0) continue;                     // there is nothing to walk
      int64_t count = std::max<int64_t>(axes[i].count, 1);  // an empty axis has no position but the first
      index_[i] = position % count;
      position /= count;
      offset_ += index_[i] * axes[i].stride;
    }
  }
  int64_t offset() const { return offset_; }
  // Positions left on the fastest axis, this one included.
  int64_t run() const { return axes_.empty() ? 1 : axes_.back().count - index_.back(); }
  int64_t stride() const { return axes_.empty() ? 0 : axes_.back().stride; }
  void advance(int64_t n = 1) {  // n <= run()
    for (size_t i = axes_.size(); i-- > 0; n = 1) {
      index_[i] += n;
      offset_ += n * axes_[i].stride;
      if (index_[i] < axes_[i].count) return;
      offset_ -= axes_[i].count * axes_[i].stride;
      index_[i] = 0;
    }
  }

 private:
  std::span<const ReduceAxis> axes_;
  std::vector<int64_t> index_;
  int64_t offset_ = 0;
};

// ---- Rows: the contiguous run is reduced. ----

// Pieces in which a long reduction is shared out. It depends on shapes only, so that results do not depend
// on the number of threads.
constexpr int64_t kPiece = 65536;

template <class R, class L = typename R::Lane>
L reduce_block(const L* p, int64_t n) {
  constexpr int64_t w = kLanes<L>;
  const Vec<L> none = splat<Vec<L>>(R::identity);
  Vec<L> a = none;
  int64_t i = 0;
  if (n >= 4 * w) {
    Vec<L> b = none, c = none, d = none;
    for (; i + 4 * w <= n; i += 4 * w) {
      a = R::step(a, R::map(load<L>(p + i)));
      b = R::step(b, R::map(load<L>(p + i + w)));
      c = R::step(c, R::map(load<L>(p + i + 2 * w)));
      d = R::step(d, R::map(load<L>(p + i + 3 * w)));
    }
    a = R::step(R::step(a, b), R::step(c, d));
  }
  for (; i + w <= n; i += w) a = R::step(a, R::map(load<L>(p + i)));
  if (i < n) a = R::step(a, R::map(load_part<L>(p + i, n - i, R::identity)));
  return fold_lanes<L>(a, [](Vec<L> x, Vec<L> y) { return R::step(x, y); });
}

template <class R, class L = typename R::Lane>
typename R::Total reduce_run(const Source<L>& in, int64_t n) {
  using Total = typename R::Total;
  alignas(64) L buffer[kBlock];
  Total total = static_cast<Total>(R::identity);
  for (int64_t i = 0; i < n; i += kBlock) {
    int64_t m = std::min(kBlock, n - i);
    total = R::step(total, static_cast<Total>(reduce_block<R>(in.lanes(i, m, buffer), m)));
  }
  return total;
}

// Over the reduced positions [begin, end), each a run of layout.inner elements.
template <class R, class L = typename R::Lane>
typename R::Total reduce_runs(const Source<L>& in, const ReduceLayout& layout, int64_t begin, int64_t end) {
  if (layout.reduced.empty()) return reduce_run<R>(in, begin < end ? layout.inner : 0);
  auto total = static_cast<typename R::Total>(R::identity);
  Walk walk(layout.reduced, begin);
  for (int64_t r = begin; r < end; ++r, walk.advance())
    total = R::step(total, reduce_run<R>(in.at(walk.offset()), layout.inner));
  return total;
}

// Few long reductions: each in pieces, which are joined in order.
template <class R, class L = typename R::Lane>
void reduce_in_pieces(const Source<L>& in, const Sink<typename R::Total>& out, const ReduceLayout& layout) {
  using Total = typename R::Total;
  bool split_run = layout.inner > kPiece;
  int64_t group = split_run ? 1 : kPiece / layout.inner;  // runs in a piece
  int64_t per_run = split_run ? (layout.inner + kPiece - 1) / kPiece : 1;
  int64_t pieces = split_run ? layout.num_reduced * per_run : (layout.num_reduced + group - 1) / group;
  std::vector<Total> partial(layout.num_kept * pieces);
  parallel_for(static_cast<int64_t>(partial.size()), 2, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Source<L> row = in.at(Walk(layout.kept, i / pieces).offset());
      int64_t piece = i % pieces;
      if (split_run) {
        int64_t at = piece % per_run * kPiece;
        int64_t offset = Walk(layout.reduced, piece / per_run).offset() + at;
        partial[i] = reduce_run<R>(row.at(offset), std::min(kPiece, layout.inner - at));
      } else {
        partial[i] = reduce_runs<R>(row, layout, piece * group, std::min((piece + 1) * group, layout.num_reduced));
      }
    }
  });
  for (int64_t o = 0; o < layout.num_kept; ++o) {
    Total total = static_cast<Total>(R::identity);
    for (int64_t piece = 0; piece < pieces; ++piece) total = R::step(total, partial[o * pieces + piece]);
    out.put(o, &total, 1);
  }
}

template <class R, class L = typename R::Lane>
void reduce_by_rows(const Source<L>& in, const Sink<typename R::Total>& out, const ReduceLayout& layout) {
  using Total = typename R::Total;
  if (out.count >= 2 * kPiece) return reduce_in_pieces<R>(in, out, layout);
  parallel_for(layout.num_kept, std::max<int64_t>(1, 2 * kPiece / std::max<int64_t>(out.count, 1)),
               [&](int64_t begin, int64_t end) {
                 constexpr int64_t kGroup = 256;
                 Total totals[kGroup];
                 Walk walk(layout.kept, begin);
                 for (int64_t o = begin; o < end;) {
                   int64_t n = std::min(kGroup, end - o);
                   for (int64_t i = 0; i < n; ++i, walk.advance())
                     totals[i] = reduce_runs<R>(in.at(walk.offset()), layout, 0, layout.num_reduced);
                   out.put(o, totals, n);
                   o += n;
                 }
               });
}

// ---- Columns: the contiguous run is kept, rows are joined element by element. ----

constexpr int64_t kDepth = 128;  // rows that are joined in lanes before they are added to the totals

template <class R, int n, class L = typename R::Lane>
void join(const L* p, int64_t stride, int64_t width, L* lanes) {
  constexpr int64_t w = kLanes<L>;
  int64_t i = 0;
  for (; i + w <= width; i += w) {
    Vec<L> v = load<L>(lanes + i);
    for (int r = 0; r < n; ++r) v = R::step(v, R::map(load<L>(p + r * stride + i)));
    store(lanes + i, v);
  }
  if (i == width) return;
  Vec<L> v = load<L>(lanes + i);
  for (int r = 0; r < n; ++r) v = R::step(v, R::map(load_part<L>(p + r * stride + i, width - i, R::identity)));
  store(lanes + i, v);
}

// Adds `rows` rows of `width` <= kBlock elements, `stride` apart, to the totals.
template <class R, class L = typename R::Lane>
void add_rows(const Source<L>& in, int64_t rows, int64_t stride, int64_t width, typename R::Total* totals) {
  using Total = typename R::Total;
  alignas(64) L lanes[kBlock];
  alignas(64) L buffer[kBlock];
  for (int64_t first = 0; first < rows; first += kDepth) {
    int64_t r = first, last = std::min(first + kDepth, rows);
    std::fill_n(lanes, kBlock, R::identity);
    if (!in.widen)
      for (; r + 8 <= last; r += 8) join<R, 8>(in.lanes(r * stride, width, nullptr), stride, width, lanes);
    for (; r < last; ++r) join<R, 1>(in.lanes(r * stride, width, buffer), stride, width, lanes);
    for (int64_t i = 0; i < width; ++i) totals[i] = R::step(totals[i], static_cast<Total>(lanes[i]));
  }
}

// Rows that follow each other without a gap and are narrow: several make one wide row, folded at the end.
template <class R, class L = typename R::Lane>
void add_narrow_rows(const Source<L>& in, int64_t rows, int64_t width, typename R::Total* totals) {
  using Total = typename R::Total;
  constexpr int64_t kWide = kBlock / 4;
  int64_t group = std::min(rows, kWide / width);
  Total wide[kWide];
  std::fill_n(wide, group * width, static_cast<Total>(R::identity));
  int64_t groups = rows / group;
  add_rows<R>(in, groups, group * width, group * width, wide);
  for (int64_t g = 0; g < group; ++g)
    for (int64_t i = 0; i < width; ++i) totals[i] = R::step(totals[i], wide[g * width + i]);
  add_rows<R>(in.at(groups * group * width), rows - groups * group, width, width, totals);
}

// Totals of columns [0, width) over the reduced positions [begin, end).
template <class R, class L = typename R::Lane>
void total_columns(const Source<L>& in, const ReduceLayout& layout, int64_t begin, int64_t end, int64_t width,
                   typename R::Total* totals) {
  std::fill_n(totals, width, static_cast<typename R::Total>(R::identity));
  Walk walk(layout.reduced, begin);
  for (int64_t r = begin; r < end;) {
    int64_t rows = std::min(walk.run(), end - r);
    if (walk.stride() == width && width <= kBlock / 16 && rows > 1)
      add_narrow_rows<R>(in.at(walk.offset()), rows, width, totals);
    else
      add_rows<R>(in.at(walk.offset()), rows, walk.stride(), width, totals);
    walk.advance(rows);
    r += rows;
  }
}

template <class R, class L = typename R::Lane>
void reduce_by_columns(const Source<L>& in, const Sink<typename R::Total>& out, const ReduceLayout& layout) {
  using Total = typename R::Total;
  int64_t width = layout.inner, rows = layout.num_reduced, results = layout.num_kept * width;
  int64_t stripes = (width + kBlock - 1) / kBlock;
  // Few columns and many rows: the rows are shared out as well.
  int64_t pieces = results >= 8 * kBlock ? 1 : std::clamp<int64_t>(width * rows / kPiece, 1, 64);
  int64_t piece_rows = (rows + pieces - 1) / pieces;
  std::vector<Total> partial(pieces > 1 ? pieces * results : 0);
  int64_t unit = std::max<int64_t>(std::min(width, kBlock) * piece_rows, 1);
  parallel_for(layout.num_kept * stripes * pieces, std::max<int64_t>(1, 2 * kPiece / unit),
               [&](int64_t begin, int64_t end) {
                 Total local[kBlock];
                 for (int64_t i = begin; i < end; ++i) {
                   int64_t stripe = i % stripes * kBlock, piece = i / stripes % pieces, o = i / stripes / pieces;
                   int64_t n = std::min(kBlock, width - stripe);
                   Source<L> columns = in.at(Walk(layout.kept, o).offset() + stripe);
                   Total* totals = pieces > 1 ? partial.data() + piece * results + o * width + stripe : local;
                   total_columns<R>(columns, layout, std::min(rows, piece * piece_rows),
                                    std::min(rows, (piece + 1) * piece_rows), n, totals);
                   if (pieces == 1) out.put(o * width + stripe, totals, n);
                 }
               });
  if (pieces == 1) return;
  for (int64_t piece = 1; piece < pieces; ++piece)
    for (int64_t i = 0; i < results; ++i) partial[i] = R::step(partial[i], partial[piece * results + i]);
  out.put(0, partial.data(), results);
}

template <class R>
void reduce(const TensorView& in, const TensorView& out, AxisSet set, Finish finish) {
  using L = typename R::Lane;
  using Total = typename R::Total;
  ReduceLayout layout(in.shape(), set);
  if (out.size() == 0) return;
  Source<L> source{in.as<char>(), size_of(in.dtype)};
  if (in.dtype != dtype_of<L>) source.widen = dispatch_all(in.dtype, []<class T>() { return &widen<L, T>; });
  Sink<Total> sink{out.as<char>(), size_of(out.dtype), nullptr, finish, reduced_count(in.shape(), set)};
  sink.narrow = dispatch_all(out.dtype, []<class T>() { return &narrow<Total, T>; });
  if (layout.inner_reduced)
    reduce_by_rows<R>(source, sink, layout);
  else
    reduce_by_columns<R>(source, sink, layout);
}

// ---- Kernels. ----

// Calls f with the lane type for sums and products of a dtype: integers wrap in 64 bits, which is right modulo
// the element type.
template <class F>
void with_sum_lane(DType dtype, const F& f) {
  if (dtype == DType::float64) return f.template operator()<double>();
  if (is_floating(dtype)) return f.template operator()<float>();
  f.template operator()<int64_t>();
}

// The lane type for comparisons.
template <class F>
void with_lane(DType dtype, const F& f) {
  if (dtype == DType::float64) return f.template operator()<double>();
  if (is_floating(dtype)) return f.template operator()<float>();
  if (dtype == DType::int64) return f.template operator()<int64_t>();
  f.template operator()<int32_t>();
}

AxisSet axes_of(const ReduceParams& p, KernelContext& c) {
  return axis_set(c.op.name.c_str(), p.axis, c.in(0).shape(), p.exclude);
}

template <template <class> class R, template <class> class IntegerR = R>
bool register_sum(const char* name, Finish finish = Finish::none) {
  return cpu_kernel<ReduceParams>(name, [finish](const ReduceParams& p, KernelContext& c) {
    Finish last = c.out(0).dtype == DType::boolean ? Finish::truth : finish;
    with_sum_lane(c.in(0).dtype, [&]<class L>() {
      using Chosen = std::conditional_t<std::is_integral_v<L>, IntegerR<L>, R<L>>;
      reduce<Chosen>(c.in(0), c.out(0), axes_of(p, c), last);
    });
  });
}

template <template <class> class R>
bool register_extreme(const char* name) {
  return cpu_kernel<ReduceParams>(name, [](const ReduceParams& p, KernelContext& c) {
    with_lane(c.in(0).dtype, [&]<class L>() { reduce<R<L>>(c.in(0), c.out(0), axes_of(p, c), Finish::none); });
  });
}

const bool registered[] = {
    register_sum<SumOf>("sum"),
    register_sum<SumOf>("mean", Finish::mean),
    register_sum<ProductOf>("prod"),
    register_sum<NanSumOf, SumOf>("nansum"),
    register_sum<NanProductOf, ProductOf>("nanprod"),
    register_sum<SquareSumOf>("_square_sum"),
    register_extreme<MaxOf>("max"),
    register_extreme<MinOf>("min"),
    cpu_kernel<NormParams>("norm",
                           [](const NormParams& p, KernelContext& c) {
                             AxisSet set = axis_set("norm", p.axis, c.in(0).shape());
                             with_sum_lane(c.in(0).dtype, [&]<class L>() {
                               if (p.ord == 1)
                                 reduce<MagnitudeSumOf<L>>(c.in(0), c.out(0), set, Finish::none);
                               else
                                 reduce<SquareSumOf<L>>(c.in(0), c.out(0), set, Finish::root);
                             });
                           }),
};

}  // namespace
}  // namespace mxnet
