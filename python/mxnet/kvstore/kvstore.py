"""The store within one process."""
import numpy as np

from .. import context, ndarray
from .. import optimizer as opt
from ..base import MXNetError
from .base import KVStoreBase, copy_to, total, unknown_capability
from .compression import Compression

__all__ = ["KVStore"]


def _pairs(who, key, value):
    """`key` and `value` as a list of a key and the list of its arrays, in the order of the keys."""
    if not isinstance(key, (list, tuple)):
        return [(_key(who, key), _arrays(who, value))]
    if not isinstance(value, (list, tuple)) or len(value) != len(key):
        raise AssertionError(f"KVStore.{who}: {len(key)} keys need as many values, got "
                             f"{len(value) if isinstance(value, (list, tuple)) else type(value).__name__}")
    grouped = {}
    for one, arrays in zip(key, value):
        grouped.setdefault(_key(who, one), []).extend(_arrays(who, arrays))
    return list(grouped.items())


def _key(who, key):
    if isinstance(key, (str, int)):
        return key
    if isinstance(key, np.integer):
        return int(key)
    raise AssertionError(f"KVStore.{who}: keys must be str or int, got {type(key).__name__}")


def _arrays(who, value):
    arrays = list(value) if isinstance(value, (list, tuple)) else [value]
    if not arrays or not all(isinstance(array, ndarray.NDArray) for array in arrays):
        raise AssertionError(f"KVStore.{who}: expected an NDArray or a list of them, got {type(value).__name__}")
    return arrays


