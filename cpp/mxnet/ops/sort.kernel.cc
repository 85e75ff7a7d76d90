#include "mxnet/ops/sort.h"

#include "mxnet/ops/move.h"
#include "mxnet/ops/reduce.h"
#include "mxnet/ops/scratch.h"
#include "mxnet/ops/sort_keys.h"

namespace mxnet {
namespace {

// A key with the index of its element. Short keys share one word with the index.
struct LongItem {
  uint64_t key, place;
  bool operator<(const LongItem& other) const { return key != other.key ? key < other.key : place < other.place; }
};
template <class U>
using item_t = std::conditional_t<sizeof(U) == 8, LongItem, uint64_t>;

template <class U>
inline item_t<U> make_item(U key, int64_t place) {
  if constexpr (sizeof(U) == 8)
    return {key, static_cast<uint64_t>(place)};
  else
    return static_cast<uint64_t>(key) << 32 | static_cast<uint64_t>(place);
}
inline int64_t place_of(uint64_t item) { return static_cast<int64_t>(item & 0xffffffff); }
inline int64_t place_of(const LongItem& item) { return static_cast<int64_t>(item.place); }

// ---- Sorting by radix: from the lowest digit of the key to the highest. ----

template <int bits, class I, class D>
I* radix_sort(I* items, I* spare, int64_t n, int key_bits, const D& digits_of) {
  constexpr uint64_t kMask = (uint64_t{1} << bits) - 1;
  int rounds = (key_bits + bits - 1) / bits;
  std::vector<int64_t> counts(static_cast<size_t>(rounds) << bits);
  for (int64_t i = 0; i < n; ++i) {
    uint64_t key = digits_of(items[i]);
    for (int r = 0; r < rounds; ++r) ++counts[static_cast<size_t>(r) << bits | (key >> (r * bits) & kMask)];
  }
  for (int r = 0; r < rounds; ++r) {
    int64_t* count = counts.data() + (static_cast<size_t>(r) << bits);
    if (count[digits_of(items[0]) >> (r * bits) & kMask] == n) continue;  // a digit all keys share
    int64_t sum = 0;
    for (uint64_t d = 0; d <= kMask; ++d) sum += std::exchange(count[d], sum);
    for (int64_t i = 0; i < n; ++i) spare[count[digits_of(items[i]) >> (r * bits) & kMask]++] = items[i];
    std::swap(items, spare);
  }
  return items;
}

template <class I>
uint64_t key_bits_of(const I& item, bool packed) {
  if constexpr (std::is_same_v<I, LongItem>)
    return item.key;
  else
    return packed ? static_cast<uint64_t>(item) >> 32 : static_cast<uint64_t>(item);
}

// Sorts n items and returns where they are then: in `items` or in `spare`.
template <bool packed, class I>
I* sort_items(I* items, I* spare, int64_t n, int key_bits) {
  constexpr int64_t kShort = 192, kMiddle = 8192;
  if (n <= kShort) {
    std::sort(items, items + n);
    return items;
  }
  auto digits = [](const I& item) { return key_bits_of(item, packed); };
  return n < kMiddle ? radix_sort<8>(items, spare, n, key_bits, digits)
                     : radix_sort<11>(items, spare, n, key_bits, digits);
}

// ---- Selecting the first k. ----

template <class U>
bool any_below(const U* keys, int64_t n, U bound) {
  U least = static_cast<U>(~U{0});
  for (int64_t i = 0; i < n; ++i) least = std::min(least, keys[i]);
  return least < bound;
}

// The k least items of the keys in order, k small: a heap of those found, and whole blocks passed over by their least
// key.
template <class U>
void select_few(const U* keys, int64_t n, int64_t k, item_t<U>* found) {
  int64_t i = 0;
  for (; i < k; ++i) found[i] = make_item(keys[i], i);
  std::make_heap(found, found + k);
  constexpr int64_t kBlock = 64;
  U bound = keys[place_of(found[0])];
  for (; i < n; i += kBlock) {
    int64_t m = std::min(kBlock, n - i);
    if (!any_below(keys + i, m, bound)) continue;
    for (int64_t j = i; j < i + m; ++j) {
      if (!(keys[j] < bound)) continue;
      std::pop_heap(found, found + k);
      found[k - 1] = make_item(keys[j], j);
      std::push_heap(found, found + k);
      bound = keys[place_of(found[0])];
    }
  }
  std::sort_heap(found, found + k);
}

// The k least items in order; returns where they are.
template <class U>
item_t<U>* select(const U* keys, int64_t n, int64_t k, item_t<U>* items, item_t<U>* spare) {
  constexpr int bits = 8 * static_cast<int>(sizeof(U));
  if (k * 16 <= n || (k <= 32 && k * 4 <= n)) {
    select_few(keys, n, k, items);
    return items;
  }
  for (int64_t i = 0; i < n; ++i) items[i] = make_item(keys[i], i);
  if (k * 2 > n) return sort_items<true>(items, spare, n, bits);
  std::nth_element(items, items + k, items + n);
  if (k <= 1024) {
    std::sort(items, items + k);
    return items;
  }
  // The radix sort is stable by place only if the places ascend.
  std::sort(items, items + k, [](const auto& a, const auto& b) { return place_of(a) < place_of(b); });
  return sort_items<true>(items, spare, k, bits);
}

// ---- Rows. ----

// The data with the axis last, moved into memory of its own unless it is so already.
struct Rows {
  Split3 at;
  const void* data;
  Scratch memory;

