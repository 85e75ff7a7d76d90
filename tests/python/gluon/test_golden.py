"""Layers, losses and names agree with MXNet 1.9.1, and no layer, loss, cell, optimizer or metric is left out."""
import json

import gluon_cases as cases
import pytest
import rnn_cases
import zoo_cases

import mxnet as mx
from mxnet import gluon


@pytest.mark.parametrize("name", [*cases.LAYERS, *cases.CONTRIB_LAYERS])
def test_layer(name, compiled):
    cases.check("layer", name, cases.run_layer, mx, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", cases.losses(mx.gluon.loss))
def test_loss(name, compiled):
    cases.check("loss", name, cases.run_loss, mx, rtol=1e-4, atol=2e-6)


def test_names():
    wanted = json.loads((cases.HERE / "gluon_names.json").read_text())
    have = cases.run_names(mx)
    for key, value in wanted.items():
        assert have[key] == value, key


def _made_by_cases():
    """The classes of all blocks that a case makes, each with its children."""
    blocks = [make(gluon.nn) for make, *_ in cases.LAYERS.values()]
    blocks += [make(gluon.contrib) for make, *_ in cases.CONTRIB_LAYERS.values()]
    blocks += [loss for loss, _ in cases.losses(gluon.loss).values()]
    blocks += [make(gluon.rnn) for make, _ in rnn_cases.LAYERS.values()]
    blocks += [make(gluon.rnn, gluon.contrib.rnn) for make in rnn_cases.CELLS.values()]
    kinds = {getattr(gluon.contrib.rnn, kind) for _, kind in rnn_cases.CONV_CELLS.values()}
    for block in blocks:
        block.apply(lambda child: kinds.add(type(child)))
    return kinds


# Classes without a recorded case, and why.
WITHOUT_A_CASE = {
    "Block": "a base", "HybridBlock": "a base", "Loss": "a base", "RecurrentCell": "a base",
    "HybridRecurrentCell": "a base", "ModifierCell": "a base",
    "SymbolBlock": "runs networks that 1.9.1 saved, in tests/python/gluon/test_hybridize.py",
    "BatchNormReLU": "1.9.1 runs it on MKL-DNN only; compared with BatchNorm and relu in test_layers.py",
    "ModulatedDeformableConvolution": "1.9.1 runs it on GPUs only; see test_contrib_layers.py",
    "SparseEmbedding": "an Embedding whose gradient has another storage",
}


def test_every_block_has_a_case():
    modules = (gluon.nn, gluon.loss, gluon.rnn, gluon.contrib.nn, gluon.contrib.cnn, gluon.contrib.rnn)
    offered = {thing for module in modules for thing in vars(module).values()
               if isinstance(thing, type) and issubclass(thing, gluon.Block) and not thing.__name__.startswith("_")}
    left_out = {kind.__name__ for kind in offered - _made_by_cases()}
    assert left_out == set(WITHOUT_A_CASE)


def test_every_family_of_the_zoo_has_a_case():
    families = {type(gluon.model_zoo.vision.get_model(name)) for name in zoo_cases.names(mx)}
    assert families == {type(gluon.model_zoo.vision.get_model(name)) for name in zoo_cases.RUN}


def test_every_optimizer_schedule_and_metric_has_a_case():
    registered = {name for name, kind in mx.optimizer.Optimizer.opt_registry.items()
                  if kind.__module__.startswith("mxnet.")}
    # SGLD draws random numbers, Test is for tests, and the last two are not in 1.9.1.
    assert registered - {kind for kind, _ in cases.OPTIMIZERS.values()} == {"sgld", "test", "adamw", "lion"}
    schedules = {getattr(mx.lr_scheduler, name) for name in mx.lr_scheduler.__all__}
    assert {type(cases.schedules(mx)[name]()) for name in cases.SCHEDULES} == schedules - {mx.lr_scheduler.LRScheduler}
    metrics = {kind for kind in vars(mx.metric).values()
               if isinstance(kind, type) and issubclass(kind, mx.metric.EvalMetric)}
    assert metrics - {type(metric) for metric, _ in cases.metrics(mx.metric).values()} == {mx.metric.EvalMetric}
