"""Iterators over batches."""
import gluon_cases as cases
import numpy as np
import pytest

import mxnet as mx
from mxnet import io

X, Y = cases.numbers(1, 10, 2), np.arange(10)


def labels(iterator):
    return [batch.label[0].asnumpy().tolist() for batch in iterator]


@pytest.mark.parametrize("name", cases.ITERATORS)
def test_last_batches(name):
    cases.check("iterator", name, cases.run_iterator, mx)


def test_data_goes_with_its_labels():
    for handle in ("pad", "roll_over", "discard"):
        iterator = io.NDArrayIter(X, Y, 4, shuffle=True, last_batch_handle=handle)
        for _ in range(3):
            for batch in iterator:
                rows = batch.label[0].asnumpy().astype(int)
                assert (batch.data[0].asnumpy() == X[rows]).all()
            iterator.reset()


def test_shuffle_changes_the_order():
    np.random.seed(0)
    iterator = io.NDArrayIter(X, Y, 5, shuffle=True)
    first = sum(labels(iterator), [])
    iterator.reset()
    second = sum(labels(iterator), [])
    assert sorted(first) == sorted(second) == Y.tolist()
    assert first != second


def test_descriptions():
    iterator = io.NDArrayIter({"a": X, "b": mx.nd.ones((10, 3), dtype="float16")}, Y, 4, label_name="y", layout="NC")
    assert iterator.provide_data == [("a", (4, 2)), ("b", (4, 3))]
    assert [desc.dtype for desc in iterator.provide_data] == [np.float32, np.float16]
    assert iterator.provide_label[0].name == "y" and iterator.provide_label[0].layout == "NC"
    assert [d.name for d in io.NDArrayIter({"b": X, "a": X}, None, 2).provide_data] == ["a", "b"]
    assert [d.name for d in io.NDArrayIter([X, X], None, 2).provide_data] == ["_0_data", "_1_data"]
    assert io.NDArrayIter(X, batch_size=3).provide_label == []


def test_end_and_resets():
    iterator = io.NDArrayIter(X, Y, 6, last_batch_handle="roll_over")
    assert labels(iterator) == [[0, 1, 2, 3, 4, 5]]
    with pytest.raises(StopIteration):
        iterator.next()
    iterator.hard_reset()
    assert labels(iterator) == [[0, 1, 2, 3, 4, 5]]


def test_no_batch_yet():
    with pytest.raises(AssertionError, match="there is no batch yet"):
        io.NDArrayIter(X, Y, 4).getdata()


def test_batch_larger_than_the_data():
    iterator = io.NDArrayIter(X[:3], Y[:3], 8)
    batch = next(iterator)
    assert batch.pad == 5
    assert batch.label[0].asnumpy().tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_wrong_data():
    with pytest.raises(TypeError, match="expected an NDArray"):
        io.NDArrayIter("text", Y)
    with pytest.raises(TypeError):
        io.NDArrayIter([3], Y)
    with pytest.raises(AssertionError, match="there is no data for 'data'"):
        io.NDArrayIter([], Y)
    with pytest.raises(ValueError, match="'data' has 10 samples, but 'softmax_label' has 5"):
        io.NDArrayIter(X, Y[:5])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        io.NDArrayIter(X, Y, 0)


def test_resize():
    iterator = io.ResizeIter(io.NDArrayIter(X, Y, 5), 5)
    assert [row[0] for row in labels(iterator)] == [0, 5, 0, 5, 0]
    iterator.reset()
    assert len(labels(iterator)) == 5
    assert iterator.provide_data == [("data", (5, 2))]


def test_prefetching():
    def made():
        return io.NDArrayIter(X, Y, 4)
    plain, ahead = made(), io.PrefetchingIter(made())
    for _ in range(2):
        assert labels(ahead) == labels(plain)
        plain.reset()
        ahead.reset()
    joined = io.PrefetchingIter([made(), made()], rename_data=[{"data": "a"}, {"data": "b"}],
                                rename_label=[{"softmax_label": "c"}, {"softmax_label": "d"}])
    assert [desc.name for desc in joined.provide_data + joined.provide_label] == ["a", "b", "c", "d"]
    assert [len(batch.data) for batch in joined] == [2, 2, 2]


def test_prefetching_passes_errors_on():
    class Broken(io.NDArrayIter):
        def next(self):
            raise OSError("the disk is gone")
    with pytest.raises(OSError, match="the disk is gone"):
        next(io.PrefetchingIter(Broken(X, Y, 4)))


def test_desc_and_batch():
    desc = io.DataDesc("data", (3, 4))
    assert desc == ("data", (3, 4)) and repr(desc) == f"DataDesc[data,(3, 4),{np.float32},NCHW]"
    assert [io.DataDesc.get_batch_axis(layout) for layout in ("NCHW", "TNC", None)] == [0, 1, 0]
    assert io.DataDesc.get_list([("a", (1,))], [("a", "int8")])[0].dtype == "int8"
    batch = io.DataBatch([mx.nd.ones((2,))], [mx.nd.ones((1,))])
    assert str(batch) == "DataBatch: data shapes: [(2,)] label shapes: [(1,)]"
    with pytest.raises(AssertionError, match="data must be a list"):
        io.DataBatch(mx.nd.ones((2,)))