  Rows(const TensorView& in, std::optional<int> axis, const char* op)
      : at(axis ? split_at(in.shape(), normal_axis(op, *axis, in.shape())) : Split3{1, in.shape().size(), 1}),
        data(in.data) {
    if (at.inner == 1) return;
    memory = Scratch(std::max<int64_t>(in.size() * size_of(in.dtype), 1));
    Move move;
    move.add(at.outer, at.extent * at.inner, at.extent * at.inner);
    move.add(at.inner, 1, at.extent);
    move.add(at.extent, at.inner, 1);
    run_move(move, size_of(in.dtype), in.data, memory.data());
    data = memory.data();
  }
  int64_t count() const { return at.outer * at.inner; }
};

// An output with the axis last; `finish` moves it to where it belongs.
struct RowsOut {
  const TensorView& out;
  Split3 at;
  Scratch memory;
  char* data;

  RowsOut(const TensorView& target, const Split3& in, int64_t extent)
      : out(target), at{in.outer, extent, in.inner}, data(target.as<char>()) {
    if (at.inner == 1) return;
    memory = Scratch(std::max<int64_t>(out.size() * size_of(out.dtype), 1));
    data = memory.as<char>();
  }
  template <class T>
  T* row(int64_t r) const {
    return reinterpret_cast<T*>(data) + r * at.extent;
  }
  void finish() {
    if (at.inner == 1) return;
    Move move;
    move.add(at.outer, at.extent * at.inner, at.extent * at.inner);
    move.add(at.extent, 1, at.inner);
    move.add(at.inner, at.extent, 1);
    run_move(move, size_of(out.dtype), memory.data(), out.data);
  }
};

template <class T>
void make_keys(const T* row, int64_t n, bool descending, bool same_zeros, key_t<T>* keys) {
  key_t<T> flip = static_cast<key_t<T>>(descending ? ~key_t<T>{0} : key_t<T>{0});
  for (int64_t i = 0; i < n; ++i) keys[i] = key_of(row[i], flip, same_zeros);
}

// Rows worth a thread when each takes about 10 ns an element.
int64_t grain_of(int64_t n) { return std::max<int64_t>(1, 4096 / std::max<int64_t>(n, 1)); }

void check_extent(int64_t n) {
  if (n >= int64_t{1} << 32) value_error("sort: an axis of extent ", n, " is longer than 2^32 - 1");
}

template <class F>
void dispatch_sortable(DType dtype, const F& f) {
  dispatch_all(dtype == DType::boolean ? DType::uint8 : dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) f.template operator()<T>();
  });
}

