// The backward pass of recurrent networks: the gradients of all gates step by step, then one product each for the
// gradients of weights and inputs.
#include <cstring>

#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/dropout_loops.h"
#include "mxnet/ops/gemm.h"
#include "mxnet/ops/index_array.h"
#include "mxnet/ops/rnn.h"

namespace mxnet {
namespace {

// Arrays of `_backward_RNN` behind those of the operator itself.
enum GradInput { kReserve = rnn::sequence_length + 1, kMask, kDout, kDlastState, kDlastCell };

template <class C>
struct Arrays {
  const C *data, *parameters, *reserve, *dout, *dlast_state, *dlast_cell;
  const uint8_t* mask;     // null: nothing was dropped
  const int64_t* lengths;  // null: all sequences are full
  C *ddata, *dparameters, *dstate, *dcell;
};

template <class C>
Scratch scratch_for(int64_t n) {
  return Scratch(n * static_cast<int64_t>(sizeof(C)));
}

// A place in working memory, null where there is none.
template <class C>
C* at(const Scratch& memory, int64_t offset) {
  return memory.data() ? memory.as<C>() + offset : nullptr;
}

template <class C>
class Backward {
 public:
  Backward(const RnnParams& p, const RnnGeometry& g, const Arrays<C>& arrays)
      : p_(p),
        g_(g),
        a_(arrays),
        dinput_(scratch_for<C>(g.steps() * g.gates())),
        dstate_(g.is_gru() ? scratch_for<C>(g.steps() * g.gates()) : Scratch()),
        dprojected_(g.projects ? scratch_for<C>(g.steps() * g.state) : Scratch()),
        dhidden_(g.projects ? scratch_for<C>(g.batch * g.hidden) : Scratch()) {}

  void run() {
    int64_t n = g_.steps() * g_.width();
    Scratch dy[2], kept;
    if (g_.layers > 1) dy[0] = scratch_for<C>(n);
    if (g_.layers > 2) dy[1] = scratch_for<C>(n);
    if (a_.mask) kept = scratch_for<C>(n);
    DropRule rule(static_cast<double>(p_.p));
    const C* from = a_.dout;
    for (int64_t layer = g_.layers - 1; layer >= 0; --layer) {
      C* to = layer > 0 ? dy[layer % 2].data() ? dy[layer % 2].as<C>() : dy[0].as<C>() : a_.ddata;
      const uint8_t* mask = layer > 0 && a_.mask ? a_.mask + (layer - 1) * n : nullptr;
      const C* x = layer > 0 ? a_.reserve + g_.layer_output(layer - 1) : a_.data;
      if (mask) {
        apply_drops(rule, x, mask, kept.as<C>(), n);
        x = kept.as<C>();
      }
      for (int64_t direction = 0; direction < g_.directions; ++direction)
        run_direction(layer, direction, x, from + direction * g_.state, to);
      if (mask) apply_drops(rule, to, mask, to, n);
      from = to;
    }
  }

 private:
  // What the rows of one step read and write.
  struct Step {
    int64_t time;
    const C *gates, *before, *cell_before, *cell, *hidden, *dy;
    C *dinput, *dstate, *dprojected, *dh, *dc;
  };

  void run_direction(int64_t layer, int64_t direction, const C* x, const C* dy, C* dx) {
    auto w = g_.weights(layer, direction);
    auto r = g_.reserve(layer, direction);
    int64_t index = layer * g_.directions + direction, batch = g_.batch, gates = g_.gates();
    int64_t state_row = batch * g_.state, cell_row = batch * g_.hidden;
    C *dh = a_.dstate + index * state_row, *dc = g_.is_lstm() ? a_.dcell + index * cell_row : nullptr;
    std::copy_n(a_.dlast_state + index * state_row, state_row, dh);
    if (dc) std::copy_n(a_.dlast_cell + index * cell_row, cell_row, dc);

    RepeatedGemm recurrent(dtype_of<C>, g_.time,
                           {.m = batch, .n = g_.state, .k = gates, .b = a_.parameters + w.h2h, .beta = 1});
    RepeatedGemm projection;
    if (g_.projects)
      projection =
          RepeatedGemm(dtype_of<C>, g_.time, {.m = batch, .n = g_.hidden, .k = g_.state, .b = a_.parameters + w.h2r});
    const C* res = a_.reserve;
    for (int64_t s = g_.time - 1; s >= 0; --s) {
      int64_t t = direction == 0 ? s : g_.time - 1 - s, before = direction == 0 ? t : t + 1,
              after = before == t ? t + 1 : t;
      Step step{t,
                res + r.gates + t * batch * gates,
                res + r.states + before * state_row,
                res + r.cells + before * cell_row,
                res + r.cells + after * cell_row,
                res + r.hidden + t * cell_row,
                dy + t * batch * g_.width(),
                at<C>(dinput_, t * batch * gates),
                at<C>(dstate_, t * batch * gates),
                at<C>(dprojected_, t * state_row),
                dh,
                dc};
      if (g_.projects) {
        each_row([&](int64_t n) { gather_projected(step, n); });
        projection(step.dprojected, dhidden_.as<C>());
      }
      each_row([&](int64_t n) { row(step, n); });
      recurrent(g_.is_gru() ? step.dstate : step.dinput, dh);
    }
    const C* before = res + r.states + (direction == 0 ? 0 : state_row);
    sum_up(w, x, g_.input_of(layer), before, res + r.hidden, direction == 0 ? 0 : 1, dx);
  }

