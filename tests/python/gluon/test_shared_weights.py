"""Threads infer hybridized networks on shared weights: equal results, flat memory.

MXNET_STRESS_SECONDS sets how long (60 for a minute; default 4).
"""
import concurrent.futures
import os
import resource
import sys
import time

import numpy as np
import pytest

import mxnet as mx
from mxnet import nd
from mxnet.gluon import nn

SECONDS = float(os.environ.get("MXNET_STRESS_SECONDS", "4"))
THREADS = 8


def convolutional():
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(nn.Conv2D(8, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(), nn.Conv2D(16, 3),
                nn.LeakyReLU(0.1), nn.Dropout(0.5), nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(10))
    return net, lambda batch: nd.random.uniform(-1, 1, (batch, 3, 12, 12))


def recurrent():
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(mx.gluon.rnn.LSTM(12, layout="NTC"), nn.LayerNorm(), nn.Dense(5))
    return net, lambda batch: nd.random.uniform(-1, 1, (batch, 6, 4))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("make", [convolutional, recurrent])
@pytest.mark.parametrize("static", [False, True])
def test_threads(make, static):
    net, batch_of = make()
    net.initialize(mx.init.Xavier())
    batches = [batch_of(size) for size in (1, 2, 3, 7)]
    net.hybridize(static_alloc=static, static_shape=static)
    want = [net(x).asnumpy() for x in batches]
    end = time.monotonic() + SECONDS / 4

    def work(thread):
        runs, sizes = 0, []
        while time.monotonic() < end or runs < 8:
            which = (thread + runs) % len(batches)
            np.testing.assert_array_equal(net(batches[which]).asnumpy(), want[which])
            runs += 1
            if runs % 16 == 0:
                sizes.append(resident())
        return runs, sizes

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(work, range(THREADS)))
    assert sum(runs for runs, _ in results) >= 8 * THREADS
    for _, sizes in results:
        if len(sizes) >= 6:
            early, late = max(sizes[:len(sizes) // 3 + 1]), max(sizes[-len(sizes) // 3:])
            assert late < early * 1.1 + 32 * 2**20, f"resident memory grew from {early} to {late}"
