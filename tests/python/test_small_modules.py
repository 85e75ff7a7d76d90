"""mx.engine, mx.runtime, mx.libinfo, mx.log, mx.misc and mx.rtc."""
import logging
import os

import pytest

import mxnet as mx
from mxnet import misc


def test_bulk():
    before = mx.engine.set_bulk_size(7)
    x = mx.nd.zeros(1)
    with mx.engine.bulk(10):
        for _ in range(25):
            x += 1
        assert mx.engine.set_bulk_size(10) == 10
    assert x.asscalar() == 25
    assert mx.engine.set_bulk_size(before) == 7


def test_features():
    features = mx.runtime.Features()
    assert features is mx.runtime.Features()
    assert [f.name for f in mx.runtime.feature_list()] == list(features)
    assert features["OPENMP"].enabled and features.is_enabled("int64_tensor_size")
    assert features.is_enabled("CUDA") == (mx.context.num_gpus() > 0)
    assert repr(features["CUDA"]).endswith(" CUDA")
    with pytest.raises(RuntimeError, match="Feature 'NOPE' is unknown, known features are"):
        features.is_enabled("nope")


def test_libinfo():
    assert mx.libinfo.__version__ == mx.__version__
    assert all(os.path.isfile(path) for path in mx.libinfo.find_lib_path())
    assert os.path.isfile(os.path.join(mx.libinfo.find_include_path(), "mxnet", "mxnet.h"))
    with pytest.raises(RuntimeError, match="no libnothing.so"):
        mx.libinfo.find_lib_path("libnothing")
    with pytest.raises(RuntimeError):
        mx.libinfo.find_conf_path()


def test_logger(tmp_path):
    path = tmp_path / "log.txt"
    logger = mx.log.get_logger("test_small_modules", filename=str(path), level=mx.log.INFO)
    assert mx.log.get_logger("test_small_modules") is logger and len(logger.handlers) == 1
    logger.info("step %d", 3)
    logger.debug("not shown")
    logger.handlers[0].close()
    line, = path.read_text().splitlines()
    assert line.startswith("I") and line.endswith("] step 3") and ":test_logger:" in line
    assert mx.log.get_logger() is logging.getLogger()
    with pytest.warns(DeprecationWarning):
        assert mx.log.getLogger("test_small_modules") is logger


def test_old_schedulers():
    scheduler = misc.FactorScheduler(10, 0.5)
    assert [scheduler(i) for i in (0, 5, 10, 20, 40)] == [0.01, 0.01, 0.005, 0.0025, 0.000625]
    with pytest.raises(ValueError, match="step must be at least 1"):
        misc.FactorScheduler(0)
    with pytest.raises(ValueError, match="factor must be less than 1"):
        misc.FactorScheduler(1, 1.0)
    with pytest.raises(NotImplementedError):
        misc.LearningRateScheduler()(1)


def test_no_compilation_at_run_time():
    with pytest.raises(NotImplementedError, match="CudaModule: there is no run-time compilation"):
        mx.rtc.CudaModule("__global__ void f() {}")
