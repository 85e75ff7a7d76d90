// Recurrent networks: parameters, where the weights lie in the packed vector, and the formulas of the cells.
#pragma once
#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "mxnet/base/math.h"
#include "mxnet/op/op.h"

namespace mxnet {

enum class RnnMode { gru, lstm, rnn_relu, rnn_tanh };
constexpr std::array<std::pair<RnnMode, std::string_view>, 4> names_of(RnnMode) {
  return {{{RnnMode::gru, "gru"},
           {RnnMode::lstm, "lstm"},
           {RnnMode::rnn_relu, "rnn_relu"},
           {RnnMode::rnn_tanh, "rnn_tanh"}}};
}

struct RnnParams {
  int64_t state_size = 0;
  int64_t num_layers = 0;
  bool bidirectional = false;
  RnnMode mode = RnnMode::lstm;
  float p = 0;
  bool state_outputs = false;
  std::optional<int64_t> projection_size;
  std::optional<double> lstm_state_clip_min, lstm_state_clip_max;
  bool lstm_state_clip_nan = false;
  bool use_sequence_length = false;

  static constexpr auto fields() {
    using P = RnnParams;
    return std::tuple{
        field("state_size", &P::state_size, "Size H of the hidden state.").required(),
        field("num_layers", &P::num_layers, "Number L of layers.").required(),
        field("bidirectional", &P::bidirectional, "Whether each layer also runs from the end to the start."),
        field("mode", &P::mode, "The kind of cell.").required(),
        field("p", &P::p, "Under train_mode, fraction of a layer's output that does not reach the next layer."),
        field("state_outputs", &P::state_outputs, "Whether the last states are given too."),
        field("projection_size", &P::projection_size, "LSTM only: size of the state after a projection."),
        field("lstm_state_clip_min", &P::lstm_state_clip_min, "Smallest value of an LSTM's cell state."),
        field("lstm_state_clip_max", &P::lstm_state_clip_max, "Largest value of an LSTM's cell state."),
        field("lstm_state_clip_nan", &P::lstm_state_clip_nan,
              "Whether NaN in the cell state becomes the smallest value."),
        field("use_sequence_length", &P::use_sequence_length, "Whether `sequence_length` is given.")};
  }
  bool clips() const { return lstm_state_clip_min || lstm_state_clip_max; }
  double clip_min() const { return lstm_state_clip_min.value_or(-std::numeric_limits<double>::infinity()); }
  double clip_max() const { return lstm_state_clip_max.value_or(std::numeric_limits<double>::infinity()); }
};

// Places of the inputs and outputs of the operator.
namespace rnn {
enum Input { data, parameters, state, state_cell, sequence_length };
enum Output { output, last_state, last_cell, reserve, mask };
// Where the lengths are, if they are used: in the place of the cell too where the mode has none.
inline int length_input(const RnnParams& p, bool has_cell) {
  return p.mode != RnnMode::lstm && has_cell ? state_cell : sequence_length;
}
}  // namespace rnn

// The extents of one network, where its weights lie among the packed parameters (all weights layer by layer and
// direction by direction, then all biases), and where the forward pass leaves what backward needs.
struct RnnGeometry {
  RnnMode mode;
  int64_t layers, directions, time = 0, batch = 0, input = 0, hidden, state;
  bool projects;

  explicit RnnGeometry(const RnnParams& p);
  RnnGeometry(const RnnParams& p, const Shape& data);

  bool is_lstm() const { return mode == RnnMode::lstm; }
  bool is_gru() const { return mode == RnnMode::gru; }
  int64_t gates() const { return is_lstm() ? 4 * hidden : is_gru() ? 3 * hidden : hidden; }
  int64_t width() const { return directions * state; }  // of a layer's output
  int64_t input_of(int64_t layer) const { return layer == 0 ? input : width(); }
  int64_t steps() const { return time * batch; }

  struct Weights {
    int64_t i2h, h2h, h2r, i2h_bias, h2h_bias;  // offsets
  };
  Weights weights(int64_t layer, int64_t direction) const;
  int64_t num_parameters() const;

  // Offsets of one layer's and direction's part. Rows are in order of time: a state before each step and one
  // after the last, or in the reverse direction one after each step and one before the first.
  struct Reserve {
    int64_t gates;   // (time, batch, gates): the activated gates
    int64_t states;  // (time + 1, batch, state)
    int64_t cells;   // LSTM: (time + 1, batch, hidden)
    int64_t hidden;  // projection: (time, batch, hidden), the output before it; GRU: the state's part in the new gate
  };
  Reserve reserve(int64_t layer, int64_t direction) const;
  int64_t layer_output(int64_t layer) const;  // (time, batch, width), of all layers but the last
  int64_t reserve_size() const;
  Shape mask_shape(float p) const;

 private:
  int64_t reserve_per_direction() const;
};

// ---- One step of each kind of cell, for numbers in kernels and for Exprs in gradients.

template <class T>
struct LstmGates {
  T i, f, g, o;

  static LstmGates activate(const T& i, const T& f, const T& g, const T& o) {
    return {sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)};
  }
  T cell(const T& before) const { return f * before + i * g; }
  // The gradient of the cell from that of h = o tanh(cell).
  T cell_gradient(const T& dh, const T& tanh_cell) const { return dh * o * (1 - tanh_cell * tanh_cell); }
  LstmGates gradient(const T& dh, const T& dcell, const T& before, const T& tanh_cell) const {
    return {dcell * g * (i * (1 - i)), dcell * before * (f * (1 - f)), dcell * i * (1 - g * g),
            dh * tanh_cell * (o * (1 - o))};
  }
};

template <class T>
struct GruGates {
  T r, z, n;

  // `state` is the state's part in the new gate, before the reset gate scales it.
  static GruGates activate(const T& r, const T& z, const T& n, const T& state) {
    T reset = sigmoid(r);
    return {reset, sigmoid(z), tanh(n + reset * state)};
  }
  T output(const T& before) const { return n + z * (before - n); }
  GruGates gradient(const T& dh, const T& before, const T& state) const {
    T dn = dh * (1 - z) * (1 - n * n);
    return {dn * state * (r * (1 - r)), dh * (before - n) * (z * (1 - z)), dn};
  }
};

}  // namespace mxnet
