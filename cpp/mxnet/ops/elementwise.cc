#include "mxnet/ops/elementwise.h"

#include <array>
#include <cstring>
#include <memory>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/ops/broadcast_plan.h"

namespace mxnet {
namespace {

constexpr int64_t kBlock = 1024;
constexpr int kMaxInputs = 4;
// Below this many elements a row of a broadcast is not worth a call of its own: rows are gathered into blocks.
constexpr int64_t kShortRow = 64;

// An input as it can be read while `out` is written: itself, or a copy where it overlaps `out` in any way but
// element on element.
class SafeInput {
 public:
  SafeInput() = default;
  SafeInput(const TensorView& in, const TensorView& out) : view(in) {
    const char *a = in.as<char>(), *b = out.as<char>();
    if (a == b && in.dtype == out.dtype && in.size() == out.size()) return;
    int64_t in_bytes = in.size() * size_of(in.dtype), out_bytes = out.size() * size_of(out.dtype);
    if (a + in_bytes <= b || b + out_bytes <= a) return;
    copy_ = std::make_unique<char[]>(static_cast<size_t>(in_bytes));
    std::memcpy(copy_.get(), a, static_cast<size_t>(in_bytes));
    view.data = copy_.get();
  }
  TensorView view;

 private:
  std::unique_ptr<char[]> copy_;
};

// Room for a block of numbers of any type.
struct alignas(64) Buffer {
  char bytes[kBlock * sizeof(double)];
};

// One array of elements and how its blocks become numbers of the compute type.
class Operand {
 public:
  Operand() = default;
  Operand(const TensorView& view, DType compute)
      : data_(static_cast<char*>(view.data)), dtype_(view.dtype), compute_(compute), size_(size_of(view.dtype)) {}

  bool direct() const { return dtype_ == compute_; }
  char* at(int64_t i) const { return data_ + i * size_; }
  const void* load(int64_t begin, int64_t n, Buffer& buffer) const {
    if (direct()) return at(begin);
    cast_block(at(begin), dtype_, buffer.bytes, compute_, n);
    return buffer.bytes;
  }
  void* target(int64_t begin, Buffer& buffer) const { return direct() ? at(begin) : buffer.bytes; }
  void store(int64_t begin, int64_t n, const Buffer& buffer) const {
    if (!direct()) cast_block(buffer.bytes, compute_, at(begin), dtype_, n);
  }

 private:
  char* data_ = nullptr;
  DType dtype_ = DType::unknown, compute_ = DType::unknown;
  int64_t size_ = 0;
};

void run_range(const PointwiseLoop& f, const Operand& out, std::span<const Operand> in, int64_t begin, int64_t end) {
  Buffer in_buffers[kMaxInputs], out_buffer;
  size_t first = f.constants_first ? 1 : 0;
  bool direct = out.direct() && std::all_of(in.begin(), in.end(), [](const Operand& x) { return x.direct(); });
  int64_t step = direct ? end - begin : kBlock;
  for (int64_t i = begin; i < end; i += step) {
    int64_t n = std::min(step, end - i);
    const void* pointers[kMaxInputs + 1];
    for (size_t k = 0; k < in.size(); ++k) pointers[first + k] = in[k].load(i, n, in_buffers[k]);
    pointers[f.constants_first ? 0 : in.size()] = f.constants;
    f.loop(n, out.target(i, out_buffer), pointers);
    out.store(i, n, out_buffer);
  }
}

// Walks the rows of a plan from a given one.
class RowCursor {
 public:
  RowCursor(const BroadcastPlan& plan, int64_t row) : plan_(plan), index_(Shape::filled(plan.extents.ndim(), 0)) {
    for (int i = plan.extents.ndim() - 2; i >= 0; --i) {
      index_[i] = row % plan.extents[i];
      row /= plan.extents[i];
      a_ += index_[i] * plan.a_strides[i];
      b_ += index_[i] * plan.b_strides[i];
    }
  }
  int64_t a() const { return a_; }
  int64_t b() const { return b_; }
  void next() {
    for (int i = plan_.extents.ndim() - 2; i >= 0; --i) {
      a_ += plan_.a_strides[i];
      b_ += plan_.b_strides[i];
      if (++index_[i] < plan_.extents[i]) return;
      a_ -= index_[i] * plan_.a_strides[i];
      b_ -= index_[i] * plan_.b_strides[i];
      index_[i] = 0;
    }
  }

