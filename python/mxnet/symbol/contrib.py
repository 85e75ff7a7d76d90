"""Contributed operators, and loops and branches whose body is a Python function."""
import math

from .. import _core, attribute, name
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from ..ndarray import register as _register
from . import op, random, symbol

_functions = _register.functions("contrib", "sym")
globals().update(_functions)

__all__ = sorted({*_functions, "cond", "foreach", "rand_zipfian", "while_loop"})


def _flatten(value, what):
    """The symbols of one output in a nested list, and the function that nests others in the same way."""
    if isinstance(value, symbol.Symbol):
        parts = list(value)
        if len(parts) == 1:
            return parts, lambda given: given.pop(0)
        return parts, lambda given: [given.pop(0) for _ in parts]
    if not isinstance(value, (list, tuple)):
        raise MXTypeError(f"{what} must be a Symbol or a nested list of them, got {type(value).__name__}")
    found, makers = [], []
    for item in value:
        symbols, maker = _flatten(item, what)
        found += symbols
        makers.append(maker)
    return found, lambda given: [maker(given) for maker in makers]


class _Body:
    """The graph that a Python function makes of variables, cut out of the graph around it."""

    def __init__(self, hint, names, function):
        scope = name.current().get(None, hint)
        with attribute.AttrScope(__subgraph_name__=scope):
            self.variables = [symbol.var(n) for n in names]
            outputs = [op.identity(s) if _is_leaf(s, scope) else s for s in function(self.variables)]
        # Values from outside become variables too: `outside` says which stands for what.
        self.symbol, self.outside = _core.symbol_cut(symbol.Group(outputs), scope)
        self.inputs = self.symbol.list_inputs()

    def outer(self, values):
        """What each input stands for outside, given the values of the own variables by name."""
        return [values[n] if n in values else self.outside[n] for n in self.inputs]


def _is_leaf(s, scope):
    """Whether an output of a body is a variable or comes from outside."""
    nodes = _core.symbol_nodes(s)
    return nodes[-1][0] is None or nodes[-1][2].get("__subgraph_name__") != scope


def _names(symbols):
    """A name for the variable that stands for each symbol inside a body: its node's and its number there."""
    names = []
    for s in symbols:
        (node, index), = _core.symbol_heads(s)
        name_ = f"{node}-{index}"
        names.append(f"{name_}-{len(names)}" if name_ in names else name_)
    return names


def _place(found, item):
    """The place of a symbol in a list that it is added to if it is not there."""
    for i, other in enumerate(found):
        if _core.symbol_same(other, item):
            return i
    found.append(item)
    return len(found) - 1


def foreach(body, data, init_states, name="foreach"):
    """Calls a function for each slice along axis 0 of `data`, handing states on from call to call.

    Parameters
    ----------
    body : function
        ``body(slice, states) -> (output, new_states)``, both symbols or nested lists of them. It is called
        once, to see what it does.
    data : Symbol or nested list of Symbol
        What to iterate over; all have the same extent of axis 0.
    init_states : Symbol or nested list of Symbol
        The first states.

    Returns
    -------
    outputs, states
        The outputs stacked along a new axis 0, nested like those of `body`, and the last states.

    Examples
    --------
    >>> x, s = mx.sym.var("x"), mx.sym.var("s")
    >>> outputs, states = mx.sym.contrib.foreach(lambda x, s: (x + s, x + s), x, s)
    >>> outputs.eval(x=mx.nd.array([[1], [2]]), s=mx.nd.zeros((1,)))[0].asnumpy().tolist()
    [[1.0], [3.0]]
    """
    data_list, nest_data = _flatten(data, "foreach: data")
    states, nest_states = _flatten(init_states, "foreach: init_states")
    nests = {}

    def run(variables):
        slices, old = variables[:len(data_list)], variables[len(data_list):]
        output, new = body(nest_data(list(slices)), nest_states(list(old)))
        outputs, nests["outputs"] = _flatten(output, "foreach: the output of body")
        new_states, nests["states"] = _flatten(new, "foreach: the states of body")
        if len(new_states) != len(states):
            raise MXValueError(f"foreach: body must return {len(states)} states, got {len(new_states)}")
        nests["count"] = len(outputs)
        return outputs + new_states

    graph = _Body(name, _names(data_list + states), run)
    _read_all(graph, graph.variables)
    own = [v.name for v in graph.variables]
    places = {n: i for i, n in enumerate(graph.inputs)}
    rest = [n for n in graph.inputs if n not in own]
    outer = graph.outer(dict(zip(own, data_list + states)))
    inputs = data_list + states + [outer[places[n]] for n in rest]
    attrs = {"num_args": len(inputs) + 1, "num_outputs": nests["count"] + len(states), "num_out_data": nests["count"],
             "in_state_locs": [places[n] for n in own[len(data_list):]],
             "in_data_locs": [places[n] for n in own[:len(data_list)]],
             "remain_locs": [places[n] for n in rest]}
    results = _apply("_foreach", attrs, inputs, [graph.symbol])
    return nests["outputs"](results[:nests["count"]]), nests["states"](results[nests["count"]:])


