"""Where a program spends its time, as a file for ``chrome://tracing`` and as a table.

While the profiler runs, the tasks, frames, events, counters and markers of the program are noted down. Operators
are not yet.

    mx.profiler.set_config(filename="profile.json", aggregate_stats=True)
    mx.profiler.set_state("run")
    with mx.profiler.Domain("training").new_task("epoch"):
        ...
    mx.profiler.set_state("stop")
    print(mx.profiler.dumps())
    mx.profiler.dump()
"""
import json
import os
import threading
import time
import warnings

from .error import NotImplementedError as MXNotImplementedError
from .error import TypeError as MXTypeError
from .error import ValueError as MXValueError

__all__ = ["Counter", "Domain", "Event", "Frame", "Marker", "Task", "dump", "dump_profile", "dumps", "pause",
           "profiler_set_config", "profiler_set_state", "resume", "set_config", "set_state"]

_OPTIONS = {"filename", "gpu_memory_profile_filename_prefix", "profile_all", "profile_symbolic", "profile_imperative",
            "profile_memory", "profile_api", "continuous_dump", "dump_period", "aggregate_stats", "profile_process"}
_SCOPES = {"global": "g", "process": "p", "thread": "t", "task": "t", "marker": "t"}
_SORTS = ("total", "avg", "min", "max", "count")


class _Recorder:
    """What was noted down in this process."""

    def __init__(self):
        self.config = {"filename": "profile.json", "aggregate_stats": False}
        self.running = self.paused = False
        self.lock = threading.Lock()
        self.events = []   # of the trace
        self.spans = {}    # durations in microseconds by (kind, name)

    def note(self, phase, name, kind, when, **rest):
        if not self.running or self.paused:
            return
        event = {"ph": phase, "name": name, "cat": kind, "ts": when, "pid": os.getpid(), "tid": threading.get_ident()}
        with self.lock:
            self.events.append({**event, **rest})
            if phase == "X":
                self.spans.setdefault((kind, name), []).append(rest["dur"])


_recorder = _Recorder()


def _now():
    """Microseconds since some moment."""
    return time.perf_counter_ns() / 1000


def _check_process(where):
    if where not in ("worker", "server"):
        raise MXValueError(f"profiler: profile_process must be 'worker' or 'server', got {where!r}")
    if where == "server":
        raise MXNotImplementedError("profiler: there is no distributed store whose servers could be profiled")


def set_config(**kwargs):
    """Sets up the profiler.

    Parameters
    ----------
    filename : str
        Where `dump` writes the trace; 'profile.json' at first.
    aggregate_stats : bool
        Whether `dumps` has a table to give.
    profile_all, profile_symbolic, profile_imperative, profile_memory, profile_api, continuous_dump, dump_period
        Taken for compatibility.
    profile_process : {'worker', 'server'}
        Which processes are meant; there are only workers.

    Raises
    ------
    TypeError
        For an option that does not exist.

    Examples
    --------
    >>> mx.profiler.set_config(aggregate_stats=True)
    """
    unknown = sorted(set(kwargs) - _OPTIONS)
    if unknown:
        raise MXTypeError(f"profiler.set_config: there is no option '{unknown[0]}'; known are "
                          f"{', '.join(sorted(_OPTIONS))}")
    _check_process(kwargs.pop("profile_process", "worker"))
    _recorder.config.update(kwargs)


def set_state(state="stop", profile_process="worker"):
    """Starts (``'run'``) or stops (``'stop'``) the profiler. KeyError for another state."""
    _check_process(profile_process)
    if state not in ("run", "stop"):
        raise KeyError(f"profiler.set_state: state must be 'run' or 'stop', got {state!r}")
    _recorder.running = state == "run"


def pause(profile_process="worker"):
    """Notes nothing down until `resume`."""
    _check_process(profile_process)
    _recorder.paused = True


def resume(profile_process="worker"):
    """Ends a `pause`."""
    _check_process(profile_process)
    _recorder.paused = False


def dump(finished=True, profile_process="worker"):
    """Writes the trace to the file of `set_config`, and stops the profiler if `finished`."""
    _check_process(profile_process)
    with _recorder.lock:
        events = list(_recorder.events)
    with open(_recorder.config["filename"], "w") as file:
        json.dump({"traceEvents": events, "displayTimeUnit": "ms"}, file)
    if finished:
        _recorder.running = False


def dumps(reset=False, format="table", sort_by="total", ascending=False):
    """Statistics of what was noted down, as text; empty without ``aggregate_stats=True``.

    Parameters
    ----------
    reset : bool
        Whether to begin anew afterwards.
    format : {'table', 'json'}
        A table, or a JSON dict with times in milliseconds.
    sort_by : {'total', 'avg', 'min', 'max', 'count'}
        The column that gives the order.
    ascending : bool
        Whether the smallest come first.

    Examples
    --------
    >>> text = mx.profiler.dumps(format="json", sort_by="avg")
    """
    if format not in ("table", "json"):
        raise AssertionError(f"profiler.dumps: format must be 'table' or 'json', got {format!r}")
    if sort_by not in _SORTS:
        raise AssertionError(f"profiler.dumps: sort_by must be one of {', '.join(_SORTS)}, got {sort_by!r}")
    if not _recorder.config["aggregate_stats"]:
        return ""
    with _recorder.lock:
        spans = {key: list(values) for key, values in _recorder.spans.items()}
        if reset:
            _recorder.spans.clear()
    kinds = {}
    for (kind, name), values in spans.items():
        total = sum(values) / 1000
        kinds.setdefault(kind, {})[name] = {"Count": len(values), "Total": total, "Min": min(values) / 1000,
                                            "Max": max(values) / 1000, "Avg": total / len(values)}
    for kind, rows in kinds.items():
        kinds[kind] = dict(sorted(rows.items(), key=lambda row: row[1][sort_by.capitalize()], reverse=not ascending))
    if format == "json":
        return json.dumps({"Time": kinds, "Memory": {}, "Unit": {"Time": "ms", "Memory": "kB"}}, indent=4)
    return _table(kinds)


