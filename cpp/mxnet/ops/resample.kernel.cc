#include <cstring>

#include "mxnet/op/op.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/resample_image.h"

namespace mxnet {
namespace {

void resample_cpu(const ResampleParams& p, KernelContext& c) {
  const Shape &in = c.in(0).shape(), &out = c.out(0).shape();
  if (out.size() == 0) return;
  if (in.size() == 0)
    return static_cast<void>(std::memset(c.out(0).data, 0, static_cast<size_t>(out.size() * size_of(c.out(0).dtype))));
  ImageTaps taps = p.transposed ? image_taps(p.kind, out[2], out[3], in[2], in[3])
                                : image_taps(p.kind, in[2], in[3], out[2], out[3]);
  if (p.transposed) taps = {taps.rows.transposed(), taps.columns.transposed()};
  dispatch_working(working_type(c.in(0)),
                   [&]<class C>() { resample_images<C>(taps, in[0] * in[1], 1, c.in(0), c.out(0)); });
}

const bool registered = cpu_kernel<ResampleParams>("_backward_resample", resample_cpu);

}  // namespace
}  // namespace mxnet
