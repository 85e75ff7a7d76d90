"""The base of all optimizers, and the updater that keeps their state."""
import functools
import os
import pickle
import warnings
from typing import NamedTuple

import numpy as np

from .. import ndarray
from ..ndarray import NDArray

__all__ = ["Optimizer", "Test", "Updater", "create", "get_updater", "register"]


class Optimizer:
    """The base of all optimizers.

    A subclass overrides `create_state` and `update`. Weights are known by an index.

    Parameters
    ----------
    rescale_grad : float
        Factor on gradients, e.g. 1 / batch size.
    param_idx2name : dict of int to str, optional
        Names of the weights. With names, those that do not end in ``_weight`` or ``_gamma`` get no
        weight decay.
    wd : float
        Weight decay: `wd` times the weight is added to the gradient.
    clip_gradient : float, optional
        Gradients are cut to ``[-clip_gradient, clip_gradient]`` after the factor.
    learning_rate : float, optional
        The learning rate, 0.01 by default.
    lr_scheduler : LRScheduler, optional
        Gives the learning rate by the number of updates.
    sym : Symbol, optional
        A network whose attributes ``__lr_mult__`` and ``__wd_mult__`` are used.
    begin_num_update : int
        Number of updates made before.
    multi_precision : bool
        Whether to keep 32-bit copies of 16-bit weights.
    param_dict : dict of int to Parameter, optional
        Gluon parameters, whose `lr_mult` and `wd_mult` are used.

    Examples
    --------
    >>> @mx.optimizer.register
    ... class Descent(mx.optimizer.Optimizer):
    ...     def create_state(self, index, weight):
    ...         return None
    ...     def update(self, index, weight, grad, state):
    ...         self._update_count(index)
    ...         weight -= self._get_lr(index) * self.rescale_grad * grad
    >>> trainer = mx.gluon.Trainer(net.collect_params(), "descent", {"learning_rate": 0.1})
    """

    opt_registry = {}
    _decaying = ("_weight", "_gamma")  # the ends of names of weights that decay unless told otherwise

    def __init__(self, rescale_grad=1., param_idx2name=None, wd=0., clip_gradient=None, learning_rate=None,
                 lr_scheduler=None, sym=None, begin_num_update=0, multi_precision=False, param_dict=None):
        self.rescale_grad = rescale_grad
        self.lr_scheduler = lr_scheduler
        if lr_scheduler is None:
            learning_rate = 0.01 if learning_rate is None else learning_rate
        elif learning_rate is None:
            learning_rate = lr_scheduler.base_lr
        elif learning_rate != lr_scheduler.base_lr:
            warnings.warn(f"{type(self).__name__}: learning_rate {learning_rate} takes the place of the base_lr "
                          f"{lr_scheduler.base_lr} of lr_scheduler", stacklevel=3)
            lr_scheduler.base_lr = learning_rate
        self.lr = learning_rate
        self.wd = wd
        self.lr_mult = {}
        self.wd_mult = {}
        self.begin_num_update = begin_num_update
        self.num_update = begin_num_update
        # Copies of a weight on several devices count their updates apart.
        self._all_index_update_counts = {0: {}}
        self._index_update_count = self._all_index_update_counts[0]
        self.clip_gradient = clip_gradient
        self.multi_precision = multi_precision
        self.aggregate_num = 0
        if param_idx2name is not None and not isinstance(param_idx2name, dict):
            raise AssertionError(f"{type(self).__name__}: param_idx2name must be a dict of index to name, got "
                                 f"{param_idx2name!r}")
        self.idx2name = dict(param_idx2name or {})
        self.sym_info = () if sym is None else (sym.attr_dict(), sym.list_arguments())
        self.param_dict = param_dict or {}
        self.allow_np_array = False
        self.set_lr_mult({})
        self.set_wd_mult({})

    def __getstate__(self):
        # Parameters belong to the network that uses the optimizer, so they are not saved with it.
        return {key: value for key, value in self.__dict__.items() if key != "param_dict"}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.param_dict = {}
        # After unpickling the current counts must again be those of the first device.
        self._index_update_count = self._all_index_update_counts[0]

    # -- registry ------------------------------------------------------------------------------

    @staticmethod
    def register(klass):
        """Registers a class under its name in lower case; usable as a decorator."""
        name = klass.__name__.lower()
        known = Optimizer.opt_registry.get(name)
        if known is not None and known is not klass:
            warnings.warn(f"optimizer {klass.__module__}.{klass.__name__} replaces "
                          f"{known.__module__}.{known.__name__}", stacklevel=2)
        Optimizer.opt_registry[name] = klass
        return klass

    @staticmethod
    def create_optimizer(name, **kwargs):
        """The optimizer registered as `name`, made with `kwargs`. ValueError for an unknown name."""
        klass = Optimizer.opt_registry.get(name.lower())
        if klass is None:
            raise ValueError(f"there is no optimizer '{name}'; registered are "
                             f"{', '.join(sorted(Optimizer.opt_registry))}")
        return klass(**kwargs)

    def prepare(self, net):
        """A ``with`` block in which ``net.fit`` trains by this optimizer.

        Parameters
        ----------
        net : Block
            The network.

        Examples
        --------
        >>> with mx.gluon.optimizer.SGD(learning_rate=0.1).prepare(net):
        ...     net.fit((x, y), num_epochs=2)
        """
        from ..gluon.training import prepare
        return prepare(self, net)

    # -- learning rate and weight decay --------------------------------------------------------

    @property
    def learning_rate(self):
        """The learning rate of the current update."""
        return self.lr if self.lr_scheduler is None else self.lr_scheduler(self.num_update)

    def set_learning_rate(self, lr):
        """Sets the learning rate. Raises UserWarning when a schedule gives it."""
        if self.lr_scheduler is not None:
            raise UserWarning("the learning rate comes from an lr_scheduler and cannot be set")
        self.lr = lr

    def set_lr_scale(self, args_lrscale):
        """Gone: use `set_lr_mult`. Always raises DeprecationWarning."""
        raise DeprecationWarning("set_lr_scale is gone, use set_lr_mult")

    def set_lr_mult(self, args_lr_mult):
        """Sets factors on the learning rate, a dict of name or index to float."""
        self.lr_mult = self._from_symbol("__lr_mult__")
        self.lr_mult.update(args_lr_mult)

    def set_wd_mult(self, args_wd_mult):
        """Sets factors on the weight decay, a dict of name or index to float.

        Where names are known, weights that do not end in ``_weight`` or ``_gamma`` get 0 unless given.
        """
        self.wd_mult = {name: 0.0 for name in self.idx2name.values() if not name.endswith(self._decaying)}
        self.wd_mult.update(self._from_symbol("__wd_mult__"))
        self.wd_mult.update(args_wd_mult)

    def _from_symbol(self, key):
        """The factors that the symbol's attributes give."""
        if not self.sym_info:
            return {}
        attributes, names = self.sym_info
        return {name: float(attributes[name][key]) for name in names if key in attributes.get(name, {})}

    def _mult(self, index, attribute, table):
        param = self.param_dict.get(index)
        if param is not None:
            return getattr(param, attribute)
        if index in table:
            return table[index]
        return table.get(self.idx2name.get(index), 1.0)

    def _get_lrs(self, indices):
        """The learning rates of the weights `indices`."""
        rate = self.learning_rate
        return [rate * self._mult(index, "lr_mult", self.lr_mult) for index in indices]

    def _get_lr(self, index):
        """The learning rate of a weight."""
        return self.learning_rate * self._mult(index, "lr_mult", self.lr_mult)

    def _get_wds(self, indices):
        """The weight decays of the weights `indices`."""
        return [self._get_wd(index) for index in indices]

    def _get_wd(self, index):
        """The weight decay of a weight."""
        return self.wd * self._mult(index, "wd_mult", self.wd_mult)

    # -- counting ------------------------------------------------------------------------------

    def _set_current_context(self, device_id):
        """Says which device's copies the following updates are for."""
        self._index_update_count = self._all_index_update_counts.setdefault(device_id, {})

    def _update_count(self, index):
        """Counts an update of a weight, or of each in a list."""
        counts = self._index_update_count
        for i in index if isinstance(index, (list, tuple)) else (index,):
            counts[i] = counts.get(i, self.begin_num_update) + 1
            self.num_update = max(counts[i], self.num_update)

    # -- updating ------------------------------------------------------------------------------

    def create_state(self, index, weight):
        """What the optimizer remembers of a weight: None, an NDArray or a tuple of them."""

    def create_state_multi_precision(self, index, weight):
        """`create_state`, with a 32-bit copy of a 16-bit weight when `multi_precision`."""
        if self._keeps_copy(weight):
            copy = weight.astype("float32")
            return copy, self.create_state(index, copy)
        if weight.dtype == np.float16:
            warnings.warn(f"{type(self).__name__}: adding up in float16 loses small updates; multi_precision=True "
                          "keeps a float32 copy", stacklevel=2)
        return self.create_state(index, weight)

    def _keeps_copy(self, weight):
        return self.multi_precision and weight.dtype == np.float16

    def update(self, index, weight, grad, state):
        """Changes `weight` in place by `grad` and `state`.

        Parameters
        ----------
        index : int
            The weight's number.
        weight, grad : NDArray
            The weight and its gradient, of the same shape.
        state
            What `create_state` gave.
        """
        raise NotImplementedError(f"{type(self).__name__} must override update")

    def update_multi_precision(self, index, weight, grad, state):
        """`update`, on the 32-bit copy where there is one."""
        if not self._keeps_copy(weight):
            self.update(index, weight, grad, state)
            return
        copy, inner = state
        self.update(index, copy, grad.astype("float32"), inner)
        copy.astype(weight.dtype).copyto(weight)

    def _clip(self):
        """The clip_gradient argument of update operators, which is negative for none."""
        return -1.0 if self.clip_gradient is None else self.clip_gradient

    def _prepared(self, grad):
        """The gradient times `rescale_grad`, clipped."""
        grad = grad * self.rescale_grad
        return grad if self.clip_gradient is None else ndarray.clip(grad, -self.clip_gradient, self.clip_gradient)


