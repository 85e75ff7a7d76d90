"""Modules and symbolic cells compute what MXNet 1.9.1 did."""
import module_cases as cases
import numpy as np
import pytest

import mxnet as mx


@pytest.mark.parametrize("kind, name", [(kind, name) for kind, (names, _) in cases.KINDS.items() for name in names])
def test_results(kind, name):
    want, have = cases.recorded(kind, name), cases.KINDS[kind][1](mx, name)
    assert set(have) == set(want)
    for key, value in have.items():
        np.testing.assert_allclose(value, want[key], rtol=1e-4, atol=1e-4 if kind == "fit" else 1e-5, err_msg=key)


@pytest.mark.parametrize("name", cases.CELLS)
def test_layouts_agree(name):
    def outputs(layout):
        cell = cases._cells(mx)[name]()
        symbol, _ = cell.unroll(3, mx.sym.Variable("data"), layout=layout, merge_outputs=True)
        data = cases.numbers(1, 2, 3, 4)
        data = data if layout == "NTC" else data.swapaxes(0, 1)
        args, _ = cases._given(mx, symbol, data=data.shape)
        out = symbol.bind(mx.cpu(), {**args, "data": mx.nd.array(data)}).forward()[0].asnumpy()
        return out if layout == "NTC" else out.swapaxes(0, 1)

    if name == "bidirectional" or name == "unfused":
        pytest.skip("the outputs of two directions are joined along axis 2 in either layout")
    np.testing.assert_allclose(outputs("NTC"), outputs("TNC"), rtol=1e-5, atol=1e-6)
