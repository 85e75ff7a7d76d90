// GPU kernels on batches of sequences. Not run on hardware.
#include "mxnet/ops/sequence.h"

#include "mxnet/ops/indices.cuh"

namespace mxnet::cuda {
namespace {

// The steps of all sequences. A length out of range is taken to the nearest end: to raise an error the host would have
// to wait for it.
struct Steps {
  int64_t time, batch, inner, shortest;
  int axis;
  bool used;
  AnyArray lengths;

  Steps(KernelContext& c, const Shape& shape, bool use_lengths, int time_axis, int64_t least)
      : time(shape[time_axis]),
        batch(shape[1 - time_axis]),
        inner(shape.product(2, shape.ndim())),
        shortest(least),
        axis(time_axis),
        used(use_lengths),
        lengths(use_lengths ? c.in(1) : TensorView{}) {}

  __device__ int64_t length(int64_t n) const {
    if (!used) return time;
    int64_t given = lengths.load<int64_t>(n);
    return given < shortest ? shortest : given < time ? given : time;
  }
  // Where element k of step t of sequence n lies; and the reverse.
  __device__ int64_t at(int64_t t, int64_t n, int64_t k) const {
    return (axis == 0 ? t * batch + n : n * time + t) * inner + k;
  }
  __device__ int64_t step_of(int64_t i) const { return axis == 0 ? i / inner / batch : i / inner % time; }
  __device__ int64_t sequence_of(int64_t i) const { return axis == 0 ? i / inner % batch : i / inner / time; }
};

void mask(const SequenceMaskParams& p, KernelContext& c) {
  Steps steps(c, c.in(0).shape(), p.use_sequence_length, p.axis, 0);
  SafeInput in(c, c.in(0), c.out(0));
  Elements from(in.view), to(c.out(0));
  AnyArray masked(c.out(0));
  float value = p.value;
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    if (steps.step_of(i) < steps.length(steps.sequence_of(i)))
      to.put(i, from, i);
    else
      masked.store(i, value);
  });
}

void last(const SequenceParams& p, KernelContext& c) {
  Steps steps(c, c.in(0).shape(), p.use_sequence_length, p.axis, 1);
  if (steps.time == 0 && c.out(0).size() > 0)
    fail(ErrorKind::value, "SequenceLast: sequences of length 0 have no last element");
  Elements from(c.in(0)), to(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    int64_t n = i / steps.inner;
    to.put(i, from, steps.at(steps.length(n) - 1, n, i % steps.inner));
  });
}

void last_backward(const SequenceLastBackwardParams& p, KernelContext& c) {
  Steps steps(c, p.shape, p.use_sequence_length, p.axis, 1);
  fill_zero(c, c.out(0).data, c.out(0).size() * size_of(c.out(0).dtype));
  if (steps.time == 0) return;
  Elements from(c.in(0)), to(c.out(0));
  each(c, c.in(0).size(), [=] __device__(int64_t i) {
    int64_t n = i / steps.inner;
    to.put(steps.at(steps.length(n) - 1, n, i % steps.inner), from, i);
  });
}

void reverse(const SequenceParams& p, KernelContext& c) {
  Steps steps(c, c.in(0).shape(), p.use_sequence_length, p.axis, 0);
  Elements from(c.in(0)), to(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    int64_t t = steps.step_of(i), n = steps.sequence_of(i), length = steps.length(n);
    to.put(i, from, steps.at(t < length ? length - 1 - t : t, n, i % steps.inner));
  });
}

const bool registered[] = {
    kernel<SequenceMaskParams>("SequenceMask", mask),
    kernel<SequenceParams>("SequenceLast", last),
    kernel<SequenceLastBackwardParams>("_backward_SequenceLast", last_backward),
    kernel<SequenceParams>("SequenceReverse", reverse),
};

}  // namespace
}  // namespace mxnet::cuda