def while_loop(cond, func, loop_vars, max_iterations=None, name="while_loop"):
    """Calls a function while a condition holds, at most `max_iterations` times.

    Parameters
    ----------
    cond : function
        ``cond(*loop_vars)``, a symbol of one element.
    func : function
        ``func(*loop_vars) -> (output, new_loop_vars)``; both are called once, to see what they do.
    loop_vars : Symbol or nested list of Symbol
        The first values.
    max_iterations : int
        Bound on the number of calls, and extent of axis 0 of the outputs.

    Returns
    -------
    outputs, loop_vars
        The outputs stacked along a new axis 0, zeros after the last call, and the last values.
    """
    if max_iterations is None:
        raise MXValueError("while_loop: max_iterations must be given")
    variables, nest = _flatten(loop_vars, "while_loop: loop_vars")
    if not variables:
        raise MXValueError("while_loop: loop_vars must hold at least one symbol")
    single = isinstance(loop_vars, symbol.Symbol)
    nests = {}

    def call(function, given):
        nested = nest(list(given))
        return function(nested) if single else function(*nested)

    def step(given):
        output, new = call(func, given)
        outputs, nests["outputs"] = _flatten(output if output is not None else [], "while_loop: the output of func")
        values, nests["values"] = _flatten(new, "while_loop: the loop variables of func")
        if len(values) != len(variables):
            raise MXValueError(f"while_loop: func must return {len(variables)} loop variables, got {len(values)}")
        nests["count"] = len(outputs)
        return outputs + values

    names = _names(variables)
    test = _Body(f"{name}_cond", names, lambda given: [call(cond, given)])
    body = _Body(f"{name}_func", names, step)
    _read_all(body, body.variables)
    own = [v.name for v in body.variables]
    values = dict(zip(own, variables))
    inputs = []
    test_places = [_place(inputs, s) for s in test.outer(values)]
    body_places = [_place(inputs, s) for s in body.outer(values)]
    # Two loop variables that start alike are two inputs all the same.
    inputs, test_places, body_places = _separate(inputs, test, body, test_places, body_places, own)
    attrs = {"num_args": len(inputs) + 2, "num_outputs": nests["count"] + len(variables),
             "num_out_data": nests["count"], "max_iterations": int(max_iterations),
             "cond_input_locs": test_places, "func_input_locs": body_places,
             "func_var_locs": [body.inputs.index(n) for n in own]}
    results = _apply("_while_loop", attrs, inputs, [test.symbol, body.symbol])
    return nests["outputs"](results[:nests["count"]]), nests["values"](results[nests["count"]:])


