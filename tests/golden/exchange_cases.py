"""Networks that go through files between MXNet 1.9.1 and this package (see exchange.py).

Every function takes the `mxnet` module as `mx`. Parameters follow from the graph and a seed, so that they need not be
stored.
"""
import gzip
import json
import pathlib

import numpy as np
import zoo_cases

FILE = pathlib.Path(__file__).parent / "exchange.json.gz"
GRAPHS = pathlib.Path(__file__).parent / "files" / "graphs"

# One network of each family of the zoo.
FAMILIES = ("alexnet", "densenet121", "inceptionv3", "mobilenet0.25", "mobilenetv2_0.25", "resnet18_v1", "resnet18_v2",
            "squeezenet1.0", "vgg11", "vgg11_bn")
OTHERS = ("lstm", "ssd")  # small ones, recorded by record_graphs.py


def input_shapes(name):
    if name in OTHERS:
        with np.load(GRAPHS / f"{name}.npz") as file:
            return {key[3:]: file[key].shape for key in file.files if key.startswith("in_")}
    return {"data": (2, 3, zoo_cases.RUN[name], zoo_cases.RUN[name])}


def symbol_of(mx, name):
    """The graph as this package, or 1.9.1, makes it."""
    if name in OTHERS:
        return mx.sym.load(str(GRAPHS / f"{name}-symbol.json"))
    with mx.name.NameManager():
        net = mx.gluon.model_zoo.vision.get_model(name, classes=10)
    return net(mx.sym.var("data"))


def values_for(mx, symbol, shapes):
    """Reproducible arguments and auxiliary states, NumPy arrays by name."""
    random = np.random.RandomState(11)
    arg_shapes, _, aux_shapes = symbol.infer_shape(**shapes)

    def value(name, shape):
        if name in shapes:
            return random.uniform(-1, 1, shape)
        if name.endswith("weight"):
            return random.standard_normal(shape) * np.sqrt(2 / max(1, np.prod(shape[1:])))
        if name.endswith(("gamma", "var")):
            return random.uniform(0.8, 1.2, shape)
        return random.uniform(-0.1, 0.1, shape)

    args = {name: value(name, shape).astype("float32") for name, shape in zip(symbol.list_arguments(), arg_shapes)}
    aux = {name: value(name, shape).astype("float32")
           for name, shape in zip(symbol.list_auxiliary_states(), aux_shapes)}
    return args, aux


def outputs_of(mx, symbol, args, aux):
    """Outputs for inference, a list of NumPy arrays."""
    arrays = {name: mx.nd.array(value) for name, value in args.items()}
    states = {name: mx.nd.array(value) for name, value in aux.items()}
    executor = symbol.bind(mx.cpu(), arrays, aux_states=states, grad_req="null")
    return [out.asnumpy() for out in executor.forward(is_train=False)]


def recorded():
    """Graphs that 1.9.1 wrote and its outputs, by name."""
    return json.loads(gzip.decompress(FILE.read_bytes()))


def record(mx):
    """Writes FILE, with 1.9.1."""
    found = {}
    for name in FAMILIES:
        symbol = symbol_of(mx, name)
        out, = outputs_of(mx, symbol, *values_for(mx, symbol, input_shapes(name)))
        found[name] = {"symbol": symbol.tojson(), "out": out.tolist()}
    FILE.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))


def write(mx, folder, name):
    """Saves a network with its inputs and outputs as ``NAME-symbol.json``, ``NAME-0000.params``, ``NAME.npz``."""
    symbol, shapes = symbol_of(mx, name), input_shapes(name)
    args, aux = values_for(mx, symbol, shapes)
    arrays = [{key: mx.nd.array(value) for key, value in values.items() if key not in shapes} for values in (args, aux)]
    mx.model.save_checkpoint(f"{folder}/{name}", 0, symbol, *arrays)
    outputs = outputs_of(mx, symbol, args, aux)
    np.savez(f"{folder}/{name}.npz", **{f"in_{key}": args[key] for key in shapes},
             **{f"out_{i}": out for i, out in enumerate(outputs)})


def check(mx, folder, name):
    """The greatest difference from what the writer got, relative to the greatest output: by an executor, a block and a
    module."""
    with np.load(f"{folder}/{name}.npz") as file:
        inputs = {key[3:]: file[key] for key in file.files if key.startswith("in_")}
        want = [file[f"out_{i}"] for i in range(len(file.files) - len(inputs))]
    symbol, args, aux = mx.model.load_checkpoint(f"{folder}/{name}", 0)
    executor = symbol.bind(mx.cpu(), {**args, **{key: mx.nd.array(value) for key, value in inputs.items()}},
                           aux_states=aux, grad_req="null")
    found = {"executor": [out.asnumpy() for out in executor.forward(is_train=False)]}
    block = mx.gluon.SymbolBlock.imports(f"{folder}/{name}-symbol.json", list(inputs), f"{folder}/{name}-0000.params")
    out = block(*(mx.nd.array(value) for value in inputs.values()))
    found["block"] = [o.asnumpy() for o in (out if isinstance(out, (list, tuple)) else [out])]
    if len(set(symbol.list_arguments())) == len(symbol.list_arguments()):  # modules of 1.9.1 want names of their own
        module = mx.mod.Module.load(f"{folder}/{name}", 0, data_names=list(inputs), label_names=[])
        module.bind([(key, value.shape) for key, value in inputs.items()], for_training=False)
        module.forward(mx.io.DataBatch([mx.nd.array(value) for value in inputs.values()]), is_train=False)
        found["module"] = [out.asnumpy() for out in module.get_outputs()]
    return {kind: max(float(np.abs(h - w).max() / max(np.abs(w).max(), 1e-6)) for h, w in zip(have, want, strict=True))
            for kind, have in found.items()}
