"""Mixed random work on several threads for a while: results are those of the naive engine, memory stays flat.

MXNET_STRESS_SECONDS sets how long (600 for the ten-minute run; default 15).
"""
import concurrent.futures
import hashlib
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

SECONDS = float(os.environ.get("MXNET_STRESS_SECONDS", "15"))
THREADS = 4
STEPS = 60  # of one program


class Program:
    """A random program on a few arrays: operators, views, writes in place, gradients, reads.

    Everything follows from the seed, so that its result can be computed again by another engine.
    """

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)
        shape = [(8, 6), (64, 32), (300, 200)][seed % 3]
        self.arrays = [nd.array(self.random.uniform(-1, 1, shape)) for _ in range(4)]

    def pick(self):
        return self.random.randint(len(self.arrays))

    def rows(self):
        start = self.random.randint(self.arrays[0].shape[0] - 2)
        return slice(start, start + 1 + self.random.randint(self.arrays[0].shape[0] - start - 1))

    def elementwise(self):
        function = [nd.tanh, nd.relu, nd.sigmoid, lambda x: x * 0.5 + 0.1, nd.abs, lambda x: nd.clip(x, -1, 1)]
        self.arrays[self.pick()] = function[self.random.randint(len(function))](self.arrays[self.pick()])

    def combine(self):
        a, b = self.arrays[self.pick()], self.arrays[self.pick()]
        self.arrays[self.pick()] = [lambda: a - b, lambda: (a + b) / 2, lambda: a * b, lambda: nd.maximum(a, b),
                                    lambda: nd.where(a > b, a, b)][self.random.randint(5)]()

    def product(self):
        a, b = self.arrays[self.pick()], self.arrays[self.pick()]
        self.arrays[self.pick()] = nd.tanh(nd.dot(nd.dot(a, b, transpose_b=True) / a.shape[1], a))

    def write(self):
        target, rows = self.arrays[self.pick()], self.rows()
        view = target[rows]
        kind = self.random.randint(5)
        if kind == 0:
            view[:] = 0.25
        elif kind == 1:
            view *= -0.5
        elif kind == 2:
            target[rows] = nd.tanh(self.arrays[self.pick()][rows])
        elif kind == 3:
            target[::2] = target[::2] * 0.5
        else:
            target.reshape((-1,))[3:9] = self.arrays[self.pick()].reshape((-1,))[1:7].copy()

    def gather(self):
        index = self.random.randint(0, self.arrays[0].shape[0], self.arrays[0].shape[0])
        self.arrays[self.pick()] = self.arrays[self.pick()][nd.array(index)]

    def reduce(self):
        x = self.arrays[self.pick()]
        self.arrays[self.pick()] = nd.broadcast_sub(x, nd.mean(x, axis=0, keepdims=True))

    def gradient(self):
        x = self.arrays[self.pick()].copy()
        x.attach_grad()
        with mx.autograd.record():
            y = nd.tanh(x * self.arrays[self.pick()])
            y[self.rows()] = 0
            z = (y * y).sum()
        z.backward()
        self.arrays[self.pick()] = x.grad

    def read(self):
        assert np.isfinite(self.arrays[self.pick()].asnumpy()).all()

    def run(self):
        kinds = [self.elementwise, self.combine, self.product, self.write, self.write, self.gather, self.reduce,
                 self.gradient, self.read]
        for _ in range(STEPS):
            kinds[self.random.randint(len(kinds))]()
        return [x.asnumpy() for x in self.arrays]


def digest(arrays):
    return hashlib.sha1(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def naive_digests(count):
    """The digests of the first programs, computed in a process of the naive engine."""
    code = "import json, test_stress as s; " \
           f"print(json.dumps([s.digest(s.Program(i).run()) for i in range({count})]))"
    environment = {**os.environ, "MXNET_ENGINE_TYPE": "NaiveEngine",
                   "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")])}
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return json.loads(output.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_stress():
    count = 24
    expected = naive_digests(count)
    end = time.monotonic() + SECONDS

    def work(thread):
        done, sizes = 0, []
        while time.monotonic() < end or done < count:
            seed = (done * THREADS + thread) % count
            have = digest(Program(seed).run())
            assert have == expected[seed], f"program {seed} differs from the naive engine's result"
            done += 1
            if done % 8 == 0:
                sizes.append(resident())
        return done, sizes

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(work, range(THREADS)))
    nd.waitall()
    assert sum(done for done, _ in results) >= count
    for _, sizes in results:
        if len(sizes) >= 6:
            # The first third fills the pool; after it the size does not grow.
            early, late = max(sizes[:len(sizes) // 3 + 1]), max(sizes[-len(sizes) // 3:])
            assert late < early * 1.1 + 32 * 2**20, f"resident memory grew from {early} to {late}"
