"""The trainer: applies an optimizer to the parameters of a network."""
import os

from .. import kvstore as kv
from .. import optimizer as opt
from ..optimizer.base import check_states, read_states
from .parameter import Parameter, ParameterDict

__all__ = ["Trainer"]


class Trainer:
    """Applies an optimizer to parameters after each backward.

    Parameters
    ----------
    params : ParameterDict, dict or list of Parameter
        The parameters, e.g. ``net.collect_params()``. They must be initialized, all on the same contexts.
    optimizer : str or Optimizer
        The optimizer or its name.
    optimizer_params : dict, optional
        Arguments of the optimizer, when it is given by name.
    kvstore : str or KVStoreBase, optional
        The store that adds up the gradients of copies on several contexts, or its kind: 'device', 'local' or
        a registered class. A kind is only made where there are several contexts; None adds up nothing.
    compression_params : dict, optional
        Rounds gradients to a few bits before they are added up; see `KVStore.set_gradient_compression`.
    update_on_kvstore : bool, optional
        Whether the store updates the weights, instead of one updater for each context. By default it does
        where there is a store that can, unless MXNET_UPDATE_ON_KVSTORE is 0. `allreduce_grads` and `update`
        can then not be called apart.

    Raises
    ------
    ValueError
        For anything but parameters, or an unknown optimizer.
    RuntimeError
        For parameters that are not initialized.

    Examples
    --------
    >>> trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    >>> with mx.autograd.record():
    ...     loss = loss_function(net(data), label)
    >>> loss.backward()
    >>> trainer.step(batch_size=data.shape[0])
    """

    def __init__(self, params, optimizer, optimizer_params=None, kvstore="device", compression_params=None,
                 update_on_kvstore=None):
        if isinstance(params, (dict, ParameterDict)):
            params = [params[key] for key in sorted(params.keys())]
        if not isinstance(params, (list, tuple)):
            raise ValueError("Trainer: the first argument must be a list or dict of Parameters, such as "
                             f"net.collect_params(), got {type(params)}")
        self._params = []
        self._param2idx = {}
        for i, param in enumerate(params):
            if not isinstance(param, Parameter):
                raise ValueError(f"Trainer: the first argument must be a list or dict of Parameters, got a list "
                                 f"with {type(param)}")
            self._param2idx[param.name] = i
            self._params.append(param)
            param._trainer = self
        self._kvstore_params = {"kvstore": kvstore, "update_on_kvstore": update_on_kvstore}
        self._compression_params = compression_params
        self._kv_initialized = False
        self._kvstore = None
        self._update_on_kvstore = None
        self._distributed = None
        self._params_to_init = []
        self._contexts = self._check_contexts()
        self._init_optimizer(optimizer, dict(optimizer_params or {}))
        self._scale = self._optimizer.rescale_grad
        self._reset_kvstore()

    def _check_contexts(self):
        """The contexts of the parameters, which must be the same for all."""
        contexts = None
        for param in self._params:
            ctx = param.list_ctx()
            if contexts is not None and contexts != ctx:
                raise AssertionError(f"Trainer: all parameters must be on the same contexts, but '{param.name}' is on "
                                     f"{ctx} and others on {contexts}")
            contexts = ctx
        return contexts or []

    def _init_optimizer(self, optimizer, optimizer_params):
        param_dict = dict(enumerate(self._params))
        if isinstance(optimizer, opt.Optimizer):
            if optimizer_params:
                raise AssertionError("Trainer: optimizer_params must be None when the optimizer is an instance, which "
                                     "has its parameters already")
            self._optimizer = optimizer
            self._optimizer.param_dict = param_dict
        else:
            self._optimizer = opt.create(optimizer, param_dict=param_dict, **optimizer_params)
        self._updaters = [opt.get_updater(self._optimizer) for _ in self._contexts]

    # -- the store -----------------------------------------------------------------------------

    def _reset_kvstore(self):
        """Forgets the store, which is made anew at the next step."""
        self._kv_initialized = False
        self._kvstore = self._update_on_kvstore = self._distributed = None
        self._params_to_init = list(self._params)

    def _init_kvstore(self):
        """Makes the store, and decides who updates the weights."""
        store, wish = self._kvstore_params["kvstore"], self._kvstore_params["update_on_kvstore"]
        if isinstance(store, str) and not store.startswith("dist") and len(self._contexts) < 2:
            store = None  # nothing to add up
        if isinstance(store, str):
            store = kv.create(store or "device")
        elif store is not None and not isinstance(store, kv.KVStoreBase):
            raise TypeError(f"Trainer: kvstore must be a str or a KVStoreBase, got {type(store).__name__}")
        if store is None:
            if wish:
                raise ValueError("Trainer: update_on_kvstore=True needs a store, but with one context there is none "
                                 "unless kvstore is given as an object")
        else:
            able = store.is_capable(kv.KVStoreBase.OPTIMIZER)
            if wish and not able:
                raise ValueError(f"Trainer: update_on_kvstore=True, but a store of type '{store.type}' cannot update "
                                 "weights")
            if wish is None:
                wish = able and bool(int(os.environ.get("MXNET_UPDATE_ON_KVSTORE", "1")))
            if self._compression_params:
                store.set_gradient_compression(self._compression_params)
            if wish:
                store.set_optimizer(self._optimizer)
            self._update_on_kvstore = bool(wish)
            self._distributed = "dist" in store.type
        self._kvstore = store
        self._kv_initialized = True

    def _init_params(self):
        """Tells the store about parameters whose arrays exist by now."""
        waiting = []
        for param in self._params_to_init:
            if param._deferred_init:
                waiting.append(param)
            elif self._kvstore is not None:
                arrays = param.list_data()
                index = self._param2idx[param.name]
                self._kvstore.broadcast(index, arrays[0], arrays)
        self._params_to_init = waiting

    def _value_set(self, param):
        """Called when a parameter was set by hand, so that a store that updates weights goes on from there.

        A store given by name is made anew, without the old state of the optimizer; one that belongs to the
        caller gets the new value.
        """
        if not self._update_on_kvstore or param in self._params_to_init or param.name not in self._param2idx:
            return
        if isinstance(self._kvstore_params["kvstore"], str):
            self._reset_kvstore()
        else:
            self._kvstore._assign(self._param2idx[param.name], param._data[0])

    def _ready(self):
        if not self._kv_initialized:
            self._init_kvstore()
        if self._params_to_init:
            self._init_params()

    def _needs_own_update(self, method):
        self._ready()
        if self._update_on_kvstore:
            raise AssertionError(f"Trainer.{method}: the store updates the weights when it adds up gradients; make the "
                                 "Trainer with update_on_kvstore=False to do the two apart")

    @property
    def learning_rate(self):
        """The current learning rate."""
        return self._optimizer.learning_rate

    @property
    def optimizer(self):
        """The optimizer."""
        return self._optimizer

    def set_learning_rate(self, lr):
        """Sets the learning rate. Raises UserWarning when a schedule gives it."""
        self._optimizer.set_learning_rate(lr)

    def step(self, batch_size, ignore_stale_grad=False):
        """Updates the parameters once by their gradients.

        Parameters
        ----------
        batch_size : int
            Gradients are divided by it.
        ignore_stale_grad : bool
            Whether parameters without a new gradient since the last step are passed over in silence.

        Raises
        ------
        UserWarning
            For a parameter without a new gradient.
        """
        self._optimizer.rescale_grad = self._scale / batch_size
        self._ready()
        if not ignore_stale_grad:
            self._check_fresh()
        self._allreduce_grads()
        self._update()

    def allreduce_grads(self):
        """Adds up the gradients of all contexts, for use before `update`.

        `step` does both; call them apart to change gradients in between, e.g. to clip them. AssertionError
        when the store updates the weights.
        """
        self._needs_own_update("allreduce_grads")
        self._allreduce_grads()

    def _allreduce_grads(self):
        if self._kvstore is None:
            return
        for i, param in enumerate(self._params):
            if param.grad_req == "null":
                continue
            grads = param.list_grad()
            # The weights come back from a store that updates them, the sums of gradients from others.
            self._kvstore.pushpull(i, grads, out=param.list_data() if self._update_on_kvstore else grads, priority=-i)

    def update(self, batch_size, ignore_stale_grad=False):
        """Updates the parameters without adding up gradients of several contexts; see `step`.

        AssertionError when the store updates the weights.
        """
        self._needs_own_update("update")
        self._optimizer.rescale_grad = self._scale / batch_size
        if not ignore_stale_grad:
            self._check_fresh()
        self._update()

    def _check_fresh(self):
        """Raises UserWarning for a parameter without a new gradient, before anything is changed."""
        for param in self._params_to_init:
            param.list_data()  # says what is missing
        for param in self._params:
            for array in param._data if param._grad is not None else ():
                if not array._fresh_grad:
                    raise UserWarning(
                        f"Trainer.step: the gradient of parameter '{param.name}' on context {array.context} is "
                        "not new since the last step, perhaps because the network did not use it; "
                        "ignore_stale_grad=True passes over such parameters")

    def _update(self):
        if self._update_on_kvstore:
            return
        for k, updater in enumerate(self._updaters):
            fresh = [i for i in self._indices() if self._params[i]._data[k]._fresh_grad]
            weights = [self._params[i]._data[k] for i in fresh]
            updater(fresh, [self._params[i]._grad[k] for i in fresh], weights)
            for array in weights:
                array._fresh_grad = False

    def _indices(self):
        """Which parameters have gradients."""
        indices = []
        for i, param in enumerate(self._params):
            if param._grad is not None:
                indices.append(i)
            elif param._data is None:
                param.list_data()  # says what is wrong
        return indices

    def _step_calls(self, batch_size):
        """The calls of operators that `step` makes where all gradients are new, still to be made; see `Updater.calls`.

        None, with nothing done, where `step` does more than that.
        """
        self._ready()
        if self._kvstore is not None or len(self._updaters) != 1:
            return None
        self._optimizer.rescale_grad = self._scale / batch_size
        indices = self._indices()
        params = [self._params[i] for i in indices]
        return self._updaters[0].calls(indices, [param._grad[0] for param in params],
                                       [param._data[0] for param in params])

    def _mark_stale(self):
        """Says that all gradients have been used."""
        for i in self._indices():
            for array in self._params[i]._data:
                array._fresh_grad = False

    def save_states(self, fname):
        """Writes the state of the optimizer (momentum and so on) to a file.

        The parameters themselves are not in it; see `Block.save_parameters`.
        """
        self._ready()
        if self._update_on_kvstore:
            self._kvstore.save_optimizer_states(fname, dump_optimizer=True)
            return
        with open(fname, "wb") as file:
            file.write(self._updaters[0].get_states(dump_optimizer=True))

    def load_states(self, fname):
        """Reads what `save_states` wrote.

        Raises ValueError, with nothing changed, for a file that holds something else and for the states of a
        network whose parameters have other shapes.
        """
        self._ready()
        with open(fname, "rb") as file:
            data = file.read()
        try:
            states, optimizer = read_states(data)
            check_states(states, optimizer or self._optimizer,
                         {i: param._data and param._data[0] for i, param in enumerate(self._params)})
        except ValueError as error:
            raise ValueError(f"Trainer.load_states: '{fname}': {error}") from error
        if self._update_on_kvstore:
            self._kvstore.load_optimizer_states(fname)
            self._optimizer = self._kvstore._updater.optimizer
        else:
            for updater in self._updaters:
                updater.set_states(data)
                # One optimizer serves all contexts.
                updater.optimizer = self._updaters[0].optimizer
            self._optimizer = self._updaters[0].optimizer
        self._optimizer.param_dict = dict(enumerate(self._params))
