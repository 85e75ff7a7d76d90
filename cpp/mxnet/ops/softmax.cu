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

struct Launch {
  unsigned blocks;
  dim3 threads;
  explicit Launch(const AxisView& v) {
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
  Launch launch(v);
  dispatch_working(in, out, [&]<class V>() {
    softmax_kernel<V><<<launch.blocks, launch.threads, 0, stream_of(c)>>>(
        v, AnyArray(in), AnyArray(out), RowLength{v.count, lengths}, static_cast<V>(scale), logarithm);
  });
  check_launch();
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
  Launch launch(v);
  dispatch_working(dy, y, [&]<class V>() {
    softmax_backward_kernel<V><<<launch.blocks, launch.threads, 0, stream_of(c)>>>(
        v, AnyArray(dy), AnyArray(y), AnyArray(dx), static_cast<V>(p.scale), logarithm);
  });
  check_launch();
}

void output(const SoftmaxOutputParams& p, KernelContext& c) {
  run_forward(c, output_view(p, c.in(0).shape()), nullptr, 1, false);
}

const bool registered[] = {
    kernel<SoftmaxParams>("softmax", softmax<SoftmaxForm::softmax>),
    kernel<SoftmaxParams>("log_softmax", softmax<SoftmaxForm::log_softmax>),
    kernel<SoftmaxParams>("softmin", softmax<SoftmaxForm::softmin>),
    kernel<SoftmaxGradParams>("_backward_softmax", backward<false>),
    kernel<SoftmaxGradParams>("_backward_log_softmax", backward<true>),
    kernel<SoftmaxOutputParams>("SoftmaxOutput", output),
};

}  // namespace
}  // namespace mxnet::cuda
