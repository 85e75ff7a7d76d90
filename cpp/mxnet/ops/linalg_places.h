// Where the elements of a diagonal or a triangle lie in a matrix: parameters of extractdiag and its relatives.
#pragma once
#include <cmath>
#include <cstdlib>
#include <vector>

#include "mxnet/op/params.h"

namespace mxnet {

inline constexpr const char* kOffsetDoc =
    "Which diagonal: 0 the main one, k > 0 the k-th above, k < 0 the k-th below it.";

struct DiagonalParams {
  int offset = 0;
  // Length of the vector that goes with matrices of n rows, and the reverse; -1 where there is none.
  int64_t length(int64_t n) const { return n - std::abs(int64_t{offset}); }
  int64_t rows(int64_t length) const { return length + std::abs(int64_t{offset}); }
  // Where the elements of the vector lie in a matrix of n rows.
  std::vector<int64_t> places(int64_t n) const {
    std::vector<int64_t> found;
    int64_t down = std::max<int64_t>(0, -int64_t{offset}), right = std::max<int64_t>(0, offset);
    for (int64_t i = 0; i < length(n); ++i) found.push_back((i + down) * n + i + right);
    return found;
  }
  static constexpr auto fields() { return std::tuple{field("offset", &DiagonalParams::offset, kOffsetDoc)}; }
};

struct TriangleVectorParams {
  int offset = 0;
  bool lower = true;
  int64_t length(int64_t n) const {
    int64_t m = n - std::abs(int64_t{offset});
    return m * (m + 1) / 2;
  }
  int64_t rows(int64_t length) const {
    auto m = static_cast<int64_t>(std::sqrt(2.0 * static_cast<double>(length)));
    return m * (m + 1) / 2 == length ? m + std::abs(int64_t{offset}) : -1;
  }
  // The lower triangle row by row, the upper column by column.
  std::vector<int64_t> places(int64_t n) const {
    std::vector<int64_t> found;
    int64_t down = std::max<int64_t>(0, -int64_t{offset}), right = std::max<int64_t>(0, offset);
    bool below = offset < 0 || (offset == 0 && lower);
    for (int64_t i = 0; i < n - std::abs(int64_t{offset}); ++i)
      for (int64_t j = 0; j <= i; ++j) found.push_back(below ? (i + down) * n + j + right : (j + down) * n + i + right);
    return found;
  }
  static constexpr auto fields() {
    using P = TriangleVectorParams;
    return std::tuple{
        field("offset", &P::offset, "The diagonal that bounds the triangle, counted as in extractdiag."),
        field("lower", &P::lower, "The lower triangle, else the upper; an offset other than 0 decides by its sign.")};
  }
};

}  // namespace mxnet
