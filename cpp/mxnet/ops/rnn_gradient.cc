#include "mxnet/ops/rnn_gradient.h"

#include "mxnet/ops/dot.h"
#include "mxnet/ops/dropout.h"
#include "mxnet/ops/join.h"

namespace mxnet {
namespace {

Expr slice(const Expr& x, int axis, int64_t begin, int64_t end) {
  static const OpRef op("slice_axis");
  return op.with({x}, make_params(SliceAxisParams{axis, begin, end}))[0];
}
// Entry i of axis 0, without the axis.
Expr entry(const Expr& x, int64_t i) {
  const Shape& shape = x.shape();
  return reshape(slice(x, 0, i, i + 1), shape.slice(1, shape.ndim()));
}
Expr joined(const std::vector<Expr>& parts, int axis) {
  static const OpRef op("Concat");
  return parts.size() == 1 ? parts[0]
                           : op.with(parts, make_params(ConcatParams{static_cast<int>(parts.size()), axis}))[0];
}
// x weight^T + bias over the last axis.
Expr affine(const Expr& x, const Expr& weight, const Expr& bias) {
  static const OpRef op("FullyConnected");
  auto params = make_params(FullyConnectedParams{weight.shape()[0], !bias.defined(), false});
  return bias.defined() ? op.with({x, weight, bias}, params)[0] : op.with({x, weight}, params)[0];
}
Expr product(const Expr& a, const Expr& b, bool transpose_a = false) {
  static const OpRef op("dot");
  return op.with({a, b}, make_params(DotParams{transpose_a, false, {}}))[0];
}
Expr column_sums(const Expr& x) { return sum(x, std::array{0}, false); }

// What backward needs of one step; arrays are (batch, ..).
struct Step {
  std::vector<Expr> gates;  // activated
  Expr before;              // the state it started from
  Expr cell_before, cell, tanh_cell;
  Expr hidden;  // projection: its input; GRU: the state's part in the new gate
};

struct Weights {
  Expr i2h, h2h, h2r, i2h_bias, h2h_bias;
};

// One layer in one direction.
struct Pass {
  int64_t layer, direction;
  Weights w;
  std::vector<Step> steps;  // by time
};

class Unrolled {
 public:
  Unrolled(const RnnParams& p, GradContext& g) : p_(p), g_(g), geometry_(p, g.in(rnn::data).shape()) {}

  void forward() {
    Expr x = g_.in(rnn::data);
    for (int64_t layer = 0; layer < geometry_.layers; ++layer) {
      if (layer > 0) x = dropped(x, layer);
      inputs_.push_back(x);
      std::vector<Expr> outputs;
      for (int64_t direction = 0; direction < geometry_.directions; ++direction) {
        passes_.push_back({layer, direction, weights(layer, direction), {}});
        outputs.push_back(run(passes_.back(), x));
      }
      x = joined(outputs, 2);
    }
  }

  void backward() {
    Expr dy = g_.dout(rnn::output);
    size_t count = passes_.size();
    std::vector<Expr> dstates(count), dcells(count), dweights(count), dbiases(count);
    for (int64_t layer = geometry_.layers - 1; layer >= 0; --layer) {
      Expr dx;
      for (int64_t direction = 0; direction < geometry_.directions; ++direction) {
        size_t i = static_cast<size_t>(layer * geometry_.directions + direction);
        Back back{slice(dy, 2, direction * geometry_.state, (direction + 1) * geometry_.state),
                  entry(g_.dout(rnn::last_state), static_cast<int64_t>(i)),
                  geometry_.is_lstm() ? entry(g_.dout(rnn::last_cell), static_cast<int64_t>(i)) : Expr()};
        run_back(passes_[i], back);
        dx = dx.defined() ? dx + back.dx : back.dx;
        dstates[i] = back.dh, dcells[i] = back.dc, dweights[i] = back.dweights, dbiases[i] = back.dbiases;
      }
      dy = layer > 0 ? dropped(dx, layer) : dx;
    }
    g_.din(rnn::data) = dy;
    for (const Expr& bias : dbiases) dweights.push_back(bias);
    g_.din(rnn::parameters) = joined(dweights, 0);
    g_.din(rnn::state) = reshape(joined(dstates, 0), g_.in(rnn::state).shape());
    if (geometry_.is_lstm()) g_.din(rnn::state_cell) = reshape(joined(dcells, 0), g_.in(rnn::state_cell).shape());
  }

 private:
  // Gradients on their way back through a pass: of its output and last states, then of what it read.
  struct Back {
    Expr dy, dh, dc;
    Expr dx{}, dweights{}, dbiases{};  // out
  };

