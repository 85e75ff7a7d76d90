"""Operators written in Python: mx.operator and mx.nd.Custom."""
import gc
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from custom_ops import define

import mxnet as mx
from mxnet import autograd, gluon, nd


class Scale(mx.operator.CustomOp):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], in_data[0] * self.factor)

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], out_grad[0] * self.factor)


@mx.operator.register("test_scale")
class ScaleProp(mx.operator.CustomOpProp):
    def __init__(self, factor="2.0"):
        super().__init__(need_top_grad=True)
        assert isinstance(factor, str)
        self.factor = float(factor)

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return Scale(self.factor)


def double(self, is_train, req, in_data, out_data, aux):
    self.assign(out_data[0], req[0], in_data[0] * 2)


def scaled(x, **kwargs):
    return nd.Custom(x, op_type="test_scale", **kwargs)


# --- values and gradients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32"])
def test_forward_and_backward(dtype):
    x = nd.array([[1, 2], [3, 4]], dtype=dtype)
    x.attach_grad()
    with autograd.record():
        y = scaled(x, factor=3)
    assert y.dtype == x.dtype and y.shape == x.shape
    np.testing.assert_array_equal(y.asnumpy(), 3 * x.asnumpy())
    y.backward(nd.array([[1, 0], [0, 2]], dtype=dtype))
    np.testing.assert_array_equal(x.grad.asnumpy(), [[3, 0], [0, 6]])


def test_gradient_of_numpy_code():
    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], nd.array(np.sin(in_data[0].asnumpy())))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], np.cos(in_data[0].asnumpy()) * out_grad[0].asnumpy())

    define("test_sin", forward, backward)
    x = np.linspace(-1, 1, 12).reshape(3, 4)
    mx.test_utils.check_numeric_gradient(lambda x: nd.Custom(x, op_type="test_sin"), [x], rtol=1e-2, atol=1e-3)


def test_keywords_arrive_as_strings():
    seen = {}

    def init(self, **kwargs):
        mx.operator.CustomOpProp.__init__(self)
        seen.update(kwargs)

    define("test_keywords", double, __init__=init)
    nd.Custom(nd.ones(2), op_type="test_keywords", name="layer", a=1, b=True, c=(1, 2), d=None, e="text", f=1.5)
    assert seen == {"a": "1", "b": "True", "c": "(1, 2)", "d": "None", "e": "text", "f": "1.5"}


def test_several_arguments_outputs_and_states():
    def forward(self, is_train, req, in_data, out_data, aux):
        a, b = in_data
        self.assign(out_data[0], req[0], a + b)
        self.assign(out_data[1], req[1], a.sum().reshape((1,)))
        aux[0][:] += 1

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        assert req == ["write", "null"]
        aux[0][:] += 10
        self.assign(in_grad[0], req[0], out_grad[0] + out_grad[1])
        self.assign(in_grad[1], req[1], out_grad[0])

    define("test_several", forward, backward,
           list_arguments=lambda self: ["a", "b"], list_outputs=lambda self: ["sum", "total"],
           list_auxiliary_states=lambda self: ["count"],
           infer_shape=lambda self, shapes: (shapes, [shapes[0], [1]], [[1]]))
    a, b, count = nd.array([1, 2, 3]), nd.array([10, 20, 30]), nd.zeros(1)
    a.attach_grad()
    with autograd.record():
        total, one = nd.Custom(a, b, count, op_type="test_several")
        loss = total.sum() + 5 * one
    assert count.asscalar() == 1
    np.testing.assert_array_equal(total.asnumpy(), [11, 22, 33])
    np.testing.assert_array_equal(one.asnumpy(), [6])
    loss.backward()
    np.testing.assert_array_equal(a.grad.asnumpy(), [6, 6, 6])
    assert count.asscalar() == 11


