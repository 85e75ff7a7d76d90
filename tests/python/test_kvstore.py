"""Key-value stores within one process."""
import numpy as np
import pytest

import mxnet as mx

SHAPE = (2, 3)


def ones(factor=1.0):
    return mx.nd.ones(SHAPE) * factor


def pulled(kv, key):
    out = mx.nd.zeros(SHAPE)
    kv.pull(key, out=out)
    assert (out.asnumpy() == out.asnumpy()[0, 0]).all()
    return float(out[0, 0].asscalar())


@pytest.mark.parametrize("kind", ["local", "device", "Device", "local_allreduce_cpu", "local_update_cpu"])
def test_push_takes_the_sum(kind):
    kv = mx.kv.create(kind)
    assert (kv.type, kv.rank, kv.num_workers) == (kind.lower(), 0, 1)
    kv.init(3, ones())
    assert pulled(kv, 3) == 1
    kv.push(3, ones(8))
    assert pulled(kv, 3) == 8
    kv.push(3, [ones().as_in_context(mx.cpu(i)) for i in range(4)])
    assert pulled(kv, 3) == 4
    kv.push([3, 3], [ones(), [ones(), ones()]])
    assert pulled(kv, 3) == 3
    kv.init([5, 7], [ones(2), ones(3)])
    first, second = mx.nd.zeros(SHAPE), mx.nd.zeros(SHAPE, ctx=mx.cpu(1))
    kv.pull([5, 7], out=[first, [second]])
    assert (first.asnumpy() == 2).all() and (second.asnumpy() == 3).all()


def test_pushed_arrays_are_not_shared():
    kv = mx.kv.create("device")
    value = ones()
    kv.init("a", value)
    value[:] = 5
    assert pulled(kv, "a") == 1
    kv.push("a", value)
    value[:] = 6
    assert pulled(kv, "a") == 5


def test_updater_is_called_with_the_sum():
    kv = mx.kv.create()
    kv.init("w", ones())
    seen = []

    def updater(key, pushed, stored):
        seen.append(key)
        stored += pushed * 2
    kv.set_updater(updater)
    kv.push("w", [ones(), ones()])
    assert pulled(kv, "w") == 5
    a, b = ones(), ones()
    kv.pushpull("w", [a, b])
    assert (a.asnumpy() == 9).all() and (b.asnumpy() == 9).all() and seen == ["w", "w"]


def test_pushpull_and_broadcast():
    kv = mx.kv.create("device")
    a, b = mx.nd.zeros(SHAPE), mx.nd.zeros(SHAPE, ctx=mx.cpu(1))
    kv.broadcast("w", ones(4), out=[a, b])
    assert (b.asnumpy() == 4).all()
    kv.pushpull("w", [ones(), ones(3)], out=[a, b])
    assert (a.asnumpy() == 4).all() and (b.asnumpy() == 4).all()


def test_optimizer_and_its_states(tmp_path):
    path = str(tmp_path / "states")

    def run(kv, steps):
        for _ in range(steps):
            kv.push("w", ones())
        return pulled(kv, "w")
    stores = []
    for _ in range(2):
        kv = mx.kv.create("device")
        kv.init("w", ones())
        kv.set_optimizer(mx.optimizer.SGD(learning_rate=0.1, momentum=0.9))
        stores.append(kv)
    assert run(stores[0], 1) == pytest.approx(0.9)
    stores[0].save_optimizer_states(path, dump_optimizer=True)
    run(stores[1], 1)
    stores[1].set_optimizer(mx.optimizer.SGD(learning_rate=0.5))
    stores[1].load_optimizer_states(path)
    assert run(stores[1], 3) == run(stores[0], 3)
    with pytest.raises(AssertionError, match="no states of an optimizer"):
        mx.kv.create().save_optimizer_states(path)
    (tmp_path / "states").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not the states of an optimizer"):
        stores[1].load_optimizer_states(path)
    assert kv.is_capable("optimizer") and kv.is_capable(mx.kv.KVStoreBase.OPTIMIZER)