  // Gradients of weights, biases and inputs from those of the gates of all steps.
  void sum_up(const RnnGeometry::Weights& w, const C* x, int64_t inputs, const C* before, const C* hidden, double beta,
              C* dx) {
    int64_t steps = g_.steps(), gates = g_.gates();
    const C *di = dinput_.as<C>(), *ds = g_.is_gru() ? dstate_.as<C>() : di;
    DType dtype = dtype_of<C>;
    C* dw = a_.dparameters;
    gemm(dtype, {.m = steps, .n = inputs, .k = gates, .a = di, .b = a_.parameters + w.i2h, .c = dx, .beta = beta});
    gemm(dtype, {.trans_a = true, .m = gates, .n = inputs, .k = steps, .a = di, .b = x, .c = dw + w.i2h});
    gemm(dtype, {.trans_a = true, .m = gates, .n = g_.state, .k = steps, .a = ds, .b = before, .c = dw + w.h2h});
    if (g_.projects)
      gemm(dtype, {.trans_a = true,
                   .m = g_.state,
                   .n = g_.hidden,
                   .k = steps,
                   .a = dprojected_.as<C>(),
                   .b = hidden,
                   .c = dw + w.h2r});
    column_sums(di, dw + w.i2h_bias);
    if (g_.is_gru())
      column_sums(ds, dw + w.h2h_bias);
    else
      std::copy_n(dw + w.i2h_bias, gates, dw + w.h2h_bias);
  }

  void column_sums(const C* rows, C* sums) const {
    int64_t width = g_.gates();
    parallel_for(width, 256, [&](int64_t begin, int64_t end) {
      std::fill(sums + begin, sums + end, C(0));
      for (int64_t i = 0; i < g_.steps(); ++i) {
        const C* from = rows + i * width;
#pragma omp simd
        for (int64_t j = begin; j < end; ++j) sums[j] += from[j];
      }
    });
  }

  template <class F>
  void each_row(const F& f) const {
    parallel_for(g_.batch, std::max<int64_t>(1, 16384 / g_.gates()), [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) f(n);
    });
  }

  bool ended(const Step& s, int64_t n) const { return a_.lengths && s.time >= a_.lengths[n]; }

  void gather_projected(const Step& s, int64_t n) const {
    C *to = s.dprojected + n * g_.state, *dh = s.dh + n * g_.state;
    const C* dy = s.dy + n * g_.width();
    if (ended(s, n)) {
      std::fill_n(to, g_.state, C(0));
      return;
    }
    for (int64_t j = 0; j < g_.state; ++j) to[j] = dh[j] + dy[j];
    std::fill_n(dh, g_.state, C(0));
  }

  // Gradients of the gates of a row. In dh and dc remains what reaches the states before other than through the gates;
  // a sequence that has ended hands on all of it.
  void row(const Step& s, int64_t n) const {
    int64_t gates = g_.gates();
    if (ended(s, n)) {
      std::fill_n(s.dinput + n * gates, gates, C(0));
      if (g_.is_gru()) std::fill_n(s.dstate + n * gates, gates, C(0));
      return;
    }
    C* dh = s.dh + n * g_.state;
    const C* dy = s.dy + n * g_.width();
    if (!g_.projects)
      for (int64_t j = 0; j < g_.state; ++j) dh[j] += dy[j];
    if (g_.is_gru()) return gru(s, n, dh);
    if (g_.is_lstm())
      lstm(s, n, g_.projects ? dhidden_.as<C>() + n * g_.hidden : dh);
    else
      vanilla(s, n, dh);
    if (!g_.projects) std::fill_n(dh, g_.state, C(0));
  }

