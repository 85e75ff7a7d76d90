"""Contexts, errors, names, attributes, registries and NumPy switches."""
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import mxnet as mx
from mxnet import base, error, registry, util


def test_version_and_aliases():
    assert mx.__version__ == "1.9.2"
    assert mx.nd is mx.ndarray and mx.init is mx.initializer and mx.rnd is mx.random
    assert mx.test_utils.same(np.ones(1), np.ones(1))
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        _ = mx.no_such_thing


def test_import_is_quick_and_lean():
    code = ("import sys, time, numpy\n"
            "before = set(sys.modules)\n"
            "import mxnet\n"
            "heavy = {'urllib.request', 'requests', 'multiprocessing', 'logging', 'scipy', 'asyncio',"
            " 'concurrent.futures', 'http', 'ssl'}\n"
            "print(sorted(heavy & (set(sys.modules) - before)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("level", ["0", "1", "3", "99", "none"])
def test_any_instruction_set_level_is_brought_into_range(level):
    code = "import mxnet as mx; print((mx.nd.ones(2) + 1).sum().asscalar())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "MXNET_ISA_LEVEL": level})
    assert done.stdout.strip() == "4.0"


def test_context_is_a_value():
    assert mx.cpu() == mx.cpu(0) == mx.Context("cpu") and mx.cpu(1) != mx.cpu(0) and mx.gpu() != mx.cpu()
    assert len({mx.cpu(), mx.cpu(0), mx.cpu(1), mx.gpu(1)}) == 3
    assert str(mx.cpu_pinned(2)) == "cpu_pinned(2)" and mx.gpu(3).device_type == "gpu"
    assert mx.gpu().device_typeid == 2 and mx.cpu(np.int64(4)).device_id == 4
    assert mx.Context(mx.gpu(2)) == mx.gpu(2)
    assert pickle.loads(pickle.dumps(mx.gpu(2))) == mx.gpu(2)
    assert (mx.cpu() == "cpu(0)") is False
    with pytest.raises(KeyError, match="unknown device type 'tpu'; known are cpu, gpu"):
        mx.Context("tpu")


def test_context_blocks_nest():
    one = mx.cpu(1)
    assert mx.current_context() == mx.cpu(0)
    with one:
        assert mx.nd.ones((1,)).context == one
        with mx.cpu(2), one:
            assert mx.current_context() == one
        assert mx.current_context() == one
    assert mx.current_context() == mx.cpu(0)


def test_context_belongs_to_its_thread():
    seen = []
    with mx.cpu(1):
        thread = threading.Thread(target=lambda: seen.append(mx.current_context()))
        thread.start()
        thread.join()
    assert seen == [mx.cpu(0)]


def test_errors_are_builtins_too():
    for name in ("ValueError", "TypeError", "IndexError", "KeyError", "MemoryError", "NotImplementedError", "OSError",
                 "AttributeError"):
        kind = getattr(error, name)
        assert issubclass(kind, mx.MXNetError) and issubclass(kind, __builtins__[name])
        assert str(kind("a plain sentence")) == "a plain sentence"
        assert error.error_types[name] is kind
    assert issubclass(error.InternalError, mx.MXNetError) and issubclass(mx.MXNetError, RuntimeError)

    @error.register
    class OwnError(mx.MXNetError):
        pass
    assert error.error_types.pop("OwnError") is OwnError


def test_core_errors_are_both():
    with pytest.raises(mx.MXNetError) as caught:
        mx.nd.array([1, 2, 3]).reshape((2, 2))
    assert isinstance(caught.value, ValueError)


def test_unsupported_calls():
    text = str(base.NotImplementedForSymbol(len, "size", 3))
    assert text.startswith('Function len (namely operator "size") with arguments (') and "Symbol" in text


def test_there_is_no_c_library():
    with pytest.raises(NotImplementedError, match="_LIB.MXGetVersion: there is no C API"):
        _ = base._LIB.MXGetVersion
    assert not hasattr(base._LIB, "MXGetVersion")
    base.check_call(0)
    with pytest.raises(mx.MXNetError):
        base.check_call(-1)


def test_null():
    assert repr(base._Null) == "_Null" and pickle.loads(pickle.dumps(base._Null)) is base._Null


def test_data_dir(monkeypatch):
    monkeypatch.setenv("MXNET_HOME", "/somewhere")
    assert base.data_dir() == "/somewhere"
    monkeypatch.delenv("MXNET_HOME")
    assert base.data_dir() == base.data_dir_default()


def test_class_properties():
    class Thing(base.with_metaclass(base._MXClassPropertyMetaClass, object)):
        _value = 3

        @base.classproperty
        def value(cls):
            return cls._value

        @value.setter
        def value(cls, new):
            cls._value = new
    assert Thing.value == 3
    Thing.value = 5
    assert Thing.value == Thing._value == 5


def test_names():
    manager = mx.name.NameManager()
    with manager:
        assert [mx.name.current().get(None, "dense") for _ in range(2)] == ["dense0", "dense1"]
        assert mx.name.current().get("given", "dense") == "given"
        with mx.name.Prefix("stage_"):
            assert mx.name.current().get(None, "dense") == "stage_dense0"
            assert mx.name.current().get("given", "dense") == "stage_given"
        assert mx.name.current() is manager


def test_attributes():
    with mx.AttrScope(a="1", b="2"):
        with mx.AttrScope(b="3") as inner:
            assert inner.get({"c": "4"}) == {"a": "1", "b": "3", "c": "4"}
            assert inner.get({"a": "5"})["a"] == "5"
        assert mx.attribute.current().get(None) == {"a": "1", "b": "2"}
    assert mx.attribute.current().get(None) == {}
    with pytest.raises(ValueError, match="need to be text, got a=1"):
        mx.AttrScope(a=1)


def test_registry():
    class Shape:
        def __init__(self, sides=0):
            self.sides = sides
    register = registry.get_register_func(Shape, "shape")
    alias = registry.get_alias_func(Shape, "shape")
    create = registry.get_create_func(Shape, "shape")

    @alias("box")
    @register
    class Square(Shape):
        def __init__(self, sides=4):
            super().__init__(sides)
    assert sorted(registry.get_registry(Shape)) == ["box", "square"]
    assert create("BOX").sides == 4 and create("square", sides=5).sides == 5
    assert create('["square", {"sides": 6}]').sides == 6 and create('{"shape": "box", "sides": 7}').sides == 7
    assert create(shape="box").sides == 4
    made = Square()
    assert create(made) is made
    for call in (lambda: create("circle"), lambda: create(3), lambda: create(made, 3), lambda: register(int)):
        with pytest.raises(AssertionError):
            call()
    with pytest.raises(ValueError, match="give the name of a shape"):
        create()
    with pytest.warns(UserWarning, match="replaces"):
        register(type("Square", (Shape,), {}))


def test_numpy_switches():
    assert not util.is_np_shape() and not util.is_np_array()
    with util.np_shape():
        assert util.is_np_shape()
        with util.np_shape(False):
            assert not util.is_np_shape()
        assert util.is_np_shape()
    assert util.set_np_shape(True) is False and util.set_np_shape(False) is True
    util.set_np()
    try:
        assert util.is_np_shape() and util.is_np_array()
        seen = []
        thread = threading.Thread(target=lambda: seen.append(util.is_np_array()))
        thread.start()
        thread.join()
        assert seen == [False]
    finally:
        util.reset_np()
    assert not util.is_np_shape()
    with pytest.raises(ValueError, match="NumPy arrays need NumPy shapes"):
        util.set_np(shape=False)


def test_numpy_decorators():
    @util.use_np
    def inside(x):
        """Says what is on."""
        return x, util.is_np_shape(), util.is_np_array()
    assert inside(1) == (1, True, True) and inside.__doc__ == "Says what is on."

    @util.use_np_shape
    class Thing:
        def __init__(self):
            self.made = util.is_np_shape()

        @property
        def now(self):
            return util.is_np_shape(), util.is_np_array()
    assert Thing().made and Thing().now == (True, False)
    assert not util.is_np_shape()
    with pytest.raises(TypeError):
        util.use_np(3)


def test_random_seed():
    mx.random.seed(np.int64(7))
    a = mx.nd.random.uniform(shape=(5,)).asnumpy()
    mx.random.seed(7)
    assert (mx.random.uniform(shape=(5,)).asnumpy() == a).all()
    mx.random.seed(7, ctx=mx.cpu())
    assert (mx.random.uniform(shape=(5,)).asnumpy() == a).all()
    with pytest.raises(ValueError, match="the seed must be an integer"):
        mx.random.seed(1.5)
    with pytest.raises(ValueError, match="ctx must be a Context or 'all'"):
        mx.random.seed(1, ctx="some")


def test_makedirs_and_environment(tmp_path, monkeypatch):
    util.makedirs(str(tmp_path / "a" / "b"))
    util.makedirs(str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()
    monkeypatch.setenv("MXNET_TEST_C", "1")
    util.setenv("MXNET_TEST_C", None)
    assert util.getenv("MXNET_TEST_C") is None
    with pytest.raises(ValueError, match="expected a GPU context"):
        util.get_cuda_compute_capability(mx.cpu())
