// Sums over contiguous elements, several at once, in vector accumulators. For *.kernel.cc only.
#pragma once
#include "mxnet/ops/lanes.h"

namespace mxnet {

// The element at p, or a vector of them, by the type asked for.
template <class V, class C>
inline V take(const C* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class C, int K>
struct Sums {
  C of[K];
};

// term(i, t) sets t[0..K) to the terms at element i, where *t is a number or a vector of the elements from i on.
template <int K, class C, class Term>
inline Sums<C, K> fold_sums(int64_t n, const Term& term) {
  constexpr int kWidth = kLanes<C>, kChains = 4;
  Vec<C> acc[kChains][K] = {};
  auto add = [&](int chain, int64_t i) {
    Vec<C> t[K];
    term(i, t);
    for (int k = 0; k < K; ++k) acc[chain][k] += t[k];
  };
  int64_t i = 0;
  for (; i + kChains * kWidth <= n; i += kChains * kWidth)
    for (int chain = 0; chain < kChains; ++chain) add(chain, i + chain * kWidth);
  for (; i + kWidth <= n; i += kWidth) add(0, i);
  Sums<C, K> sums;
  for (int k = 0; k < K; ++k)
    sums.of[k] =
        fold_lanes<C>((acc[0][k] + acc[1][k]) + (acc[2][k] + acc[3][k]), [](Vec<C> a, Vec<C> b) { return a + b; });
  for (; i < n; ++i) {
    C t[K];
    term(i, t);
    for (int k = 0; k < K; ++k) sums.of[k] += t[k];
  }
  return sums;
}

// Sum of x.
template <class C>
inline C sum_of(const C* x, int64_t n) {
  return fold_sums<1, C>(n, [=]<class V>(int64_t i, V* t) { t[0] = take<V>(x + i); }).of[0];
}
// Sum of (x - mean)^2.
template <class C>
inline C sum_of_squares(const C* x, int64_t n, C mean) {
  return fold_sums<1, C>(n,
                         [=]<class V>(int64_t i, V* t) {
                           V d = take<V>(x + i) - mean;
                           t[0] = d * d;
                         })
      .of[0];
}
// Sums of dy and of dy (x - mean).
template <class C>
inline Sums<C, 2> sums_with(const C* dy, const C* x, int64_t n, C mean) {
  return fold_sums<2, C>(n, [=]<class V>(int64_t i, V* t) {
    V g = take<V>(dy + i);
    t[0] = g;
    t[1] = g * (take<V>(x + i) - mean);
  });
}

}  // namespace mxnet
