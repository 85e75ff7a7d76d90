"""Executors of one symbol on several devices, each working on its part of a batch."""
import logging

import numpy as np

from .. import ndarray
from ..io import DataDesc
from ..ndarray import NDArray
from .base_module import as_list

__all__ = ["DataParallelExecutorGroup"]


def split_batch(batch_size, workload):
    """Slices of a batch, in proportion to the numbers in `workload`.

    >>> split_batch(10, [1, 1, 3])
    [slice(0, 2, None), slice(2, 4, None), slice(4, 10, None)]
    """
    if batch_size < len(workload):
        raise ValueError(f"a batch of {batch_size} cannot be split over {len(workload)} devices")
    total = sum(workload)
    bounds = [round(batch_size * sum(workload[:i]) / total) for i in range(len(workload) + 1)]
    if any(a == b for a, b in zip(bounds, bounds[1:])):
        raise ValueError(f"a batch of {batch_size} leaves a device without samples under the workload {workload}")
    return [slice(a, b) for a, b in zip(bounds, bounds[1:])]


def _part(array, axis, bounds):
    """The rows `bounds` along `axis`; all of them where there is no such axis."""
    if axis < 0 or bounds.stop - bounds.start == array.shape[axis]:
        return array
    if isinstance(array, np.ndarray):
        return array[(slice(None),) * axis + (bounds,)]
    return ndarray.slice_axis(array, axis=axis, begin=bounds.start, end=bounds.stop)


def _merge(parts, axis):
    """The parts of all devices in one array on the first one's device."""
    if len(parts) == 1 or axis < 0:
        return parts[0]
    return ndarray.concat(*[part.as_in_context(parts[0].context) for part in parts], dim=axis)


# Helpers of the executor groups of other programs, under their names in MXNet 1.x.
def _load_general(data, targets, major_axis):
    """Copies arrays to arrays, or their parts to pairs of slice and array."""
    for source, target, axis in zip(data, targets, major_axis):
        if isinstance(target, NDArray):
            target[:] = source
            continue
        for bounds, array in target:
            array[:] = _part(source, axis, bounds)


def _load_data(batch, targets, major_axis):
    _load_general(batch.data, targets, major_axis)


def _load_label(batch, targets, major_axis):
    _load_general(batch.label, targets, major_axis)


def _merge_multi_context(outputs, major_axis):
    """For each output its parts on all devices as one array."""
    return [_merge(parts, axis) for parts, axis in zip(outputs, major_axis)]


