"""Recurrent networks."""
import numpy as np
from scipy.special import expit

from . import arr, sample

GATES = {"lstm": 4, "gru": 3, "rnn_relu": 1, "rnn_tanh": 1}


def _size(inputs, hidden, layers, directions, mode, projection=None):
    state, gates = projection or hidden, GATES[mode] * hidden
    total = 0
    for layer in range(layers):
        width = inputs if layer == 0 else state * directions
        total += directions * (gates * (width + state + 2) + (projection or 0) * hidden)
    return total


class _Network:
    """The forward pass, one step after the other."""

    def __init__(self, mode="lstm", state_size=None, num_layers=1, bidirectional=False, projection_size=None,
                 state_outputs=False, use_sequence_length=False, p=0, lstm_state_clip_min=None,
                 lstm_state_clip_max=None, lstm_state_clip_nan=False):
        self.mode, self.hidden, self.layers, self.directions = mode, state_size, num_layers, 1 + bidirectional
        self.projection, self.state_outputs, self.use_length = projection_size, state_outputs, use_sequence_length
        self.low = -np.inf if lstm_state_clip_min is None else lstm_state_clip_min
        self.high = np.inf if lstm_state_clip_max is None else lstm_state_clip_max

    def __call__(self, data, parameters, state, *rest):
        rest = [x for x in rest if x is not None]
        cell = rest.pop(0) if self.mode == "lstm" else None
        length = rest[0].astype(int) if self.use_length else np.full(data.shape[1], data.shape[0])
        state, cell = state.copy(), None if cell is None else cell.copy()
        x = data
        for weights in self._unpack(parameters, data.shape[2]):
            outputs = []
            for direction, w in weights:
                index = len(self.done)
                outputs.append(self._run(x, w, direction, state[index], None if cell is None else cell[index], length))
                self.done.append(index)
            x = np.concatenate(outputs, axis=2)
        results = [x, state] + ([cell] if cell is not None else [])
        return results if self.state_outputs else x

    def _unpack(self, parameters, inputs):
        gates, state = GATES[self.mode] * self.hidden, self.projection or self.hidden
        at, self.done = 0, []

        def take(*shape):
            nonlocal at
            at += int(np.prod(shape))
            return parameters[at - int(np.prod(shape)):at].reshape(shape)

        layers = []
        for layer in range(self.layers):
            width = inputs if layer == 0 else state * self.directions
            layers.append([])
            for direction in range(self.directions):
                w = {"x": take(gates, width), "h": take(gates, state)}
                if self.projection:
                    w["r"] = take(self.projection, self.hidden)
                layers[-1].append((direction, w))
        for layer in layers:
            for _, w in layer:
                w["bx"], w["bh"] = take(gates), take(gates)
        return layers

    def _run(self, x, w, direction, h, c, length):
        outputs = np.zeros((*x.shape[:2], h.shape[1]))
        for t in range(len(x)) if direction == 0 else reversed(range(len(x))):
            on = (t < length)[:, None]
            new_h, new_c = self._step(x[t] @ w["x"].T + w["bx"], h @ w["h"].T + w["bh"], h, c)
            if self.projection:
                new_h = new_h @ w["r"].T
            outputs[t] = np.where(on, new_h, 0)
            h[:] = np.where(on, new_h, h)
            if c is not None:
                c[:] = np.where(on, new_c, c)
        return outputs

    def _step(self, a, b, h, c):
        if self.mode == "lstm":
            i, f, g, o = np.split(a + b, 4, axis=1)
            c = np.clip(expit(f) * c + expit(i) * np.tanh(g), self.low, self.high)
            return expit(o) * np.tanh(c), c
        if self.mode == "gru":
            (ar, az, an), (br, bz, bn) = np.split(a, 3, axis=1), np.split(b, 3, axis=1)
            z = expit(az + bz)
            return (1 - z) * np.tanh(an + expit(ar + br) * bn) + z * h, None
        return np.tanh(a + b) if self.mode == "rnn_tanh" else np.maximum(a + b, 0), None


def _rnn(time, batch, inputs, length=None, scale=0.6, **params):
    params = {"num_layers": 1, "mode": "lstm", "state_size": 3, **params}
    directions, layers, hidden = 1 + params.get("bidirectional", False), params["num_layers"], params["state_size"]
    projection, mode = params.get("projection_size"), params["mode"]
    size = _size(inputs, hidden, layers, directions, mode, projection)
    arrays = [arr(time, batch, inputs), arr(size, low=-scale, high=scale),
              arr(layers * directions, batch, projection or hidden)]
    if mode == "lstm":
        arrays.append(arr(layers * directions, batch, hidden))
    if length is not None:
        params["use_sequence_length"] = True
        arrays += [None] * (4 - len(arrays)) + [np.array(length, "int32")]
    # On CPUs 1.9.1 does not heed lengths and bounds of the cell state.
    golden = False if length is not None or "lstm_state_clip_max" in params else None
    return sample("RNN", arrays, params, ref=_Network(**params), golden=golden, tol=(1e-3, 1e-4))


MODES = ("rnn_relu", "rnn_tanh", "lstm", "gru")

SAMPLES = [
    *[_rnn(4, 3, 5, mode=mode) for mode in MODES],
    *[_rnn(3, 2, 4, mode=mode, num_layers=2, bidirectional=True, state_outputs=True) for mode in MODES],
    *[_rnn(4, 3, 2, mode=mode, num_layers=3, state_outputs=True) for mode in ("rnn_tanh", "lstm", "gru")],
    *[_rnn(4, 3, 2, [2, 4, 1], mode=mode, num_layers=2, bidirectional=True, state_outputs=True)
      for mode in ("rnn_tanh", "lstm", "gru")],
    _rnn(3, 2, 4, projection_size=2, state_outputs=True),
    _rnn(3, 2, 4, projection_size=2, num_layers=2, bidirectional=True),
    _rnn(4, 3, 4, [0, 4, 3], projection_size=2, state_outputs=True),
    _rnn(4, 3, 4, state_outputs=True, lstm_state_clip_min=-0.2, lstm_state_clip_max=0.3),
    _rnn(4, 3, 4, state_outputs=True, lstm_state_clip_max=0.1, lstm_state_clip_nan=True),
    _rnn(3, 2, 4, num_layers=2, p=0.5, state_outputs=True),
    _rnn(1, 1, 1, state_size=1),
    _rnn(5, 4, 20, state_size=33, mode="gru", scale=0.2),
    _rnn(5, 4, 20, state_size=33, num_layers=2, scale=0.2),
    _rnn(0, 2, 3, state_outputs=True),
    sample("_rnn_param_concat", [arr(2), arr(3), arr(4)], {"dim": 0}, ref=lambda *x: np.concatenate(x)),
    sample("_rnn_param_concat", [arr(2, 2), arr(2, 3)], ref=lambda *x: np.concatenate(x, 1)),
]