  int64_t time_of(const Pass& pass, int64_t step) const {
    return pass.direction == 0 ? step : geometry_.time - 1 - step;
  }

  Expr dropped(const Expr& x, int64_t layer) {
    static const OpRef op("_dropout_apply");
    if (p_.p == 0) return x;
    DropoutParams params;
    params.p = static_cast<double>(p_.p);
    return op.with({x, entry(g_.out(rnn::mask), layer - 1)}, make_params(params))[0];
  }

  Weights weights(int64_t layer, int64_t direction) const {
    RnnGeometry::Weights at = geometry_.weights(layer, direction);
    auto matrix = [&](int64_t offset, int64_t rows, int64_t cols) {
      return reshape(slice(g_.in(rnn::parameters), 0, offset, offset + rows * cols), {rows, cols});
    };
    auto vector = [&](int64_t offset) { return slice(g_.in(rnn::parameters), 0, offset, offset + geometry_.gates()); };
    return {matrix(at.i2h, geometry_.gates(), geometry_.input_of(layer)),
            matrix(at.h2h, geometry_.gates(), geometry_.state),
            geometry_.projects ? matrix(at.h2r, geometry_.state, geometry_.hidden) : Expr(), vector(at.i2h_bias),
            vector(at.h2h_bias)};
  }

  // A column of ones for sequences that reach time t and zeros for others; undefined where all do.
  Expr reached(int64_t t) const {
    if (!p_.use_sequence_length) return {};
    const Expr& length = g_.in(rnn::length_input(p_, g_.has(rnn::state_cell)));
    return cast(reshape(length, {geometry_.batch, 1}) > static_cast<double>(t), g_.in(rnn::data).dtype());
  }

  Expr run(Pass& pass, const Expr& x) {
    int64_t index = pass.layer * geometry_.directions + pass.direction, time = geometry_.time;
    Expr h = entry(g_.in(rnn::state), index);
    Expr c = geometry_.is_lstm() ? entry(g_.in(rnn::state_cell), index) : Expr();
    Expr projected = affine(x, pass.w.i2h, pass.w.i2h_bias);
    pass.steps.resize(static_cast<size_t>(time));
    std::vector<Expr> outputs(static_cast<size_t>(time));
    for (int64_t s = 0; s < time; ++s) {
      int64_t t = time_of(pass, s);
      Step& step = pass.steps[static_cast<size_t>(t)];
      step.before = h, step.cell_before = c;
      Expr next = advance(pass.w, step, entry(projected, t)), m = reached(t);
      outputs[static_cast<size_t>(t)] = reshape(m.defined() ? next * m : next, {1, geometry_.batch, geometry_.state});
      h = m.defined() ? select(broadcast_to(m, h.shape()), next, h) : next;
      if (geometry_.is_lstm()) c = m.defined() ? select(broadcast_to(m, c.shape()), step.cell, c) : step.cell;
    }
    return joined(outputs, 0);
  }

  // One step: fills it in and gives the new state.
  Expr advance(const Weights& w, Step& step, const Expr& from_input) const {
    static const OpRef split("SliceChannel");
    Expr from_state = affine(step.before, w.h2h, w.h2h_bias);
    int parts = static_cast<int>(geometry_.gates() / geometry_.hidden);
    auto cut = [&](const Expr& x) { return split.with({x}, make_params(SliceChannelParams{parts, 1, false})); };
    if (geometry_.is_lstm()) {
      auto a = cut(from_input + from_state);
      auto gates = LstmGates<Expr>::activate(a[0], a[1], a[2], a[3]);
      step.gates = {gates.i, gates.f, gates.g, gates.o};
      step.cell = clipped(gates.cell(step.cell_before));
      step.tanh_cell = tanh(step.cell);
      Expr h = gates.o * step.tanh_cell;
      if (!geometry_.projects) return h;
      step.hidden = h;
      return affine(h, w.h2r, {});
    }
    if (geometry_.is_gru()) {
      auto a = cut(from_input), b = cut(from_state);
      step.hidden = b[2];
      auto gates = GruGates<Expr>::activate(a[0] + b[0], a[1] + b[1], a[2], b[2]);
      step.gates = {gates.r, gates.z, gates.n};
      return gates.output(step.before);
    }
    Expr a = from_input + from_state;
    step.gates = {geometry_.mode == RnnMode::rnn_tanh ? tanh(a) : apply("relu", {a})};
    return step.gates[0];
  }

