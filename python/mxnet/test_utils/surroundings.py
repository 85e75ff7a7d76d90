"""What tests need from around them: the environment, files, data sets."""
import contextlib
import os
import platform
import sys

import numpy as np

from ..error import OSError as MXOSError
from ..io import DataIter
from ..util import get_cuda_compute_capability, setenv
from .comparing import default_context


@contextlib.contextmanager
def environment(*args):
    """Sets environment variables for the length of a ``with`` block.

    ``environment(name, value)`` or ``environment({name: value, ...})``; None removes a variable.
    """
    wanted = args[0] if len(args) == 1 else dict([args])
    if not isinstance(wanted, dict):
        raise TypeError(f"environment: expected a name and a value, or a dict, got {args}")
    before = {name: os.environ.get(name) for name in wanted}
    try:
        for name, value in wanted.items():
            setenv(name, value)
        yield
    finally:
        for name, value in before.items():
            setenv(name, value)


@contextlib.contextmanager
def discard_stderr():
    """Drops what is written to the standard error stream, by Python or below it, in a ``with`` block."""
    number = sys.stderr.fileno()
    kept = os.dup(number)
    try:
        with open(os.devnull, "w") as sink:
            os.dup2(sink.fileno(), number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


def retry(n):
    """Decorator: runs a test up to `n` times, until it passes once."""
    if n < 1:
        raise AssertionError(f"retry: needs at least one try, got {n}")

    def decorate(test):
        import functools

        @functools.wraps(test)
        def tried(*args, **kwargs):
            for left in range(n - 1, -1, -1):
                try:
                    return test(*args, **kwargs)
                except AssertionError:
                    if not left:
                        raise
        return tried
    return decorate


def download(url, fname=None, dirname=None, overwrite=False, retries=5):
    """Fetches a file; see `mxnet.gluon.utils.download`. Returns its path."""
    from ..gluon import utils
    fname = fname or url.split("/")[-1]
    if dirname is not None:
        fname = os.path.join(dirname, fname)
    return utils.download(url, path=fname, overwrite=overwrite, retries=retries)


def get_mnist():
    """MNIST as a dict of NumPy arrays: images ``(n, 1, 28, 28)`` from 0 to 1, labels ``(n,)``.

    The keys are ``train_data``, ``train_label``, ``test_data`` and ``test_label``.
    """
    from ..gluon.data.vision import MNIST
    found = {}
    for part, train in (("train", True), ("test", False)):
        digits = MNIST(train=train)
        found[f"{part}_data"] = digits._data.asnumpy().transpose(0, 3, 1, 2).astype(np.float32) / 255
        found[f"{part}_label"] = digits._label
    return found


def _fetch(url, path):
    """`path`, fetched from `url` when it is not there."""
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        download(url, fname=path)
    return path


def _unpack(archive, folder):
    import zipfile
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)


def get_zip_data(data_dir, url, data_origin_name):
    """Fetches a zip file into a folder, unless it is there, and unpacks it."""
    _unpack(_fetch(url, os.path.join(data_dir, data_origin_name)), data_dir)


def get_bz2_data(data_dir, data_name, url, data_origin_name):
    """Fetches a bz2 file into a folder and unpacks it to `data_name`, unless that is there."""
    import bz2
    target = os.path.join(data_dir, data_name)
    if os.path.exists(target):
        return
    source = _fetch(url, os.path.join(data_dir, data_origin_name))
    with bz2.BZ2File(source) as packed, open(target, "wb") as unpacked:
        unpacked.writelines(packed)
    os.remove(source)


_DATA = "http://data.mxnet.io/mxnet/data/"


def get_mnist_pkl():
    """Fetches MNIST as a pickle to ``data/mnist.pkl.gz``, unless it is there."""
    _fetch("http://deeplearning.net/data/mnist/mnist.pkl.gz", os.path.join("data", "mnist.pkl.gz"))


