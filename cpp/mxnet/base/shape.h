// Shape: the extents of an array, int64, with room for six dimensions inline.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <span>

namespace mxnet {

// An extent of -1 and a rank of -1 mean "not known yet" and occur during inference only.
inline constexpr int64_t kUnknown = -1;

class Shape {
 public:
  Shape() = default;  // rank 0: a scalar
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) { assign(dims); }
  Shape(const Shape& other) { assign(other.dims(), other.rank_); }
  Shape(Shape&& other) noexcept : rank_(other.rank_), heap_(std::move(other.heap_)) {
    std::copy_n(other.local_, kInline, local_);
  }
  Shape& operator=(const Shape& other) {
    if (this != &other) assign(other.dims(), other.rank_);
    return *this;
  }
  Shape& operator=(Shape&& other) noexcept {
    rank_ = other.rank_;
    heap_ = std::move(other.heap_);
    std::copy_n(other.local_, kInline, local_);
    return *this;
  }

  static Shape unknown() {
    Shape shape;
    shape.rank_ = -1;
    return shape;
  }
  static Shape filled(int rank, int64_t extent) {
    Shape shape;
    shape.resize(rank);
    std::fill_n(shape.data(), rank, extent);
    return shape;
  }

  int ndim() const { return rank_; }
  bool rank_known() const { return rank_ >= 0; }
  bool known() const {
    return rank_known() && std::none_of(begin(), end(), [](int64_t d) { return d < 0; });
  }

  int64_t& operator[](int axis) { return data()[axis]; }
  int64_t operator[](int axis) const { return data()[axis]; }
  int64_t back() const { return data()[rank_ - 1]; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + std::max(rank_, 0); }
  std::span<const int64_t> dims() const { return {begin(), end()}; }

  // Number of elements; 1 for rank 0.
  int64_t size() const { return product(0, rank_); }
  // Product of the extents in [first, last).
  int64_t product(int first, int last) const {
    int64_t n = 1;
    for (int i = first; i < last; ++i) n *= data()[i];
    return n;
  }

  void push_back(int64_t extent) {
    resize(rank_ + 1);
    data()[rank_ - 1] = extent;
  }
  void insert(int axis, int64_t extent) {
    push_back(extent);
    std::rotate(data() + axis, data() + rank_ - 1, data() + rank_);
  }
  void erase(int axis) {
    std::copy(data() + axis + 1, data() + rank_, data() + axis);
    resize(rank_ - 1);
  }
  // The extents in [first, last) as a shape of their own.
  Shape slice(int first, int last) const { return Shape(std::span(data() + first, data() + last)); }

  bool operator==(const Shape& other) const {
    return rank_ == other.rank_ && std::equal(begin(), end(), other.begin());
  }

 private:
  static constexpr int kInline = 6;

  int64_t* data() { return heap_ ? heap_.get() : local_; }
  const int64_t* data() const { return heap_ ? heap_.get() : local_; }

  void resize(int rank) {
    if (rank > kInline) {
      auto grown = std::make_unique<int64_t[]>(rank);
      std::copy_n(data(), std::clamp(rank_, 0, rank), grown.get());
      heap_ = std::move(grown);
    } else if (heap_) {
      std::copy_n(heap_.get(), rank, local_);
      heap_.reset();
    }
    rank_ = rank;
  }
  void assign(std::span<const int64_t> dims, int rank) {
    resize(std::max(rank, 0));
    std::copy(dims.begin(), dims.end(), data());
    rank_ = rank;
  }
  void assign(std::span<const int64_t> dims) { assign(dims, static_cast<int>(dims.size())); }

  int rank_ = 0;
  int64_t local_[kInline] = {};
  std::unique_ptr<int64_t[]> heap_;
};

// "(2, 3)", "(4,)", "()", with "?" for what is not known.
std::ostream& operator<<(std::ostream& out, const Shape& shape);

// Row-major strides in elements.
Shape strides_of(const Shape& shape);

// The shape both broadcast to under NumPy's rules, or Shape::unknown() if they do not fit.
Shape broadcast_shape(const Shape& a, const Shape& b);

// Axis in [0, rank) from one in [-rank, rank); raises "op: axis 3 is out of range for shape (2, 3)".
int normal_axis(const char* op, int64_t axis, const Shape& shape);

}  // namespace mxnet
