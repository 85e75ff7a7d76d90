"""Arrays of more than 2**31 elements."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

SIZE = 2**31 + 10  # one byte each


def _available():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))


@pytest.mark.skipif(_available() < 3 * SIZE, reason="needs three such arrays in memory")
def test_more_elements_than_int32_counts():
    x = nd.zeros((SIZE,), dtype="int8")
    far = 2**31 + 2
    x[far] = 4
    x[-1] = 3
    assert x.size == SIZE and x.shape == (SIZE,)
    assert x[far].asscalar() == 4
    assert nd.sum(x).asscalar() == 7 and nd.max(x).asscalar() == 4
    rows = x.reshape((2, -1))  # shares the memory
    assert rows.shape == (2, SIZE // 2) and rows[1, -1].asscalar() == 3
    np.testing.assert_array_equal(x[2**31:].asnumpy(), [0, 0, 4, 0, 0, 0, 0, 0, 0, 3])
    np.testing.assert_array_equal(nd.slice_axis(x, axis=0, begin=far, end=far + 2).asnumpy(), [4, 0])
    np.testing.assert_array_equal(nd.take(x, nd.array([far, 0, SIZE - 1], dtype="int64")).asnumpy(), [4, 0, 3])
    x += 1
    assert x[0].asscalar() == 1 and x[far].asscalar() == 5
    del x, rows
    mx.cpu().empty_cache()
