// The forward pass of recurrent networks: one product for the inputs of all steps of a layer, one a step for the
// state, and the gates of a row in one loop. The gates stay where the products put them, for backward.
#include "mxnet/ops/rnn.h"

#include <cstring>

#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/dropout_loops.h"
#include "mxnet/ops/gemm.h"
#include "mxnet/ops/index_array.h"

namespace mxnet {
namespace {

template <class C>
struct Arrays {
  const C *data, *parameters, *state, *cell;
  C *out, *last_state, *last_cell, *reserve;
  uint8_t* mask;
  const int64_t* lengths;  // null: all sequences are full
};

template <class C>
class Forward {
 public:
  Forward(const RnnParams& p, const RnnGeometry& g, const Arrays<C>& arrays) : p_(p), g_(g), a_(arrays) {}

  void run(bool drop_some, Position at) {
    Scratch kept;
    if (drop_some) kept = Scratch(g_.steps() * g_.width() * static_cast<int64_t>(sizeof(C)));
    const C* x = a_.data;
    for (int64_t layer = 0; layer < g_.layers; ++layer) {
      C* y = layer + 1 < g_.layers ? a_.reserve + g_.layer_output(layer) : a_.out;
      for (int64_t direction = 0; direction < g_.directions; ++direction)
        run_direction(layer, direction, x, y + direction * g_.state);
      x = y;
      if (!drop_some || layer + 1 == g_.layers) continue;
      int64_t n = g_.steps() * g_.width();
      drop(DropRule(static_cast<double>(p_.p)), Position{at.key, at.offset + static_cast<uint64_t>(layer * n)}, y,
           kept.as<C>(), a_.mask + layer * n, n);
      x = kept.as<C>();
    }
  }

 private:
  // What the rows of one step read and write.
  struct Step {
    int64_t time;
    C* gates;
    const C *before, *cell_before;
    C *after, *cell_after;
    C* hidden;
    const C* from_state;  // GRU: the state's part in the gates, without bias
    const C* bias;        // GRU: of the state's part in the new gate
    C* out;
  };

  void run_direction(int64_t layer, int64_t direction, const C* x, C* y) {
    auto w = g_.weights(layer, direction);
    auto r = g_.reserve(layer, direction);
    int64_t index = layer * g_.directions + direction, batch = g_.batch, gates = g_.gates();
    int64_t state_row = batch * g_.state, cell_row = batch * g_.hidden;
    C* res = a_.reserve;
    int64_t first = direction == 0 ? 0 : g_.time, last = g_.time - first;
    std::copy_n(a_.state + index * state_row, state_row, res + r.states + first * state_row);
    if (g_.is_lstm()) std::copy_n(a_.cell + index * cell_row, cell_row, res + r.cells + first * cell_row);

    project_inputs(w, x, g_.input_of(layer), res + r.gates);
    RepeatedGemm recurrent(dtype_of<C>, g_.time,
                           {.trans_b = true,
                            .m = batch,
                            .n = gates,
                            .k = g_.state,
                            .b = a_.parameters + w.h2h,
                            .beta = g_.is_gru() ? 0.0 : 1.0});
    RepeatedGemm projection;
    if (g_.projects)
      projection =
          RepeatedGemm(dtype_of<C>, g_.time,
                       {.trans_b = true, .m = batch, .n = g_.state, .k = g_.hidden, .b = a_.parameters + w.h2r});
    Scratch from_state;
    if (g_.is_gru()) from_state = Scratch(batch * gates * static_cast<int64_t>(sizeof(C)));
    for (int64_t s = 0; s < g_.time; ++s) {
      int64_t t = direction == 0 ? s : g_.time - 1 - s, before = direction == 0 ? t : t + 1,
              after = before == t ? t + 1 : t;
      Step step{t,
                res + r.gates + t * batch * gates,
                res + r.states + before * state_row,
                res + r.cells + before * cell_row,
                res + r.states + after * state_row,
                res + r.cells + after * cell_row,
                res + r.hidden + t * cell_row,
                from_state.as<C>(),
                a_.parameters + w.h2h_bias + 2 * g_.hidden,
                y + t * batch * g_.width()};
      recurrent(step.before, g_.is_gru() ? from_state.as<C>() : step.gates);
      if (g_.projects) {
        each_row([&](int64_t n) { lstm(step, n, step.hidden); });
        projection(step.hidden, step.after);
        each_row([&](int64_t n) { emit(step, n); });
      } else {
        each_row([&](int64_t n) {
          if (g_.is_lstm())
            lstm(step, n, step.after);
          else if (g_.is_gru())
            gru(step, n);
          else
            vanilla(step, n);
          emit(step, n);
        });
      }
    }
    std::copy_n(res + r.states + last * state_row, state_row, a_.last_state + index * state_row);
    if (g_.is_lstm()) std::copy_n(res + r.cells + last * cell_row, cell_row, a_.last_cell + index * cell_row);
  }

  // The gates before activation, for all steps, but for the state's part.
  void project_inputs(const RnnGeometry::Weights& w, const C* x, int64_t inputs, C* gates) {
    int64_t width = g_.gates(), both = g_.is_gru() ? 2 * g_.hidden : width;
    const C *input_bias = a_.parameters + w.i2h_bias, *state_bias = a_.parameters + w.h2h_bias;
    std::vector<C> bias(input_bias, input_bias + width);
    for (int64_t j = 0; j < both; ++j) bias[static_cast<size_t>(j)] += state_bias[j];
    parallel_for(g_.steps(), std::max<int64_t>(1, 16384 / width), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) std::copy_n(bias.data(), width, gates + i * width);
    });
    gemm(dtype_of<C>, {.trans_b = true,
                       .m = g_.steps(),
                       .n = width,
                       .k = inputs,
                       .a = x,
                       .b = a_.parameters + w.i2h,
                       .c = gates,
                       .beta = 1});
  }

