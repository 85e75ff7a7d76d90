// Moving elements from one strided arrangement to another: the kernel behind slices, transposes, broadcasts,
// concatenations and their like. For *.kernel.cc only.
#pragma once
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/ops/lanes.h"

namespace mxnet {

// `extent` positions, `from` elements apart in the source and `to` elements apart in the target.
struct MoveAxis {
  int64_t extent, from, to;
};

// Axes from the outermost to the innermost; every target element is written once.
class Move {
 public:
  static constexpr int kMost = 130;  // two for each axis of an array, and some

  void add(int64_t extent, int64_t from, int64_t to) { axes_[count_++] = {extent, from, to}; }
  int size() const { return count_; }
  MoveAxis& operator[](int i) { return axes_[i]; }
  const MoveAxis& operator[](int i) const { return axes_[i]; }
  MoveAxis& back() { return axes_[count_ - 1]; }

  bool empty() const {
    return std::any_of(axes_, axes_ + count_, [](const MoveAxis& a) { return a.extent == 0; });
  }
  void erase(int i) {
    std::copy(axes_ + i + 1, axes_ + count_, axes_ + i);
    --count_;
  }
  // Drops axes of extent 1, puts the rest in the order of the target, merges what is one run on both sides.
  void normalise() {
    int kept = 0;
    for (int i = 0; i < count_; ++i)
      if (axes_[i].extent != 1) axes_[kept++] = axes_[i];
    count_ = kept;
    for (int i = 1; i < count_; ++i)  // the order is nearly always right already
      for (int j = i; j > 0 && std::abs(axes_[j].to) > std::abs(axes_[j - 1].to); --j)
        std::swap(axes_[j], axes_[j - 1]);
    for (int i = count_ - 2; i >= 0; --i) {
      const MoveAxis& inner = axes_[i + 1];
      if (axes_[i].from != inner.from * inner.extent || axes_[i].to != inner.to * inner.extent) continue;
      axes_[i + 1].extent *= axes_[i].extent;
      erase(i);
    }
    if (count_ == 0) add(1, 1, 1);
  }
  // Takes a short innermost run as one wider element; returns how many elements that is.
  int widen(int width) {
    MoveAxis& last = back();
    int64_t k = last.extent;
    if (last.from != 1 || last.to != 1 || count_ == 1 || k * width > 16 || (k & (k - 1)) != 0) return 1;
    for (int i = 0; i < count_ - 1; ++i)
      if (axes_[i].from % k || axes_[i].to % k) return 1;
    --count_;
    for (int i = 0; i < count_; ++i) axes_[i].from /= k, axes_[i].to /= k;
    return static_cast<int>(k);
  }

 private:
  MoveAxis axes_[kMost];
  int count_ = 0;
};

namespace detail {

struct Wide16 {
  uint64_t a, b;
};

// Positions of the outer axes, the last one fastest, with both offsets.
class MoveWalk {
 public:
  MoveWalk(const Move& move, int count, int64_t position) : move_(move), count_(count) {
    for (int i = count; i-- > 0;) {
      index_[i] = position % move[i].extent;
      position /= move[i].extent;
      from += index_[i] * move[i].from;
      to += index_[i] * move[i].to;
    }
  }
  int64_t from = 0, to = 0;
  // Positions left on the last of the axes, this one included.
  int64_t run() const { return count_ ? move_[count_ - 1].extent - index_[count_ - 1] : 1; }
  void advance(int64_t n = 1) {
    for (int i = count_; i-- > 0; n = 1) {
      const MoveAxis& axis = move_[i];
      index_[i] += n;
      from += n * axis.from;
      to += n * axis.to;
      if (index_[i] < axis.extent) return;
      from -= axis.extent * axis.from;
      to -= axis.extent * axis.to;
      index_[i] = 0;
    }
  }