class Call(NamedTuple):
    """An operator that updates weights: `function` applied to `arrays` writes into `out`, a list of some of them."""

    function: object
    arrays: list
    out: list
    arguments: dict

    def run(self):
        """Makes the call."""
        self.function(*self.arrays, out=self.out, **self.arguments)


class ByCalls(Optimizer):
    """An optimizer that updates bundles of weights by calling operators, which can become part of a compiled step.

    A subclass gives `_calls`. Weights come one at a time to a class that overrides `update` once more.
    """

    _mixed_calls = True  # whether `_calls` knows 32-bit copies

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if not self._is_overridden():
            self.aggregate_num = aggregation_size()

    @classmethod
    @functools.cache
    def _is_overridden(cls):
        """Whether a class outside of this package brought its own `update`."""
        return any(not klass.__module__.startswith("mxnet.optimizer") and
                   {"update", "update_multi_precision"} & vars(klass).keys() for klass in cls.__mro__[:-1])

    def _calls(self, index, weight, grad, state, mixed):
        """The calls that update a list of weights; with `mixed`, a state is that of a 32-bit copy, and that copy."""
        raise NotImplementedError(f"{type(self).__name__} must override _calls")

    def counted_calls(self, index, weight, grad, state):
        """Counts an update of the weights and gives its calls, still to be made; None if it is not made of calls."""
        mixed = self._keeps_copy(weight[0])
        if self._is_overridden() or (mixed and not self._mixed_calls):
            return None
        self._update_count(index)
        return self._calls(index, weight, grad, state, mixed)

    def update(self, index, weight, grad, state):
        if not isinstance(index, (list, tuple)):
            index, weight, grad, state = [index], [weight], [grad], [state]
        self._update_count(index)
        for call in self._calls(index, weight, grad, state, mixed=False):
            call.run()

    def update_multi_precision(self, index, weight, grad, state):
        several = isinstance(index, (list, tuple))
        columns = (index, weight, grad, state) if several else ([index], [weight], [grad], [state])
        calls = self.counted_calls(*columns)
        if calls is None:
            for item in zip(*columns):
                super().update_multi_precision(*item)
            return
        for call in calls:
            call.run()


