#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/ops/lanes.h"
#include "mxnet/ops/reduce.h"

namespace mxnet {
namespace {

struct Largest {
  template <class V>
  static auto better(V x, V best) {
    return x > best;
  }
};
struct Smallest {
  template <class V>
  static auto better(V x, V best) {
    return x < best;
  }
};

// The extreme so far and where it is; a NaN beats everything and the first of equals stays.
template <class C, class L>
struct Best {
  L value;
  int64_t place;

  void take(const Best& other) {
    if (C::better(other.value, value) || (other.value != other.value && value == value)) *this = other;
  }
};

constexpr int64_t kBlock = 1024;

// Elements as lanes, converted block by block where they are of another type.
template <class L>
struct Source {
  const char* data;
  int64_t width;
  void (*widen)(const void* from, L* to, int64_t n) = nullptr;

  const L* lanes(int64_t offset, int64_t n, L* buffer) const {
    const char* p = data + offset * width;
    if (!widen) return reinterpret_cast<const L*>(p);
    widen(p, buffer, n);
    return buffer;
  }
};

template <class C, class L>
L extreme(const L* p, int64_t n) {
  constexpr int64_t w = kLanes<L>;
  auto step = []<class V>(V a, V x) -> V { return (C::better(x, a) | (x != x)) ? x : a; };
  L result = p[0];
  int64_t i = 0;
  if (n >= w) {
    Vec<L> a = load<L>(p), b = a, c = a, d = a;
    for (; i + 4 * w <= n; i += 4 * w) {
      a = step(a, load<L>(p + i));
      b = step(b, load<L>(p + i + w));
      c = step(c, load<L>(p + i + 2 * w));
      d = step(d, load<L>(p + i + 3 * w));
    }
    for (; i + w <= n; i += w) a = step(a, load<L>(p + i));
    result = fold_lanes<L>(step(step(a, b), step(c, d)), step);
  }
  for (; i < n; ++i) result = step(result, p[i]);
  return result;
}

// Finds the extreme by blocks, then its place in the block that had it.
template <class C, class L>
Best<C, L> search_row(const Source<L>& in, int64_t first, int64_t n) {
  alignas(64) L buffer[kBlock];
  Best<C, L> best{};
  for (int64_t i = 0; i < n; i += kBlock) {
    int64_t m = std::min(kBlock, n - i);
    Best<C, L> block{extreme<C>(in.lanes(first + i, m, buffer), m), i};
    if (i == 0)
      best = block;
    else
      best.take(block);
  }
  int64_t m = std::min(kBlock, n - best.place);
  const L* p = in.lanes(first + best.place, m, buffer);
  bool nan = best.value != best.value;
  for (int64_t i = 0; i < m; ++i) {
    if (!(nan ? p[i] != p[i] : p[i] == best.value)) continue;
    best.place += i;
    break;
  }
  return best;
}

// Rows of elements that lie side by side; few long ones are searched in pieces.
template <class C, class L>
void search_rows(const Source<L>& in, int64_t rows, int64_t n, int64_t* places) {
  constexpr int64_t kPiece = 65536;
  if (n < 2 * kPiece) {
    parallel_for(rows, std::max<int64_t>(1, 2 * kPiece / n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) places[r] = search_row<C>(in, r * n, n).place;
    });
    return;
  }
  int64_t pieces = (n + kPiece - 1) / kPiece;
  std::vector<Best<C, L>> found(rows * pieces);
  parallel_for(rows * pieces, 2, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t at = i % pieces * kPiece;
      found[i] = search_row<C>(in, i / pieces * n + at, std::min(kPiece, n - at));
      found[i].place += at;
    }
  });
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 1; i < pieces; ++i) found[r * pieces].take(found[r * pieces + i]);
    places[r] = found[r * pieces].place;
  }
}