  Expr clipped(const Expr& cell) const {
    if (!p_.clips()) return cell;
    Expr c = p_.lstm_state_clip_nan ? select(cell == cell, cell, zeros_like(cell) + p_.clip_min()) : cell;
    return apply("clip", {c}, {{"a_min", p_.clip_min()}, {"a_max", p_.clip_max()}});
  }

  void run_back(const Pass& pass, Back& b) const {
    size_t time = pass.steps.size();
    // By time: the gradients of the two sums that make the gates, and of the projection's result.
    std::vector<Expr> dinput(time), dstate(time), dprojected(time), before(time), hidden(time);
    for (int64_t s = geometry_.time - 1; s >= 0; --s) {
      size_t t = static_cast<size_t>(time_of(pass, s));
      const Step& step = pass.steps[t];
      Expr m = reached(static_cast<int64_t>(t)), dy = entry(b.dy, static_cast<int64_t>(t));
      // What sequences that have ended hand on as it is.
      Expr past_h = m.defined() ? b.dh * (1.0 - m) : Expr(), past_c;
      b.dh = m.defined() ? (b.dh + dy) * m : b.dh + dy;
      if (geometry_.is_lstm() && m.defined()) past_c = b.dc * (1.0 - m), b.dc = b.dc * m;
      if (geometry_.projects) {
        dprojected[t] = b.dh, hidden[t] = step.hidden;
        b.dh = product(b.dh, pass.w.h2r);
      }
      retreat(step, b, dinput[t], dstate[t]);
      before[t] = step.before;
      Expr through = product(dstate[t], pass.w.h2h);
      b.dh = geometry_.is_gru() ? b.dh + through : through;
      if (past_h.defined()) b.dh = b.dh + past_h;
      if (past_c.defined()) b.dc = b.dc + past_c;
    }
    Expr di = joined(dinput, 0), ds = geometry_.is_gru() ? joined(dstate, 0) : di;
    const Expr& x = inputs_[static_cast<size_t>(pass.layer)];
    Expr rows = reshape(x, {geometry_.steps(), geometry_.input_of(pass.layer)});
    b.dx = reshape(product(di, pass.w.i2h), x.shape());
    auto flat = [](const Expr& e) { return reshape(e, {e.shape().size()}); };
    std::vector<Expr> dw{flat(product(di, rows, true)), flat(product(ds, joined(before, 0), true))};
    if (geometry_.projects) dw.push_back(flat(product(joined(dprojected, 0), joined(hidden, 0), true)));
    b.dweights = joined(dw, 0);
    b.dbiases = joined({column_sums(di), column_sums(ds)}, 0);
  }

  // One step back: from b.dh and b.dc to the gradients of both sums; leaves in b.dc the gradient of the cell
  // before, and for a GRU in b.dh what reaches the state before directly.
  void retreat(const Step& step, Back& b, Expr& dinput, Expr& dstate) const {
    const auto& a = step.gates;
    if (geometry_.is_lstm()) {
      LstmGates<Expr> gates{a[0], a[1], a[2], a[3]};
      Expr dcell = b.dc + gates.cell_gradient(b.dh, step.tanh_cell);
      if (p_.clips()) dcell = dcell * (step.cell > p_.clip_min()) * (step.cell < p_.clip_max());
      auto d = gates.gradient(b.dh, dcell, step.cell_before, step.tanh_cell);
      b.dc = dcell * gates.f;
      dinput = dstate = joined({d.i, d.f, d.g, d.o}, 1);
    } else if (geometry_.is_gru()) {
      GruGates<Expr> gates{a[0], a[1], a[2]};
      auto d = gates.gradient(b.dh, step.before, step.hidden);
      b.dh = b.dh * gates.z;
      dinput = joined({d.r, d.z, d.n}, 1);
      dstate = joined({d.r, d.z, d.n * gates.r}, 1);
    } else {
      dinput = dstate = b.dh * (geometry_.mode == RnnMode::rnn_tanh ? 1.0 - square(a[0]) : a[0] > 0.0);
    }
  }

  const RnnParams& p_;
  GradContext& g_;
  RnnGeometry geometry_;
  std::vector<Pass> passes_;
  std::vector<Expr> inputs_;  // of each layer
};

}  // namespace

void rnn_gradient(const RnnParams& p, GradContext& g) {
  if (g.in(rnn::data).shape().size() == 0) {
    // No step: the states pass through.
    g.din(rnn::state) = g.dout(rnn::last_state);
    if (p.mode == RnnMode::lstm) g.din(rnn::state_cell) = g.dout(rnn::last_cell);
    return;
  }
  Unrolled network(p, g);
  network.forward();
  network.backward();
}

}  // namespace mxnet