  void lstm(const Step& s, int64_t n, const C* dh) const {
    int64_t h = g_.hidden;
    const C *gi = s.gates + n * 4 * h, *gf = gi + h, *gg = gf + h, *go = gg + h;
    const C *before = s.cell_before + n * h, *cell = s.cell + n * h;
    C *di = s.dinput + n * 4 * h, *df = di + h, *dg = df + h, *dout = dg + h, *dc = s.dc + n * h;
    C low = static_cast<C>(p_.clip_min()), high = static_cast<C>(p_.clip_max());
#pragma omp simd
    for (int64_t j = 0; j < h; ++j) {
      LstmGates<C> gates{gi[j], gf[j], gg[j], go[j]};
      C tanh_cell = tanh(cell[j]);
      C dcell = dc[j] + gates.cell_gradient(dh[j], tanh_cell);
      dcell = cell[j] <= low || cell[j] >= high ? C(0) : dcell;
      auto d = gates.gradient(dh[j], dcell, before[j], tanh_cell);
      di[j] = d.i, df[j] = d.f, dg[j] = d.g, dout[j] = d.o;
      dc[j] = dcell * gates.f;
    }
  }

  void gru(const Step& s, int64_t n, C* dh) const {
    int64_t h = g_.hidden;
    const C *gr = s.gates + n * 3 * h, *gz = gr + h, *gn = gz + h;
    const C *before = s.before + n * h, *state = s.hidden + n * h;
    C *dr = s.dinput + n * 3 * h, *dz = dr + h, *dn = dz + h;
    C *sr = s.dstate + n * 3 * h, *sz = sr + h, *sn = sz + h;
#pragma omp simd
    for (int64_t j = 0; j < h; ++j) {
      GruGates<C> gates{gr[j], gz[j], gn[j]};
      auto d = gates.gradient(dh[j], before[j], state[j]);
      dr[j] = sr[j] = d.r;
      dz[j] = sz[j] = d.z;
      dn[j] = d.n;
      sn[j] = d.n * gates.r;
      dh[j] *= gates.z;
    }
  }

  void vanilla(const Step& s, int64_t n, const C* dh) const {
    const C* gate = s.gates + n * g_.hidden;
    C* d = s.dinput + n * g_.hidden;
    bool is_tanh = g_.mode == RnnMode::rnn_tanh;
#pragma omp simd
    for (int64_t j = 0; j < g_.hidden; ++j)
      d[j] = dh[j] * (is_tanh ? 1 - gate[j] * gate[j] : static_cast<C>(gate[j] > 0));
  }

  const RnnParams& p_;
  const RnnGeometry& g_;
  const Arrays<C>& a_;
  Scratch dinput_, dstate_, dprojected_, dhidden_;  // of the gates, by the sum they came from; around the projection
};

void rnn_backward_cpu(const RnnParams& p, KernelContext& c) {
  RnnGeometry g(p, c.in(rnn::data).shape());
  DType dtype = working_type(c.in(rnn::data));
  auto input = [&](int i) { return c.has(i) ? Converted(c.in(i), dtype, true) : Converted({}, dtype, false); };
  Converted data = input(rnn::data), parameters = input(rnn::parameters), dout = input(kDout),
            dlast = input(kDlastState), dlast_cell = input(kDlastCell);
  Converted results[] = {
      {c.out(0), dtype, false}, {c.out(1), dtype, false}, {c.out(2), dtype, false}, {c.out(3), dtype, false}};
  const TensorView& mask = c.in(kMask);
  bool dropped = mask.size() > 0 && mask.as<uint8_t>()[0] != kDropoutPassed;
  std::optional<IndexArray> lengths;
  if (p.use_sequence_length) lengths.emplace(c, c.in(rnn::length_input(p, c.has(rnn::state_cell))));
  dispatch_working(dtype, [&]<class C>() {
    Arrays<C> arrays{data.as<C>(),
                     parameters.as<C>(),
                     c.in(kReserve).as<C>(),
                     dout.as<C>(),
                     dlast.as<C>(),
                     dlast_cell.as<C>(),
                     dropped ? mask.as<uint8_t>() : nullptr,
                     lengths ? lengths->data() : nullptr,
                     results[0].as<C>(),
                     results[1].as<C>(),
                     results[2].as<C>(),
                     results[3].as<C>()};
    Backward<C>(p, g, arrays).run();
  });
  for (const Converted& result : results) result.finish();
}

const bool registered = cpu_kernel<RnnParams>("_backward_RNN", rnn_backward_cpu);

}  // namespace
}  // namespace mxnet
