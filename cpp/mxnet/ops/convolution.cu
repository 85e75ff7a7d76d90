// Convolution on a GPU by cuDNN. Not run on hardware.
#include "mxnet/ops/convolution.h"

#include <limits>
#include <vector>

#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {
namespace {

// A cuDNN descriptor, destroyed with its scope.
template <class Handle, auto create, auto destroy>
class Descriptor {
 public:
  Descriptor() { check(create(&handle_), "cuDNN descriptor"); }
  ~Descriptor() { destroy(handle_); }
  Descriptor(const Descriptor&) = delete;
  operator Handle() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};
using TensorDescriptor = Descriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using FilterDescriptor = Descriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor =
    Descriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;

cudnnDataType_t cudnn_type(DType dtype) {
  switch (dtype) {
    case DType::float32: return CUDNN_DATA_FLOAT;
    case DType::float64: return CUDNN_DATA_DOUBLE;
    case DType::float16: return CUDNN_DATA_HALF;
    case DType::bfloat16: return CUDNN_DATA_BFLOAT16;
    default: unsupported_dtype(dtype);
  }
}

int as_int(int64_t value) {
  if (value > std::numeric_limits<int>::max())
    value_error("Convolution: an extent of ", value, " is more than cuDNN takes");
  return static_cast<int>(value);
}

// The last `count` of three spatial entries.
std::vector<int> spatial_part(const std::array<int64_t, 3>& entries, int count) {
  std::vector<int> part;
  for (int i = 3 - count; i < 3; ++i) part.push_back(as_int(entries[static_cast<size_t>(i)]));
  return part;
}

// (first, channels, spatial extents), the order of cuDNN whatever the layout.
std::vector<int> joined(int64_t first, int64_t channels, const std::vector<int>& spatial) {
  std::vector<int> dims{as_int(first), as_int(channels)};
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  return dims;
}

void describe(cudnnTensorDescriptor_t tensor, cudnnDataType_t type, const std::vector<int>& dims, bool channels_last) {
  std::vector<int> strides(dims.size());
  int64_t stride = 1;
  auto place = [&](size_t axis) {
    strides[axis] = as_int(stride);
    stride *= dims[axis];
  };
  if (channels_last) place(1);
  for (size_t axis = dims.size() - 1; axis >= 2; --axis) place(axis);
  if (!channels_last) place(1);
  place(0);
  check(cudnnSetTensorNdDescriptor(tensor, type, static_cast<int>(dims.size()), dims.data(), strides.data()),
        "cudnnSetTensorNdDescriptor");
}

// One convolution as cuDNN sees it; a single spatial axis becomes two.
struct Problem {
  TensorDescriptor x, y, bias;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
  cudnnHandle_t handle;
  bool is_double;

  Problem(const KernelContext& c, const ConvGeometry& g, DType dtype)
      : handle(cudnn(c.ctx.id)), is_double(dtype == DType::float64) {
    cudnnDataType_t type = cudnn_type(dtype);
    int axes = std::max(2, g.spatial);
    describe(x, type, joined(g.batch, g.in_channels, spatial_part(g.in, axes)), g.channels_last);
    describe(y, type, joined(g.batch, g.out_channels, spatial_part(g.out, axes)), g.channels_last);
    describe(bias, type, joined(1, g.out_channels, std::vector<int>(static_cast<size_t>(axes), 1)), g.channels_last);
    std::vector<int> filter = joined(g.out_channels, g.in_channels / g.groups, spatial_part(g.kernel, axes));
    cudnnTensorFormat_t format = g.weights_last ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW;
    check(cudnnSetFilterNdDescriptor(w, type, format, axes + 2, filter.data()), "cudnnSetFilterNdDescriptor");
    check(cudnnSetConvolutionNdDescriptor(convolution, axes, spatial_part(g.pad, axes).data(),
                                          spatial_part(g.stride, axes).data(), spatial_part(g.dilate, axes).data(),
                                          CUDNN_CROSS_CORRELATION, is_double ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT),
          "cudnnSetConvolutionNdDescriptor");
    check(cudnnSetConvolutionGroupCount(convolution, as_int(g.groups)), "cudnnSetConvolutionGroupCount");
    // float32 keeps all its digits; the 16-bit formats go to the tensor cores.
    bool is_half = type == CUDNN_DATA_HALF || type == CUDNN_DATA_BFLOAT16;
    cudnnMathType_t math = is_half ? CUDNN_TENSOR_OP_MATH : is_double ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
    check(cudnnSetConvolutionMathType(convolution, math), "cudnnSetConvolutionMathType");
  }

  // Factors come in the type that the sums are made in.
  const void* one() const { return is_double ? static_cast<const void*>(&one_double) : &one_float; }
  const void* zero() const { return is_double ? static_cast<const void*>(&zero_double) : &zero_float; }

 private:
  double one_double = 1, zero_double = 0;
  float one_float = 1, zero_float = 0;
};

// cuDNN lists its algorithms with the one it expects to be fastest first; the first that runs is taken. One may
// fail for want of working memory, or support the case in its list only.
template <class Performance, class List, class Run>
void run_fastest(const KernelContext& c, const List& list, const Run& run) {
  constexpr int kMost = 8;
  Performance found[kMost];
  int count = 0;
  check(list(kMost, &count, found), "cuDNN's choice of an algorithm");
  for (int i = 0; i < count; ++i) {
    if (found[i].status != CUDNN_STATUS_SUCCESS) continue;
    Scratch workspace;
    try {
      workspace = Scratch(c, static_cast<int64_t>(found[i].memory));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::memory || i + 1 == count) throw;
      continue;
    }
    cudnnStatus_t status = run(found[i].algo, workspace.data(), found[i].memory);
    if (status == CUDNN_STATUS_SUCCESS) return;
    if (i + 1 == count) check(status, "cuDNN convolution");
  }
  fail(ErrorKind::not_implemented, "cuDNN has no algorithm for this convolution");
}

