"""The trainer: applies an optimizer to the parameters of a network."""
from .. import ndarray
from .. import optimizer as opt
from ..base import MXNetError
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
    kvstore : str, optional
        'device' or 'local': gradients of copies on several contexts are added up. With one context
        nothing needs to be done.
    compression_params : dict, optional
        Compression of gradients between machines, which needs a distributed kvstore.
    update_on_kvstore : bool, optional
        Whether the store updates the weights.

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
        self._check_store(kvstore, compression_params)
        self._kvstore_params = {"kvstore": kvstore, "update_on_kvstore": update_on_kvstore}
        self._compression_params = compression_params
        self._kvstore = None
        self._update_on_kvstore = None
        self._contexts = self._check_contexts()
        self._init_optimizer(optimizer, dict(optimizer_params or {}))
        self._scale = self._optimizer.rescale_grad

    @staticmethod
    def _check_store(kvstore, compression_params):
        if kvstore is not None and (not isinstance(kvstore, str) or kvstore not in ("device", "local")):
            raise MXNetError(f"Trainer: kvstore={kvstore!r} needs the kvstore module, which is not available; "
                             "'device' and 'local' add up gradients within this process")
        if compression_params:
            raise MXNetError("Trainer: compression_params need a distributed kvstore, which is not available")

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
        if len(self._contexts) > 1:
            self._allreduce_grads()
        self._update(ignore_stale_grad)

    def allreduce_grads(self):
        """Adds up the gradients of all contexts, for use before `update`.

        `step` does both; call them apart to change gradients in between, e.g. to clip them.
        """
        self._allreduce_grads()

    def _allreduce_grads(self):
        for param in self._params:
            if param.grad_req == "null" or param._grad is None or len(param._grad) == 1:
                continue
            grads = param.list_grad()
            here = grads[0].context
            total = ndarray.add_n(*(grad.as_in_context(here) for grad in grads))
            for grad in grads:
                total.copyto(grad)

    def update(self, batch_size, ignore_stale_grad=False):
        """Updates the parameters without adding up gradients of several contexts; see `step`."""
        self._optimizer.rescale_grad = self._scale / batch_size
        self._update(ignore_stale_grad)

    def _update(self, ignore_stale_grad):
        indices = []
        for i, param in enumerate(self._params):
            if param._grad is None:
                if param._data is None:
                    param.list_data()  # says what is wrong
                continue
            if not ignore_stale_grad:
                for array in param._data:
                    if not array._fresh_grad:
                        raise UserWarning(
                            f"Trainer.step: the gradient of parameter '{param.name}' on context {array.context} is "
                            "not new since the last step, perhaps because the network did not use it; "
                            "ignore_stale_grad=True passes over such parameters")
            indices.append(i)
        for k, updater in enumerate(self._updaters):
            fresh = [i for i in indices if self._params[i]._data[k]._fresh_grad]
            weights = [self._params[i]._data[k] for i in fresh]
            updater(fresh, [self._params[i]._grad[k] for i in fresh], weights)
            for array in weights:
                array._fresh_grad = False

    def save_states(self, fname):
        """Writes the state of the optimizer (momentum and so on) to a file.

        The parameters themselves are not in it; see `Block.save_parameters`.
        """
        with open(fname, "wb") as file:
            file.write(self._updaters[0].get_states(dump_optimizer=True))

    def load_states(self, fname):
        """Reads what `save_states` wrote. ValueError for a file that holds something else."""
        with open(fname, "rb") as file:
            states = file.read()
        for updater in self._updaters:
            try:
                updater.set_states(states)
            except ValueError as error:
                raise ValueError(f"Trainer.load_states: '{fname}': {error}") from error
            # One optimizer serves all contexts.
            updater.optimizer = self._updaters[0].optimizer
        self._optimizer = self._updaters[0].optimizer
        self._optimizer.param_dict = dict(enumerate(self._params))