class DataParallelExecutorGroup:
    """One executor for each context.

    Parameters
    ----------
    symbol : Symbol
        What to run.
    contexts : list of Context
        Where.
    workload : list of float, optional
        Shares of the batch.
    data_shapes, label_shapes : list of DataDesc
        Inputs for a whole batch.
    param_names : list of str
        Arguments that are parameters.
    for_training, inputs_need_grad : bool
        Whether gradients of the parameters, and of the data, are wanted.
    shared_group : DataParallelExecutorGroup, optional
        Another group whose parameters and memory to use.
    fixed_param_names : list of str, optional
        Parameters without a gradient.
    grad_req : str, list or dict
        ``'write'``, ``'add'`` or ``'null'`` for the parameters.
    state_names : list of str, optional
        Inputs that keep their values between calls.
    """

    def __init__(self, symbol, contexts, workload, data_shapes, label_shapes, param_names, for_training,
                 inputs_need_grad, shared_group=None, logger=logging, fixed_param_names=None, grad_req="write",
                 state_names=None, group2ctxs=None):
        self.symbol = symbol
        self.contexts = contexts
        self.workload = workload or [1] * len(contexts)
        self.param_names = param_names
        self.for_training = for_training
        self.inputs_need_grad = inputs_need_grad
        self.logger = logger
        self.fixed_param_names = fixed_param_names or []
        self.state_names = state_names or []
        self.group2ctxs = group2ctxs
        self.arg_names = symbol.list_arguments()
        self.aux_names = symbol.list_auxiliary_states()
        self.output_names = symbol.list_outputs()
        self.execs = []
        self.grad_req = self._requests(grad_req, {desc.name for desc in data_shapes})
        layouts = (symbol[name].attr("__layout__") for name in self.output_names)
        self.output_axes = [DataDesc.get_batch_axis(layout) for layout in layouts]
        self._shared_group = shared_group
        self.bind_exec(data_shapes, label_shapes, shared_group)

    def _requests(self, grad_req, data_names):
        """What to do with the gradient of each argument."""
        if isinstance(grad_req, (list, tuple)):
            if len(grad_req) != len(self.arg_names):
                raise ValueError(f"grad_req has {len(grad_req)} entries for {len(self.arg_names)} arguments")
            grad_req = dict(zip(self.arg_names, grad_req))
        default = grad_req if isinstance(grad_req, str) else "write"
        requests = {}
        for name in self.arg_names:
            if name in self.param_names:
                requests[name] = "null" if name in self.fixed_param_names else default
            elif name in data_names:
                requests[name] = default if self.inputs_need_grad else "null"
            else:
                requests[name] = "null"
        if isinstance(grad_req, dict):
            requests.update({name: request for name, request in grad_req.items() if name in requests})
        return requests if self.for_training else dict.fromkeys(requests, "null")

    # -- binding -------------------------------------------------------------------------------

    def decide_slices(self, data_shapes):
        """Sets `slices` and `batch_size` from descriptions of data; returns the axes of their samples."""
        axes = [DataDesc.get_batch_axis(getattr(desc, "layout", None)) for desc in data_shapes]
        for desc, axis in zip(data_shapes, axes):
            if axis < 0:
                continue
            size = desc.shape[axis]
            if self.batch_size is not None and self.batch_size != size:
                raise ValueError(f"all data must have the same number of samples: {desc.name} has shape {desc.shape} "
                                 f"with {size} along axis {axis}, others have {self.batch_size}")
            self.batch_size = size
            self.slices = split_batch(size, self.workload)
        return axes

    def _local(self, descriptions, axes, device):
        """Descriptions of one device's part."""
        parts = []
        for desc, axis in zip(descriptions, axes):
            shape = list(desc.shape)
            if axis >= 0:
                shape[axis] = self.slices[device].stop - self.slices[device].start
            parts.append(DataDesc(desc.name, tuple(shape), desc.dtype, desc.layout))
        return parts

    def bind_exec(self, data_shapes, label_shapes, shared_group=None, reshape=False):
        """Makes the executors, or reshapes them."""
        self.batch_size = None
        self.slices = []
        self.data_axes = self.decide_slices(data_shapes)
        self.label_axes = self.decide_slices(label_shapes) if label_shapes else []
        self.data_shapes, self.label_shapes = data_shapes, label_shapes
        self.data_names = [desc.name for desc in data_shapes]
        self.label_names = [desc.name for desc in label_shapes or []]
        for device, ctx in enumerate(self.contexts):
            inputs = self._local(data_shapes, self.data_axes, device)
            inputs += self._local(label_shapes or [], self.label_axes, device)
            shapes = {desc.name: desc.shape for desc in inputs if desc.name in self.arg_names}
            if reshape:
                self.execs[device] = self.execs[device].reshape(allow_up_sizing=True, **shapes)
                continue
            types = {desc.name: desc.dtype for desc in inputs if desc.name in self.arg_names}
            groups = self.group2ctxs[device] if isinstance(self.group2ctxs, list) else self.group2ctxs
            self.execs.append(self.symbol.simple_bind(
                ctx, grad_req=self.grad_req, type_dict=types, shared_arg_names=self.param_names, group2ctx=groups,
                shared_exec=shared_group.execs[device] if shared_group else None, **shapes))
        self._collect()

    def reshape(self, data_shapes, label_shapes):
        """Binds to data of other shapes, with the same parameters."""
        if data_shapes == self.data_shapes and label_shapes == self.label_shapes:
            return
        self.bind_exec(data_shapes, label_shapes, reshape=True)

    def _collect(self):
        """The arrays of all devices, by argument."""
        trained = [name for name in self.arg_names if name in self.param_names]
        self.param_arrays = [[e.arg_dict[name] for e in self.execs] for name in trained]
        self.grad_arrays = [[e.grad_dict[name] for e in self.execs] for name in trained] if self.for_training else None
        self.aux_arrays = [[e.aux_dict[name] for e in self.execs] for name in self.aux_names]
        self.state_arrays = [[e.arg_dict[name] for e in self.execs] for name in self.state_names]
        self.data_arrays = [[(self.slices[i], e.arg_dict[name]) for i, e in enumerate(self.execs)]
                            for name in self.data_names if name in self.arg_names]
        self.label_arrays = [[(self.slices[i], e.arg_dict[name]) for i, e in enumerate(self.execs)]
                             for name in self.label_names if name in self.arg_names]
        self.input_grad_arrays = [[e.grad_dict[name] for e in self.execs] for name in self.data_names
                                  if name in self.arg_names] if self.inputs_need_grad else []

    # -- parameters and states -----------------------------------------------------------------

    def set_params(self, arg_params, aux_params, allow_extra=False):
        """Copies parameters and auxiliary states to all devices."""
        for executor in self.execs:
            executor.copy_params_from(arg_params, aux_params, allow_extra_params=allow_extra)

    def get_params(self, arg_params, aux_params):
        """Puts the means over the devices into arrays of the two dicts."""
        trained = [name for name in self.arg_names if name in self.param_names]
        for names, arrays, target in ((trained, self.param_arrays, arg_params),
                                      (self.aux_names, self.aux_arrays, aux_params)):
            for name, copies in zip(names, arrays):
                total = copies[0]
                for other in copies[1:]:
                    total = total + other.as_in_context(total.context)
                mean = total / len(copies) if len(copies) > 1 else total
                mean.astype(target[name].dtype).copyto(target[name])

    def get_states(self, merge_multi_context=True):
        """The arrays of the states."""
        if merge_multi_context:
            return [_merge(parts, 0) for parts in self.state_arrays]
        return self.state_arrays

    def set_states(self, states=None, value=None):
        """Sets the states to arrays (for all devices, or one list for each), or all to a number."""
        if (states is None) == (value is None):
            raise AssertionError("set_states: give either states or a value")
        for i, copies in enumerate(self.state_arrays):
            for device, array in enumerate(copies):
                if states is None:
                    array[:] = value
                elif isinstance(states[i], (list, tuple)):
                    states[i][device].copyto(array)
                else:
                    _part(states[i], 0, self.slices[device]).copyto(array)

    # -- running -------------------------------------------------------------------------------

    def _load(self, arrays, names, axes):
        """Copies each device's part of the arrays to its executor."""
        for name, array, axis in zip(names, arrays, axes):
            if name not in self.arg_names:
                continue
            for device, executor in enumerate(self.execs):
                if isinstance(array, list):  # already cut into parts
                    part = array[device]
                else:
                    part = _part(array, axis, self.slices[device])
                executor.arg_dict[name][:] = part

    def forward(self, data_batch, is_train=None):
        """Runs a batch, for training if the group is and `is_train` is not given."""
        if isinstance(data_batch, list):  # one batch for each device
            data = [list(column) for column in zip(*(batch.data for batch in data_batch))]
            label = [list(column) for column in zip(*(batch.label or [] for batch in data_batch))]
        else:
            data, label = data_batch.data, data_batch.label
        if len(data) != len(self.data_names):
            raise ValueError(f"forward: got {len(data)} data arrays, expected {len(self.data_names)}: "
                             f"{self.data_names}")
        self._load(data, self.data_names, self.data_axes)
        if label:
            self._load(label, self.label_names, self.label_axes)
        is_train = self.for_training if is_train is None else is_train
        for executor in self.execs:
            executor.forward(is_train=is_train)

    def backward(self, out_grads=None):
        """Computes the gradients, from gradients of the outputs where these are no losses."""
        assert self.for_training, "re-bind with for_training=True to run backward"
        out_grads = as_list(out_grads)
        for device, executor in enumerate(self.execs):
            parts = [_part(gradient, axis, self.slices[device]).as_in_context(self.contexts[device])
                     for gradient, axis in zip(out_grads, self.output_axes)]
            executor.backward(parts or None)

    def get_outputs(self, merge_multi_context=True, begin=0, end=None):
        """Outputs number `begin` to `end`, joined over the devices or as one list for each output."""
        outputs = [[e.outputs[i] for e in self.execs] for i in range(len(self.output_names))][begin:end]
        if not merge_multi_context:
            return outputs
        return [_merge(parts, axis) for parts, axis in zip(outputs, self.output_axes[begin:end])]

    def get_output_shapes(self):
        """Names and shapes of the outputs for the whole batch."""
        shapes = []
        for name, output, axis in zip(self.output_names, self.execs[0].outputs, self.output_axes):
            shape = list(output.shape)
            if axis >= 0 and len(shape) > axis:
                shape[axis] = self.batch_size
            shapes.append((name, tuple(shape)))
        return shapes

    def get_input_grads(self, merge_multi_context=True):
        """Gradients of the data."""
        assert self.inputs_need_grad, "bind with inputs_need_grad=True to have gradients of the data"
        if not merge_multi_context:
            return self.input_grad_arrays
        return [_merge(parts, axis) for parts, axis in zip(self.input_grad_arrays, self.data_axes)]

    def update_metric(self, eval_metric, labels, pre_sliced):
        """Adds labels and outputs to a metric."""
        for device, executor in enumerate(self.execs):
            if pre_sliced:
                mine = labels[device]
            else:
                mine = [_part(label, axis, self.slices[device]) for label, axis in zip(labels, self.label_axes)]
                mine += [_part(label, 0, self.slices[device]) for label in labels[len(mine):]]
            mine = [label if isinstance(label, NDArray) else ndarray.array(label) for label in mine]
            eval_metric.update_dict(dict(zip(self.label_names, mine)),
                                    dict(zip(self.output_names, executor.outputs)))

    def install_monitor(self, mon):
        """Has a Monitor watch all executors."""
        for executor in self.execs:
            mon.install(executor)