// Columns [0, width) of a matrix with `stride` elements to a row: lanes keep the extremes and their rows,
// counted from `base` so that they fit. `best` carries the extremes on.
template <class C, class L>
void search_columns(const Source<L>& in, int64_t first, int64_t base, int64_t rows, int64_t stride, int64_t width,
                    L* best, int64_t* places) {
  using I = lane_index_t<L>;
  constexpr int64_t w = kLanes<L>;
  constexpr int64_t kTogether = 8;
  alignas(64) I place[kBlock];
  alignas(64) L buffer[kTogether][kBlock];
  std::fill_n(place, kBlock, I{-1});
  first += base * stride;
  for (int64_t r = 0; r < rows; r += kTogether) {
    int64_t n = std::min(kTogether, rows - r);
    const L* row[kTogether];
    for (int64_t k = 0; k < n; ++k) row[k] = in.lanes(first + (r + k) * stride, width, buffer[k]);
    for (int64_t i = 0; i < width; i += w) {
      Vec<L> value = load<L>(best + i);
      Vec<I> at = load<I>(place + i);
      for (int64_t k = 0; k < n; ++k) {
        Vec<L> x = width - i >= w ? load<L>(row[k] + i) : load_part<L>(row[k] + i, width - i, L{});
        Vec<I> take = C::better(x, value) | ((x != x) & (value == value));
        value = take ? x : value;
        at = take ? splat<Vec<I>>(static_cast<I>(r + k)) : at;
      }
      store(best + i, value);
      store(place + i, at);
    }
  }
  for (int64_t i = 0; i < width; ++i)
    if (place[i] >= 0) places[i] = base + place[i];
}

template <class C, class L>
void search(const TensorView& in, const Split3& at, int64_t* places) {
  Source<L> source{in.as<char>(), size_of(in.dtype)};
  if (in.dtype != dtype_of<L>) source.widen = dispatch_all(in.dtype, []<class T>() { return &widen<L, T>; });
  if (at.inner == 1) return search_rows<C>(source, at.outer, at.extent, places);
  int64_t stripes = (at.inner + kBlock - 1) / kBlock;
  int64_t unit = at.extent * std::min(at.inner, kBlock);
  parallel_for(at.outer * stripes, std::max<int64_t>(1, 65536 / unit), [&](int64_t begin, int64_t end) {
    constexpr int64_t kMost = int64_t{1} << 30;
    alignas(64) L best[kBlock];
    alignas(64) L buffer[kBlock];
    for (int64_t i = begin; i < end; ++i) {
      int64_t o = i / stripes, stripe = i % stripes * kBlock, width = std::min(kBlock, at.inner - stripe);
      int64_t first = o * at.extent * at.inner + stripe;
      std::fill_n(best, kBlock, L{});
      std::copy_n(source.lanes(first, width, buffer), width, best);
      std::fill_n(places + o * at.inner + stripe, width, 0);
      for (int64_t base = 0; base < at.extent; base += kMost)
        search_columns<C>(source, first, base, std::min(kMost, at.extent - base), at.inner, width, best,
                          places + o * at.inner + stripe);
    }
  });
}

template <class C>
void arg_kernel(KernelContext& c, std::optional<int> axis) {
  const Shape& shape = c.in(0).shape();
  Split3 at = axis ? split_at(shape, normal_axis(c.op.name.c_str(), *axis, shape)) : Split3{1, shape.size(), 1};
  int64_t n = c.out(0).size();
  if (n == 0) return;
  std::vector<int64_t> heap(c.out(0).dtype == DType::int64 ? 0 : n);
  int64_t* places = heap.empty() ? c.out(0).as<int64_t>() : heap.data();
  DType dtype = c.in(0).dtype;
  if (dtype == DType::float64)
    search<C, double>(c.in(0), at, places);
  else if (is_floating(dtype))
    search<C, float>(c.in(0), at, places);
  else if (dtype == DType::int64)
    search<C, int64_t>(c.in(0), at, places);
  else
    search<C, int32_t>(c.in(0), at, places);
  if (heap.empty()) return;
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    std::transform(places, places + n, c.out(0).template as<T>(), [](int64_t place) { return static_cast<T>(place); });
  });
}

const bool registered[] = {
    cpu_kernel<ArgParams>("argmax", [](const ArgParams& p, KernelContext& c) { arg_kernel<Largest>(c, p.axis); }),
    cpu_kernel<ArgParams>("argmin", [](const ArgParams& p, KernelContext& c) { arg_kernel<Smallest>(c, p.axis); }),
    cpu_kernel<NoParams>("argmax_channel", [](const NoParams&, KernelContext& c) { arg_kernel<Largest>(c, 1); }),
};

}  // namespace
}  // namespace mxnet
