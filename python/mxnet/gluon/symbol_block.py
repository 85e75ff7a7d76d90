"""`SymbolBlock`: a block made of a symbol."""
import os

from .. import _core, ndarray, symbol
from ..symbol import Symbol
from ._graph import Graph, _flatten
from .hybrid_block import HybridBlock
from .parameter import ParameterDict

__all__ = ["SymbolBlock"]


def _common_prefix(names):
    """What all names start with."""
    return os.path.commonprefix(list(names))


class SymbolBlock(HybridBlock):
    """A block whose computation is a symbol, such as part of a network, or one read from a file.

    Parameters
    ----------
    outputs : Symbol or list of Symbol
        What it computes.
    inputs : Symbol or list of Symbol
        The variables that are its inputs; all others become parameters.
    params : ParameterDict, optional
        Parameters to share.

    Examples
    --------
    >>> data = mx.sym.var("data")
    >>> net = mx.gluon.SymbolBlock(mx.sym.FullyConnected(data, num_hidden=4, name="fc"), data)
    >>> net.initialize()
    >>> net(mx.nd.ones((2, 3))).shape
    (2, 4)
    """

    _watches_forward = False  # it is a graph already

    @staticmethod
    def imports(symbol_file, input_names, param_file=None, ctx=None, allow_missing=False, ignore_extra=False):
        """The block in the files that `HybridBlock.export` or `mx.model.save_checkpoint` wrote.

        Parameters
        ----------
        symbol_file : str
            The ``symbol.json`` file.
        input_names : str or list of str
            Names of the variables that are inputs.
        param_file : str, optional
            The ``.params`` file.
        ctx : Context or list of Context, optional
            Where to put the parameters.
        allow_missing, ignore_extra : bool
            Whether parameters may be missing in the file, or arrays in it be left over.

        Raises
        ------
        AssertionError
            For missing parameters.
        ValueError
            For arrays left over, or a file that holds no graph.

        Examples
        --------
        >>> net = mx.gluon.SymbolBlock.imports("net-symbol.json", ["data"], "net-0000.params")
        """
        outputs = symbol.load(symbol_file)
        names = [input_names] if isinstance(input_names, str) else input_names
        inputs = [symbol.var(name) for name in names]
        block = SymbolBlock(outputs, inputs)
        if param_file is not None:
            block.load_parameters(param_file, ctx, allow_missing, ignore_extra, cast_dtype=True, dtype_source="saved")
        return block

    def __init__(self, outputs, inputs, params=None):
        super().__init__(prefix=None, params=None)
        self._prefix = ""
        self._params = ParameterDict("", params)
        if isinstance(inputs, Symbol) and len(inputs) == 1:
            inputs = [inputs]
        flat_inputs, self._in_format = _flatten(list(inputs), "input")
        flat_outputs, self._out_format = _flatten(list(outputs) if isinstance(outputs, (list, tuple)) else outputs,
                                                  "output")
        for s in flat_inputs:
            if len(s.get_internals().list_outputs()) != 1:
                raise AssertionError(f"Input symbols must be variable, but {s} is an output of operators")
        group = flat_outputs[0] if len(flat_outputs) == 1 else symbol.Group(flat_outputs)
        names = {s.name for s in flat_inputs}
        self._add_parameters(group, names)
        self._cached_graph = flat_inputs, group
        self._flags = [("inline_limit", 2)]
        self._own = None

    def _add_parameters(self, group, inputs):
        arguments = [name for name in group.list_arguments() if name not in inputs]
        states = [name for name in group.list_auxiliary_states() if name not in inputs]
        arg_types, _, aux_types = group.infer_type_partial()
        types = dict(zip(group.list_arguments(), arg_types))
        types.update(zip(group.list_auxiliary_states(), aux_types))
        attrs = group.attr_dict()
        for name in arguments + states:
            given = {} if types.get(name) is None else {"dtype": types[name]}
            shape = attrs.get(name, {}).get("__shape__")
            if shape is not None and name not in self._params:
                given["shape"] = _shape(shape)
            if name in states:
                given["grad_req"] = "null"
            self.params.get(name, allow_deferred_init=True, **given)
        # Places in the tree are the names without what all begin with.
        prefix = _common_prefix(self.params.keys())
        prefix = prefix[:prefix.rfind("_") + 1]
        self._reg_params = {name[len(prefix):]: param for name, param in self.params.items()}

    def __repr__(self):
        inputs, outputs = self._cached_graph
        return f"{type(self).__name__}(\n{outputs!r} : {len(inputs)} -> {len(outputs)}\n)"

    def _graph_for(self, args, flat, key):
        if self._own is None:
            inputs, outputs = self._cached_graph
            self._own = Graph(inputs, outputs, self._out_format, {p.name: p for p in self.params.values()})
            self._cached_op = self._own.program
        return self._own

    def _clear_cached_op(self):
        graph = getattr(self, "_cached_graph", ()), getattr(self, "_out_format", None)
        super()._clear_cached_op()
        self._cached_graph, self._out_format = graph
        self._own = None

    def __getstate__(self):
        state = self.__dict__.copy()
        state.update(_graphs={}, _cached_op=None, _own=None)
        return state

    def _eager(self, *args):
        if _first_symbol(args) is None:
            return self._call_cached_op(*args)
        return self._symbolic(args)

    def forward(self, x, *args):
        """Runs the symbol on arrays, or puts other symbols in the place of its inputs."""
        return self._eager(x, *args)

    def _symbolic(self, args):
        inputs, outputs = self._cached_graph
        flat = [arg for arg in _flatten(args)[0] if arg is not None]
        composed = _core.symbol_compose(outputs, {s.name: arg for s, arg in zip(inputs, flat)})
        values = {param.name: param.var() for param in self.params.values()}
        composed = _core.symbol_compose(composed, values)
        if self._out_format == 0:
            return composed
        return self._nest(list(composed), self._out_format)

    def reset_ctx(self, ctx):
        """Moves the parameters to `ctx` (Context or list of Context)."""
        self.collect_params().reset_ctx(ctx)

    def cast(self, dtype):
        """Changes the element type of the parameters."""
        super().cast(dtype)
        if str(dtype) != "float16":
            return
        for name, param in self.params.items():
            # Batch normalization keeps its statistics in float32.
            if name in self._cached_graph[1].list_auxiliary_states() or name.endswith(("_gamma", "_beta")):
                param.cast("float32")

    def infer_shape(self, *args):
        """Fills in unknown extents of parameters from inputs."""
        inputs, outputs = self._cached_graph
        given = {s.name: (arg.shape, None) for s, arg in zip(inputs, _flatten(args)[0])
                 if isinstance(arg, ndarray.NDArray)}
        self._fill_shapes(outputs, given, list(self.params.values()))

    def hybrid_forward(self, F, x, *args, **kwargs):
        """Not used: the symbol says what is computed."""
        raise NotImplementedError("SymbolBlock computes its symbol")


def _shape(text):
    """The extents in the text of an attribute."""
    extents = [int(item) for item in text.strip("()[] ").split(",") if item.strip()]
    return tuple(extents)


def _first_symbol(args):
    for arg in args:
        if isinstance(arg, Symbol):
            return arg
        if isinstance(arg, (list, tuple)):
            found = _first_symbol(arg)
            if found is not None:
                return found
    return None