def get_mnist_ubyte():
    """Fetches MNIST's four files to the folder ``data``, unless they are there."""
    names = [f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
    if not all(os.path.exists(os.path.join("data", name)) for name in names):
        get_zip_data("data", _DATA + "mnist.zip", "mnist.zip")


def get_cifar10():
    """Fetches CIFAR-10 as record files to ``data/cifar``, unless they are there."""
    names = [os.path.join("data", "cifar", name) for name in ("train.rec", "test.rec", "train.lst", "test.lst")]
    if not all(map(os.path.exists, names)):
        get_zip_data("data", _DATA + "cifar10.zip", "cifar10.zip")


def get_mnist_iterator(batch_size, input_shape, num_parts=1, part_index=0):
    """Iterators over MNIST's images for training and for validation, a pair.

    Parameters
    ----------
    batch_size : int
        Number of images in a batch.
    input_shape : tuple of int
        ``(784,)`` gives flat images, another shape ``(1, 28, 28)``.
    num_parts, part_index : int
        The data are read in so many parts, of which this is one.
    """
    from ..io import MNISTIter
    get_mnist_ubyte()

    def iterator(part, **parts):
        return MNISTIter(image=os.path.join("data", f"{part}-images-idx3-ubyte"),
                         label=os.path.join("data", f"{part}-labels-idx1-ubyte"), input_shape=input_shape,
                         batch_size=batch_size, flat=len(input_shape) != 3, **parts)
    return (iterator("train", shuffle=True, num_parts=num_parts, part_index=part_index),
            iterator("t10k", num_parts=num_parts, part_index=part_index))


def download_model(model_name, dst_dir="./", meta_info=None):
    """Fetches the two files of a model's checkpoint.

    Parameters
    ----------
    model_name : str
        A key of `meta_info`.
    dst_dir : str
        Where to put them.
    meta_info : dict of str to dict, optional
        For each model the addresses 'symbol' and 'params'; None is known by default.

    Returns
    -------
    tuple
        The checkpoint's prefix and epoch; ``(None, 0)`` for a model that is not in `meta_info`.
    """
    found = (meta_info or {}).get(model_name)
    if found is None:
        return None, 0
    prefix = os.path.join(dst_dir, model_name)
    _fetch(found["symbol"], prefix + "-symbol.json")
    _fetch(found["params"], prefix + "-0000.params")
    return prefix, 0


def get_im2rec_path(home_env="MXNET_HOME"):
    """The path of the program that packs images into record files, im2rec.py.

    Raises
    ------
    OSError
        When it is neither below the folder that the environment variable `home_env` names nor in the package.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (os.environ.get(home_env), package):
        path = os.path.join(folder, "tools", "im2rec.py") if folder else ""
        if os.path.isfile(path):
            return path
    raise MXOSError(f"get_im2rec_path: there is no tools/im2rec.py in {package}, nor in the folder of {home_env}")


def is_cd_run():
    """Whether this is a nightly run, as MXNet's builds marked by the environment variable CD_JOB."""
    return os.environ.get("CD_JOB", "0") == "1"


def is_aarch64_run():
    """Whether this machine is an ARM of 64 bits."""
    return platform.machine() == "aarch64"


def has_tvm_ops():
    """False: no operator here is made by TVM."""
    return False


def is_op_runnable():
    """Whether operators made by TVM can run on the default device, which MXNet asked before their tests."""
    return default_context().device_type == "cpu" or not has_tvm_ops() \
        or get_cuda_compute_capability(default_context()) >= 53


class DummyIter(DataIter):
    """Gives the first batch of another iterator again and again, to time everything but loading."""

    def __init__(self, real_iter):
        super().__init__()
        self.real_iter = real_iter
        self.provide_data = real_iter.provide_data
        self.provide_label = real_iter.provide_label
        self.batch_size = real_iter.batch_size
        self.the_batch = next(real_iter)

    def next(self):
        """The batch."""
        return self.the_batch
