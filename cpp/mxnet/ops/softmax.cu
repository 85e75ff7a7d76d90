// Softmax on a GPU. Not run on hardware.
#include "mxnet/ops/softmax.h"

#include "mxnet/ops/cuda.cuh"
#include "mxnet/ops/softmax_rows.cuh"

namespace mxnet::cuda {
namespace {

struct RowLength {
  int64_t count;
  const int64_t* lengths;
  __device__ int64_t operator()(int64_t row) const {
    if (!lengths) return count;
    return lengths[row] < 0 ? 0 : lengths[row] < count ? lengths[row] : count;
  }
};

AxisView view_of(int axis, const Shape& shape) {
  if (shape.ndim() == 0) return {};
  return around(shape, axis < 0 ? axis + shape.ndim() : axis);
}

struct Rows {
  unsigned blocks;
  dim3 threads;
  explicit Rows(const AxisView& v) {
    int width = softmax_width(v);
    blocks = static_cast<unsigned>(std::min<int64_t>(softmax_blocks(v, width), 1 << 20));
    threads = dim3(static_cast<unsigned>(width), static_cast<unsigned>(kReduceThreads / width));
  }
};

// Sums are made in double where one of the arrays is of that type.
template <class F>
void dispatch_working(const TensorView& a, const TensorView& b, const F& f) {
  if (a.dtype == DType::float64 || b.dtype == DType::float64) return f.template operator()<double>();
  f.template operator()<float>();
}

void run_forward(const KernelContext& c, const AxisView& v, const int64_t* lengths, double scale, bool logarithm) {
  const TensorView &in = c.in(0), &out = c.out(0);
  if (out.size() == 0) return;
  Rows rows(v);
  dispatch_working(in, out, [&]<class V>() {
    launch(c, rows.blocks, rows.threads, softmax_kernel<V, AnyArray, AnyArray, RowLength>, v, AnyArray(in),
           AnyArray(out), RowLength{v.count, lengths}, static_cast<V>(scale), logarithm);
  });
}

template <SoftmaxForm form>
void softmax(const SoftmaxParams& p, KernelContext& c) {
  Scratch lengths;
  const Shape* rows = c.has(1) ? c.in(1).extents : nullptr;
  if (rows && rows->size() > 0) {
    lengths = Scratch(c, rows->size() * static_cast<int64_t>(sizeof(int64_t)));
    cast(c, c.in(1), TensorView{lengths.data(), rows, DType::int64});
  }
  double scale = (form == SoftmaxForm::softmin ? -1.0 : 1.0) / p.temperature.value_or(1.0);
  run_forward(c, view_of(p.axis, c.in(0).shape()), lengths.as<int64_t>(), scale, form == SoftmaxForm::log_softmax);
}

template <bool logarithm>
void backward(const SoftmaxGradParams& p, KernelContext& c) {
  const TensorView &dy = c.in(0), &y = c.in(1), &dx = c.out(0);
  if (dx.size() == 0) return;
  AxisView v = view_of(p.axis, dy.shape());
  Rows rows(v);
  dispatch_working(dy, y, [&]<class V>() {
    launch(c, rows.blocks, rows.threads, softmax_backward_kernel<V, AnyArray, AnyArray>, v, AnyArray(dy), AnyArray(y),
           AnyArray(dx), static_cast<V>(p.scale), logarithm);
  });
}

void output(const SoftmaxOutputParams& p, KernelContext& c) {
  run_forward(c, output_view(p, c.in(0).shape()), nullptr, 1, false);
}

// The gradient where the labels are classes, one for each row.
template <class V>
void class_gradient(const SoftmaxOutputParams& p, const KernelContext& c) {
  AxisView v = output_view(p, c.in(0).shape());
  int64_t ignored = static_cast<int64_t>(p.ignore_label), rows = v.outer * v.inner, divisor = 1;
  Scratch labels(c, std::max<int64_t>(rows, 1) * 8), valid(c, 8);
  cast(c, c.in(1), TensorView{labels.data(), c.in(1).extents, DType::int64});
  const int64_t* label = labels.as<int64_t>();
  if (p.normalization == Normalization::batch) divisor = rows;
  if (p.normalization == Normalization::null && p.multi_output && !p.preserve_shape) divisor = v.inner;
  int64_t* counted = p.normalization == Normalization::valid ? valid.as<int64_t>() : nullptr;
  bool use_ignore = p.use_ignore;
  if (counted)  // by one thread: there are few labels
    each(c, 1, [=] __device__(int64_t) {
      *counted = 0;
      for (int64_t i = 0; i < rows; ++i) *counted += label[i] != ignored;  // whether or not use_ignore is set
    });
  V scale = static_cast<V>(p.grad_scale), hit = static_cast<V>(1 - p.smoothing());
  V miss = v.count > 1 ? static_cast<V>(p.smoothing()) / static_cast<V>(v.count - 1) : V(0);
  AnyArray out(c.in(0)), dx(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    int64_t own = label[i / v.inner / v.count * v.inner + i % v.inner], parts = counted ? *counted : divisor;
    V error = out.load<V>(i) - (own == i / v.inner % v.count ? hit : miss);
    dx.store(i, use_ignore && own == ignored ? V(0) : error * scale / static_cast<V>(parts > 1 ? parts : 1));
  });
}

struct WeightedError {
  double scale;
  template <class V>
  __device__ V operator()(V out, V weight) const {
    return (out - weight) * static_cast<V>(scale);
  }
};

void output_backward(const SoftmaxOutputParams& p, KernelContext& c) {
  const TensorView &out = c.in(0), &label = c.in(1);
  if (out.size() == 0) return;
  dispatch_working(out, out, [&]<class V>() {
    if (label.shape() == out.shape())
      map_any<V>(c, WeightedError{static_cast<double>(p.grad_scale)}, c.out(0), out, label);
    else
      class_gradient<V>(p, c);
  });
}

struct Logistic {
  template <class V>
  __device__ V operator()(V x) const {
    return sigmoid(x);
  }
};

void logistic(KernelContext& c) {
  dispatch_working(c.in(0), c.in(0), [&]<class V>() { map_any<V>(c, Logistic{}, c.out(0), c.in(0)); });
}

const bool registered[] = {
    kernel<SoftmaxOutputParams>("_backward_SoftmaxOutput", output_backward),
    kernel("LogisticRegressionOutput", logistic),
    kernel<SoftmaxParams>("softmax", softmax<SoftmaxForm::softmax>),
    kernel<SoftmaxParams>("log_softmax", softmax<SoftmaxForm::log_softmax>),
    kernel<SoftmaxParams>("softmin", softmax<SoftmaxForm::softmin>),
    kernel<SoftmaxGradParams>("_backward_softmax", backward<false>),
    kernel<SoftmaxGradParams>("_backward_log_softmax", backward<true>),
    kernel<SoftmaxOutputParams>("SoftmaxOutput", output),
};

}  // namespace
}  // namespace mxnet::cuda