  template <class F>
  void each_row(const F& f) const {
    parallel_for(g_.batch, std::max<int64_t>(1, 16384 / g_.gates()), [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) f(n);
    });
  }

  void lstm(const Step& s, int64_t n, C* output) const {
    int64_t h = g_.hidden;
    C *gi = s.gates + n * 4 * h, *gf = gi + h, *gg = gf + h, *go = gg + h;
    const C* before = s.cell_before + n * h;
    C *after = s.cell_after + n * h, *out = output + n * h;
    auto activate = [&](int64_t j) {
      auto a = LstmGates<C>::activate(gi[j], gf[j], gg[j], go[j]);
      gi[j] = a.i, gf[j] = a.f, gg[j] = a.g, go[j] = a.o;
      return a.cell(before[j]);
    };
    if (!p_.clips()) {
#pragma omp simd
      for (int64_t j = 0; j < h; ++j) {
        C c = activate(j);
        after[j] = c;
        out[j] = go[j] * tanh(c);
      }
      return;
    }
    C low = static_cast<C>(p_.clip_min()), high = static_cast<C>(p_.clip_max());
    for (int64_t j = 0; j < h; ++j) {
      C c = activate(j);
      if (p_.lstm_state_clip_nan && c != c) c = low;
      after[j] = c < low ? low : c > high ? high : c;
      out[j] = go[j] * tanh(after[j]);
    }
  }

  void gru(const Step& s, int64_t n) const {
    int64_t h = g_.hidden;
    C *gr = s.gates + n * 3 * h, *gz = gr + h, *gn = gz + h, *state = s.hidden + n * h, *after = s.after + n * h;
    const C *sr = s.from_state + n * 3 * h, *sz = sr + h, *sn = sz + h, *before = s.before + n * h, *bias = s.bias;
#pragma omp simd
    for (int64_t j = 0; j < h; ++j) {
      C from_state = sn[j] + bias[j];
      auto a = GruGates<C>::activate(gr[j] + sr[j], gz[j] + sz[j], gn[j], from_state);
      gr[j] = a.r, gz[j] = a.z, gn[j] = a.n;
      state[j] = from_state;
      after[j] = a.output(before[j]);
    }
  }

  void vanilla(const Step& s, int64_t n) const {
    C *gate = s.gates + n * g_.hidden, *after = s.after + n * g_.hidden;
    if (g_.mode == RnnMode::rnn_tanh) {
#pragma omp simd
      for (int64_t j = 0; j < g_.hidden; ++j) after[j] = gate[j] = tanh(gate[j]);
    } else {
      for (int64_t j = 0; j < g_.hidden; ++j) after[j] = gate[j] = gate[j] < 0 ? C(0) : gate[j];
    }
  }

  // The output of a row; a sequence that has ended gives zeros and keeps its state.
  void emit(const Step& s, int64_t n) const {
    C *out = s.out + n * g_.width(), *after = s.after + n * g_.state;
    if (!a_.lengths || s.time < a_.lengths[n]) {
      std::copy_n(after, g_.state, out);
      return;
    }
    std::fill_n(out, g_.state, C(0));
    std::copy_n(s.before + n * g_.state, g_.state, after);
    if (g_.is_lstm()) std::copy_n(s.cell_before + n * g_.hidden, g_.hidden, s.cell_after + n * g_.hidden);
  }

  const RnnParams& p_;
  const RnnGeometry& g_;
  const Arrays<C>& a_;
};

void rnn_cpu(const RnnParams& p, KernelContext& c) {
  RnnGeometry g(p, c.in(rnn::data).shape());
  const TensorView& mask = c.out(rnn::mask);
  bool drop_some = c.training && mask.size() > 0;
  if (!drop_some) std::fill_n(mask.as<uint8_t>(), mask.size(), kDropoutPassed);
  DType dtype = working_type(c.in(rnn::data));
  auto input = [&](int i) { return c.has(i) ? Converted(c.in(i), dtype, true) : Converted({}, dtype, false); };
  Converted data = input(rnn::data), parameters = input(rnn::parameters), state = input(rnn::state),
            cell = g.is_lstm() ? input(rnn::state_cell) : Converted({}, dtype, false);
  Converted out(c.out(rnn::output), dtype, false), last(c.out(rnn::last_state), dtype, false),
      last_cell(c.out(rnn::last_cell), dtype, false);
  std::optional<IndexArray> lengths;
  if (p.use_sequence_length) lengths.emplace(c, c.in(rnn::length_input(p, c.has(rnn::state_cell))));
  dispatch_working(dtype, [&]<class C>() {
    Arrays<C> arrays{data.as<C>(),       parameters.as<C>(),
                     state.as<C>(),      cell.as<C>(),
                     out.as<C>(),        last.as<C>(),
                     last_cell.as<C>(),  c.out(rnn::reserve).as<C>(),
                     mask.as<uint8_t>(), lengths ? lengths->data() : nullptr};
    Forward<C>(p, g, arrays).run(drop_some, {c.random_key, c.random_offset});
  });
  out.finish();
  last.finish();
  if (g.is_lstm()) last_cell.finish();
}

const bool registered = cpu_kernel<RnnParams>("RNN", rnn_cpu);

}  // namespace
}  // namespace mxnet
