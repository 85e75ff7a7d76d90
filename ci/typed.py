"""What a type checker learns from the stubs; checked by ci/stubs, never run."""
from typing import assert_type

import mxnet as mx

x = mx.nd.array([[1, 2], [3, 4]])
assert_type(mx.nd.softmax(x, axis=-1), mx.nd.NDArray)
assert_type(x.sum(axis=0), mx.nd.NDArray)
assert_type(x + 1, mx.nd.NDArray)
assert_type(x.shape, tuple[int, ...])
mx.nd.softmax(x, "wrong")  # type: ignore[arg-type]
