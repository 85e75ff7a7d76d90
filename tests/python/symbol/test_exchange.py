"""Networks saved by MXNet 1.9.1 (tests/golden/record_graphs.py, exchange.py) load and give the same outputs."""
import json
import pathlib

import exchange_cases
import numpy as np
import pytest

import mxnet as mx

FOLDER = pathlib.Path(__file__).parents[2] / "golden" / "files" / "graphs"
NETWORKS = ("lenet", "resnet", "lstm", "ssd")


def contents(name):
    with np.load(FOLDER / f"{name}.npz") as file:
        inputs = {key[3:]: mx.nd.array(value) for key, value in file.items() if key.startswith("in_")}
        outputs = [file[f"out_{i}"] for i in range(len(file.files) - len(inputs))]
    return inputs, outputs


@pytest.mark.parametrize("name", NETWORKS)
def test_executor(name):
    inputs, want = contents(name)
    symbol = mx.sym.load(str(FOLDER / f"{name}-symbol.json"))
    saved = mx.nd.load(str(FOLDER / f"{name}-0000.params"))
    executor = symbol.simple_bind(mx.cpu(), grad_req="null", **{k: v.shape for k, v in inputs.items()})
    executor.copy_params_from({k[4:]: v for k, v in saved.items() if k.startswith("arg:")},
                              {k[4:]: v for k, v in saved.items() if k.startswith("aux:")})
    for have, w in zip(executor.forward(**inputs), want, strict=True):
        np.testing.assert_allclose(have.asnumpy(), w, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_symbol_block(name):
    inputs, want = contents(name)
    names = [*inputs, "softmax_label"] if name == "lenet" else list(inputs)
    given = [*inputs.values(), mx.nd.zeros((2,))] if name == "lenet" else list(inputs.values())
    net = mx.gluon.SymbolBlock.imports(str(FOLDER / f"{name}-symbol.json"), names,
                                       str(FOLDER / f"{name}-0000.params"))
    outputs = net(*given)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for have, w in zip(outputs, want, strict=True):
        np.testing.assert_allclose(have.asnumpy(), w, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_written_as_it_was_read(name):
    text = (FOLDER / f"{name}-symbol.json").read_text()
    have, want = json.loads(mx.sym.load_json(text).tojson()), json.loads(text)
    for graph in (have, want):
        del graph["node_row_ptr"]  # counts outputs that nobody sees, of which there are more in 1.9.1
    assert have == want


@pytest.mark.parametrize("name", exchange_cases.FAMILIES)
def test_zoo(name):
    """A network of each family: the graph that 1.9.1 wrote is the one made here, and gives its outputs."""
    recorded = exchange_cases.recorded()[name]
    symbol, shapes = mx.sym.load_json(recorded["symbol"]), exchange_cases.input_shapes(name)
    args, aux = exchange_cases.values_for(mx, symbol, shapes)
    want = np.array(recorded["out"])
    have, = exchange_cases.outputs_of(mx, symbol, args, aux)
    np.testing.assert_allclose(have, want, rtol=1e-3, atol=1e-4 * np.abs(want).max())
    own = exchange_cases.symbol_of(mx, name)
    assert own.list_inputs() == symbol.list_inputs()
    graphs = [json.loads(s.tojson()) for s in (own, symbol)]
    assert graphs[0] == graphs[1]