def _separate(inputs, test, body, test_places, body_places, own):
    """Gives every loop variable an input of its own."""
    taken = {}
    for name_, place in zip(body.inputs, body_places):
        if name_ not in own:
            taken.setdefault(place, name_)
    result, where = list(inputs), {}
    for name_, place in zip(body.inputs, body_places):
        if name_ in own:
            if place in taken:
                result.append(inputs[place])
                place = len(result) - 1
            taken[place] = name_
            where[name_] = place
    pick = {**dict(zip(test.inputs, test_places)), **where}
    return (result, [pick[n] for n in test.inputs],
            [where.get(n, place) for n, place in zip(body.inputs, body_places)])


def cond(pred, then_func, else_func, name="cond"):
    """``then_func()`` if `pred`, a symbol of one element, is not 0, else ``else_func()``.

    Both functions are called once, to see what they do, and return as many symbols.

    Examples
    --------
    >>> x = mx.sym.var("x")
    >>> y = mx.sym.contrib.cond(x > 0, lambda: x * 2, lambda: x - 1)
    >>> y.eval(x=mx.nd.array([3]))[0].asscalar()
    np.float32(6.0)
    """
    nests = {}

    def outputs(function, which):
        found, nests[which] = _flatten(function(), f"cond: the result of {which}")
        return found

    test = _Body(f"{name}_pred", [], lambda _: [pred])
    yes = _Body(f"{name}_then", [], lambda _: outputs(then_func, "then_func"))
    no = _Body(f"{name}_else", [], lambda _: outputs(else_func, "else_func"))
    if len(yes.symbol) != len(no.symbol):
        raise MXValueError(f"cond: then_func gives {len(yes.symbol)} outputs and else_func {len(no.symbol)}")
    inputs = []
    places = [[_place(inputs, s) for s in graph.outer({})] for graph in (test, yes, no)]
    attrs = {"num_args": len(inputs) + 3, "num_outputs": len(yes.symbol), "cond_input_locs": places[0],
             "then_input_locs": places[1], "else_input_locs": places[2]}
    results = _apply("_cond", attrs, inputs, [test.symbol, yes.symbol, no.symbol])
    return nests["then_func"](results)


def _read_all(graph, own):
    """Makes the body have all its own variables as inputs: those it does not read are handed out behind its outputs."""
    unread = [v for v in own if v.name not in graph.inputs]
    if unread:
        graph.symbol = symbol.Group([graph.symbol, *unread])
        graph.inputs = graph.symbol.list_inputs()


def _apply(op_name, attrs, inputs, bodies):
    """The outputs of an operator with bodies."""
    node = name.current().get(None, op_name.lower())
    text = {key: str(value) for key, value in attrs.items()}
    text.update(attribute.current().get(None))
    return list(_core.symbol_apply(op_name, node, text, inputs, bodies))


def isinf(data):
    """1 where `data` is positive or negative infinity, 0 elsewhere, in its element type."""
    return op.abs(data) == math.inf


def isfinite(data):
    """1 where `data` is a number other than the infinities, 0 elsewhere, in its element type."""
    return (data == data) * (op.abs(data) != math.inf)


def isnan(data):
    """1 where `data` is not a number, 0 elsewhere, in its element type."""
    return data != data


def rand_zipfian(true_classes, num_sampled, range_max):
    """Classes drawn from an approximately Zipfian distribution, for sampled softmax; see `mx.nd.contrib.rand_zipfian`.

    Parameters
    ----------
    true_classes : Symbol
        Classes whose expected counts are wanted, shape ``(n,)``.
    num_sampled : int
        How many classes to draw, with replacement.
    range_max : int
        Classes are in ``[0, range_max)``.

    Returns
    -------
    list of Symbol
        The draws, and how often the true and the drawn classes are to be expected among them.
    """
    log_range = math.log(range_max + 1)

    def expected(classes):
        return op.log((classes + 2.0) / (classes + 1.0)) / log_range * num_sampled

    draws = random.uniform(0, log_range, shape=(num_sampled,), dtype="float64")
    samples = (op.exp(draws) - 1).astype("int64") % range_max
    return [samples, expected(true_classes.astype("float64")), expected(samples.astype("float64"))]
