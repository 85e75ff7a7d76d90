#include "mxnet/ops/rnn.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/rnn_gradient.h"

namespace mxnet {

RnnGeometry::RnnGeometry(const RnnParams& p)
    : mode(p.mode),
      layers(p.num_layers),
      directions(p.bidirectional ? 2 : 1),
      hidden(p.state_size),
      state(p.projection_size.value_or(p.state_size)),
      projects(p.projection_size.has_value()) {}

RnnGeometry::RnnGeometry(const RnnParams& p, const Shape& data) : RnnGeometry(p) {
  time = data[0], batch = data[1], input = data[2];
}

RnnGeometry::Weights RnnGeometry::weights(int64_t layer, int64_t direction) const {
  int64_t h2h = gates() * state, h2r = projects ? state * hidden : 0;
  auto per_direction = [&](int64_t l) { return gates() * input_of(l) + h2h + h2r; };
  int64_t later = layer > 0 ? directions * (per_direction(0) + (layer - 1) * per_direction(1)) : 0;
  int64_t all = directions * (per_direction(0) + (layers - 1) * per_direction(1));
  Weights w;
  w.i2h = later + direction * per_direction(layer);
  w.h2h = w.i2h + gates() * input_of(layer);
  w.h2r = w.h2h + h2h;
  w.i2h_bias = all + (layer * directions + direction) * 2 * gates();
  w.h2h_bias = w.i2h_bias + gates();
  return w;
}

int64_t RnnGeometry::num_parameters() const { return weights(layers - 1, directions - 1).h2h_bias + gates(); }

int64_t RnnGeometry::reserve_per_direction() const {
  int64_t cells = is_lstm() ? (time + 1) * batch * hidden : 0;
  return steps() * gates() + (time + 1) * batch * state + cells + (projects || is_gru() ? steps() * hidden : 0);
}

RnnGeometry::Reserve RnnGeometry::reserve(int64_t layer, int64_t direction) const {
  Reserve r;
  r.gates = (layer * directions + direction) * reserve_per_direction();
  r.states = r.gates + steps() * gates();
  r.cells = r.states + (time + 1) * batch * state;
  r.hidden = r.cells + (is_lstm() ? (time + 1) * batch * hidden : 0);
  return r;
}

int64_t RnnGeometry::layer_output(int64_t layer) const {
  return layers * directions * reserve_per_direction() + layer * steps() * width();
}

int64_t RnnGeometry::reserve_size() const { return layer_output(layers - 1); }

Shape RnnGeometry::mask_shape(float p) const {
  return p > 0 && layers > 1 ? Shape{layers - 1, time, batch, width()} : Shape{0};
}

namespace {

void check_params(const RnnParams& p, InferContext& c) {
  if (p.state_size < 1) c.fail("state_size is ", p.state_size, ", must be at least 1");
  if (p.num_layers < 1) c.fail("num_layers is ", p.num_layers, ", must be at least 1");
  if (!(p.p >= 0 && p.p <= 1)) c.fail("p is ", p.p, ", expected a fraction in [0, 1]");
  if (p.projection_size && p.mode != RnnMode::lstm) c.fail("projection_size is for mode 'lstm' only");
  if (p.projection_size && *p.projection_size < 1)
    c.fail("projection_size is ", *p.projection_size, ", must be at least 1");
  if (p.clips() && p.mode != RnnMode::lstm)
    c.fail("lstm_state_clip_min and lstm_state_clip_max are for mode 'lstm' only");
  if (p.clip_min() > p.clip_max())
    c.fail("lstm_state_clip_min ", p.clip_min(), " is larger than lstm_state_clip_max ", p.clip_max());
}

void check_arrays(const RnnParams& p, InferContext& c) {
  DType dtype = c.same_dtype(rnn::data, p.mode == RnnMode::lstm ? rnn::sequence_length : rnn::state_cell);
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype");
  if (p.mode == RnnMode::lstm && !c.has(rnn::state_cell)) c.fail_type("mode 'lstm' needs the array 'state_cell'");
  int length = rnn::length_input(p, c.has(rnn::state_cell));
  if (p.mode != RnnMode::lstm && c.has(rnn::state_cell) && (!p.use_sequence_length || c.has(rnn::sequence_length)))
    c.fail_type("'state_cell' is for mode 'lstm' only");
  if (p.use_sequence_length != c.has(length))
    c.fail_type(p.use_sequence_length ? "use_sequence_length needs the array 'sequence_length'"
                                      : "got 'sequence_length' without use_sequence_length=True");
}

void infer_rnn(const RnnParams& p, InferContext& c) {
  check_params(p, c);
  check_arrays(p, c);
  DType dtype = c.in(rnn::data).dtype;
  DType working = dtype == DType::float16 || dtype == DType::bfloat16 ? DType::float32 : dtype;
  c.out(rnn::output).dtype = c.out(rnn::last_state).dtype = c.out(rnn::last_cell).dtype = dtype;
  c.out(rnn::reserve).dtype = working;
  c.out(rnn::mask).dtype = DType::uint8;
  c.expect_rank(rnn::data, 3);
  c.expect_rank(rnn::parameters, 1);
  c.expect_rank(rnn::state, 3);
  RnnGeometry g(p);
  const Shape& parameters = c.shape(rnn::parameters);
  if (!c.shape(rnn::data).known() && parameters.known()) {
    // The number of parameters grows by one row of weights with each input.
    int64_t rest = parameters[0] - g.num_parameters(), row = g.directions * g.gates();
    if (rest > 0 && rest % row == 0) c.expect_shape(rnn::data, {kUnknown, kUnknown, rest / row});
  }
  Shape data = c.shape(rnn::data);
  if (!data.rank_known()) data = Shape::filled(3, kUnknown);
  g.time = data[0], g.batch = data[1], g.input = data[2];
  if (g.input >= 0) c.expect_shape(rnn::parameters, {g.num_parameters()});
  Shape state{g.layers * g.directions, g.batch, g.state}, cell{g.layers * g.directions, g.batch, g.hidden};
  c.expect_shape(rnn::state, state);
  if (g.is_lstm()) c.expect_shape(rnn::state_cell, cell);
  if (p.use_sequence_length) c.expect_shape(rnn::length_input(p, c.has(rnn::state_cell)), {g.batch});
  c.out(rnn::output).shape = {g.time, g.batch, g.width()};
  c.out(rnn::last_state).shape = state;
  c.out(rnn::last_cell).shape = g.is_lstm() ? cell : Shape{0};
  if (!data.known()) return;
  c.out(rnn::reserve).shape = {g.reserve_size()};
  c.out(rnn::mask).shape = g.mask_shape(p.p);
}

// The inputs that `_backward_RNN` takes: data, parameters, state, state_cell, sequence_length, reserve, mask, then
// the gradients of the three outputs.
void rnn_fused_gradient(const RnnParams& p, GradContext& g) {
  static const OpRef op("_backward_RNN");
  auto in = [&](int i) { return g.has(i) ? g.in(i) : Expr(); };
  bool lstm = p.mode == RnnMode::lstm;
  auto d = op.with({in(rnn::data), in(rnn::parameters), in(rnn::state), in(rnn::state_cell), in(rnn::sequence_length),
                    g.out(rnn::reserve), g.out(rnn::mask), g.dout(rnn::output), g.dout(rnn::last_state),
                    lstm ? g.dout(rnn::last_cell) : Expr()},
                   g.params());
  for (int i = rnn::data; i < (lstm ? rnn::sequence_length : rnn::state_cell); ++i)
    if (g.needs(i)) g.din(i) = d[static_cast<size_t>(i)];
}

void infer_rnn_backward(const RnnParams& p, InferContext& c) {
  for (int i = rnn::data; i <= rnn::state; ++i) c.out(i) = c.in(i);
  c.out(rnn::state_cell) = p.mode == RnnMode::lstm ? c.in(rnn::state_cell) : c.in(rnn::state).with_shape({0});
}

int visible_outputs(const RnnParams& p, int) { return p.state_outputs ? (p.mode == RnnMode::lstm ? 3 : 2) : 1; }

const char* const kParameters = "All weights and biases in one vector.";

const Op& rnn_op =
    define_op<RnnParams>("RNN")
        .doc(
            "Layers of recurrent cells over (time, batch, input): vanilla cells h' = f(W x + b + R h + c) with relu or "
            "tanh, LSTM (gates i, f, g, o) or GRU (gates r, z, n). Gives (time, batch, directions * state) and with "
            "state_outputs the last states. `parameters` holds W (i2h) and R (h2h) of each layer and direction, then "
            "both biases of each.")
        .input("data", "Array (time, batch, input).")
        .input("parameters", kParameters)
        .input("state", "First hidden states (layers * directions, batch, state).")
        .optional_input("state_cell", "LSTM only: first cell states (layers * directions, batch, state_size).")
        .optional_input("sequence_length", "With use_sequence_length, the length of each sequence (batch,).")
        .outputs(5)
        .visible_of(visible_outputs)
        .output_names(
            [](const RnnParams&) { return std::vector<std::string>{"output", "state_output", "statecell_output"}; })
        .infer(infer_rnn)
        .gradient(rnn_gradient)
        .fast_gradient(rnn_fused_gradient)
        .grad_uses(true, true, rnn::reserve)
        .random_if([](const RnnParams& p, bool training) { return training && p.p > 0 && p.num_layers > 1; })
        .uses_training()
        .heavy();

const Op& rnn_backward_op = define_op<RnnParams>("_backward_RNN")
                                .doc("Gradients of RNN for data, parameters and states in one kernel.")
                                .input("data", "Input of the operator.")
                                .input("parameters", kParameters)
                                .input("state", "Its first hidden states.")
                                .optional_input("state_cell", "Its first cell states.")
                                .optional_input("sequence_length", "Its lengths.")
                                .input("reserve", "What the forward pass left.")
                                .input("mask", "What was dropped between layers.")
                                .input("dout", "Gradient of the output.")
                                .input("dlast_state", "Gradient of the last hidden states.")
                                .optional_input("dlast_cell", "Gradient of the last cell states.")
                                .outputs(4)
                                .infer(infer_rnn_backward)
                                .heavy();

}  // namespace
}  // namespace mxnet
