"""SequentialModule: modules in a row, each fed by the outputs of the one before."""
import logging

from ..initializer import Uniform  # noqa: F401 - programs find some of these here
from ..io import DataBatch, DataDesc
from ..model import _SMALL
from .base_module import BaseModule

__all__ = ["SequentialModule"]


class SequentialModule(BaseModule):
    """Modules in a row.

    Parameters
    ----------
    logger : logging.Logger
        Where `fit` reports.

    Examples
    --------
    >>> chain = mx.mod.SequentialModule()
    >>> _ = chain.add(features).add(head, take_labels=True, auto_wiring=True)
    """

    META_TAKE_LABELS = "take_labels"
    META_AUTO_WIRING = "auto_wiring"

    def __init__(self, logger=logging):
        super().__init__(logger)
        self._modules, self._metas = [], []
        self._label_shapes = None

    def add(self, module, **kwargs):
        """Adds a module at the end; returns this one, so that calls chain.

        Parameters
        ----------
        module : BaseModule
            The module.
        take_labels : bool
            Whether the labels go to it.
        auto_wiring : bool
            Whether its inputs are renamed to take the outputs before it in order.
        """
        known = {self.META_TAKE_LABELS, self.META_AUTO_WIRING}
        for key in kwargs:
            if key not in known:
                raise AssertionError(f"SequentialModule.add: unknown keyword '{key}', expected one of {sorted(known)}")
        self._modules.append(module)
        self._metas.append(kwargs)
        self.binded = self.params_initialized = self.optimizer_initialized = False
        return self

    def _takes_labels(self, i):
        return bool(self._metas[i].get(self.META_TAKE_LABELS))

    @property
    def data_names(self):
        return self._modules[0].data_names if self._modules else []

    @property
    def output_names(self):
        return self._modules[-1].output_names if self._modules else []

    @property
    def data_shapes(self):
        self._require("binded")
        return self._modules[0].data_shapes

    @property
    def label_shapes(self):
        self._require("binded")
        return self._label_shapes

    @property
    def output_shapes(self):
        self._require("binded")
        return self._modules[-1].output_shapes

    def get_params(self):
        self._require("binded", "params_initialized")
        arg_params, aux_params = {}, {}
        for module in self._modules:
            args, auxs = module.get_params()
            arg_params.update(args)
            aux_params.update(auxs)
        return arg_params, aux_params

    def init_params(self, initializer=_SMALL, arg_params=None, aux_params=None,
                    allow_missing=False, force_init=False, allow_extra=False):
        if self.params_initialized and not force_init:
            return
        self._require("binded")
        for module in self._modules:
            module.init_params(initializer, arg_params, aux_params, allow_missing=allow_missing,
                               force_init=force_init, allow_extra=True)
        owner = {}
        for i, module in enumerate(self._modules):
            for params in module.get_params():
                for name in params:
                    if name in owner:
                        raise AssertionError(f"modules {owner[name]} and {i} of a SequentialModule both have a "
                                             f"parameter '{name}'")
                    owner[name] = i
        self.params_initialized = True

    def bind(self, data_shapes, label_shapes=None, for_training=True, inputs_need_grad=False, force_rebind=False,
             shared_module=None, grad_req="write"):
        if self.binded and not force_rebind:
            self.logger.warning("Already bound, ignoring bind()")
            return
        if shared_module is not None:
            raise AssertionError("SequentialModule.bind: shared_module is not supported")
        assert self._modules, "SequentialModule.bind: add modules first"
        self.for_training, self.inputs_need_grad = for_training, inputs_need_grad
        shapes = data_shapes
        any_label = False
        for i, module in enumerate(self._modules):
            labels = label_shapes if self._takes_labels(i) else None
            any_label = any_label or labels is not None
            if self._metas[i].get(self.META_AUTO_WIRING):
                names = module.data_names
                if len(names) != len(shapes):
                    raise AssertionError(f"module {i} takes {len(names)} inputs, the one before it gives {len(shapes)}")
                shapes = [(name, shape[1]) for name, shape in zip(names, shapes)]
            module.bind(shapes, labels, for_training, inputs_need_grad=for_training and (inputs_need_grad or i > 0),
                        force_rebind=force_rebind, grad_req=grad_req)
            shapes = module.output_shapes
        self._label_shapes = label_shapes if any_label else None
        self.binded = True

    def init_optimizer(self, kvstore="local", optimizer="sgd", optimizer_params=(("learning_rate", 0.01),),
                       force_init=False):
        self._require("binded", "params_initialized")
        if self.optimizer_initialized and not force_init:
            self.logger.warning("optimizer already initialized, ignoring.")
            return
        for module in self._modules:
            module.init_optimizer(kvstore, optimizer, optimizer_params, force_init)
        self.optimizer_initialized = True

    def forward(self, data_batch, is_train=None):
        self._require("binded", "params_initialized")
        batch = data_batch
        for i, module in enumerate(self._modules):
            module.forward(batch, is_train=is_train)
            if i + 1 == len(self._modules):
                break
            outputs = module.get_outputs()
            described = [DataDesc(name, x.shape) for name, x in zip(self._modules[i + 1].data_names, outputs)]
            batch = DataBatch(outputs, data_batch.label, data_batch.pad, data_batch.index, provide_data=described,
                              provide_label=data_batch.provide_label)

    def backward(self, out_grads=None):
        self._require("binded", "params_initialized")
        for i in range(len(self._modules) - 1, -1, -1):
            self._modules[i].backward(out_grads)
            if i > 0:
                out_grads = self._modules[i].get_input_grads()

    def update(self):
        self._require("binded", "params_initialized", "optimizer_initialized")
        for module in self._modules:
            module.update()

    def get_outputs(self, merge_multi_context=True):
        self._require("binded", "params_initialized")
        return self._modules[-1].get_outputs(merge_multi_context)

    def get_input_grads(self, merge_multi_context=True):
        self._require("binded", "params_initialized", "inputs_need_grad")
        return self._modules[0].get_input_grads(merge_multi_context)

    def update_metric(self, eval_metric, labels, pre_sliced=False):
        self._require("binded", "params_initialized")
        for i, module in enumerate(self._modules):
            if self._takes_labels(i):
                module.update_metric(eval_metric, labels, pre_sliced)

    def install_monitor(self, mon):
        self._require("binded")
        for module in self._modules:
            module.install_monitor(mon)
