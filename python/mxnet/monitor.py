"""The monitor: statistics of the arrays inside a network while it trains."""
import re
from math import sqrt

from .base import py_str
from .ndarray import NDArray

__all__ = ["Monitor"]


def _default_stat(array):
    """The 2-norm, over the root of the size."""
    return array.norm() / sqrt(array.size)


class Monitor:
    """Takes statistics of outputs, weights and gradients every few batches.

    Parameters
    ----------
    interval : int
        Number of batches between.
    stat_func : callable, optional
        ``stat_func(array)`` gives an NDArray or a list of them; by default the 2-norm over the root of the size.
    pattern : str
        Regular expression; only arrays whose name it matches are taken.
    sort : bool
        Whether results come sorted by name.
    monitor_all : bool
        Whether inputs of operators are taken too.

    Examples
    --------
    >>> monitor = mx.mon.Monitor(1, pattern=".*weight")
    >>> monitor.install(net)
    >>> monitor.tic()
    >>> out = net(x)
    >>> [name for _, name, _ in monitor.toc()]
    ['dense0_weight']
    """

    def __init__(self, interval, stat_func=None, pattern=".*", sort=False, monitor_all=False):
        self.stat_func = stat_func or _default_stat
        self.interval = interval
        self.activated = False
        self.queue = []
        self.step = 0
        self.exes = []
        self.re_prog = re.compile(pattern)
        self.sort = sort
        self.monitor_all = monitor_all

    def stat_helper(self, name, array):
        """Called with each array while a batch is watched."""
        name = py_str(name)
        if self.activated and self.re_prog.match(name):
            self.queue.append((self.step, name, self.stat_func(array)))

    def install(self, exe):
        """Watches an executor, or a Block: the outputs of all blocks in it, and its parameters."""
        if hasattr(exe, "set_monitor_callback"):
            exe.set_monitor_callback(self.stat_helper, self.monitor_all)
        else:
            exe.apply(self._watch)
        self.exes.append(exe)

    def _watch(self, block):
        def hook(block, inputs, outputs):
            arrays = outputs if isinstance(outputs, (list, tuple)) else [outputs]
            for i, array in enumerate(arrays):
                if isinstance(array, NDArray):
                    self.stat_helper(f"{block.name}_output{i if len(arrays) > 1 else ''}", array)
        block.register_forward_hook(hook)

    @staticmethod
    def _arrays(exe):
        """Names and arrays of weights and other arguments of what is watched."""
        if hasattr(exe, "collect_params"):
            return [(name, param.data(ctx)) for name, param in exe.collect_params().items() if param._data is not None
                    for ctx in param.list_ctx()[:1]]
        return [*zip(exe._symbol.list_arguments(), exe.arg_arrays),
                *zip(exe._symbol.list_auxiliary_states(), exe.aux_arrays)]

    def tic(self):
        """Begins a batch; call it before forward."""
        if self.step % self.interval == 0:
            for exe in self.exes:
                for _, array in self._arrays(exe):
                    array.wait_to_read()
            self.queue = []
            self.activated = True
        self.step += 1

    def toc(self):
        """Ends a batch; call it after forward or backward.

        Returns
        -------
        list of tuple
            Number of the batch, name and statistics as text; empty for a batch that was not watched.
        """
        if not self.activated:
            return []
        for exe in self.exes:
            for name, array in self._arrays(exe):
                self.stat_helper(name, array)
        self.activated = False
        if self.sort:
            self.queue.sort(key=lambda entry: entry[1])
        result = [(step, name, self._text(stat)) for step, name, stat in self.queue]
        self.queue = []
        return result

    @staticmethod
    def _text(stat):
        stats = stat if isinstance(stat, (list, tuple)) else [stat]
        for one in stats:
            if not isinstance(one, NDArray):
                raise AssertionError(f"Monitor: stat_func must give an NDArray or a list of them, got "
                                     f"{type(one).__name__}")
        return "".join(str(one.asscalar() if one.size == 1 else one.asnumpy()) + "\t" for one in stats)

    def toc_print(self):
        """Ends a batch and logs the result."""
        import logging
        for step, name, stat in self.toc():
            logging.info("Batch: %7d %-30s %s", step, name, stat)
