#include "mxnet/ops/sequence.h"

#include "mxnet/ops/index_array.h"
#include "mxnet/ops/move.h"

namespace mxnet {
namespace {

// The steps of all sequences, each `bytes` long, and the length of each sequence.
struct Steps {
  int64_t time, batch, bytes;
  int axis;
  std::vector<int64_t> length;

  Steps(KernelContext& c, const Shape& shape, bool used, int time_axis, int64_t shortest)
      : time(shape[time_axis]),
        batch(shape[1 - time_axis]),
        bytes(shape.product(2, shape.ndim()) * size_of(c.in(0).dtype)),
        axis(time_axis),
        length(batch, time) {
    if (!used) return;
    IndexArray given(c, c.in(1));
    for (int64_t n = 0; n < batch; ++n) {
      length[n] = std::min(given[n], time);
      if (given[n] < shortest)
        fail(ErrorKind::value, c.op.name, ": sequence ", n, " has length ", given[n], ", expected ", shortest,
             " or more");
    }
  }

  // Where step t of sequence n lies.
  int64_t at(int64_t t, int64_t n) const { return (axis == 0 ? t * batch + n : n * time + t) * bytes; }

  // Calls f(t, n) for all steps.
  template <class F>
  void each(const F& f) const {
    parallel_for(time * batch, std::max<int64_t>(1, 65536 / std::max<int64_t>(bytes, 16)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t u = begin; u < end; ++u) axis == 0 ? f(u / batch, u % batch) : f(u % time, u / time);
                 });
  }
};

void mask(const SequenceMaskParams& p, KernelContext& c) {
  Steps steps(c, c.in(0).shape(), p.use_sequence_length, p.axis, 0);
  const char* in = c.in(0).as<char>();
  char* out = c.out(0).as<char>();
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    T value = static_cast<T>(p.value);
    steps.each([&](int64_t t, int64_t n) {
      int64_t at = steps.at(t, n);
      if (t < steps.length[n])
        detail::copy_bytes(out + at, in + at, steps.bytes);
      else
        std::fill_n(reinterpret_cast<T*>(out + at), steps.bytes / static_cast<int64_t>(sizeof(T)), value);
    });
  });
}

void last(const SequenceParams& p, KernelContext& c) {
  Steps steps(c, c.in(0).shape(), p.use_sequence_length, p.axis, 1);
  if (steps.time == 0 && c.out(0).size() > 0)
    fail(ErrorKind::value, "SequenceLast: sequences of length 0 have no last element");
  for (int64_t n = 0; n < steps.batch; ++n)
    detail::copy_bytes(c.out(0).as<char>() + n * steps.bytes, c.in(0).as<char>() + steps.at(steps.length[n] - 1, n),
                       steps.bytes);
}

void last_backward(const SequenceLastBackwardParams& p, KernelContext& c) {
  Steps steps(c, p.shape, p.use_sequence_length, p.axis, 1);
  std::fill_n(c.out(0).as<char>(), c.out(0).size() * size_of(c.out(0).dtype), 0);
  for (int64_t n = 0; n < steps.batch && steps.time > 0; ++n)
    detail::copy_bytes(c.out(0).as<char>() + steps.at(steps.length[n] - 1, n), c.in(0).as<char>() + n * steps.bytes,
                       steps.bytes);
}

void reverse(const SequenceParams& p, KernelContext& c) {
  Steps steps(c, c.in(0).shape(), p.use_sequence_length, p.axis, 0);
  steps.each([&](int64_t t, int64_t n) {
    int64_t source = t < steps.length[n] ? steps.length[n] - 1 - t : t;
    detail::copy_bytes(c.out(0).as<char>() + steps.at(t, n), c.in(0).as<char>() + steps.at(source, n), steps.bytes);
  });
}

const bool registered[] = {
    cpu_kernel<SequenceMaskParams>("SequenceMask", mask),
    cpu_kernel<SequenceParams>("SequenceLast", last),
    cpu_kernel<SequenceLastBackwardParams>("_backward_SequenceLast", last_backward),
    cpu_kernel<SequenceParams>("SequenceReverse", reverse),
};

}  // namespace
}  // namespace mxnet
