"""Parameters and dictionaries of them."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import Constant, DeferredInitializationError, Parameter, ParameterDict


def test_initialize_and_read():
    w = Parameter("w_weight", shape=(2, 3))
    with pytest.raises(RuntimeError, match="has not been initialized"):
        w.data()
    with pytest.raises(RuntimeError, match="has not been initialized"):
        w.list_ctx()
    w.initialize(mx.init.One())
    assert w.data().asnumpy().tolist() == [[1.0] * 3] * 2
    assert w.grad().asnumpy().tolist() == [[0.0] * 3] * 2
    assert w.list_ctx() == [mx.cpu(0)]
    assert len(w.list_data()) == len(w.list_grad()) == 1


def test_initialize_twice_only_warns():
    w = Parameter("w_weight", shape=(2,))
    w.initialize("ones")
    with pytest.warns(UserWarning, match="already initialized"):
        w.initialize("zeros")
    assert w.data().asnumpy().tolist() == [1, 1]
    w.initialize("zeros", force_reinit=True)
    assert w.data().asnumpy().tolist() == [0, 0]


def test_integer_sizes_of_numpy():
    assert Parameter("w", shape=np.int64(3)).shape == (3,)
    w = Parameter("w", shape=(np.int64(2), np.int32(3)))
    assert w.shape == (2, 3) and all(type(i) is int for i in w.shape)


def test_shapes_are_whole_numbers():
    with pytest.raises(TypeError):
        Parameter("w", shape=(2.5,))
    with pytest.raises(ValueError, match="extents must not be negative"):
        Parameter("w", shape=(-3, 2))


def test_failures_leave_the_parameter_as_it_was():
    w = Parameter("w", shape=(2,))
    w.initialize("ones")
    with pytest.raises(mx.MXNetError):
        w.cast("float23")
    with pytest.raises(ValueError):
        w.initialize(mx.init.Orthogonal(rand_type="foo"), force_reinit=True)
    assert w.dtype == np.float32 and w.data().asnumpy().tolist() == [1, 1]


def test_deferred_shape():
    with pytest.raises(ValueError, match=r"extents of its shape \(2, 0\) are unknown"):
        Parameter("w", shape=(2, 0)).initialize()
    w = Parameter("w", shape=(2, -1), allow_deferred_init=True)
    assert w.shape == (2, 0)
    w.initialize("ones")
    with pytest.raises(DeferredInitializationError, match="still partly unknown"):
        w.data()
    with pytest.raises(AssertionError, match="contradicts"):
        w.shape = (3, 4)
    w.shape = (2, 4)
    w._finish_deferred_init()
    assert w.data().shape == (2, 4)
    with pytest.raises(AssertionError, match="contradicts"):
        w.shape = (2, 5)


def test_unknown_extents_with_numpy_shapes():
    w = Parameter("w", shape=(0, 3), allow_deferred_init=True)
    with mx.np_shape():
        assert w.shape == (-1, 3)
        layer = gluon.nn.Dense(2)
        layer.initialize()
        assert layer(mx.nd.ones((4, 3))).shape == (4, 2)
    assert w.shape == (0, 3)


def test_set_data_before_the_shape_is_known():
    w = Parameter("w", shape=(0, 3), allow_deferred_init=True)
    w.initialize()
    values = mx.nd.ones((2, 3))
    w.set_data(values)
    w._finish_deferred_init()
    assert w.data().asnumpy().tolist() == [[1.0] * 3] * 2
    w.data()[:] = 5
    assert values.asnumpy().max() == 1


def test_set_data_checks():
    w = Parameter("w", shape=(2,))
    with pytest.raises(AssertionError, match="has not been initialized"):
        w.set_data(mx.nd.ones((2,)))
    w.initialize()
    with pytest.raises(AssertionError, match=r"shape \(3,\) contradicts"):
        w.set_data(mx.nd.ones((3,)))


def test_grad_req():
    w = Parameter("w", shape=(2,))
    with pytest.raises(AssertionError, match="'write', 'add' or 'null', got 'maybe'"):
        w.grad_req = "maybe"
    w.initialize()
    w.grad_req = "add"
    for _ in range(2):
        with mx.autograd.record():
            out = (w.data() * 3).sum()
        out.backward()
    assert w.grad().asnumpy().tolist() == [6, 6]
    w.zero_grad()
    assert w.grad().asnumpy().tolist() == [0, 0]
    w.grad_req = "null"
    with pytest.raises(RuntimeError, match="grad_req is 'null'"):
        w.grad()
    assert Parameter("s", shape=(2,), differentiable=False).grad_req == "null"


def test_several_contexts():
    w = Parameter("w", shape=(2,))
    w.initialize(mx.init.Normal(1), ctx=[mx.cpu(0), mx.cpu(1)])
    a, b = w.list_data()
    assert (a.asnumpy() == b.asnumpy()).all() and b.context == mx.cpu(1)
    assert w.data(mx.cpu(1)) is b
    with mx.cpu(1):
        assert w.data() is b
    b[:] = a + 2
    assert np.allclose(w._reduce().asnumpy(), a.asnumpy() + 1)
    w.reset_ctx(mx.cpu(2))
    assert w.list_ctx() == [mx.cpu(2)] and w.data().context == mx.cpu(2)
    with pytest.raises(ValueError, match="has not been initialized"):
        Parameter("v", shape=(2,)).reset_ctx(mx.cpu())


def test_cast():
    w = Parameter("w", shape=(2,))
    w.initialize()
    w.cast("float16")
    assert w.dtype == "float16" and w.data().dtype == np.float16 and w.grad().dtype == np.float16
    with mx.autograd.record():
        out = w.data() * 2
    out.backward()
    assert w.grad().asnumpy().tolist() == [2, 2]


def test_constant():
    c = Constant("c", [[1, 2], [3, 4]])
    c.initialize()
    assert c.data().asnumpy().tolist() == [[1, 2], [3, 4]]
    assert c.grad_req == "null"
    with pytest.warns(UserWarning, match="is ignored"):
        c.grad_req = "write"
    assert c.grad_req == "null"


def test_dict_get():
    params = ParameterDict("net_")
    w = params.get("w", shape=(2, 0))
    assert w.name == "net_w" and params.get("w") is w and list(params) == ["net_w"]
    assert params.get("w", shape=(2, 3)) is w and w.shape == (2, 3)
    with pytest.raises(AssertionError, match=r"exists with shape \(2, 3\).* shape \(2, 4\) asked for"):
        params.get("w", shape=(2, 4))
    with pytest.raises(AssertionError, match="exists with dtype"):
        params.get("w", dtype="float16")
    assert params.get("w", dtype="float32") is w
    with pytest.raises(KeyError):
        params["missing"]


def test_dict_constants():
    params = ParameterDict("net_")
    c = params.get_constant("c", [1, 2])
    assert params.get_constant("c", [1, 2]) is c and params.get_constant("c") is c
    with pytest.raises(AssertionError, match="another value"):
        params.get_constant("c", [1, 3])
    with pytest.raises(KeyError, match="no constant 'net_d'"):
        params.get_constant("d")


def test_dict_sharing_and_update():
    params = ParameterDict("net_")
    w = params.get("w", shape=(2,))
    shared = ParameterDict("net_", shared=params)
    assert shared.get("w") is w
    other = ParameterDict("net_")
    other.get("w", shape=(2,))
    with pytest.raises(AssertionError, match="two different ones named 'net_w'"):
        params.update(other)
    params.update(shared)
    assert len(params) == 1


def test_dict_for_all():
    params = ParameterDict()
    params.get("a_weight", shape=(2,))
    params.get("b_weight", shape=(3,))
    params.initialize(mx.init.One())
    params.setattr("grad_req", "add")
    assert {p.grad_req for p in params.values()} == {"add"}
    for p in params.values():
        p.grad()[:] = 4
    params.zero_grad()
    assert all(p.grad().asnumpy().max() == 0 for p in params.values())
    params.reset_ctx(mx.cpu(1))
    assert params.list_ctx() == [mx.cpu(1)]


def test_dict_files(tmp_path):
    path = str(tmp_path / "p.params")
    params = ParameterDict("net_")
    params.get("w_weight", shape=(2,), init="ones")
    params.initialize()
    params.save(path, strip_prefix="net_")
    assert list(mx.nd.load(path)) == ["w_weight"]
    other = ParameterDict("net_")
    other.get("w_weight", shape=(2,))
    other.load(path, restore_prefix="net_")
    assert other["net_w_weight"].data().asnumpy().tolist() == [1, 1]
    with pytest.raises(ValueError, match="the prefix 'x_' cannot be taken off"):
        params.save(path, strip_prefix="x_")
    with pytest.raises(AssertionError, match="does not start with it"):
        other.load(path, restore_prefix="x_")
    with pytest.raises(AssertionError, match="missing in file"):
        other.load(path)


def test_repr():
    params = ParameterDict("net_")
    params.get("w", shape=(2,))
    assert repr(params) == "net_ (\n  Parameter net_w (shape=(2,), dtype=<class 'numpy.float32'>)\n)"


def test_initializers_by_pattern():
    net = gluon.nn.Dense(2, in_units=2, bias_initializer=None)
    net.initialize(mx.init.Mixed([".*bias", ".*"], [mx.init.Constant(3), mx.init.One()]))
    assert net.bias.data().asnumpy().tolist() == [3, 3] or net.bias.data().asnumpy().tolist() == [0, 0]
    assert net.weight.data().asnumpy().tolist() == [[1, 1], [1, 1]]


def test_tensor_types():
    assert gluon.tensor_types == (mx.sym.Symbol, mx.nd.NDArray)