void sort(const SortParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Rows rows(c.in(0), p.axis, "sort");
  int64_t n = rows.at.extent;
  RowsOut out(c.out(0), rows.at, n);
  dispatch_sortable(c.in(0).dtype, [&]<class T>() {
    using U = key_t<T>;
    parallel_for(rows.count(), grain_of(n), [&](int64_t begin, int64_t end) {
      Scratch memory(2 * n * static_cast<int64_t>(sizeof(U)));
      U flip = static_cast<U>(p.is_ascend ? U{0} : ~U{0});
      for (int64_t r = begin; r < end; ++r) {
        U *keys = memory.as<U>(), *spare = keys + n;
        make_keys(static_cast<const T*>(rows.data) + r * n, n, !p.is_ascend, false, keys);
        U* sorted = sort_items<false>(keys, spare, n, 8 * static_cast<int>(sizeof(U)));
        T* to = out.row<T>(r);
        for (int64_t i = 0; i < n; ++i) to[i] = from_key<T>(sorted[i], flip);
      }
    });
  });
  out.finish();
}

// The k first items of each row: f(row number, row, items).
template <class T, class F>
void each_selection(const Rows& rows, int64_t k, bool descending, const F& f) {
  using U = key_t<T>;
  int64_t n = rows.at.extent;
  if (sizeof(U) < 8) check_extent(n);
  parallel_for(rows.count(), grain_of(n), [&](int64_t begin, int64_t end) {
    Scratch keys(n * static_cast<int64_t>(sizeof(U))), items(2 * n * static_cast<int64_t>(sizeof(item_t<U>)));
    for (int64_t r = begin; r < end; ++r) {
      const T* row = static_cast<const T*>(rows.data) + r * n;
      make_keys(row, n, descending, true, keys.as<U>());
      f(r, row, select(keys.as<U>(), n, k, items.as<item_t<U>>(), items.as<item_t<U>>() + n));
    }
  });
}

template <class I>
void write_places(const I* items, int64_t k, DType dtype, const RowsOut& out, int64_t r) {
  dispatch_all(dtype, [&]<class P>() {
    P* to = out.row<P>(r);
    for (int64_t i = 0; i < k; ++i) to[i] = static_cast<P>(place_of(items[i]));
  });
}

void argsort(const ArgsortParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Rows rows(c.in(0), p.axis, "argsort");
  int64_t n = rows.at.extent;
  RowsOut out(c.out(0), rows.at, n);
  dispatch_sortable(c.in(0).dtype, [&]<class T>() {
    each_selection<T>(rows, n, !p.is_ascend,
                      [&](int64_t r, const T*, auto* items) { write_places(items, n, c.out(0).dtype, out, r); });
  });
  out.finish();
}

void topk(const TopkParams& p, KernelContext& c) {
  Rows rows(c.in(0), p.axis, "topk");
  int64_t n = rows.at.extent, k = p.k == 0 ? n : p.k;
  if (c.in(0).size() == 0) return;
  bool mask = p.ret_typ == TopkResult::mask;
  RowsOut first(c.out(0), rows.at, mask ? n : k),
      second(p.ret_typ == TopkResult::both ? c.out(1) : c.out(0), rows.at, k);
  dispatch_sortable(c.in(0).dtype, [&]<class T>() {
    each_selection<T>(rows, k, !p.is_ascend, [&](int64_t r, const T* row, auto* items) {
      if (p.ret_typ == TopkResult::indices) return write_places(items, k, p.dtype, first, r);
      T* to = first.row<T>(r);
      if (mask) std::fill_n(to, n, T{});
      for (int64_t i = 0; i < k; ++i) {
        int64_t place = place_of(items[i]);
        if (mask)
          to[place] = static_cast<T>(1);
        else
          to[i] = row[place];
      }
      if (p.ret_typ == TopkResult::both) write_places(items, k, p.dtype, second, r);
    });
  });
  first.finish();
  if (p.ret_typ == TopkResult::both) second.finish();
}

const bool registered[] = {
    cpu_kernel<SortParams>("sort", sort),
    cpu_kernel<ArgsortParams>("argsort", argsort),
    cpu_kernel<TopkParams>("topk", topk),
};

}  // namespace
}  // namespace mxnet