def test_states_shared_between_calls_are_written_in_order():
    def forward(self, is_train, req, in_data, out_data, aux):
        aux[0][:] = aux[0] * 2 + 1
        self.assign(out_data[0], req[0], in_data[0] + aux[0])

    define("test_counter", forward, list_auxiliary_states=lambda self: ["count"],
           infer_shape=lambda self, shapes: (shapes, [shapes[0]], [[1]]))
    x, count = nd.zeros(1), nd.zeros(1)
    outputs = [nd.Custom(x, count, op_type="test_counter") for _ in range(8)]
    assert [out.asscalar() for out in outputs] == [2 ** i - 1 for i in range(1, 9)]


def test_a_loss_ignores_the_head_gradient():
    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], nd.softmax(in_data[0]))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        in_grad[1][:] = 0
        self.assign(in_grad[0], req[0], out_data[0] - nd.one_hot(in_data[1], 3))

    define("test_loss", forward, backward, list_arguments=lambda self: ["data", "label"],
           infer_shape=lambda self, shapes: ([shapes[0], [shapes[0][0]]], [shapes[0]], []),
           __init__=lambda self: mx.operator.CustomOpProp.__init__(self, need_top_grad=False))
    x, label = nd.random.normal(shape=(4, 3)), nd.array([0, 1, 2, 0])
    x.attach_grad()
    with autograd.record():
        y = nd.Custom(x, label, op_type="test_loss")
    y.backward()
    np.testing.assert_allclose(x.grad.asnumpy(), (nd.softmax(x) - nd.one_hot(label, 3)).asnumpy(), rtol=1e-6)


def test_types_are_inferred():
    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], in_data[0].astype("int32"))

    define("test_types", forward, infer_type=lambda self, types: (types, [np.int32], []))
    assert nd.Custom(nd.array([1.7]), op_type="test_types").dtype == np.int32


def test_training_mode_is_passed_on():
    seen = []

    def forward(self, is_train, req, in_data, out_data, aux):
        seen.append((is_train, autograd.is_training(), autograd.is_recording()))
        out_data[0][:] = 0

    define("test_mode", forward, lambda *args: None)
    x = nd.ones(1)
    x.attach_grad()
    nd.Custom(x, op_type="test_mode").wait_to_read()
    with autograd.record():
        nd.Custom(x, op_type="test_mode").wait_to_read()
    with autograd.record(train_mode=False):
        nd.Custom(x, op_type="test_mode").wait_to_read()
    assert seen == [(False, False, False), (True, True, False), (False, False, False)]


def test_state_between_forward_and_backward():
    """Each application has an operator of its own; arrays it keeps hold what they held when the call ended."""
    def forward(self, is_train, req, in_data, out_data, aux):
        self.kept = in_data[0]
        self.result = out_data[0]
        self.assign(out_data[0], req[0], in_data[0] ** 2)

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        np.testing.assert_array_equal(self.result.asnumpy(), self.kept.asnumpy() ** 2)
        self.assign(in_grad[0], req[0], 2 * self.kept * out_grad[0])

    define("test_state", forward, backward)
    xs = [nd.array([float(i), i + 1.0]) for i in range(4)]
    for x in xs:
        x.attach_grad()
    with autograd.record():
        ys = [nd.Custom(x, op_type="test_state") for x in xs]
    for y in ys:
        y.backward()
    for x in xs:
        np.testing.assert_array_equal(x.grad.asnumpy(), 2 * x.asnumpy())


def test_out_and_chains():
    x, out = nd.ones((2, 2)), nd.zeros((2, 2))
    assert nd.Custom(x, op_type="test_scale", out=out) is out
    np.testing.assert_array_equal(out.asnumpy(), 2 * np.ones((2, 2)))
    for _ in range(10):
        x = scaled(x)
    np.testing.assert_array_equal(x.asnumpy(), np.full((2, 2), 1024))


def test_empty_and_scalar_arrays():
    assert scaled(nd.zeros((0, 3))).asnumpy().shape == (0, 3)
    assert scaled(nd.ones((2, 3)).sum().reshape(())).asscalar() == 12


