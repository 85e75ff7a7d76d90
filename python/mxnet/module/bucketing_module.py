"""BucketingModule: a symbol for each kind of input, all on the same parameters."""
import logging
import warnings

import numpy as np

from .. import ndarray
from ..initializer import Uniform  # noqa: F401 - programs find some of these here
from ..model import _SMALL, load_params, save_checkpoint
from ..name import NameManager  # noqa: F401 - programs find some of these here
from .base_module import BaseModule
from .module import Module

__all__ = ["BucketingModule"]


class BucketingModule(BaseModule):
    """Modules for inputs of several shapes, such as sentences by length, that share parameters and optimizer.

    Parameters
    ----------
    sym_gen : callable
        Gives ``(symbol, data_names, label_names)`` for a bucket key.
    default_bucket_key : hashable
        The bucket whose symbol has all parameters, as a rule the largest.
    logger, context, work_load_list, fixed_param_names, state_names, group2ctxs, compression_params
        See `Module`.
    """

    def __init__(self, sym_gen, default_bucket_key=None, logger=logging, context=None, work_load_list=None,
                 fixed_param_names=None, state_names=None, group2ctxs=None, compression_params=None):
        super().__init__(logger)
        assert default_bucket_key is not None, "BucketingModule: default_bucket_key must be given"
        self._default_bucket_key = default_bucket_key
        self._sym_gen = sym_gen
        self._options = {"logger": logger, "context": context, "work_load_list": work_load_list,
                         "fixed_param_names": fixed_param_names, "state_names": state_names,
                         "group2ctxs": group2ctxs, "compression_params": compression_params}
        self._buckets = {}
        self._curr_module = self._curr_bucket_key = None
        self._grad_req = None
        self._monitor = None
        self._make_module(default_bucket_key)  # so that a symbol that does not fit its names is told at once

    def _make_module(self, bucket_key):
        symbol, data_names, label_names = self._sym_gen(bucket_key)
        return Module(symbol, data_names, label_names, **self._options)

    # -- files ---------------------------------------------------------------------------------

    def save_checkpoint(self, prefix, epoch, remove_amp_cast=False):
        """Writes the parameters, the symbol of each bucket used as ``prefix-KEY-symbol.json``, and ``prefix.buckets``
        with the keys if they are integers, which MXNet 1.x wants to see."""
        self._require("binded", "params_initialized")
        for key, module in self._buckets.items():
            module.symbol.save(f"{prefix}-{key}-symbol.json", remove_amp_cast=remove_amp_cast)
        keys = np.asarray(list(self._buckets))
        if keys.dtype.kind in "iu":
            ndarray.save(f"{prefix}.buckets", [ndarray.array(keys, dtype="int32")])
        save_checkpoint(prefix, epoch, None, *self.get_params(), remove_amp_cast)

    @staticmethod
    def load(prefix, epoch, sym_gen=None, default_bucket_key=None, **kwargs):
        """A module with the parameters of a checkpoint; bind it before use."""
        assert sym_gen is not None, "BucketingModule.load: sym_gen must be given"
        return BucketingModule.load_dict(None, sym_gen, default_bucket_key, *load_params(prefix, epoch), **kwargs)

    @staticmethod
    def load_dict(sym_dict=None, sym_gen=None, default_bucket_key=None, arg_params=None, aux_params=None, **kwargs):
        """A module with given parameters; `sym_dict` may hold symbols by bucket key in place of `sym_gen`."""
        if sym_gen is None:
            assert sym_dict is not None, "BucketingModule.load_dict: give sym_dict or sym_gen"

            def sym_gen(key):
                return sym_dict[key], ("data",), ("softmax_label",)
        module = BucketingModule(sym_gen, default_bucket_key, **kwargs)
        module._given = (arg_params, aux_params)
        return module

    _given = None  # parameters that wait for bind

    # -- description ---------------------------------------------------------------------------

    @property
    def data_names(self):
        if self.binded:
            return self._curr_module.data_names
        return list(self._sym_gen(self._default_bucket_key)[1])

    @property
    def output_names(self):
        if self.binded:
            return self._curr_module.output_names
        return self._sym_gen(self._default_bucket_key)[0].list_outputs()

    @property
    def data_shapes(self):
        self._require("binded")
        return self._curr_module.data_shapes

    @property
    def label_shapes(self):
        self._require("binded")
        return self._curr_module.label_shapes

    @property
    def output_shapes(self):
        self._require("binded")
        return self._curr_module.output_shapes

    @property
    def symbol(self):
        self._require("binded")
        return self._curr_module.symbol

    # -- parameters ----------------------------------------------------------------------------

    def get_params(self):
        self._require("binded", "params_initialized")
        self._curr_module._params_dirty = self._params_dirty
        params = self._curr_module.get_params()
        self._params_dirty = False
        return params

    _params_dirty = False

    def init_params(self, initializer=_SMALL, arg_params=None, aux_params=None,
                    allow_missing=False, force_init=False, allow_extra=False):
        if self.params_initialized and not force_init:
            return
        self._require("binded")
        self._curr_module.init_params(initializer, arg_params, aux_params, allow_missing, force_init, allow_extra)
        self.params_initialized = True
        self._params_dirty = False

    def set_params(self, arg_params, aux_params, allow_missing=False, force_init=True, allow_extra=False):
        if self.params_initialized and not force_init:
            warnings.warn("Parameters already initialized and force_init=False. set_params call ignored.",
                          stacklevel=2)
            return
        self._curr_module.set_params(arg_params, aux_params, allow_missing, force_init, allow_extra)
        self._params_dirty = True  # one module's arrays serve all
        self.params_initialized = True

    # -- binding -------------------------------------------------------------------------------

    def bind(self, data_shapes, label_shapes=None, for_training=True, inputs_need_grad=False, force_rebind=False,
             shared_module=None, grad_req="write"):
        """Binds the default bucket; the others follow when `switch_bucket` first comes to them."""
        if shared_module is not None:
            raise AssertionError("BucketingModule.bind: shared_module is not supported")
        params = self.get_params() if force_rebind and self.binded and self.params_initialized else self._given
        if force_rebind:
            self.binded = False
            self._buckets = {}
        if self.binded:
            self.logger.warning("Already bound, ignoring bind()")
            return
        self.for_training, self.inputs_need_grad, self._grad_req = for_training, inputs_need_grad, grad_req
        module = self._make_module(self._default_bucket_key)
        module.bind(data_shapes, label_shapes, for_training, inputs_need_grad, grad_req=grad_req)
        self._buckets[self._default_bucket_key] = self._curr_module = module
        self._curr_bucket_key = self._default_bucket_key
        self.binded = True
        if params is not None:
            self._given = None
            self.set_params(*params)

    def switch_bucket(self, bucket_key, data_shapes, label_shapes=None):
        """Goes on with the module of a bucket, which is made and bound if it is new."""
        self._require("binded")
        if bucket_key not in self._buckets:
            default = self._buckets[self._default_bucket_key]
            module = self._make_module(bucket_key)
            module.bind(data_shapes, label_shapes, self.for_training, self.inputs_need_grad, shared_module=default,
                        grad_req=self._grad_req)
            if self._monitor is not None:
                module.install_monitor(self._monitor)
            self._buckets[bucket_key] = module
        self._curr_module, self._curr_bucket_key = self._buckets[bucket_key], bucket_key

    def init_optimizer(self, kvstore="local", optimizer="sgd", optimizer_params=(("learning_rate", 0.01),),
                       force_init=False):
        self._require("binded", "params_initialized")
        if self.optimizer_initialized and not force_init:
            self.logger.warning("optimizer already initialized, ignoring.")
            return
        self._curr_module.init_optimizer(kvstore, optimizer, optimizer_params, force_init)
        for module in self._buckets.values():
            if module is not self._curr_module:
                module.borrow_optimizer(self._curr_module)
        self.optimizer_initialized = True

    # -- running -------------------------------------------------------------------------------

    def prepare(self, data_batch, sparse_row_id_fn=None):
        """Binds the bucket of a coming batch."""
        self._require("binded", "params_initialized")
        current, key = self._curr_bucket_key, data_batch.bucket_key
        if key is None or key in self._buckets:
            return
        shapes = (self._curr_module.data_shapes, self._curr_module.label_shapes)
        self.switch_bucket(key, data_batch.provide_data, data_batch.provide_label)
        self.switch_bucket(current, *shapes)

    def forward(self, data_batch, is_train=None):
        self._require("binded", "params_initialized")
        self.switch_bucket(data_batch.bucket_key, data_batch.provide_data, data_batch.provide_label)
        self._curr_module.forward(data_batch, is_train=is_train)

    def backward(self, out_grads=None):
        self._require("binded", "params_initialized")
        self._curr_module.backward(out_grads)

    def update(self):
        self._require("binded", "params_initialized", "optimizer_initialized")
        self._params_dirty = True
        self._curr_module.update()

    def get_outputs(self, merge_multi_context=True):
        self._require("binded", "params_initialized")
        return self._curr_module.get_outputs(merge_multi_context)

    def get_input_grads(self, merge_multi_context=True):
        self._require("binded", "params_initialized", "inputs_need_grad")
        return self._curr_module.get_input_grads(merge_multi_context)

    def get_states(self, merge_multi_context=True):
        self._require("binded", "params_initialized")
        return self._curr_module.get_states(merge_multi_context)

    def set_states(self, states=None, value=None):
        self._require("binded", "params_initialized")
        self._curr_module.set_states(states, value)

    def update_metric(self, eval_metric, labels, pre_sliced=False):
        self._require("binded", "params_initialized")
        self._curr_module.update_metric(eval_metric, labels, pre_sliced)

    def install_monitor(self, mon):
        self._require("binded")
        self._monitor = mon
        for module in self._buckets.values():
            module.install_monitor(mon)