# The columns are those of MXNet 1.x, which programs parse.
def _table(kinds):
    titles = ("Total Count", "Time (ms)", "Min Time (ms)", "Max Time (ms)", "Avg Time (ms)")
    widths = (15, 17, 17, 17, 17)
    lines = ["", "Profile Statistics:"]
    for kind, rows in kinds.items():
        lines += [kind, "=" * 17]
        for name, texts in (("Name", titles), ("----", ["-" * len(title) for title in titles])):
            lines.append(f"{name:<26}" + "".join(f"{text:>{width}}" for text, width in zip(texts, widths)))
        for name, row in rows.items():
            times = "".join(f"{row[key]:>17.4f}" for key in ("Total", "Min", "Max", "Avg"))
            lines.append(f"{name:<26}{row['Count']:>15}{times}")
        lines.append("")
    return "\n".join(lines) + "\n"


def profiler_set_config(mode="symbolic", filename="profile.json"):
    """Deprecated: use `set_config`."""
    warnings.warn("profiler_set_config is deprecated, use set_config", stacklevel=2)
    set_config(profile_symbolic=mode in ("symbolic", "all"), profile_imperative=mode == "all", filename=filename)


def profiler_set_state(state="stop"):
    """Deprecated: use `set_state`."""
    warnings.warn("profiler_set_state is deprecated, use set_state", stacklevel=2)
    set_state(state)


def dump_profile():
    """Deprecated: use `dump`."""
    warnings.warn("dump_profile is deprecated, use dump", stacklevel=2)
    dump(True)


class Domain:
    """A name under which tasks, frames, counters and markers belong together.

    Parameters
    ----------
    name : str
        The name.
    """

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name

    def new_task(self, name):
        """A `Task` of this domain."""
        return Task(self, name)

    def new_frame(self, name):
        """A `Frame` of this domain."""
        return Frame(self, name)

    def new_counter(self, name, value=None):
        """A `Counter` of this domain."""
        return Counter(self, name, value)

    def new_marker(self, name):
        """A `Marker` of this domain."""
        return Marker(self, name)


def _domain_name(domain):
    if not isinstance(domain, Domain):
        raise MXTypeError(f"profiler: domain must be a Domain, got {type(domain).__name__}")
    return domain.name


class _Span:
    """Something that lasts: from `start` to `stop`, or the length of a ``with`` block."""

    def __init__(self, name, kind):
        self.name = name
        self._kind = kind
        self._since = None

    def __str__(self):
        return self.name

    def start(self):
        """Begins to measure."""
        self._since = _now()

    def stop(self):
        """Notes down how long it has been since `start`; nothing without a start."""
        if self._since is not None:
            since, self._since = self._since, None
            _recorder.note("X", self.name, self._kind, since, dur=_now() - since)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()


class Task(_Span):
    """A piece of work of a domain.

    Parameters
    ----------
    domain : Domain
        What it belongs to.
    name : str
        Its name.

    Examples
    --------
    >>> task = mx.profiler.Task(mx.profiler.Domain("data"), "read")
    >>> task.start()
    >>> task.stop()
    """

    def __init__(self, domain, name):
        super().__init__(name, _domain_name(domain))


class Frame(Task):
    """One of a series of like pieces of work, such as the frames of a film."""


class Event(_Span):
    """A piece of work that belongs to no domain.

    Parameters
    ----------
    name : str
        Its name.
    """

    def __init__(self, name):
        super().__init__(name, "event")


class Counter:
    """A number that the trace shows over time.

    Parameters
    ----------
    domain : Domain
        What it belongs to.
    name : str
        Its name.
    value : int, optional
        What to begin with.

    Examples
    --------
    >>> batches = mx.profiler.Domain("data").new_counter("batches", 0)
    >>> batches += 1
    """

    def __init__(self, domain, name, value=None):
        self.name = name
        self._kind = _domain_name(domain)
        self._value = 0
        if value is not None:
            self.set_value(value)

    def __str__(self):
        return self.name

    def set_value(self, value):
        """Sets the number."""
        self._value = value
        _recorder.note("C", self.name, self._kind, _now(), args={self.name: value})

    def increment(self, delta=1):
        """Adds to the number."""
        self.set_value(self._value + delta)

    def decrement(self, delta=1):
        """Takes from the number."""
        self.set_value(self._value - delta)

    def __iadd__(self, delta):
        self.increment(delta)
        return self

    def __isub__(self, delta):
        self.decrement(delta)
        return self


class Marker:
    """A moment that the trace shows.

    Parameters
    ----------
    domain : Domain
        What it belongs to.
    name : str
        Its name.
    """

    def __init__(self, domain, name):
        self.name = name
        self._kind = _domain_name(domain)

    def mark(self, scope="process"):
        """Notes the moment down, for the ``'global'``, ``'process'``, ``'thread'``, ``'task'`` or ``'marker'``."""
        if scope not in _SCOPES:
            raise MXValueError(f"Marker.mark: scope must be one of {', '.join(_SCOPES)}, got {scope!r}")
        _recorder.note("i", self.name, self._kind, _now(), s=_SCOPES[scope])
