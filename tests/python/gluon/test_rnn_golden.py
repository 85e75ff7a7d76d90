"""Recurrent layers and cells agree with MXNet 1.9.1."""
import pytest
import rnn_cases as cases

import mxnet as mx


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, (names, _) in cases.KINDS.items() for name in names])
def test_agrees(kind, name, compiled):
    cases.check(kind, name, mx)
