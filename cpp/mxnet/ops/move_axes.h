// What the operators that only rearrange elements come down to: strided moves, the same on every device.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>

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

}  // namespace mxnet
