"""What the profiler notes down."""
import json

import pytest

import mxnet as mx
from mxnet import profiler


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "profile.json"
    profiler.set_config(filename=str(path), profile_all=True, aggregate_stats=True)
    profiler.dumps(reset=True)
    profiler._recorder.events.clear()
    yield lambda: (profiler.dump(), json.loads(path.read_text())["traceEvents"])[1]
    profiler.set_config(aggregate_stats=False)


def test_spans_counters_and_markers(trace):
    domain = profiler.Domain("training")
    before = domain.new_task("before")
    before.start()
    before.stop()
    profiler.set_state("run")
    with domain.new_task("task"):
        mx.nd.ones((2,)).wait_to_read()
    frame, event = domain.new_frame("frame"), profiler.Event("event")
    for _ in range(2):
        frame.start()
        frame.stop()
    event.stop()  # never started
    counter = domain.new_counter("batches", 3)
    counter += 2
    counter.decrement()
    domain.new_marker("here").mark("global")
    profiler.pause()
    domain.new_marker("paused").mark()
    profiler.resume()
    events = trace()
    assert [(e["ph"], e["name"], e["cat"]) for e in events] == [
        ("X", "task", "training"), ("X", "frame", "training"), ("X", "frame", "training"), ("C", "batches", "training"),
        ("C", "batches", "training"), ("C", "batches", "training"), ("i", "here", "training")]
    assert [e["args"]["batches"] for e in events if e["ph"] == "C"] == [3, 5, 4]
    assert all(e["dur"] >= 0 for e in events if e["ph"] == "X")
    assert not profiler._recorder.running, "dump ends the profile"


def test_statistics(trace):
    profiler.set_state("run")
    for name, times in (("once", 1), ("thrice", 3)):
        for _ in range(times):
            with profiler.Task(profiler.Domain("d"), name):
                pass
    profiler.set_state("stop")
    whole = json.loads(profiler.dumps(format="json", sort_by="count"))
    assert sorted(whole) == ["Memory", "Time", "Unit"]
    stats = whole["Time"]["d"]
    assert list(stats) == ["thrice", "once"] and stats["thrice"]["Count"] == 3
    assert stats["thrice"]["Min"] <= stats["thrice"]["Avg"] <= stats["thrice"]["Max"]
    assert list(json.loads(profiler.dumps(format="json", sort_by="count", ascending=True))["Time"]["d"])[0] == "once"
    table = profiler.dumps(reset=True)
    header, row = (next(line for line in table.splitlines() if line.startswith(start)) for start in ("Name", "thrice"))
    assert header.split()[:3] == ["Name", "Total", "Count"] and row.split()[1] == "3" and len(header) == len(row)
    assert "thrice" not in profiler.dumps()


def test_nothing_is_told_unless_asked_for():
    profiler.set_config(aggregate_stats=False)
    assert profiler.dumps() == ""


@pytest.mark.parametrize("call, error", [
    (lambda: profiler.set_config(foo=1), TypeError), (lambda: profiler.set_config(profile_process="foo"), ValueError),
    (lambda: profiler.set_state("foo"), KeyError), (lambda: profiler.set_state(profile_process="server"),
                                                   NotImplementedError),
    (lambda: profiler.dumps(format="foo"), AssertionError), (lambda: profiler.dumps(sort_by="foo"), AssertionError),
    (lambda: profiler.Task("d", "t"), TypeError),
    (lambda: profiler.Domain("d").new_marker("m").mark("foo"), ValueError),
])
def test_wrong_arguments(call, error):
    with pytest.raises(error):
        call()


def test_old_names_warn(trace, tmp_path):
    with pytest.warns(UserWarning, match="use set_config"):
        profiler.profiler_set_config(mode="all", filename=str(tmp_path / "old.json"))
    with pytest.warns(UserWarning, match="use set_state"):
        profiler.profiler_set_state("run")
    with pytest.warns(UserWarning, match="use dump"):
        profiler.dump_profile()
    assert json.loads((tmp_path / "old.json").read_text())["displayTimeUnit"] == "ms"