register = Optimizer.register
create = Optimizer.create_optimizer


@register
class Test(Optimizer):
    """Subtracts the gradient times `rescale_grad`; only for tests."""

    def create_state(self, index, weight):
        return ndarray.zeros(weight.shape, weight.context)

    def update(self, index, weight, grad, state):
        weight[:] -= grad * self.rescale_grad
        state[:] = weight


def aggregation_size(default=64):
    """How many weights one fused update takes: MXNET_OPTIMIZER_AGGREGATION_SIZE, or `default`."""
    return int(os.environ.get("MXNET_OPTIMIZER_AGGREGATION_SIZE", default))


class Updater:
    """Applies an optimizer to weights and keeps its state for each of them.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer.

    Examples
    --------
    >>> updater = mx.optimizer.get_updater(mx.optimizer.SGD(learning_rate=0.1))
    >>> weight = mx.nd.ones((2,))
    >>> updater(0, mx.nd.ones((2,)), weight)
    >>> weight.asnumpy()
    array([0.9, 0.9], dtype=float32)
    """

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.states = {}
        self.states_synced = {}
        self.aggregate_updates = optimizer.aggregate_num > 0

    def __call__(self, index, grad, weight):
        """Updates a weight (NDArray) by its gradient, or a list of weights by a list of gradients."""
        if not isinstance(index, (list, tuple)):
            index, grad, weight = [index], [grad], [weight]
        if not weight:
            return
        self._make_ready(index, weight)
        optimizer, states = self.optimizer, self.states
        if not self.aggregate_updates:
            for i, w, g in zip(index, weight, grad):
                optimizer.update_multi_precision(i, w, g, states[i])
            return
        for i, w, g in self._bundles(index, weight, grad):
            optimizer.update_multi_precision(i, w, g, [states[j] for j in i])

    def calls(self, index, grad, weight):
        """The calls of operators by which ``self(index, grad, weight)`` updates lists of weights, still to be made.

        The update is counted. None, with nothing done, for an optimizer that does more than to call operators.
        """
        if not self.aggregate_updates or not weight:
            return None
        self._make_ready(index, weight)
        calls = []
        for i, w, g in self._bundles(index, weight, grad):
            some = self.optimizer.counted_calls(i, w, g, [self.states[j] for j in i])
            if some is None:
                return None
            calls += some
        return calls

    def _make_ready(self, index, weight):
        """Makes the states that are missing, on the context of the weights."""
        optimizer, states, synced = self.optimizer, self.states, self.states_synced
        optimizer._set_current_context(weight[0].context.device_id)
        for i, w in zip(index, weight):
            if i not in states:
                states[i] = optimizer.create_state_multi_precision(i, w)
                synced[i] = True
            elif not synced[i]:
                states[i] = self.sync_state_context(states[i], w.context)
                synced[i] = True

    def _bundles(self, index, weight, grad):
        """The weights in groups of one element type and at most `aggregate_num`."""
        by_type = {}
        for item in zip(index, weight, grad):
            by_type.setdefault(item[1].dtype, []).append(item)
        size = self.optimizer.aggregate_num
        for items in by_type.values():
            for start in range(0, len(items), size):
                yield tuple(list(column) for column in zip(*items[start:start + size]))

    def sync_state_context(self, state, context):
        """`state` (NDArray, None or nested tuples and lists of them) on `context`."""
        if isinstance(state, NDArray):
            return state.as_in_context(context)
        if isinstance(state, (tuple, list)):
            return type(state)(self.sync_state_context(item, context) for item in state)
        return state

    def set_states(self, states):
        """Takes what `get_states` gave. ValueError when the bytes hold something else."""
        self.states, optimizer = read_states(states)
        self.optimizer = optimizer or self.optimizer
        self.states_synced = dict.fromkeys(self.states, False)
        self.aggregate_updates = self.optimizer.aggregate_num > 0

    def get_states(self, dump_optimizer=False):
        """The states as bytes, with the optimizer itself if `dump_optimizer`."""
        return pickle.dumps((self.states, self.optimizer) if dump_optimizer else self.states)