 private:
  const Move& move_;
  int count_;
  int64_t index_[Move::kMost];
};

// memcpy for sizes that are mostly small: two overlapping pieces instead of a call.
inline void copy_bytes(char* to, const char* from, int64_t n) {
  auto ends = [&]<class T>(T) {
    T first, last;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + n - sizeof last, sizeof last);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + n - sizeof last, &last, sizeof last);
  };
  if (n > 32)
    std::memcpy(to, from, static_cast<size_t>(n));
  else if (n >= 16)
    ends(Wide16{});
  else if (n >= 8)
    ends(uint64_t{});
  else if (n >= 4)
    ends(uint32_t{});
  else
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

// `rows` rows of n elements.
template <class E>
void move_rows(const E* from, E* to, int64_t rows, const MoveAxis& row, int64_t n, const MoveAxis& last) {
  auto each = [&](auto&& copy_row) {
    for (int64_t r = 0; r < rows; ++r) copy_row(from + r * row.from, to + r * row.to);
  };
  int64_t df = last.from, dt = last.to;
  if (df == 1 && dt == 1)
    each([&](const E* s, E* d) {
      copy_bytes(reinterpret_cast<char*>(d), reinterpret_cast<const char*>(s), n * static_cast<int64_t>(sizeof(E)));
    });
  else if (df == 0 && dt == 1)
    each([&](const E* s, E* d) { std::fill_n(d, n, *s); });
  else if (df == -1 && dt == 1)
    each([&](const E* s, E* d) {
      for (int64_t i = 0; i < n; ++i) d[i] = s[-i];
    });
  else if (dt == 1)
    each([&](const E* s, E* d) {
      for (int64_t i = 0; i < n; ++i) d[i] = s[i * df];
    });
  else
    each([&](const E* s, E* d) {
      for (int64_t i = 0; i < n; ++i) d[i * dt] = s[i * df];
    });
}

template <class E>
inline constexpr int kTile = sizeof(E) >= 16 ? 1 : std::min<int>(16, kVectorBytes / static_cast<int>(sizeof(E)));

// An N x N block in registers: log2(N) rounds, each interleaving the first with the second half of the rows.
template <class E, int N>
inline void transpose_tile(const E* from, int64_t from_stride, E* to, int64_t to_stride) {
  using V = typename VecType<E, N* static_cast<int>(sizeof(E))>::type;
  V low, high, rows[N], mixed[N];
  for (int i = 0; i < N; ++i)
    low[i] = static_cast<E>(i / 2 + i % 2 * N), high[i] = static_cast<E>(N / 2 + i / 2 + i % 2 * N);
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) std::memcpy(&rows[i], from + i * from_stride, sizeof(V));
#pragma GCC unroll 4
  for (int round = 1; round < N; round *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < N / 2; ++i) {
      mixed[2 * i] = __builtin_shuffle(rows[i], rows[i + N / 2], low);
      mixed[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + N / 2], high);
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) rows[i] = mixed[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) std::memcpy(to + i * to_stride, &rows[i], sizeof(V));
}

// to[i * to_stride + j] = from[j * from_stride + i] for i < rows, j < columns.
template <class E>
void transpose_block(const E* from, int64_t from_stride, E* to, int64_t to_stride, int64_t rows, int64_t columns) {
  constexpr int N = kTile<E>;
  auto plain = [&](auto few_rows, auto few_columns) {
    int64_t m = few_rows ? few_rows : rows, n = few_columns ? few_columns : columns;
    if (few_rows) {
      for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < m; ++i) to[i * to_stride + j] = from[j * from_stride + i];
    } else {
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) to[i * to_stride + j] = from[j * from_stride + i];
    }
  };
  using std::integral_constant;
  if (columns == 3) return plain(integral_constant<int, 0>{}, integral_constant<int, 3>{});
  if (rows == 3) return plain(integral_constant<int, 3>{}, integral_constant<int, 0>{});
  if constexpr (N > 1) {
    if (rows >= N && columns >= N) {
      // The last tile of a row or column is moved back to end at the edge.
      for (int64_t i = 0; i < rows; i += N)
        for (int64_t j = 0; j < columns; j += N) {
          int64_t y = std::min(i, rows - N), x = std::min(j, columns - N);
          transpose_tile<E, N>(from + x * from_stride + y, from_stride, to + y * to_stride + x, to_stride);
        }
      return;
    }
  }
  if (rows < columns)
    plain(integral_constant<int, 0>{}, integral_constant<int, 0>{});
  else
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t i = 0; i < rows; ++i) to[i * to_stride + j] = from[j * from_stride + i];
}