 private:
  const BroadcastPlan& plan_;
  Shape index_;
  int64_t a_ = 0, b_ = 0;
};

// One row piece [begin, begin + n) of the innermost dimension, converted as needed.
void run_row(const BinaryLoops& loops, const BroadcastPlan& plan, const Operand& out, const Operand& a,
             const Operand& b, int64_t out_at, int64_t a_at, int64_t b_at, int64_t n) {
  Buffer a_buffer, b_buffer, out_buffer;
  int64_t a_step = plan.a_strides.back(), b_step = plan.b_strides.back();
  ElementLoop loop = a_step == 0 ? loops.scalar_left : b_step == 0 ? loops.scalar_right : loops.both;
  bool direct = out.direct() && a.direct() && b.direct();
  int64_t step = direct ? n : kBlock;
  for (int64_t i = 0; i < n; i += step) {
    int64_t count = std::min(step, n - i);
    const void* pointers[] = {a.load(a_at + i * a_step, a_step ? count : 1, a_buffer),
                              b.load(b_at + i * b_step, b_step ? count : 1, b_buffer)};
    loop(count, out.target(out_at + i, out_buffer), pointers);
    out.store(out_at + i, count, out_buffer);
  }
}

// Copies the elements of one operand for rows [row, row + rows) side by side.
template <class T>
void gather_rows(const T* from, T* to, const BroadcastPlan& plan, bool left, int64_t row, int64_t rows) {
  RowCursor cursor(plan, row);
  int64_t n = plan.inner(), step = left ? plan.a_strides.back() : plan.b_strides.back();
  for (int64_t r = 0; r < rows; ++r, cursor.next()) {
    const T* source = from + (left ? cursor.a() : cursor.b());
    for (int64_t i = 0; i < n; ++i) *to++ = source[i * step];
  }
}

// Short rows: both operands are laid out in full for a block of rows, then one loop runs over it.
void run_short_rows(const BinaryLoops& loops, DType compute, const BroadcastPlan& plan, const TensorView& out,
                    const TensorView& a, const TensorView& b, int64_t begin, int64_t end) {
  Buffer a_buffer, b_buffer;
  int64_t rows_per_block = std::max<int64_t>(1, kBlock / plan.inner());
  Operand target(out, compute);
  auto gather = [&](const TensorView& x, Buffer& buffer, bool left, int64_t row, int64_t rows) {
    dispatch_width(
        x.dtype, [&]<class T>() { gather_rows(x.as<T>(), reinterpret_cast<T*>(buffer.bytes), plan, left, row, rows); });
    return TensorView{buffer.bytes, nullptr, x.dtype};
  };
  for (int64_t row = begin; row < end; row += rows_per_block) {
    int64_t rows = std::min(rows_per_block, end - row);
    std::array operands{Operand(gather(a, a_buffer, true, row, rows), compute),
                        Operand(gather(b, b_buffer, false, row, rows), compute)};
    Operand window(TensorView{target.at(row * plan.inner()), nullptr, out.dtype}, compute);
    run_range({loops.both, compute}, window, operands, 0, rows * plan.inner());
  }
}

void run_same_shape(ElementLoop loop, DType compute, const TensorView& out, const TensorView& a, const TensorView& b) {
  std::array operands{Operand(a, compute), Operand(b, compute)};
  Operand target(out, compute);
  parallel_for(out.size(), kElementGrain,
               [&](int64_t begin, int64_t end) { run_range({loop, compute}, target, operands, begin, end); });
}

void run_long_rows(const BinaryLoops& loops, DType compute, const BroadcastPlan& plan, const TensorView& out,
                   const TensorView& a, const TensorView& b) {
  int64_t inner = plan.inner(), total = out.size();
  Operand target(out, compute), left(a, compute), right(b, compute);
  parallel_for(total, kElementGrain, [&](int64_t begin, int64_t end) {
    RowCursor cursor(plan, begin / inner);
    for (int64_t at = begin; at < end;) {
      int64_t offset = at % inner, n = std::min(inner - offset, end - at);
      run_row(loops, plan, target, left, right, at, cursor.a() + offset * plan.a_strides.back(),
              cursor.b() + offset * plan.b_strides.back(), n);
      at += n;
      cursor.next();
    }
  });
}

}  // namespace

void run_elements(const PointwiseLoop& loop, const TensorView& out, std::span<const TensorView> in) {
  std::array<SafeInput, kMaxInputs> safe;
  std::array<Operand, kMaxInputs> operands;
  for (size_t k = 0; k < in.size(); ++k) {
    safe[k] = SafeInput(in[k], out);
    operands[k] = Operand(safe[k].view, loop.number);
  }
  Operand target(out, loop.number);
  parallel_for(out.size(), kElementGrain,
               [&](int64_t begin, int64_t end) { run_range(loop, target, {operands.data(), in.size()}, begin, end); });
}

void run_broadcast(const BinaryLoops& loops, DType compute, const TensorView& out, const TensorView& lhs,
                   const TensorView& rhs) {
  if (out.size() == 0) return;
  SafeInput safe_lhs(lhs, out), safe_rhs(rhs, out);
  const TensorView &a = safe_lhs.view, &b = safe_rhs.view;
  if (a.shape() == b.shape()) return run_same_shape(loops.both, compute, out, a, b);
  BroadcastPlan plan(out.shape(), a.shape(), b.shape());
  if (plan.inner() >= kShortRow || plan.extents.ndim() == 1) return run_long_rows(loops, compute, plan, out, a, b);
  int64_t rows = out.size() / plan.inner();
  parallel_for(rows, std::max<int64_t>(1, kElementGrain / plan.inner()),
               [&](int64_t begin, int64_t end) { run_short_rows(loops, compute, plan, out, a, b, begin, end); });
}

void run_reduction(ElementLoop loop, DType compute, const TensorView& out, std::span<const TensorView> in) {
  std::vector<SafeInput> safe;
  safe.reserve(in.size());
  std::vector<Operand> operands;
  for (const TensorView& x : in) operands.emplace_back(safe.emplace_back(x, out).view, compute);
  Operand target(out, compute);
  int64_t count = static_cast<int64_t>(in.size());
  parallel_for(out.size(), std::max<int64_t>(kBlock, kElementGrain / count), [&](int64_t begin, int64_t end) {
    Buffer buffer, sum;
    for (int64_t i = begin; i < end; i += kBlock) {
      int64_t n = std::min(kBlock, end - i);
      const void* pointers[] = {operands[0].load(i, n, sum), nullptr};
      if (count == 1) std::memcpy(sum.bytes, pointers[0], static_cast<size_t>(n * size_of(compute)));
      for (int64_t k = 1; k < count; ++k) {
        pointers[1] = operands[static_cast<size_t>(k)].load(i, n, buffer);
        loop(n, sum.bytes, pointers);
        pointers[0] = sum.bytes;
      }
      cast_block(sum.bytes, compute, target.at(i), out.dtype, n);
    }
  });
}

}  // namespace mxnet
