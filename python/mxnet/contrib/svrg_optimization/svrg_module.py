"""Stochastic variance reduced gradients (Johnson and Zhang, 2013) for Module."""
import logging

from ...context import cpu
from ...module import Module

__all__ = ["SVRGModule"]


class SVRGModule(Module):
    """A module whose gradients vary less from batch to batch.

    Every `update_freq` epochs the parameters w are kept as v, and the mean gradient over all data at v is computed. A
    batch with the gradient g(w) then updates w by ``g(w) - g(v) + mean g(v)``: the same on average, with less noise
    where w is near to v.

    Parameters
    ----------
    update_freq : int
        Number of epochs between computations of the mean gradient. TypeError for no integer, ValueError for one that is
        not positive.
    others
        See `Module`.

    Examples
    --------
    >>> module = mx.contrib.svrg_optimization.SVRGModule(net, update_freq=2)
    >>> module.fit(train_data, num_epoch=10)
    """

    def __init__(self, symbol, data_names=("data",), label_names=("softmax_label",), logger=logging, context=None,
                 work_load_list=None, fixed_param_names=None, state_names=None, group2ctxs=None,
                 compression_params=None, update_freq=None):
        given = {"data_names": data_names, "label_names": label_names, "logger": logger,
                 "context": cpu() if context is None else context, "work_load_list": work_load_list,
                 "fixed_param_names": fixed_param_names, "state_names": state_names, "group2ctxs": group2ctxs,
                 "compression_params": compression_params}
        super().__init__(symbol, **given)
        if not isinstance(update_freq, int):
            raise TypeError(f"SVRGModule: update_freq must be an integer, got {update_freq!r}")
        if update_freq <= 0:
            raise ValueError(f"SVRGModule: update_freq must be positive, got {update_freq}")
        self.update_freq = update_freq
        self._mod_aux = Module(symbol, **given)  # holds v
        self._param_dict = [{} for _ in self._context]  # of each device: its share of the mean gradient at v

    def bind(self, data_shapes, label_shapes=None, for_training=True, inputs_need_grad=False, force_rebind=False,
             shared_module=None, grad_req="write"):
        super().bind(data_shapes, label_shapes, for_training, inputs_need_grad, force_rebind, shared_module, grad_req)
        if for_training:
            self._mod_aux.bind(data_shapes, label_shapes, for_training, inputs_need_grad, force_rebind, None, grad_req)

    def reshape(self, data_shapes, label_shapes=None):
        super().reshape(data_shapes, label_shapes)
        self._mod_aux.reshape(data_shapes, label_shapes)

    def forward(self, data_batch, is_train=None):
        super().forward(data_batch, is_train)
        if self._reduces(is_train):
            self._mod_aux.forward(data_batch, is_train)

    def backward(self, out_grads=None):
        super().backward(out_grads)
        if self._reduces(True):
            self._mod_aux.backward(out_grads)
            self._reduce()

    def _reduces(self, is_train):
        return self._mod_aux.params_initialized and (self.for_training if is_train is None else is_train)

    def _gradients(self, module):
        """Device, name and gradient of all parameters that are trained."""
        group = module._exec_group
        for device, executor in enumerate(group.execs):
            for name in self._param_names:
                gradient = executor.grad_dict.get(name)
                if gradient is not None:
                    yield device, name, gradient

    def _reduce(self):
        """Makes the gradients of the batch those that vary less."""
        for (device, name, gradient), (_, _, at_v) in zip(self._gradients(self), self._gradients(self._mod_aux)):
            gradient += self._param_dict[device][name] - at_v

    def update_full_grads(self, train_data):
        """Keeps the parameters, and computes the mean gradient over the batches of `train_data` there."""
        self._require("binded", "params_initialized")
        self._mod_aux.init_params(None, *self.get_params(), force_init=True)
        train_data.reset()
        sums, count = [{} for _ in self._context], 0
        for batch in train_data:
            self._mod_aux.forward(batch, is_train=True)
            self._mod_aux.backward()
            for device, name, gradient in self._gradients(self._mod_aux):
                sums[device][name] = sums[device][name] + gradient if count else gradient.copy()
            count += 1
        train_data.reset()
        if count == 0:
            raise ValueError("SVRGModule: there are no batches to compute the mean gradient of")
        self._param_dict = [{name: total / count for name, total in share.items()} for share in sums]

    def _train_epoch(self, train_data, epoch, *others):
        if epoch % self.update_freq == 0 or not self._mod_aux.params_initialized:
            self.update_full_grads(train_data)
        return super()._train_epoch(train_data, epoch, *others)