def test_deferred_parameters_get_their_shape():
    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], nd.dot(in_data[0], in_data[1]))

    define("test_dense", forward, list_arguments=lambda self: ["data", "weight"],
           infer_shape=lambda self, s: ([s[0], [s[0][1], 5]], [[s[0][0], 5]], []))

    class Layer(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get("weight", allow_deferred_init=True)

        def hybrid_forward(self, F, x, weight):
            return F.Custom(x, weight, op_type="test_dense")

    layer = Layer()
    layer.initialize(mx.init.One())
    np.testing.assert_array_equal(layer(nd.ones((2, 3))).asnumpy(), np.full((2, 5), 3))
    assert layer.weight.shape == (3, 5)


# --- nesting, threads, engines --------------------------------------------------------------------------------


def test_gluon_and_autograd_inside():
    net = gluon.nn.Dense(3, in_units=4)
    net.initialize(mx.init.One())

    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], net(in_data[0]))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        x = in_data[0].copy()
        x.attach_grad()
        with autograd.record():
            y = net(x)
        y.backward(out_grad[0])
        self.assign(in_grad[0], req[0], x.grad)

    define("test_block", forward, backward,
           infer_shape=lambda self, shapes: (shapes, [[shapes[0][0], 3]], []))
    x = nd.random.normal(shape=(2, 4))
    x.attach_grad()
    with autograd.record():
        y = nd.Custom(x, op_type="test_block")
    y.backward()
    np.testing.assert_allclose(y.asnumpy(), net(x).asnumpy(), rtol=1e-6)
    np.testing.assert_array_equal(x.grad.asnumpy(), np.full((2, 4), 3))
    np.testing.assert_allclose(net.weight.grad().asnumpy(), np.tile(x.asnumpy().sum(0), (3, 1)), rtol=1e-5)


def test_custom_inside_custom():
    def forward(self, is_train, req, in_data, out_data, aux):
        inner = scaled(scaled(in_data[0]))
        inner.wait_to_read()
        self.assign(out_data[0], req[0], scaled(inner))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        x = in_data[0].copy()
        x.attach_grad()
        with autograd.record():
            y = scaled(scaled(scaled(x)))
        y.backward(out_grad[0])
        self.assign(in_grad[0], req[0], x.grad)

    define("test_nested", forward, backward)
    x = nd.ones((3,))
    x.attach_grad()
    for _ in range(5):
        with autograd.record():
            y = nd.Custom(x, op_type="test_nested") + nd.Custom(x, op_type="test_nested")
        y.backward()
        np.testing.assert_array_equal(y.asnumpy(), np.full(3, 16))
        np.testing.assert_array_equal(x.grad.asnumpy(), np.full(3, 16))


def test_waiting_for_everything_inside():
    def forward(self, is_train, req, in_data, out_data, aux):
        out_data[0][:] = in_data[0] + 1
        nd.waitall()

    define("test_waitall", forward)
    x = nd.zeros(3)
    for _ in range(20):
        x = nd.Custom(x, op_type="test_waitall")
    np.testing.assert_array_equal(x.asnumpy(), np.full(3, 20))


def test_waiting_for_an_operator_behind():
    """A custom operator waits for another one that was pushed earlier and becomes ready later."""
    later = []

    def forward(self, is_train, req, in_data, out_data, aux):
        out_data[0][:] = in_data[0] + later[0].asnumpy()[0, 0]

    define("test_behind", forward)
    big = nd.ones((400, 400))
    for _ in range(10):
        big = nd.dot(big, nd.ones((400, 400)) / 400)
    later.append(scaled(big))
    np.testing.assert_allclose(nd.Custom(nd.zeros(2), op_type="test_behind").asnumpy(), [2, 2], rtol=1e-5)


def test_many_threads():
    failures = []

    def work(number):
        try:
            for i in range(20):
                x = nd.full((5,), number + i)
                x.attach_grad()
                with autograd.record():
                    y = scaled(scaled(x, factor=number), factor=3)
                y.backward()
                assert (y.asnumpy() == 3 * number * (number + i)).all()
                assert (x.grad.asnumpy() == 3 * number).all()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