void forward(const KernelContext& c, const Problem& p, const ConvArrays& a) {
  run_fastest<cudnnConvolutionFwdAlgoPerf_t>(
      c,
      [&](int most, int* count, auto* found) {
        return cudnnGetConvolutionForwardAlgorithm_v7(p.handle, p.x, p.w, p.convolution, p.y, most, count, found);
      },
      [&](cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t bytes) {
        return cudnnConvolutionForward(p.handle, p.one(), p.x, a.x, p.w, a.w, p.convolution, algorithm, workspace,
                                       bytes, p.zero(), p.y, a.y);
      });
  if (a.bias) check(cudnnAddTensor(p.handle, p.one(), p.bias, a.bias, p.one(), p.y, a.y), "cudnnAddTensor");
}

void data_gradient(const KernelContext& c, const Problem& p, const ConvArrays& a) {
  run_fastest<cudnnConvolutionBwdDataAlgoPerf_t>(
      c,
      [&](int most, int* count, auto* found) {
        return cudnnGetConvolutionBackwardDataAlgorithm_v7(p.handle, p.w, p.y, p.convolution, p.x, most, count, found);
      },
      [&](cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace, size_t bytes) {
        return cudnnConvolutionBackwardData(p.handle, p.one(), p.w, a.w, p.y, a.y, p.convolution, algorithm, workspace,
                                            bytes, p.zero(), p.x, a.x);
      });
}

void weight_gradient(const KernelContext& c, const Problem& p, const ConvArrays& a) {
  run_fastest<cudnnConvolutionBwdFilterAlgoPerf_t>(
      c,
      [&](int most, int* count, auto* found) {
        return cudnnGetConvolutionBackwardFilterAlgorithm_v7(p.handle, p.x, p.y, p.convolution, p.w, most, count,
                                                             found);
      },
      [&](cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace, size_t bytes) {
        return cudnnConvolutionBackwardFilter(p.handle, p.one(), p.x, a.x, p.y, a.y, p.convolution, algorithm,
                                              workspace, bytes, p.zero(), p.w, a.w);
      });
}

// As mxnet::convolve.
void convolve(const KernelContext& c, ConvPass pass, const ConvGeometry& g, const ConvArrays& arrays) {
  DType dtype = c.out(0).dtype;
  if (g.y_elements() == 0 || g.x_elements() == 0) {
    if (pass == ConvPass::weight) fill_zero(c, arrays.w, g.w_elements() * size_of(dtype));
    if (pass == ConvPass::data) fill_zero(c, arrays.x, g.x_elements() * size_of(dtype));
    return;
  }
  Problem problem(c, g, dtype);
  if (pass == ConvPass::forward) forward(c, problem, arrays);
  if (pass == ConvPass::data) data_gradient(c, problem, arrays);
  if (pass == ConvPass::weight) weight_gradient(c, problem, arrays);
}

void convolution(const ConvolutionParams& p, KernelContext& c) {
  convolve(c, ConvPass::forward, conv_geometry(p, c.in(0).shape(), c.out(0).shape()),
           {c.in(0).data, c.in(1).data, c.out(0).data, c.has(2) ? c.in(2).data : nullptr});
}
void data_grad(const ConvolutionGradParams& p, KernelContext& c) {
  convolve(c, ConvPass::data, conv_geometry(p, p.shape, c.in(0).shape()), {c.out(0).data, c.in(1).data, c.in(0).data});
}
void weight_grad(const ConvolutionGradParams& p, KernelContext& c) {
  convolve(c, ConvPass::weight, conv_geometry(p, c.in(1).shape(), c.in(0).shape()),
           {c.in(1).data, c.out(0).data, c.in(0).data});
}

template <class T>
__global__ void bias_kernel(int64_t n, T* y, const T* bias, int64_t channels, int64_t inner) {
  using V = compute_t<T>;
  for (int64_t i = first_item(); i < n; i += item_step())
    store(y + i, load<V>(y + i) + load<V>(bias + i / inner % channels));
}

// The data pass; its bias belongs to the array that is x to the convolution.
void deconvolution(const DeconvolutionParams& p, KernelContext& c) {
  const TensorView &data = c.in(0), &out = c.out(0);
  ConvGeometry g = conv_geometry(p, out.shape(), data.shape());
  convolve(c, ConvPass::data, g, {out.data, c.in(1).data, data.data});
  if (!c.has(2) || out.size() == 0) return;
  int64_t inner = g.channels_last ? 1 : g.in_size();
  dispatch_floating(out.dtype, [&]<class T>() {
    launch(c, blocks_for(out.size()), kThreads, bias_kernel<T>, out.size(), out.as<T>(), c.in(2).as<const T>(),
           g.in_channels, inner);
  });
}

const bool registered[] = {kernel<ConvolutionParams>("Convolution", convolution),
                           kernel<DeconvolutionParams>("Deconvolution", deconvolution),
                           kernel<ConvolutionGradParams>("_backward_Convolution_data", data_grad),
                           kernel<ConvolutionGradParams>("_backward_Convolution_weight", weight_grad)};

}  // namespace
}  // namespace mxnet::cuda
