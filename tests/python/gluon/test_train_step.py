"""A step of training as one call: the same parameters as step by step."""
import copy

import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn


def network():
    net = nn.HybridSequential()
    net.add(nn.Dense(8, activation="tanh"), nn.BatchNorm(), nn.Dense(3))
    mx.random.seed(5)
    net.initialize(mx.init.Xavier())
    return net


# Optimizers whose update is calls of operators that do not depend on each other.
IN_PROGRAM = {"adam", "adamw", "ccsgd", "ftml", "ftrl", "lamb", "lion", "nag", "rmsprop", "sgd", "signum"}
OPTIMIZERS = sorted(set(mx.optimizer.Optimizer.opt_registry) - {"groupadagrad", "sgld", "test"})


def trained(step_by_step, optimizer="adam", dtype="float32", **arguments):
    net, loss = network(), gluon.loss.SoftmaxCrossEntropyLoss()
    net.cast(dtype)
    arguments = {"learning_rate": 0.05, **arguments}
    trainer = gluon.Trainer(net.collect_params(), optimizer, arguments)
    step = gluon.TrainStep(net, loss, trainer)
    random = np.random.RandomState(1)
    losses = []
    for _ in range(8):
        x, y = nd.array(random.rand(6, 4), dtype=dtype), nd.array(random.randint(3, size=6), dtype=dtype)
        if step_by_step:
            with autograd.record():
                value = loss(net(x), y)
            value.backward()
            trainer.step(6)
        else:
            value = step(x, y)
        losses.append(value.asnumpy())
    arrays = [param.data() for param in net.collect_params().values()]
    for param in net.collect_params().values():
        if param.grad_req != "null":
            arrays += [param.grad(), *flat(trainer._updaters[0].states[trainer._param2idx[param.name]])]
    return losses, [array.asnumpy() for array in arrays], trainer.optimizer.num_update


def flat(state):
    if isinstance(state, (tuple, list)):
        return [array for part in state for array in flat(part)]
    return [] if state is None else [state]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("more", [{}, {"wd": 0.1, "clip_gradient": 0.02,
                                       "lr_scheduler": mx.lr_scheduler.FactorScheduler(3, 0.5, base_lr=0.05)}])
def test_same_as_step_by_step(optimizer, more):
    if optimizer in ("sgd", "nag", "lars"):
        more = {"momentum": 0.9, **more}
    (losses, arrays, count), (want_losses, want_arrays, want_count) = (
        trained(by_step, optimizer, **copy.deepcopy(more)) for by_step in (False, True))
    assert count == want_count == 8
    for h, w in zip(losses + arrays, want_losses + want_arrays, strict=True):
        np.testing.assert_allclose(h, w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "nag", "rmsprop", "sgd"])
def test_16_bit_weights_with_32_bit_copies(optimizer):
    (losses, arrays, _), (want_losses, want_arrays, _) = (
        trained(by_step, optimizer, dtype="float16", multi_precision=True) for by_step in (False, True))
    assert any(array.dtype == np.float32 for array in arrays)
    for h, w in zip(losses + arrays, want_losses + want_arrays, strict=True):
        np.testing.assert_allclose(h, w, rtol=1e-2, atol=1e-3)


def kernels(optimizer, **arguments):
    net = network()
    trainer = gluon.Trainer(net.collect_params(), optimizer, {"learning_rate": 0.1, **arguments})
    step = gluon.TrainStep(net, gluon.loss.L2Loss(), trainer)
    arrays = nd.ones((2, 4)), nd.ones((2, 3))
    counts = []
    for take in (lambda: step.forward_backward(*arrays), lambda: step(*arrays)):
        take()
        counts.append(step._block._cached_op.report()["steps"])
    return counts


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_update_is_part_of_the_program(optimizer):
    without, whole = kernels(optimizer)
    assert (whole > without) == (optimizer in IN_PROGRAM)


def test_one_program_serves_all_learning_rates():
    net = network()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.0, "momentum": 0.9})
    step = gluon.TrainStep(net, gluon.loss.L2Loss(), trainer)
    arrays, weight = (nd.ones((2, 4)), nd.ones((2, 3))), net[0].weight
    step(*arrays)
    before = weight.data().asnumpy()
    step(*arrays)
    np.testing.assert_array_equal(weight.data().asnumpy(), before)
    trainer.set_learning_rate(0.5)
    step(*arrays, batch_size=1)
    np.testing.assert_allclose(weight.data().asnumpy(), before - 0.5 * weight.grad().asnumpy(), rtol=1e-5)


def test_store_of_its_own_and_parts_of_a_network():
    net = network()
    net(nd.ones((2, 4)))
    trainers = [gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1}, kvstore=mx.kv.create("local"),
                              update_on_kvstore=False),
                gluon.Trainer(net[2].collect_params(), "sgd", {"learning_rate": 0.1})]
    for trainer in trainers:
        step = gluon.TrainStep(net, gluon.loss.L2Loss(), trainer)
        before = [param.data().asnumpy() for param in net.collect_params().values()]
        step(nd.ones((2, 4)), nd.ones((2, 3)))
        for param, old in zip(net.collect_params().values(), before):
            moved = (param.data().asnumpy() != old).any()
            assert moved or param not in trainer._params or not param.grad().asnumpy().any()
            assert param in trainer._params or param.grad_req == "null" or not moved


def test_parameters_without_a_new_gradient():
    net, other = network(), nn.Dense(1, in_units=1, use_bias=False)
    other.initialize()
    params = {**net.collect_params(), **other.collect_params()}
    step = gluon.TrainStep(net, gluon.loss.L2Loss(), gluon.Trainer(params, "sgd", {"learning_rate": 0.1}))
    arrays = nd.ones((2, 4)), nd.ones((2, 3))
    with pytest.raises(UserWarning, match=other.weight.name):
        step(*arrays)
    with autograd.record():
        value = other(nd.ones((1, 1)))
    value.backward()
    before = other.weight.data().asscalar()
    step(*arrays, batch_size=1)
    assert other.weight.data().asscalar() == pytest.approx(before - 0.1)
    with pytest.raises(UserWarning, match=other.weight.name):
        step(*arrays)


def test_network_and_loss_are_one_graph():
    net = network()
    step = gluon.TrainStep(net, gluon.loss.L2Loss(), gluon.Trainer(net.collect_params(), "sgd"))
    step(nd.ones((2, 4)), nd.ones((2, 3)))
    assert step._block._cached_graph and not net._active
    assert net.collect_params().keys() == step._block.collect_params().keys()


def test_several_inputs_and_plain_blocks():
    class Sum(gluon.Block):
        def __init__(self):
            super().__init__()
            self.layer = nn.Dense(1)

        def forward(self, a, b):
            return self.layer(a + b)
    net = Sum()
    net.initialize()
    step = gluon.TrainStep(net, gluon.loss.L2Loss(), gluon.Trainer(net.collect_params(), "sgd"))
    assert step(nd.ones((2, 4)), nd.ones((2, 4)), nd.ones((2, 1)), batch_size=4).shape == (2,)
    with pytest.raises(ValueError, match="inputs and a label"):
        step(nd.ones((2, 4)))
