"""Layers, losses and names agree with MXNet 1.9.1."""
import json

import gluon_cases as cases
import pytest

import mxnet as mx


@pytest.mark.parametrize("name", cases.LAYERS)
def test_layer(name):
    cases.check("layer", name, cases.run_layer, mx, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", cases.losses(mx.gluon.loss))
def test_loss(name):
    cases.check("loss", name, cases.run_loss, mx, rtol=1e-4, atol=2e-6)


def test_names():
    wanted = json.loads((cases.HERE / "gluon_names.json").read_text())
    have = cases.run_names(mx)
    for key, value in wanted.items():
        assert have[key] == value, key
