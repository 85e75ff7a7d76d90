// The CTC loss and its gradient by the forward-backward recursion on logarithms, one sequence at a time.
#include "mxnet/ops/ctc.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "mxnet/base/math.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/index_array.h"

namespace mxnet {
namespace {

using ctc::kNever, ctc::kPossible;

// log(e^a + e^b + e^c)
template <class C>
C log_sum(C a, C b, C c) {
  C top = a > b ? a : b;
  top = c > top ? c : top;
  return top + log(exp(a - top) + exp(b - top) + exp(c - top));
}

// The steps of each sequence and the lengths of each label, checked.
struct Lengths {
  std::vector<int64_t> steps, labels;
};

std::vector<int64_t> lengths_of(const KernelContext& c, int input, int64_t batch, int64_t most) {
  IndexArray given(c, c.in(input));
  for (int64_t n = 0; n < batch; ++n)
    if (given[n] < 0 || given[n] > most)
      fail(ErrorKind::value, "CTCLoss: ", c.op.input_name(input), " of sequence ", n, " is ", given[n],
           ", expected 0 to ", most);
  return {given.data(), given.data() + batch};
}

// Writes what of a path depends on its label alone.
template <class C>
void lay_out(const int64_t* label, int64_t length, int64_t blank, int64_t first, int64_t positions, int64_t* place,
             C* skip, C* last) {
  auto at = [&](int64_t s) { return s % 2 == 0 || s / 2 >= length ? blank : label[s / 2]; };
  for (int64_t s = 0; s < positions; ++s) {
    place[s] = first + at(s);
    skip[s] = s >= 2 && s % 2 == 1 && at(s) != at(s - 2) ? C(0) : C(kNever);
    last[s] = s == 2 * length || s == 2 * length - 1 ? C(0) : C(kNever);
  }
}

// alpha (steps, positions) of one sequence; returns its loss. `row` has room for two positions more.
template <class C>
C forward(const C* probs, int64_t stride, int64_t steps, int64_t positions, const int64_t* place, const C* skip,
          const C* last, C* alpha, C* row) {
  std::fill_n(row, positions + 2, C(kNever));
  C *before = row + 2, *next = alpha;
  if (steps > 0)
    for (int64_t s = 0; s < positions; ++s) next[s] = s < 2 ? probs[place[s]] : C(kNever);
  for (int64_t t = 1; t < steps; ++t) {
    std::copy_n(next, positions, before);
    next += positions;
    const C* emission = probs + t * stride;
    for (int64_t s = 0; s < positions; ++s) next[s] = emission[place[s]];
#pragma omp simd
    for (int64_t s = 0; s < positions; ++s) next[s] += log_sum(before[s], before[s - 1], before[s - 2] + skip[s]);
  }
  if (steps == 0) return 0;
  C total = C(kNever);
  for (int64_t s = 0; s < positions; ++s) total = log_sum(total, next[s] + last[s], C(2 * kNever));
  return total > C(kPossible) ? -total : C(0);
}

// Adds -weight times the probabilities of the positions at each step, given the label, to the gradient.
template <class C>
void backward(const C* probs, int64_t stride, int64_t steps, int64_t positions, const int64_t* place, const C* skip,
              const C* last, const C* alpha, C loss, C weight, C* grad, C* row) {
  // beta: log of the probability of all that follows; row also holds it with the emission, and two positions more.
  C *beta = row, *after = row + positions;
  std::fill_n(after + positions, 2, C(kNever));
  std::copy_n(last, positions, beta);
  for (int64_t t = steps - 1; t >= 0; --t) {
    const C *emission = probs + t * stride, *a = alpha + t * positions;
    C* to = grad + t * stride;
#pragma omp simd
    for (int64_t s = 0; s < positions; ++s) after[s] = exp(a[s] + beta[s] + loss);
    for (int64_t s = 0; s < positions; ++s) to[place[s]] -= weight * after[s];
    if (t == 0) break;
    for (int64_t s = 0; s < positions; ++s) after[s] = beta[s] + emission[place[s]];
    for (int64_t s = 0; s < positions; ++s) {
      C two = s + 2 < positions ? after[s + 2] + skip[s + 2] : C(kNever);
      beta[s] = log_sum(after[s], after[s + 1], two);
    }
  }
}

int64_t grain_of(int64_t steps, int64_t positions) {
  return std::max<int64_t>(1, 4096 / std::max<int64_t>(1, steps * positions));
}

void loss_cpu(const CtcParams& p, KernelContext& c) {
  const Shape &data = c.in(ctc::log_probs).shape(), &shape = c.in(ctc::label).shape();
  int64_t time = data[0], batch = data[1], classes = data[2], longest = shape[1], positions = 2 * longest + 1;
  int64_t blank = p.blank_label == BlankLabel::first ? 0 : classes - 1;
  int64_t padding = p.blank_label == BlankLabel::first ? 0 : -1;
  IndexArray label(c, c.in(ctc::label));
  std::vector<int64_t> steps(static_cast<size_t>(batch), time), lengths(steps);
  // Only one array of lengths may stand in the place of either.
  int label_lengths = c.has(ctc::label_lengths) ? ctc::label_lengths : ctc::data_lengths;
  if (p.use_data_lengths) steps = lengths_of(c, ctc::data_lengths, batch, time);
  if (p.use_label_lengths) lengths = lengths_of(c, label_lengths, batch, longest);
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t* row = label.data() + n * longest;
    int64_t& length = lengths[static_cast<size_t>(n)];
    if (!p.use_label_lengths) length = std::find(row, row + longest, padding) - row;
    for (int64_t i = 0; i < length; ++i)
      if (row[i] < 0 || row[i] >= classes)
        fail(ErrorKind::value, "CTCLoss: label ", row[i], " of sequence ", n, " is not one of ", classes, " classes");
  }
  DType dtype = c.in(0).dtype;
  auto run = [&]<class C>() {
    parallel_for(batch, grain_of(time, positions), [&](int64_t begin, int64_t end) {
      std::vector<C> row(static_cast<size_t>(positions) + 2);
      for (int64_t n = begin; n < end; ++n) {
        int64_t* place = c.out(ctc::place).as<int64_t>() + n * positions;
        C *skip = c.out(ctc::skip).as<C>() + n * positions, *last = c.out(ctc::last).as<C>() + n * positions;
        auto at = static_cast<size_t>(n);
        lay_out(label.data() + n * longest, lengths[at], blank, n * classes, positions, place, skip, last);
        c.out(ctc::loss).as<C>()[n] = forward(c.in(0).as<const C>(), batch * classes, steps[at], positions, place, skip,
                                              last, c.out(ctc::alpha).as<C>() + n * time * positions, row.data());
      }
    });
  };
  dtype == DType::float64 ? run.operator()<double>() : run.operator()<float>();
}

void backward_cpu(const CtcParams& p, KernelContext& c) {
  enum { kDloss, kData, kLoss, kAlpha, kPlace, kSkip, kLast, kLengths };
  const Shape& data = c.in(kData).shape();
  int64_t time = data[0], batch = data[1], classes = data[2], positions = c.in(kPlace).shape()[1];
  std::optional<IndexArray> lengths;
  if (p.use_data_lengths) lengths.emplace(c, c.in(kLengths));
  auto run = [&]<class C>() {
    C* grad = c.out(0).as<C>();
    std::fill_n(grad, c.out(0).size(), C(0));
    parallel_for(batch, grain_of(time, positions), [&](int64_t begin, int64_t end) {
      std::vector<C> row(2 * static_cast<size_t>(positions) + 2);
      for (int64_t n = begin; n < end; ++n) {
        C loss = c.in(kLoss).as<const C>()[n];
        const int64_t* place = c.in(kPlace).as<const int64_t>() + n * positions;
        backward(c.in(kData).as<const C>(), batch * classes, lengths ? (*lengths)[n] : time, positions, place,
                 c.in(kSkip).as<const C>() + n * positions, c.in(kLast).as<const C>() + n * positions,
                 c.in(kAlpha).as<const C>() + n * time * positions, loss, c.in(kDloss).as<const C>()[n], grad,
                 row.data());
      }
    });
  };
  c.in(kData).dtype == DType::float64 ? run.operator()<double>() : run.operator()<float>();
}

const bool registered[] = {cpu_kernel<CtcParams>("_ctc_loss_of_log_probs", loss_cpu),
                           cpu_kernel<CtcParams>("_backward_ctc_loss_of_log_probs", backward_cpu)};

}  // namespace
}  // namespace mxnet
