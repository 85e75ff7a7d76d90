"""The interface of key-value stores, and the registry of their kinds."""
from .. import ndarray
from ..base import MXNetError

__all__ = ["KVStoreBase", "create"]

LOCAL_TYPES = ("local", "device", "local_update_cpu", "local_allreduce_cpu", "local_allreduce_device")


class KVStoreBase:
    """What `gluon.Trainer` needs of a store; a subclass that is registered can be named there.

    Examples
    --------
    >>> @mx.kv.KVStoreBase.register
    ... class Nothing(mx.kv.KVStoreBase):
    ...     type, rank, num_workers = "nothing", 0, 1
    ...     def broadcast(self, key, value, out, priority=0):
    ...         value.copyto(out)
    ...     def pushpull(self, key, value, out=None, priority=0):
    ...         pass
    ...     @staticmethod
    ...     def is_capable(capability):
    ...         return False
    >>> mx.kv.create("nothing").num_workers
    1
    """

    OPTIMIZER = "optimizer"
    kv_registry = {}

    def broadcast(self, key, value, out, priority=0):
        """Makes a key known and gives its value (that of the first worker) to `out`.

        Parameters
        ----------
        key : str or int, or a list of them
            The keys, which must be new.
        value : NDArray or list of NDArray
            Their values.
        out : NDArray or list of NDArray
            Where to write them.
        priority : int
            Larger ones are sent first.
        """
        raise NotImplementedError(f"{type(self).__name__} must override broadcast")

    def pushpull(self, key, value, out=None, priority=0):
        """Adds up `value` over devices and workers and writes the sum to `out`, by default to `value` itself."""
        raise NotImplementedError(f"{type(self).__name__} must override pushpull")

    def set_optimizer(self, optimizer):
        """Lets the store update its values by an optimizer, where it `is_capable` of that."""
        raise NotImplementedError(f"{type(self).__name__} must override set_optimizer")

    @staticmethod
    def is_capable(capability):
        """Whether the store can do something, e.g. ``KVStoreBase.OPTIMIZER``: update values itself."""
        raise NotImplementedError("a store must override is_capable")

    def save_optimizer_states(self, fname, dump_optimizer=False):
        """Writes the states of the optimizer (with itself if `dump_optimizer`) to a file."""
        raise NotImplementedError(f"{type(self).__name__} must override save_optimizer_states")

    def load_optimizer_states(self, fname):
        """Reads what `save_optimizer_states` wrote."""
        raise NotImplementedError(f"{type(self).__name__} must override load_optimizer_states")

    @property
    def type(self):
        """The kind of store, as it is named in `create`."""
        raise NotImplementedError(f"{type(self).__name__} must override type")

    @property
    def rank(self):
        """The number of this worker, from 0."""
        raise NotImplementedError(f"{type(self).__name__} must override rank")

    @property
    def num_workers(self):
        """The number of workers."""
        raise NotImplementedError(f"{type(self).__name__} must override num_workers")

    @staticmethod
    def register(klass):
        """Registers a class under its name in lower case; usable as a decorator."""
        KVStoreBase.kv_registry[klass.__name__.lower()] = klass
        return klass


def first(value):
    """An array, or the first of a list."""
    return value[0] if isinstance(value, (list, tuple)) else value


def total(values, ctx=None):
    """The sum of arrays on one context, by default that of the first."""
    here = values[0].context if ctx is None else ctx
    values = [value.as_in_context(here) for value in values]
    return values[0].copy() if len(values) == 1 else ndarray.add_n(*values)


def copy_to(value, out):
    """Copies an array to another or to each of a list."""
    for array in out if isinstance(out, (list, tuple)) else (out,):
        if array is not value:
            value.copyto(array)


@KVStoreBase.register
class TestStore(KVStoreBase):
    """The least that a store must do: it adds up arrays and keeps nothing. For tests."""

    __test__ = False  # not a class of tests

    def broadcast(self, key, value, out, priority=0):
        copy_to(first(value), out)

    def pushpull(self, key, value, out=None, priority=0):
        copy_to(total(value if isinstance(value, (list, tuple)) else [value]), value if out is None else out)

    @staticmethod
    def is_capable(capability):
        return False if capability.lower() == KVStoreBase.OPTIMIZER else unknown_capability(capability)

    @property
    def type(self):
        return "teststore"

    @property
    def rank(self):
        return 0

    @property
    def num_workers(self):
        return 1


def unknown_capability(capability):
    raise ValueError(f"there is no capability {capability!r} of a kvstore; there is '{KVStoreBase.OPTIMIZER}'")


def create(name="local"):
    """Makes a key-value store.

    Parameters
    ----------
    name : str
        'local' adds up on the CPU, 'device' where the first array lies; or the name of a registered class
        (see `KVStoreBase.register`). Upper and lower case are the same.

    Raises
    ------
    TypeError
        When `name` is not a str.
    MXNetError
        For a store that is not available.

    Examples
    --------
    >>> kv = mx.kv.create("local")
    >>> kv.init(3, mx.nd.zeros((2,)))
    >>> kv.push(3, [mx.nd.ones((2,)), mx.nd.ones((2,))])
    >>> out = mx.nd.empty((2,))
    >>> kv.pull(3, out=out)
    >>> out.asnumpy()
    array([2., 2.], dtype=float32)
    """
    if not isinstance(name, str):
        raise TypeError(f"kvstore.create: the name must be a str, got {type(name)}")
    kind = name.lower()
    if kind in KVStoreBase.kv_registry:
        return KVStoreBase.kv_registry[kind]()
    from .kvstore import KVStore
    if kind in LOCAL_TYPES:
        return KVStore(kind)
    known = ", ".join(repr(known) for known in (*LOCAL_TYPES, *sorted(KVStoreBase.kv_registry)))
    if "dist" in kind or kind in ("horovod", "byteps", "nccl", "p3"):
        raise MXNetError(f"kvstore.create: '{name}' needs several machines or GPUs, for which there is no store yet; "
                         f"there are {known}")
    raise MXNetError(f"kvstore.create: there is no store '{name}'; there are {known}")