// The innermost axis of the source is axis `at` of the target.
template <class E>
void move_transposed(const E* from, E* to, Move move, int at) {
  MoveAxis row = move[at], column = move.back();
  move.erase(at);
  int outer = move.size() - 1;
  constexpr int64_t kSide = 64;
  int64_t row_blocks = (row.extent + kSide - 1) / kSide, column_blocks = (column.extent + kSide - 1) / kSide;
  int64_t blocks = row_blocks * column_blocks, outers = 1;
  for (int i = 0; i < outer; ++i) outers *= move[i].extent;
  int64_t unit = std::min(row.extent, kSide) * std::min(column.extent, kSide);
  parallel_for(outers * blocks, std::max<int64_t>(1, 32768 / unit), [&](int64_t begin, int64_t end) {
    MoveWalk walk(move, outer, begin / blocks);
    for (int64_t u = begin; u < end; ++u) {
      int64_t block = u % blocks;
      if (block == 0 && u != begin) walk.advance();
      int64_t i = block / column_blocks * kSide, j = block % column_blocks * kSide;
      transpose_block(from + walk.from + j * column.from + i, column.from, to + walk.to + i * row.to + j, row.to,
                      std::min(kSide, row.extent - i), std::min(kSide, column.extent - j));
    }
  });
}

template <class E>
void move_elements(const E* from, E* to, Move& move) {
  const MoveAxis last = move.back();
  if (last.to == 1 && last.from != 1 && last.from != 0)
    for (int i = 0; i < move.size() - 1; ++i)
      if (move[i].from == 1) return move_transposed(from, to, move, i);
  // Rows are cut where they are long, and shared out with the positions of the axes around them.
  constexpr int64_t kRow = 16384;
  int outer = move.size() - 1;
  int64_t rows = 1, pieces = (last.extent + kRow - 1) / kRow;
  for (int i = 0; i < outer; ++i) rows *= move[i].extent;
  if (pieces > 1) {
    parallel_for(rows * pieces, 2, [&](int64_t begin, int64_t end) {
      MoveWalk walk(move, outer, begin / pieces);
      for (int64_t u = begin; u < end; ++u) {
        if (u % pieces == 0 && u != begin) walk.advance();
        int64_t i = u % pieces * kRow;
        move_rows(from + walk.from + i * last.from, to + walk.to + i * last.to, 1, last,
                  std::min(kRow, last.extent - i), last);
      }
    });
    return;
  }
  parallel_for(rows, std::max<int64_t>(1, 2 * kRow / last.extent), [&](int64_t begin, int64_t end) {
    MoveWalk walk(move, outer, begin);
    for (int64_t r = begin; r < end;) {
      int64_t n = std::min(walk.run(), end - r);
      move_rows(from + walk.from, to + walk.to, n, outer ? move[outer - 1] : last, last.extent, last);
      walk.advance(n);
      r += n;
    }
  });
}

}  // namespace detail

// Runs a move of elements of `width` bytes.
inline void run_move(Move& move, int64_t width, const void* from, void* to) {
  if (move.empty()) return;
  move.normalise();
  switch (width * move.widen(static_cast<int>(width))) {
    case 1: return detail::move_elements(static_cast<const uint8_t*>(from), static_cast<uint8_t*>(to), move);
    case 2: return detail::move_elements(static_cast<const uint16_t*>(from), static_cast<uint16_t*>(to), move);
    case 4: return detail::move_elements(static_cast<const uint32_t*>(from), static_cast<uint32_t*>(to), move);
    case 8: return detail::move_elements(static_cast<const uint64_t*>(from), static_cast<uint64_t*>(to), move);
    default:
      return detail::move_elements(static_cast<const detail::Wide16*>(from), static_cast<detail::Wide16*>(to), move);
  }
}

// Plain copy of n bytes by the whole team.
inline void copy_all(void* to, const void* from, int64_t n) {
  constexpr int64_t kPiece = 1 << 18;
  parallel_for((n + kPiece - 1) / kPiece, 2, [&](int64_t begin, int64_t end) {
    std::memcpy(static_cast<char*>(to) + begin * kPiece, static_cast<const char*>(from) + begin * kPiece,
                static_cast<size_t>(std::min(n, end * kPiece) - begin * kPiece));
  });
}

}  // namespace mxnet