PROGRAM = """
import mxnet as mx
from mxnet import nd, autograd
class Op(mx.operator.CustomOp):
    def forward(self, is_train, req, in_data, out_data, aux):
        inner = in_data[0] * 2
        inner.wait_to_read()
        self.assign(out_data[0], req[0], inner)
        if in_data[0].shape == (1,):
            raise ValueError('no ones')
    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], out_grad[0] * 2)
@mx.operator.register('double')
class Prop(mx.operator.CustomOpProp):
    def create_operator(self, ctx, in_shapes, in_dtypes):
        return Op()
def check():
    x = nd.ones((200, 200))
    x.attach_grad()
    with autograd.record():
        y = nd.Custom(nd.Custom(x + 1, op_type='double'), op_type='double')
    y.backward()
    assert (y.asnumpy() == 8).all() and (x.grad.asnumpy() == 4).all()
    try:
        nd.Custom(nd.ones(1), op_type='double').asnumpy()
    except mx.MXNetError as error:
        assert 'no ones' in str(error)
    else:
        raise SystemExit('no error')
"""


def run_program(text, first="", **variables):
    path = os.pathsep.join(filter(None, [os.path.dirname(os.path.dirname(mx.__file__)), os.environ.get("PYTHONPATH")]))
    result = subprocess.run([sys.executable, "-c", first + PROGRAM + text], timeout=120, capture_output=True, text=True,
                            env={**os.environ, "PYTHONPATH": path, **variables})
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("engine", ["ThreadedEnginePerDevice", "ThreadedEngine", "NaiveEngine"])
def test_engines(engine):
    run_program("check()", MXNET_ENGINE_TYPE=engine)


def test_process_on_one_cpu():
    run_program("check()", first=f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})")


def test_forked_children():
    run_program("""
import os
check()
children = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        check()
        os._exit(0)
    children.append(pid)
check()
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
""")


def test_work_left_at_exit():
    run_program("y = [nd.Custom(nd.ones((100, 100)), op_type='double') for _ in range(50)]")


# --- errors ---------------------------------------------------------------------------------------------------


def fails_in_forward(self, is_train, req, in_data, out_data, aux):
    raise RuntimeError("the forward broke")


def test_error_in_forward_is_raised_at_the_wait():
    define("test_fail", fails_in_forward)
    y = nd.Custom(nd.ones(2), op_type="test_fail")
    z = y + 1
    with pytest.raises(mx.MXNetError) as caught:
        z.asnumpy()
    text = str(caught.value)
    assert text.startswith("Custom: forward of operator 'test_fail' failed: RuntimeError: the forward broke")
    assert "Traceback (most recent call last)" in text and "in fails_in_forward" in text
    nd.waitall()
    assert (scaled(nd.ones(2)).asnumpy() == 2).all()


def test_error_in_backward():
    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        raise IndexError("the backward broke")

    define("test_fail_backward", double, backward)
    x = nd.ones(2)
    x.attach_grad()
    with autograd.record():
        y = nd.Custom(x, op_type="test_fail_backward")
    assert (y.asnumpy() == 2).all()
    y.backward()
    with pytest.raises(IndexError, match="backward of operator 'test_fail_backward' failed: IndexError"):
        x.grad.asnumpy()


def test_error_of_an_operator_inside():
    def forward(self, is_train, req, in_data, out_data, aux):
        out_data[0][:] = nd.Custom(in_data[0], op_type="test_fail")

    define("test_fail", fails_in_forward)
    define("test_fail_inside", forward)
    with pytest.raises(mx.MXNetError, match="the forward broke"):
        nd.Custom(nd.ones(2), op_type="test_fail_inside").asnumpy()
    nd.waitall()


def test_waitall_raises_errors():
    define("test_fail", fails_in_forward)
    nd.Custom(nd.ones(2), op_type="test_fail")
    with pytest.raises(mx.MXNetError, match="the forward broke"):
        nd.waitall()


