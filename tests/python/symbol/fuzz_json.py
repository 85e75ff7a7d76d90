"""Damages graphs in JSON and reads, infers, writes and runs what is left: each time a plain error, or it works.

    python fuzz_json.py SECONDS SEED FILE

FILE holds the text that is tried, so that it is there after a crash. Prints how many texts were tried and how many of
them were read.
"""
import copy
import json
import pathlib
import random
import resource
import sys
import time
import warnings

import mxnet as mx

GRAPHS = pathlib.Path(__file__).parents[2] / "golden" / "files" / "graphs"
SHAPES = {"lenet": {"data": (2, 1, 10, 10)}, "resnet": {"data": (2, 3, 8, 8)}, "ssd": {"data": (2, 3, 6, 6)},
          "lstm": {"data": (2, 3, 5), "h": (2, 4), "c": (2, 4)}, "loops": {"x": (3, 2)}}
VALUES = ["", "0", "-1", "1", "2", "3", "7", "1000", "2147483647", "-2147483648", "4294967296", "1e30", "nan", "inf",
          "True", "False", "None", "()", "(0,)", "(1, 1)", "(3, 3)", "(-1, 2)", "(1000000, 1000000)", "(2, 2, 2, 2, 2)",
          "[1]", "relu", "max", "float16", "int8", "float64", "a" * 500, "\u00e9", "{", "0.5"]
NUMBERS = [-1, 0, 1, 2, 3, 5, 17, 10**6, 2**31 - 1, 2**31, 2**63, -2**31, 0.5, 1e308, None, "1", [], {}, True]
LARGEST = 10**6  # elements of an array of a graph that is run


def loops():
    x = mx.sym.var("x")
    out, states = mx.sym.contrib.foreach(lambda a, s: (a + s[0], [a * s[0]]), x, [mx.sym.sum(x, axis=0)])
    y, z = mx.sym.contrib.while_loop(lambda i, s: i < 3, lambda i, s: (s + i, [i + 1, s * 2]),
                                     [mx.sym.sum(x) * 0, mx.sym.sum(x)], max_iterations=4)
    w = mx.sym.contrib.cond(mx.sym.sum(x) > 0, lambda: mx.sym.sum(x), lambda: mx.sym.sum(x) * 2)
    return mx.sym.Group([out, states[0], y, *z, w]).tojson()


def places(value, path=()):
    """Paths of all values in nested JSON."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def damaged_tree(graph, operators, rand):
    graph = copy.deepcopy(graph)
    for _ in range(rand.choice([1, 1, 1, 2, 4])):
        path = rand.choice([p for p in places(graph) if p])
        parent = graph
        for key in path[:-1]:
            parent = parent[key]
        key, value = path[-1], parent[path[-1]]
        kind = rand.random()
        if kind < 0.15:
            del parent[key]
        elif kind < 0.25 and isinstance(parent, list):
            parent.insert(key, copy.deepcopy(rand.choice(parent)))
        elif kind < 0.35 and isinstance(parent, list):
            rand.shuffle(parent)
        elif isinstance(value, str):
            parent[key] = rand.choice(operators) if key == "op" else rand.choice(VALUES)
        elif isinstance(value, (int, float)):
            parent[key] = rand.choice([*NUMBERS, value + 1, value - 1])
        else:
            parent[key] = rand.choice(NUMBERS)
    return json.dumps(graph)


def damaged_text(text, rand):
    for _ in range(rand.choice([1, 2, 5])):
        if not text:
            break
        at = rand.randrange(len(text))
        kind = rand.random()
        if kind < 0.4:
            text = text[:at] + chr(rand.choice([rand.randrange(32, 127), 0, 0xE9, 0x1F600])) + text[at + 1:]
        elif kind < 0.6:
            text = text[:at] + text[at + rand.randrange(1, 40):]
        elif kind < 0.8:
            text = text[:at] + text[rand.randrange(len(text)):][:rand.randrange(1, 60)] + text[at:]
        else:
            text = text[:max(at, 1)]
    return text


def size(shape):
    total = 1
    for extent in shape:
        total *= max(extent, 1)
    return total


def use(symbol, shapes):
    """What a program may do with a graph that was read."""
    mx.sym.load_json(symbol.tojson())
    symbol.list_outputs(), symbol.attr_dict(), symbol.debug_str(), symbol.get_internals().list_outputs()
    names = symbol.list_arguments()
    symbol.infer_type_partial()
    given = {name: shape for name, shape in shapes.items() if name in names}
    inner = symbol.get_internals().infer_shape_partial(**given)
    if any(size(shape) > LARGEST for found in inner for shape in found) or '"_while_loop"' in symbol.tojson():
        return
    executor = symbol.simple_bind(mx.cpu(), **given)
    for out in executor.forward(is_train=True):
        out.wait_to_read()
    executor.backward([mx.nd.ones_like(out) for out in executor.outputs])
    for gradient in executor.grad_arrays:
        if gradient is not None:
            gradient.wait_to_read()


def main(seconds, seed, file):
    rand = random.Random(seed)
    warnings.simplefilter("ignore")
    mx._core.set_memory_limit(1, 0, 2 * 2**30)  # of the CPU
    resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, 12 * 2**30))
    texts = {name: (GRAPHS / f"{name}-symbol.json").read_text() for name in SHAPES if name != "loops"}
    texts["loops"] = loops()
    graphs = {name: json.loads(text) for name, text in texts.items()}
    operators = sorted(mx.operator.get_all_registered_operators())
    tried = read = ran = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = rand.choice(list(texts))
        text = damaged_tree(graphs[name], operators, rand) if rand.random() < 0.7 else damaged_text(texts[name], rand)
        pathlib.Path(file).write_text(text, encoding="utf-8", errors="surrogatepass")
        tried += 1
        try:
            symbol = mx.sym.load_json(text)
            read += 1
            use(symbol, SHAPES[name])
            ran += 1
        except mx.MXNetError as error:
            if not str(error).strip():
                raise AssertionError("an error without a text") from error
    print(f"{tried} texts, {read} read, {ran} used")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
