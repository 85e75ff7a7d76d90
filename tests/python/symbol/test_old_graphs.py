"""Graphs written by MXNet 0.8 to 1.2 are read as 1.9.1 reads them."""
import numpy as np
import old_graph_cases as cases
import pytest

import mxnet as mx


@pytest.mark.parametrize("name", cases.CASES)
def test_old_graph(name):
    want, have = cases.recorded()[name], cases.describe(mx, name)
    np.testing.assert_allclose(have.pop("sums", []), want.pop("sums", []), rtol=1e-4)
    assert have == want


def test_unknown_parameter():
    nodes, heads, _, _ = cases.CASES["unknown_parameter, 1.2"]
    with pytest.raises(TypeError, match="load_json: node 'fc': FullyConnected: .*'foo'"):
        mx.sym.load_json(cases.graph(nodes, heads))
