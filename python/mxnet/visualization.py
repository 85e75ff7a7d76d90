"""Pictures and tables of symbols."""
import collections
import json
import math
import warnings

from .symbol import Symbol

__all__ = ["plot_network", "print_summary"]

_PARAMETERS = ("_weight", "_bias", "_gamma", "_beta", "_parameters", "_moving_mean", "_moving_var", "_moving_inv_var",
               "_running_mean", "_running_var")
# A color for each kind of node, from a palette that tells neighbours apart.
_COLORS = {"null": "#8dd3c7", "Convolution": "#fb8072", "FullyConnected": "#fb8072", "Activation": "#ffffb3",
           "LeakyReLU": "#ffffb3", "BatchNorm": "#bebada", "Pooling": "#80b1d3", "Concat": "#fdb462",
           "Flatten": "#fdb462", "Reshape": "#fdb462", "Softmax": "#b3de69"}
_OTHER_COLOR = "#fccde5"


def _check(what, symbol):
    if not isinstance(symbol, Symbol):
        raise TypeError(f"{what}: symbol must be a Symbol, got {type(symbol).__name__}")


def _is_parameter(node):
    return node["op"] == "null" and node["name"].endswith(_PARAMETERS)


def _output_shapes(symbol, shape, what):
    """Shapes of all outputs of all nodes by name."""
    internals = symbol.get_internals()
    shapes = internals.infer_shape(**shape)[1]
    if shapes is None:
        raise ValueError(f"{what}: shape does not tell the shapes of all inputs, got {shape}")
    return dict(zip(internals.list_outputs(), shapes))


def _output_types(symbol, dtype, what):
    """Names of the element types of all outputs of all nodes by name."""
    internals = symbol.get_internals()
    types = internals.infer_type(**dtype)[1]
    if types is None:
        raise ValueError(f"{what}: dtype does not tell the element types of all inputs, got {dtype}")
    return {name: kind.__name__ for name, kind in zip(internals.list_outputs(), types)}


def _warn_of_common_names(nodes):
    """Two nodes of one name are one to graphviz."""
    names = [node["name"] for node in nodes]
    repeated = sorted(name for name, count in collections.Counter(names).items() if count > 1)
    if repeated:
        warnings.warn(f"plot_network: several nodes have the same name, so that the drawing may have cycles: "
                      f"{', '.join(repeated)}", stacklevel=3)


def _shape_of(node, shapes):
    """Shape of a node's first output without the batch, or None."""
    for suffix in ("", "_output", "_output0"):
        if node["name"] + suffix in shapes:
            return shapes[node["name"] + suffix][1:]
    return None


def print_summary(symbol, shape=None, line_length=120, positions=(.44, .64, .74, 1.)):
    """Prints a table of the layers: output shape, number of parameters, what comes before.

    Parameters
    ----------
    symbol : Symbol
        The network.
    shape : dict of str to tuple, optional
        Shapes of the inputs; without them there are no shapes and no numbers.
    line_length : int
        Characters of a line.
    positions : sequence of float
        Where columns end, as fractions of it, or as numbers of characters.

    Examples
    --------
    >>> net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3, name="fc")
    >>> mx.viz.print_summary(net, {"data": (1, 4)})
    """
    _check("print_summary", symbol)
    shapes = _output_shapes(symbol, shape, "print_summary") if shape is not None else {}
    nodes = json.loads(symbol.tojson())["nodes"]
    if positions[-1] <= 1:
        positions = [int(line_length * p) for p in positions]

    def row(*fields):
        line = ""
        for field, end in zip(fields, positions):
            line = (line + str(field))[:end].ljust(end)
        print(line)

    print("_" * line_length)
    row("Layer (type)", "Output Shape", "Param #", "Previous Layer")
    print("=" * line_length)
    total, last = 0, len(nodes) - 1
    auxiliary = set(symbol.list_auxiliary_states())
    for i, node in enumerate(nodes):
        if node["op"] == "null" and i > 0:  # of the variables only the first has a row, as in 1.x
            continue
        inputs = [nodes[entry[0]] for entry in node["inputs"]]
        own = [n for n in inputs if _is_parameter(n) and n["name"] not in auxiliary]
        count = sum(math.prod(shapes[n["name"]]) for n in own if n["name"] in shapes)
        total += count
        before = [n["name"] for n in inputs if n["op"] != "null" or n is nodes[0]]
        out = _shape_of(node, shapes)
        row(f"{node['name']}({node['op']})", "" if out is None else "x".join(map(str, out)), count,
            before[0] if before else "")
        for name in before[1:]:
            row("", "", "", name)
        print(("=" if i == last else "_") * line_length)
    print(f"Total params: {total}")
    print("_" * line_length)