def test_gradient_compression():
    kv = mx.kv.create("device")
    kv.init(0, mx.nd.zeros((2,)))
    kv.set_gradient_compression({"type": "2bit", "threshold": 0.5})
    grad, out = mx.nd.array([0.3, -0.7]), mx.nd.zeros((2,))
    rows = []
    for _ in range(4):
        kv.push(0, [grad, grad])
        kv.pull(0, out=out)
        rows.append(out.asnumpy().tolist())
    assert rows == [[0, -1], [1, -1], [0, -1], [1, -1]]
    kv.set_gradient_compression({"type": "1bit", "threshold": 0})
    kv.pushpull(0, [grad, grad], out=out)
    assert out.asnumpy().tolist() == [2, -2]
    for wrong, message in (({"type": "3bit"}, "'1bit' or '2bit', got '3bit'"),
                           ({"type": "2bit", "x": 1}, "unknown parameter 'x'"),
                           ({"type": "2bit", "threshold": 0}, "above 0")):
        with pytest.raises(mx.MXNetError, match=message):
            kv.set_gradient_compression(wrong)
    with pytest.raises(mx.MXNetError, match="'local' does not compress"):
        mx.kv.create("local").set_gradient_compression({"type": "2bit"})


def test_wrong_calls():
    kv = mx.kv.create("local")
    kv.init(3, ones())
    for call, error, message in (
            (lambda: kv.init(3, ones()), mx.MXNetError, "only once"),
            (lambda: kv.init("s", ones()), mx.MXNetError, "all str or all int"),
            (lambda: kv.push(9, ones()), mx.MXNetError, "key 9 is unknown"),
            (lambda: kv.pull(9, out=ones()), mx.MXNetError, "key 9 is unknown"),
            (lambda: kv.pull(3), AssertionError, "out must be given"),
            (lambda: kv.push(3, mx.nd.ones((7,))), mx.MXNetError, r"shape \(2, 3\) .* got \(7,\)"),
            (lambda: kv.push(3, ones().astype("float64")), mx.MXNetError, "got .* float64"),
            (lambda: kv.pull(3, out=mx.nd.ones((7,))), mx.MXNetError, "out has"),
            (lambda: kv.push([3], [ones(), ones()]), AssertionError, "1 keys need as many values, got 2"),
            (lambda: kv.push(3, 1.0), AssertionError, "expected an NDArray"),
            (lambda: kv.init(None, ones()), AssertionError, "keys must be str or int"),
            (lambda: kv.set_optimizer("sgd"), TypeError, "expected an Optimizer"),
            (lambda: kv.is_capable("fly"), ValueError, "no capability 'fly'"),
            (lambda: kv.row_sparse_pull(3, out=ones(), row_ids=mx.nd.array([0])), mx.MXNetError, "row_sparse"),
            (lambda: mx.kv.create(3), TypeError, "must be a str"),
            (lambda: mx.kv.create("cloud"), mx.MXNetError, "no store 'cloud'"),
            (lambda: mx.kv.create("dist_sync"), mx.MXNetError, "several machines"),
            (lambda: mx.kv.KVStoreServer(kv).run(), mx.MXNetError, "no servers")):
        with pytest.raises(error, match=message):
            call()
    assert pulled(kv, 3) == 1
    kv.barrier()


def test_registered_store():
    @mx.kv.KVStoreBase.register
    class Halves(mx.kv.KVStoreBase):
        rank, num_workers, type = 0, 1, "halves"

        def broadcast(self, key, value, out, priority=0):
            for array in out:
                if array is not value:
                    value.copyto(array)

        def pushpull(self, key, value, out=None, priority=0):
            half = mx.nd.add_n(*(v.as_in_context(mx.cpu()) for v in value)) / 2
            for array in value if out is None else out:
                half.copyto(array)

        @staticmethod
        def is_capable(capability):
            return False
    try:
        assert isinstance(mx.kv.create("halves"), Halves)
        param = mx.gluon.Parameter("w", shape=(2,))
        param.initialize("ones", ctx=[mx.cpu(0), mx.cpu(1)])
        trainer = mx.gluon.Trainer([param], "sgd", {"learning_rate": 1.0}, kvstore="halves")
        with mx.autograd.record():
            losses = [(param.data(ctx) * (i + 1)).sum() for i, ctx in enumerate(param.list_ctx())]
        mx.autograd.backward(losses)
        trainer.step(1)
        np.testing.assert_array_equal(param.data(mx.cpu(1)).asnumpy(), [-0.5, -0.5])
        with pytest.raises(ValueError, match="'halves' cannot update weights"):
            mx.gluon.Trainer([param], "sgd", kvstore=Halves(), update_on_kvstore=True).step(1)
    finally:
        del mx.kv.KVStoreBase.kv_registry["halves"]