def read_states(data):
    """What `Updater.get_states` wrote: the states by index, and the optimizer or None.

    Raises ValueError when the bytes hold something else.
    """
    try:
        states = pickle.loads(data)
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError,
            TypeError, ValueError) as error:
        raise ValueError(f"these are not the states of an optimizer: {error}") from error
    states, optimizer = states if isinstance(states, tuple) and len(states) == 2 else (states, None)
    if not isinstance(states, dict):
        raise ValueError(f"these are not the states of an optimizer but a {type(states).__name__}")
    return states, optimizer


def check_states(states, optimizer, weights):
    """Raises ValueError unless the states have the shapes that `optimizer` gives to the weights of these indices.

    `weights` are NDArrays by index; None where the shape is not known yet.
    """
    for index, state in states.items():
        if index not in weights:
            raise ValueError(f"there are states of parameter {index}, but the network has {len(weights)} parameters; "
                             "they belong to another network")
        if weights[index] is None:
            continue
        have = _shapes(state)
        want = _shapes(optimizer.create_state_multi_precision(index, weights[index]))
        if have != want:
            raise ValueError(f"the states of parameter {index}, of shape {weights[index].shape}, have the shapes "
                             f"{have}, expected {want}; they belong to another network")


def _shapes(state):
    if isinstance(state, (tuple, list)):
        return [shape for item in state for shape in _shapes(item)]
    return [state.shape] if isinstance(state, NDArray) else []


def get_updater(optimizer):
    """An `Updater` of an optimizer."""
    return Updater(optimizer)
