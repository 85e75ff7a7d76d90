"""Module: one symbol on one or more devices."""
import logging
import warnings

from .. import context as _context
from .. import ndarray
from .. import optimizer as _optimizer
from ..initializer import InitDesc, Uniform  # noqa: F401 - programs find some of these here
from ..io import DataDesc
from ..model import (
    _SMALL,
    _create_kvstore,
    _initialize_kvstore,
    _update_params,
    _update_params_on_kvstore,
    load_checkpoint,
    save_checkpoint,
)
from ..ndarray import zeros  # noqa: F401 - programs find some of these here
from .base_module import BaseModule, check_names, parse_shapes
from .executor_group import DataParallelExecutorGroup

__all__ = ["Module"]


class Module(BaseModule):
    """A symbol with data, labels, parameters and an optimizer.

    Parameters
    ----------
    symbol : Symbol
        The network.
    data_names, label_names : list of str
        Which of its inputs are data and labels; all others are parameters.
    logger : logging.Logger
        Where `fit` reports.
    context : Context or list of Context
        Devices, ``cpu()`` by default; a batch is split over several.
    work_load_list : list of float, optional
        Shares of the batch.
    fixed_param_names : list of str, optional
        Parameters that are not trained.
    state_names : list of str, optional
        Inputs that keep their values between calls, see `set_states`.
    compression_params : dict, optional
        Gradient compression of the store.

    Examples
    --------
    >>> net = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3), name="softmax")
    >>> module = mx.mod.Module(net)
    >>> module.bind([("data", (4, 5))], [("softmax_label", (4,))])
    >>> module.init_params()
    >>> module.forward(mx.io.DataBatch([mx.nd.ones((4, 5))], [mx.nd.zeros((4,))]))
    >>> module.get_outputs()[0].shape
    (4, 3)
    """

    def __init__(self, symbol, data_names=("data",), label_names=("softmax_label",), logger=logging,
                 context=None, work_load_list=None, fixed_param_names=None, state_names=None,
                 group2ctxs=None, compression_params=None):
        super().__init__(logger)
        context = _context.cpu() if context is None else context
        self._context = [context] if isinstance(context, _context.Context) else list(context)
        self._work_load_list = work_load_list or [1] * len(self._context)
        if len(self._work_load_list) != len(self._context):
            raise ValueError(f"work_load_list has {len(self._work_load_list)} entries for {len(self._context)} "
                             "contexts")
        self._group2ctxs = group2ctxs
        self._symbol = symbol
        self._data_names = list(data_names or [])
        self._label_names = list(label_names or [])
        self._state_names = list(state_names or [])
        self._fixed_param_names = list(fixed_param_names or [])
        check_names(symbol, self._data_names, "data", True)
        check_names(symbol, self._label_names, "label", False)
        check_names(symbol, self._state_names, "state", True)
        check_names(symbol, self._fixed_param_names, "fixed_param", True)
        inputs = {*self._data_names, *self._label_names, *self._state_names}
        self._param_names = [name for name in symbol.list_arguments() if name not in inputs]
        self._aux_names = symbol.list_auxiliary_states()
        self._output_names = symbol.list_outputs()
        self._compression_params = compression_params
        self._arg_params = self._aux_params = None
        self._params_dirty = False  # whether the devices have newer values
        self._optimizer = self._kvstore = self._update_on_kvstore = self._updater = None
        self._preload_opt_states = None
        self._grad_req = None
        self._exec_group = None
        self._data_shapes = self._label_shapes = None

    # -- files ---------------------------------------------------------------------------------

    @staticmethod
    def load(prefix, epoch, load_optimizer_states=False, **kwargs):
        """A module from a checkpoint; further keywords are those of `Module`."""
        symbol, arg_params, aux_params = load_checkpoint(prefix, epoch)
        module = Module(symbol, **kwargs)
        module._arg_params, module._aux_params = arg_params, aux_params
        module.params_initialized = True
        if load_optimizer_states:
            module._preload_opt_states = f"{prefix}-{epoch:04d}.states"
        return module

    def save_checkpoint(self, prefix, epoch, save_optimizer_states=False, remove_amp_cast=True):
        """Writes symbol and parameters, and the optimizer's states if wanted, see `mx.model.save_checkpoint`."""
        save_checkpoint(prefix, epoch, self.symbol, *self.get_params(), remove_amp_cast)
        if save_optimizer_states:
            self.save_optimizer_states(f"{prefix}-{epoch:04d}.states")

    def save_optimizer_states(self, fname):
        """Writes the optimizer's states to a file."""
        self._require("optimizer_initialized")
        if self._update_on_kvstore:
            self._kvstore.save_optimizer_states(fname)
        else:
            with open(fname, "wb") as file:
                file.write(self._updater.get_states())

    def load_optimizer_states(self, fname):
        """Reads what `save_optimizer_states` wrote."""
        self._require("optimizer_initialized")
        if self._update_on_kvstore:
            self._kvstore.load_optimizer_states(fname)
        else:
            with open(fname, "rb") as file:
                self._updater.set_states(file.read())

    # -- description ---------------------------------------------------------------------------

    @property
    def data_names(self):
        return self._data_names

    @property
    def label_names(self):
        """Names of the labels, a list of str."""
        return self._label_names

    @property
    def output_names(self):
        return self._output_names

    @property
    def data_shapes(self):
        self._require("binded")
        return self._data_shapes

    @property
    def label_shapes(self):
        self._require("binded")
        return self._label_shapes

    @property
    def output_shapes(self):
        self._require("binded")
        return self._exec_group.get_output_shapes()

    # -- parameters ----------------------------------------------------------------------------

    def get_params(self):
        self._require("binded", "params_initialized")
        self._sync_params_from_devices()
        return self._arg_params, self._aux_params

    def _sync_params_from_devices(self):
        """Fetches the newest values; means over the devices."""
        if self._params_dirty:
            self._exec_group.get_params(self._arg_params, self._aux_params)
            self._params_dirty = False

    def init_params(self, initializer=_SMALL, arg_params=None, aux_params=None,
                    allow_missing=False, force_init=False, allow_extra=False):
        if self.params_initialized and not force_init:
            warnings.warn("Parameters already initialized and force_init=False. init_params call ignored.",
                          stacklevel=2)
            return
        self._require("binded")
        group = self._exec_group
        if self._arg_params is None:
            trained = [name for name in self._symbol.list_arguments() if name in self._param_names]
            self._arg_params = {name: ndarray.zeros(copies[0].shape, dtype=copies[0].dtype)
                                for name, copies in zip(trained, group.param_arrays)}
        if self._aux_params is None:
            self._aux_params = {name: ndarray.zeros(copies[0].shape, dtype=copies[0].dtype)
                                for name, copies in zip(self._aux_names, group.aux_arrays)}
        attributes = self._symbol.attr_dict()
        for own, given in ((self._arg_params, arg_params), (self._aux_params, aux_params)):
            for name, array in sorted(own.items()):
                self._init_one(InitDesc(name, attributes.get(name)), array, given, initializer, allow_missing)
        self.params_initialized = True
        self._params_dirty = False
        group.set_params(self._arg_params, self._aux_params, allow_extra=True)

    @staticmethod
    def _init_one(desc, array, given, initializer, allow_missing):
        """Fills one array: by what is given under its name, else by the initializer."""
        value = (given or {}).get(desc)
        if value is array:
            return
        if value is not None:
            if value.shape != array.shape:
                raise ValueError(f"init_params: '{desc}' has shape {value.shape}, the symbol needs {array.shape}")
            value.astype(array.dtype).copyto(array)
        elif given and not allow_missing:
            raise RuntimeError(f"{desc} is not presented")
        elif initializer is not None:
            initializer(desc, array)

    def set_params(self, arg_params, aux_params, allow_missing=False, force_init=True, allow_extra=False):
        if not allow_missing:
            self.init_params(None, arg_params, aux_params, allow_missing=False, force_init=force_init,
                             allow_extra=allow_extra)
            return
        if self.params_initialized and not force_init:
            warnings.warn("Parameters already initialized and force_init=False. set_params call ignored.",
                          stacklevel=2)
            return
        self._exec_group.set_params(arg_params, aux_params, allow_extra=allow_extra)
        self._params_dirty = True  # the own dicts follow at the next get_params
        self.params_initialized = True

    # -- binding -------------------------------------------------------------------------------

    def bind(self, data_shapes, label_shapes=None, for_training=True, inputs_need_grad=False, force_rebind=False,
             shared_module=None, grad_req="write"):
        """Makes the arrays for batches of these shapes.

        Parameters
        ----------
        data_shapes, label_shapes : list of DataDesc, or of (str, tuple)
            Names and shapes.
        for_training : bool
            Whether `backward` will be called.
        inputs_need_grad : bool
            Whether gradients of the data are wanted.
        force_rebind : bool
            Whether to bind again if that was done; otherwise nothing happens then.
        shared_module : Module, optional
            A module to share parameters and memory with, as for the buckets of `BucketingModule`.
        grad_req : str, list or dict
            ``'write'``, ``'add'`` or ``'null'`` for the parameters.
        """
        if force_rebind:
            self._reset_bind()
        if self.binded:
            self.logger.warning("Already bound, ignoring bind()")
            return
        if inputs_need_grad and not for_training:
            raise AssertionError("bind: inputs_need_grad=True needs for_training=True")
        self.for_training = for_training
        self.inputs_need_grad = inputs_need_grad
        self._grad_req = grad_req
        self._describe(data_shapes, label_shapes)
        shared_group = None
        if shared_module is not None:
            if not (isinstance(shared_module, Module) and shared_module.binded and shared_module.params_initialized):
                raise AssertionError("bind: shared_module must be a Module that is bound and has its parameters")
            shared_group = shared_module._exec_group
        self._exec_group = DataParallelExecutorGroup(
            self._symbol, self._context, self._work_load_list, self._data_shapes, self._label_shapes,
            self._param_names, for_training, inputs_need_grad, shared_group, logger=self.logger,
            fixed_param_names=self._fixed_param_names, grad_req=grad_req, state_names=self._state_names,
            group2ctxs=self._group2ctxs)
        self.binded = True
        if shared_module is not None:
            self.params_initialized = True
            self._arg_params, self._aux_params = shared_module._arg_params, shared_module._aux_params
            if shared_module.optimizer_initialized:
                self.borrow_optimizer(shared_module)
        elif self.params_initialized:  # loaded, or bound again
            self._exec_group.set_params(self._arg_params, self._aux_params, allow_extra=True)

    def _describe(self, data_shapes, label_shapes):
        self._data_shapes = parse_shapes(self._data_names, data_shapes, "data")
        self._label_shapes = parse_shapes(self._label_names, label_shapes, "label") if label_shapes else None

    def _reset_bind(self):
        if self.binded and self.params_initialized:
            self._sync_params_from_devices()
        self.binded = False
        self._exec_group = None
        self._data_shapes = self._label_shapes = None

    def reshape(self, data_shapes, label_shapes=None):
        """Goes on with batches of other shapes, with the same parameters."""
        self._require("binded")
        self._describe(data_shapes, label_shapes)
        self._exec_group.reshape(self._data_shapes, self._label_shapes)

    # -- optimizer -----------------------------------------------------------------------------

    def init_optimizer(self, kvstore="local", optimizer="sgd", optimizer_params=(("learning_rate", 0.01),),
                       force_init=False):
        """Chooses the optimizer and the store.

        Parameters
        ----------
        kvstore : str, KVStore or None
            What adds up the gradients of several devices.
        optimizer : str or Optimizer
            How to update. Its `rescale_grad` is 1 / batch size unless given.
        optimizer_params : dict or pairs
            Parameters of an optimizer given by name.
        force_init : bool
            Whether to choose again if that was done.
        """
        self._require("binded", "params_initialized")
        if self.optimizer_initialized and not force_init:
            self.logger.warning("optimizer already initialized, ignoring...")
            return
        self._sync_params_from_devices()
        store, on_store = _create_kvstore(kvstore, len(self._context), self._arg_params)
        batch_size = self._exec_group.batch_size
        if store is not None and "dist" in store.type and "_sync" in store.type:
            batch_size *= store.num_workers
        trained = [name for name in self._symbol.list_arguments() if name in self._param_names]
        names = dict(enumerate(trained))
        if store is not None and not on_store or store is None:
            devices = len(self._context)
            names = {i * devices + k: name for i, name in enumerate(trained) for k in range(devices)}
        elif on_store:
            names.update({name: name for name in trained})  # the store counts by name
        if isinstance(optimizer, str):
            params = {"rescale_grad": 1.0 / batch_size, **dict(optimizer_params)}
            optimizer = _optimizer.create(optimizer, sym=self.symbol, param_idx2name=names, **params)
        elif not isinstance(optimizer, _optimizer.Optimizer):
            raise TypeError(f"optimizer must be a str or an Optimizer, got {type(optimizer).__name__}")
        else:
            if optimizer.rescale_grad != 1.0 / batch_size:
                warnings.warn(f"Optimizer created manually outside Module but rescale_grad is not normalized to "
                              f"1.0/batch_size/num_workers ({optimizer.rescale_grad} vs. {1.0 / batch_size}). Is this "
                              "intended?", stacklevel=2)
            if not optimizer.idx2name:
                optimizer.idx2name = names.copy()
        self._optimizer, self._kvstore, self._update_on_kvstore = optimizer, store, on_store
        self._updater = None if on_store else _optimizer.get_updater(optimizer)
        if store is not None:
            if self._compression_params:
                store.set_gradient_compression(self._compression_params)
            if on_store:
                store.set_optimizer(optimizer)
            _initialize_kvstore(store, self._exec_group.param_arrays, self._arg_params, trained, on_store)
        self.optimizer_initialized = True
        if self._preload_opt_states is not None:
            self.load_optimizer_states(self._preload_opt_states)
            self._preload_opt_states = None

    def borrow_optimizer(self, shared_module):
        """Uses the optimizer of another module, with its states."""
        shared_module._require("optimizer_initialized")
        self._optimizer = shared_module._optimizer
        self._kvstore = shared_module._kvstore
        self._update_on_kvstore = shared_module._update_on_kvstore
        self._updater = shared_module._updater
        self.optimizer_initialized = True

    # -- running -------------------------------------------------------------------------------

    def forward(self, data_batch, is_train=None):
        """Computes the outputs; a batch of another shape than what was bound reshapes the module.

        Parameters
        ----------
        data_batch : DataBatch, or list of them, one for each device
            The batch.
        is_train : bool, optional
            Whether to run for training; by default as bound.
        """
        self._require("binded", "params_initialized")
        if not isinstance(data_batch, list):
            self._follow_shapes(data_batch)
        self._exec_group.forward(data_batch, is_train)

    def _follow_shapes(self, batch):
        new = tuple(array.shape for array in batch.data)
        if new == tuple(desc.shape for desc in self._data_shapes):
            return
        described = getattr(batch, "provide_data", None)
        data = described or [DataDesc(desc.name, shape, desc.dtype, desc.layout)
                             for desc, shape in zip(self._data_shapes, new)]
        label = getattr(batch, "provide_label", None) or None
        if label is None and batch.label and self._label_shapes:
            label = [DataDesc(desc.name, array.shape, desc.dtype, desc.layout)
                     for desc, array in zip(self._label_shapes, batch.label)]
        elif label is None and self._label_shapes:
            axes = [DataDesc.get_batch_axis(desc.layout) for desc in self._label_shapes]
            size = new[0][DataDesc.get_batch_axis(self._data_shapes[0].layout)]
            label = [DataDesc(desc.name, (*desc.shape[:axis], size, *desc.shape[axis + 1:]), desc.dtype, desc.layout)
                     for desc, axis in zip(self._label_shapes, axes)]
        self.reshape(data, label)

    def backward(self, out_grads=None):
        """Computes the gradients; `out_grads` are those of outputs that are no losses."""
        self._require("binded", "params_initialized")
        self._exec_group.backward(out_grads)

    def update(self):
        """Updates the parameters by the gradients of the last `backward`."""
        self._require("binded", "params_initialized", "optimizer_initialized")
        self._params_dirty = True
        group = self._exec_group
        trained = [name for name in self._symbol.list_arguments() if name in self._param_names]
        if self._update_on_kvstore:
            _update_params_on_kvstore(group.param_arrays, group.grad_arrays, self._kvstore, trained)
        else:
            _update_params(group.param_arrays, group.grad_arrays, self._updater, len(self._context), self._kvstore,
                           trained)

    def get_outputs(self, merge_multi_context=True):
        self._require("binded", "params_initialized")
        return self._exec_group.get_outputs(merge_multi_context)

    def get_input_grads(self, merge_multi_context=True):
        self._require("binded", "params_initialized", "inputs_need_grad")
        return self._exec_group.get_input_grads(merge_multi_context)

    def get_states(self, merge_multi_context=True):
        self._require("binded", "params_initialized")
        return self._exec_group.get_states(merge_multi_context)

    def set_states(self, states=None, value=None):
        self._require("binded", "params_initialized")
        self._exec_group.set_states(states, value)

    def update_metric(self, eval_metric, labels, pre_sliced=False):
        self._exec_group.update_metric(eval_metric, labels, pre_sliced)

    def install_monitor(self, mon):
        self._require("binded")
        self._exec_group.install_monitor(mon)
