// Moving elements from one strided arrangement to another: the kernel behind slices, transposes, broadcasts,
// concatenations and their like. For *.kernel.cc only.
#pragma once
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/lanes.h"
#include "mxnet/ops/move_axes.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {

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

inline void fill_zero(const TensorView& out) {
  int64_t bytes = out.size() * size_of(out.dtype);
  constexpr int64_t kPiece = 1 << 18;
  parallel_for((bytes + kPiece - 1) / kPiece, 2, [&](int64_t begin, int64_t end) {
    std::fill(out.as<char>() + begin * kPiece, out.as<char>() + std::min(end * kPiece, bytes), 0);
  });
}

// What kernels made of moves (shape_moves.h, join_moves.h) need of a device; GpuMoves is the other one.
struct HostMoves {
  template <class P, class F>  // void f(const P&, KernelContext&)
  static void add(const char* op, F f) {
    cpu_kernel<P>(op, f);
  }
  static void move(const KernelContext&, Move& move, int64_t width, const void* from, void* to) {
    run_move(move, width, from, to);
  }
  // The element, in host memory, to every place of a move whose source stands still.
  static void spread(const KernelContext&, Move& move, int64_t width, const void* element, void* to) {
    run_move(move, width, element, to);
  }
  static void zero(const KernelContext&, const TensorView& out) { fill_zero(out); }
  static void copy(const KernelContext&, const void* from, void* to, int64_t bytes) {
    if (from != to) copy_all(to, from, bytes);
  }

  // An input as it stays while `out` is written: itself, or a copy where they share memory.
  class Apart {
   public:
    Apart(const KernelContext&, const TensorView& in, const TensorView& out) : view(in) {
      int64_t bytes = in.size() * size_of(in.dtype), whole = out.size() * size_of(out.dtype);
      if (in.as<char>() + bytes <= out.as<char>() || out.as<char>() + whole <= in.as<char>()) return;
      memory_ = Scratch(std::max<int64_t>(bytes, 1));
      std::memcpy(memory_.data(), in.data, static_cast<size_t>(bytes));
      view.data = memory_.data();
    }
    TensorView view;

   private:
    Scratch memory_;
  };
};

}  // namespace mxnet