@pytest.mark.parametrize("call, message", [
    (lambda: nd.Custom(nd.ones(1)), "Custom: parameter 'op_type' is missing"),
    (lambda: nd.Custom(nd.ones(1), op_type="no_such"), "there is no such operator"),
    (lambda: nd.Custom(nd.ones(1), nd.ones(1), op_type="test_scale"), "takes 1 arrays"),
    (lambda: nd.Custom(op_type="test_scale"), "takes 1 arrays"),
    (lambda: nd.Custom(nd.ones(1), op_type="test_scale", factor="x"), "construction of operator 'test_scale' failed"),
    (lambda: nd.Custom(nd.ones(1), op_type="test_scale", nothing=1), "nothing"),
    (lambda: nd.Custom(2, op_type="test_scale"), "Custom"),
    (lambda: mx.operator.register(ScaleProp), "the name must be a str"),
])
def test_errors_at_the_call(call, message):
    with pytest.raises(mx.MXNetError) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize("prop, message", [
    ({"infer_shape": lambda self, shapes: 1 / 0}, "ZeroDivisionError"),
    ({"infer_shape": lambda self, shapes: (shapes, [], [])}, "infer_shape must return 1 entries for the outputs"),
    ({"infer_shape": lambda self, shapes: ([[7]], [[7]], [])}, "has shape (2), expected (7)"),
    ({"infer_shape": lambda self, shapes: None}, "infer_shape must return"),
    ({"infer_type": lambda self, types: ([np.float64], [np.float64], [])}, "has dtype float32, expected float64"),
    ({"list_outputs": lambda self: [1]}, "list_outputs must return a list of str"),
    ({"create_operator": lambda self, *args: 1 / 0}, "create_operator of operator"),
])
def test_errors_of_the_description(prop, message):
    define("test_bad", double, **prop)
    with pytest.raises(mx.MXNetError) as caught:
        nd.Custom(nd.ones(2), op_type="test_bad")
    assert message in str(caught.value).replace("(2,)", "(2)").replace("(7,)", "(7)")


def test_assign():
    op, x = mx.operator.CustomOp(), nd.ones(2)
    op.assign(x, "null", 5)
    op.assign(x, "add", 5)
    np.testing.assert_array_equal(x.asnumpy(), [6, 6])
    op.assign(x, "inplace", nd.array([1, 2]))
    np.testing.assert_array_equal(x.asnumpy(), [1, 2])
    op.assign(x, "write", np.array([3, 4]))
    np.testing.assert_array_equal(x.asnumpy(), [3, 4])
    with pytest.raises(ValueError, match="req must be"):
        op.assign(x, "wirte", 1)


# --- lifetime -------------------------------------------------------------------------------------------------


def test_operators_are_freed():
    alive = []

    class Op(Scale):
        pass

    @mx.operator.register("test_freed")
    class Prop(mx.operator.CustomOpProp):
        def create_operator(self, ctx, in_shapes, in_dtypes):
            op = Op(2)
            alive.append(weakref.ref(op))
            return op

    x = nd.ones(2)
    x.attach_grad()
    for _ in range(5):
        with autograd.record():
            y = nd.Custom(x, op_type="test_freed")
        y.backward()
        x.grad.wait_to_read()
    del y
    nd.waitall()
    gc.collect()
    assert len(alive) == 5 and not any(ref() for ref in alive)


def test_memory_stays_flat():
    def step():
        x = nd.ones((64, 1024))
        x.attach_grad()
        with autograd.record():
            y = scaled(x).sum()
        y.backward()
        x.grad.wait_to_read()

    def in_use():
        nd.waitall()
        gc.collect()
        return mx._core.storage_stats(1, 0)["in_use"]

    step()
    before = in_use()
    for _ in range(20):
        step()
    assert in_use() <= before


def test_kept_arrays_outlive_the_call():
    kept = []

    def forward(self, is_train, req, in_data, out_data, aux):
        out_data[0][:] = in_data[0] + 1
        kept.extend([in_data[0], out_data[0]])

    define("test_kept", forward)
    x = nd.full((1000,), 4)
    y = nd.Custom(x, op_type="test_kept")
    y.wait_to_read()
    x[:] = 0
    y[:] = 0
    del x, y
    trash = [nd.zeros((1000,)) for _ in range(10)]
    nd.waitall()
    assert (kept[0].asnumpy() == 4).all() and (kept[1].asnumpy() == 5).all()
    del trash
