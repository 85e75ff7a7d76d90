"""The passes that make a graph better before it runs: what there is, switches, and what each does.

All are on at the start, but for those that the environment variable MXNET_GRAPH_PASSES_OFF names, separated by
commas. Graphs that run already stay as they are when a switch changes.
"""
import contextlib

from .. import _core

__all__ = ["list_passes", "optimize", "report", "switched"]


def list_passes():
    """The passes in their order: dicts of name, doc, inference_only and on.

    Examples
    --------
    >>> [p["name"] for p in mx.sym.passes.list_passes()][:3]
    ['identities', 'common', 'batch_norm']
    """
    return [dict(zip(("name", "doc", "inference_only", "on"), item)) for item in _core.graph_passes()]


@contextlib.contextmanager
def switched(**switches):
    """A ``with`` block in which passes are on or off, for graphs that run for the first time there.

    Raises
    ------
    ValueError
        When there is no such pass.

    Examples
    --------
    >>> with mx.sym.passes.switched(batch_norm=False):
    ...     pass
    """
    before = {p["name"]: p["on"] for p in list_passes()}
    try:
        for name, on in switches.items():
            _core.switch_graph_pass(name, on)
        yield
    finally:
        for name, on in before.items():
            _core.switch_graph_pass(name, on)


def _known(symbol, shapes):
    """Shapes and dtypes of all variables, where those of the inputs are given; nothing if they are not."""
    if not shapes:
        return {}
    shapes_of, _, states = symbol.infer_shape(**shapes)
    names = symbol.list_arguments() + symbol.list_auxiliary_states()
    dtypes, _, state_dtypes = symbol.infer_type_partial()
    return {name: (shape, dtype or "float32")
            for name, shape, dtype in zip(names, shapes_of + states, dtypes + state_dtypes)}


def optimize(symbol, training=False, passes=None, **shapes):
    """The symbol after the passes that are on, or those named.

    Parameters
    ----------
    symbol : Symbol
        The graph.
    training : bool
        Whether it is for training, where fewer passes apply.
    passes : list of str, optional
        Names of passes to run, whatever their switches.
    **shapes : tuple of int
        Shapes of inputs by name; some passes run only where shapes are known.

    Examples
    --------
    >>> x = mx.sym.var("x")
    >>> mx.sym.passes.optimize(mx.sym.exp(x) * mx.sym.exp(x)).get_internals().list_outputs()
    ['x', 'exp0_output', '_mul0_output']
    """
    return _core.optimize_symbol(symbol, training, list(passes or ()), _known(symbol, shapes))[0]


def report(symbol, training=False, **shapes):
    """What the passes do to a graph: the number of nodes before and after each, and the graph before and after all.

    Examples
    --------
    >>> print(mx.sym.passes.report(mx.sym.var("x") + 1).splitlines()[0])
    identities: 2 -> 2 nodes
    """
    after, steps = _core.optimize_symbol(symbol, training, [], _known(symbol, shapes))
    lines = [f"{name}: {count} -> {left} nodes" for name, count, left in steps]
    return "\n".join([*lines, "", "before:", symbol.debug_str(), "after:", after.debug_str()])