class KVStore(KVStoreBase):
    """Values by key, for the devices of one process. Made by `create`.

    Parameters
    ----------
    handle : str
        The kind of store: 'local' adds up on the CPU, 'device' where the first array lies.

    Examples
    --------
    >>> kv = mx.kv.create("device")
    >>> kv.init("w", mx.nd.ones((2,)))
    >>> kv.set_optimizer(mx.optimizer.SGD(learning_rate=0.5))
    >>> w = mx.nd.empty((2,))
    >>> kv.pushpull("w", mx.nd.ones((2,)), out=w)
    >>> w.asnumpy()
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, handle):
        self.handle = handle
        self._type = handle
        self._values = {}
        self._updater = None
        self._compression = None
        self._on_device = "device" in handle

    # -- values --------------------------------------------------------------------------------

    def init(self, key, value):
        """Makes keys known, with their first values. A key can be made known only once.

        Parameters
        ----------
        key : str or int, or a list of them
            The keys; all must be str or all int.
        value : NDArray or list of NDArray
            Their values.

        Raises
        ------
        MXNetError
            For a key that is known already, or of another type than those before.
        """
        pairs = _pairs("init", key, value)
        kinds = {type(one) for one in (*self._values, *(one for one, _ in pairs))}
        if len(kinds) > 1:
            raise MXNetError(f"KVStore.init: keys must be all str or all int, got {key!r} with others")
        for one, arrays in pairs:
            if one in self._values or len(arrays) > 1:
                raise MXNetError(f"KVStore.init: key {one!r} can be given a first value only once")
        for one, (array, *_) in pairs:
            here = array.context if self._on_device else context.cpu()
            self._values[one] = array.copyto(here)

    def _assign(self, key, value):
        """Takes an array for the value of a known key, past any updater."""
        value.copyto(self._value("_assign", key))

    def push(self, key, value, priority=0):
        """Adds up the arrays of each key and takes the sum for its value, or updates its value by it.

        Parameters
        ----------
        key : str or int, or a list of them
            The keys.
        value : NDArray, list of NDArray, or list of lists
            For each key an array or one for each device.
        priority : int
            Accepted for compatibility: the engine runs what is ready.

        Raises
        ------
        MXNetError
            For an unknown key or another shape.
        """
        for one, arrays in _pairs("push", key, value):
            self._update(one, self._sum(one, arrays))

    def pull(self, key, out=None, priority=0, ignore_sparse=True):
        """Copies the values of keys.

        Parameters
        ----------
        key : str or int, or a list of them
            The keys.
        out : NDArray, list of NDArray, or list of lists
            Where to write: for each key an array or one for each device.
        priority : int
            Accepted for compatibility.
        ignore_sparse : bool
            Whether row-sparse values are passed over; all values are dense here.
        """
        if out is None:
            raise AssertionError("KVStore.pull: out must be given")
        for one, arrays in _pairs("pull", key, out):
            value = self._value("pull", one)
            for array in arrays:
                if array.shape != value.shape:
                    raise MXNetError(f"KVStore.pull: the value of key {one!r} has shape {value.shape}, but out has "
                                     f"{array.shape}")
            copy_to(value, arrays)

    def pushpull(self, key, value, out=None, priority=0):
        """`push`, then `pull` to `out`, which is `value` itself when not given."""
        self.push(key, value, priority)
        self.pull(key, value if out is None else out, priority)

    def broadcast(self, key, value, out, priority=0):
        """`init`, then `pull`."""
        self.init(key, value)
        self.pull(key, out, priority)

    def row_sparse_pull(self, key, out=None, priority=0, row_ids=None):
        """Copies rows of row-sparse values, which need sparse storage. Always raises MXNetError."""
        raise MXNetError("KVStore.row_sparse_pull: values and out must have row_sparse storage, but they are dense; "
                         "use pull")

    def _value(self, who, key):
        if key not in self._values:
            raise MXNetError(f"KVStore.{who}: key {key!r} is unknown; call init first")
        return self._values[key]

    def _sum(self, key, arrays):
        stored = self._value("push", key)
        for array in arrays:
            if array.shape != stored.shape or array.dtype != stored.dtype:
                raise MXNetError(f"KVStore.push: the value of key {key!r} has shape {stored.shape} and dtype "
                                 f"{np.dtype(stored.dtype).name}, got {array.shape} and {np.dtype(array.dtype).name}")
        if self._compression is not None and len(arrays) > 1:
            arrays = [self._compression((key, i), array) for i, array in enumerate(arrays)]
        return total(arrays, None if self._on_device else context.cpu())

    def _update(self, key, merged):
        stored = self._values[key]
        if self._updater is None:
            self._values[key] = merged
        else:
            self._updater(key, merged.as_in_context(stored.context), stored)

    # -- updating ------------------------------------------------------------------------------

    def set_optimizer(self, optimizer):
        """Lets `push` update values by an optimizer. TypeError for anything else."""
        if not isinstance(optimizer, opt.Optimizer):
            raise TypeError(f"KVStore.set_optimizer: expected an Optimizer, got {type(optimizer).__name__}")
        self._set_updater(opt.get_updater(optimizer))

    def set_updater(self, updater):
        """Lets `push` call ``updater(key, pushed, stored)``, which changes `stored` in place."""
        self._set_updater(updater)

    def _set_updater(self, updater):
        self._updater = updater

    @staticmethod
    def is_capable(capability):
        """True for 'optimizer': the store can update values. ValueError for an unknown capability."""
        return True if capability.lower() == KVStoreBase.OPTIMIZER else unknown_capability(capability)

    def set_gradient_compression(self, compression_params):
        """Rounds the gradients of several devices to a few bits before they are added up.

        Parameters
        ----------
        compression_params : dict
            ``type``: '2bit' or '1bit'; ``threshold``: float, 0.5 by default; see `compression.Compression`.

        Raises
        ------
        MXNetError
            For a 'local' store, where arrays do not travel between devices, or unknown parameters.
        """
        if not self._on_device:
            raise MXNetError(f"KVStore.set_gradient_compression: a store of type '{self.type}' does not compress; "
                             "use 'device'")
        self._compression = Compression(compression_params)

    def _states_of(self):
        if not isinstance(self._updater, opt.Updater):
            raise AssertionError("KVStore: there are no states of an optimizer; call set_optimizer first")
        return self._updater

    def save_optimizer_states(self, fname, dump_optimizer=False):
        """Writes the states of the optimizer (with itself if `dump_optimizer`) to a file."""
        states = self._states_of().get_states(dump_optimizer)
        with open(fname, "wb") as file:
            file.write(states)

    def load_optimizer_states(self, fname):
        """Reads what `save_optimizer_states` wrote. ValueError for a file that holds something else."""
        updater = self._states_of()
        with open(fname, "rb") as file:
            states = file.read()
        try:
            updater.set_states(states)
        except ValueError as error:
            raise ValueError(f"KVStore.load_optimizer_states: '{fname}': {error}") from error

    # -- workers -------------------------------------------------------------------------------

    @property
    def type(self):
        """The kind of store, as it is named in `create`."""
        return self._type

    @property
    def rank(self):
        """The number of this worker: 0."""
        return 0

    @property
    def num_workers(self):
        """The number of workers: 1."""
        return 1

    def barrier(self):
        """Waits for all workers; there is only this one."""

    def _barrier(self):
        self.barrier()

    def _send_command_to_servers(self, head, body):
        """Sends a command to servers, of which there are none."""

    def get_num_dead_node(self, node_id, timeout=60):
        """The number of workers that do not answer: 0."""
        return 0