def _label(node):
    """What stands in a node's box: for the usual layers their main parameters."""
    op, attrs = node["op"], node.get("attrs", {})

    def numbers(key, default="1"):
        return "x".join(part.strip() for part in attrs.get(key, default).strip("()[]").split(",") if part.strip()) \
            or default

    if op == "Convolution":
        return f"Convolution\n{numbers('kernel')}/{numbers('stride')}, {attrs.get('num_filter', '')}"
    if op == "FullyConnected":
        return f"FullyConnected\n{attrs.get('num_hidden', '')}"
    if op in ("Activation", "LeakyReLU"):
        return f"{op}\n{attrs.get('act_type', '')}"
    if op == "Pooling":
        return f"Pooling\n{attrs.get('pool_type', 'max')}, {numbers('kernel')}/{numbers('stride')}"
    return node["name"]


def plot_network(symbol, title="plot", save_format="pdf", shape=None, dtype=None, node_attrs=None, hide_weights=True):
    """A drawing of the network, as a `graphviz.Digraph`.

    Parameters
    ----------
    symbol : Symbol
        The network.
    title : str
        Name of the file that its ``render`` writes.
    save_format : str
        ``'pdf'``, ``'png'`` and so on.
    shape : dict of str to tuple, optional
        Shapes of the inputs; edges then show the shapes that pass them.
    dtype : dict of str to str or numpy.dtype, optional
        Element types of the inputs; where there are shapes, edges then show the types too.
    node_attrs : dict, optional
        Attributes of the boxes, for graphviz.
    hide_weights : bool
        Whether to leave out parameters.

    Raises
    ------
    ImportError
        When the package graphviz is not installed.

    Examples
    --------
    >>> mx.viz.plot_network(net, shape={"data": (1, 3, 32, 32)}).render("net")  # doctest: +SKIP
    """
    try:
        from graphviz import Digraph
    except ImportError:
        raise ImportError("plot_network draws with the package graphviz: pip install 'mxnet[plot]'") from None
    _check("plot_network", symbol)
    shapes = _output_shapes(symbol, shape, "plot_network") if shape is not None else {}
    types = _output_types(symbol, dtype, "plot_network") if shape is not None and dtype is not None else {}
    style = {"shape": "box", "fixedsize": "true", "width": "1.3", "height": "0.8034", "style": "filled",
             **(node_attrs or {})}
    graph = Digraph(name=title, format=save_format)
    nodes = json.loads(symbol.tojson())["nodes"]
    _warn_of_common_names(nodes)
    hidden = {i for i, node in enumerate(nodes) if hide_weights and _is_parameter(node)}
    for i, node in enumerate(nodes):
        if i in hidden:
            continue
        variable = node["op"] == "null"
        graph.node(name=node["name"], label=node["name"] if variable else _label(node),
                   **{**style, "fillcolor": _COLORS.get(node["op"], _OTHER_COLOR),
                      **({"shape": "oval"} if variable else {})})
    for i, node in enumerate(nodes):
        if i in hidden:
            continue
        for source, index, *_ in node["inputs"]:
            if source in hidden:
                continue
            before = nodes[source]
            label = ""
            for name in (f"{before['name']}_output{index}", f"{before['name']}_output", before["name"]):
                if name in shapes:
                    label = "x".join(map(str, shapes[name][1:])) + (f"({types[name]})" if types else "")
                    break
            graph.edge(tail_name=node["name"], head_name=before["name"], dir="back", arrowtail="open", label=label)
    return graph
