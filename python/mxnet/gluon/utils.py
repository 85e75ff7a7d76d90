"""Helpers: splitting batches over contexts, clipping gradients, downloading files."""
import os
import warnings
import weakref
from collections import OrderedDict
from itertools import pairwise

import numpy as np

from .. import ndarray
from ..util import is_np_shape

__all__ = ["check_sha1", "clip_global_norm", "download", "replace_file", "split_and_load", "split_data"]


def split_data(data, num_slice, batch_axis=0, even_split=True):
    """Cuts an array into `num_slice` parts along the batch axis.

    Parameters
    ----------
    data : NDArray or numpy.ndarray
        A batch; the parts are of the same kind.
    num_slice : int
        Number of parts.
    batch_axis : int
        The axis to cut.
    even_split : bool
        Whether all parts must have the same size; otherwise the first ones may have one element more, and parts
        of a batch smaller than `num_slice` may be empty.

    Returns
    -------
    list of NDArray
        The parts.

    Raises
    ------
    ValueError
        When the batch does not divide evenly and must.

    Examples
    --------
    >>> [part.shape for part in mx.gluon.utils.split_data(mx.nd.ones((4, 3)), 2)]
    [(2, 3), (2, 3)]
    """
    size = data.shape[batch_axis]
    if even_split and size % num_slice:
        raise ValueError(f"split_data: axis {batch_axis} of shape {data.shape} does not divide evenly into "
                         f"{num_slice} parts; use a multiple of {num_slice} or even_split=False")
    step, larger = divmod(size, num_slice)
    bounds = [i * step + min(i, larger) for i in range(num_slice + 1)]
    if isinstance(data, np.ndarray):
        return [data[(slice(None),) * batch_axis + (slice(*part),)] for part in pairwise(bounds)]
    return [ndarray.slice_axis(data, axis=batch_axis, begin=begin, end=end)
            for begin, end in pairwise(bounds)]


def split_and_load(data, ctx_list, batch_axis=0, even_split=True):
    """Cuts a batch into as many parts as there are contexts and puts one on each.

    Parameters
    ----------
    data : NDArray or array_like
        A batch.
    ctx_list : list of Context
        The contexts.
    batch_axis, even_split
        See `split_data`.

    Returns
    -------
    list of NDArray
        One part for each context.

    Examples
    --------
    >>> parts = mx.gluon.utils.split_and_load(mx.nd.ones((4, 3)), [mx.cpu(0), mx.cpu(1)])
    >>> parts[1].context
    cpu(1)
    """
    if not isinstance(data, ndarray.NDArray):
        data = ndarray.array(data, ctx=ctx_list[0])
    if len(ctx_list) == 1:
        return [data.as_in_context(ctx_list[0])]
    parts = split_data(data, len(ctx_list), batch_axis, even_split)
    return [part.as_in_context(ctx) for part, ctx in zip(parts, ctx_list)]


def clip_global_norm(arrays, max_norm, check_isfinite=True):
    """Scales arrays in place so that their joint 2-norm is at most `max_norm`.

    Parameters
    ----------
    arrays : list of NDArray
        The arrays, e.g. all gradients.
    max_norm : float
        Largest norm allowed.
    check_isfinite : bool
        Whether to warn when the norm is nan or inf. This waits for the result.

    Returns
    -------
    float or NDArray of shape (1,)
        The norm before: a float with `check_isfinite`, else an NDArray that nothing waits for.

    Examples
    --------
    >>> a = mx.nd.array([3.0, 4.0])
    >>> mx.gluon.utils.clip_global_norm([a], 1.0)
    5.0
    """
    if len(arrays) == 0:
        raise AssertionError("clip_global_norm: there are no arrays to clip")
    ctx = arrays[0].context
    squares = [array.astype("float32", copy=False).square().sum().reshape((1,)).as_in_context(ctx)
               for array in arrays]
    norm = ndarray.add_n(*squares).sqrt()
    scale = max_norm / (norm + 1e-8)
    if check_isfinite and not np.isfinite(norm.asscalar()):
        warnings.warn(f"clip_global_norm: the norm is {norm.asscalar()}; the clipped arrays will not be usable",
                      stacklevel=2)
    scale = ndarray.minimum(scale, 1.0)
    for array in arrays:
        array *= scale.as_in_context(array.context).astype(array.dtype, copy=False)
    return float(norm.asscalar()) if check_isfinite else norm


def check_sha1(filename, sha1_hash):
    """True when the SHA-1 of a file is `sha1_hash` (40 hexadecimal digits, or their beginning)."""
    import hashlib
    sha1 = hashlib.sha1()
    with open(filename, "rb") as file:
        while chunk := file.read(1 << 20):
            sha1.update(chunk)
    digest = sha1.hexdigest()
    return digest.startswith(sha1_hash) if sha1_hash else False


def replace_file(src, dst):
    """Renames `src` to `dst` in one step, replacing a file that is there."""
    os.replace(src, dst)


def download(url, path=None, overwrite=False, sha1_hash=None, retries=5, verify_ssl=True):
    """Fetches a file, unless it is there already and its checksum is right.

    Parameters
    ----------
    url : str
        Address, ``http``, ``https`` or ``file``.
    path : str, optional
        File or folder to write to; by default the name at the end of `url`.
    overwrite : bool
        Whether to fetch even when the file exists.
    sha1_hash : str, optional
        SHA-1 the file must have, in hexadecimal.
    retries : int
        How often to try again.
    verify_ssl : bool
        Whether to check certificates.

    Returns
    -------
    str
        The path of the file.

    Raises
    ------
    RuntimeError
        When the file cannot be fetched or its checksum is wrong.

    Examples
    --------
    >>> mx.gluon.utils.download("https://example.org/labels.txt", "data/labels.txt")
    'data/labels.txt'
    """
    if path is None:
        fname = url.split("/")[-1]
        if not fname:
            raise AssertionError(f"download: there is no file name in {url!r}; give path")
    else:
        path = os.path.expanduser(path)
        fname = os.path.join(path, url.split("/")[-1]) if os.path.isdir(path) else path
    if retries < 0:
        raise AssertionError(f"download: retries must not be negative, got {retries}")
    if os.path.exists(fname) and not overwrite and (not sha1_hash or check_sha1(fname, sha1_hash)):
        return fname
    if not verify_ssl:
        warnings.warn("download: certificates are not checked, so anybody on the way could change the file",
                      stacklevel=2)
    os.makedirs(os.path.dirname(os.path.abspath(fname)), exist_ok=True)
    problem = None
    for _ in range(retries + 1):
        try:
            _fetch(url, fname, sha1_hash, verify_ssl)
            return fname
        except OSError as error:
            problem = error
    raise RuntimeError(f"download: {url} could not be fetched to {fname}: {problem}") from problem


def _fetch(url, fname, sha1_hash, verify_ssl):
    """Fetches beside `fname` and renames, so that nobody sees half a file."""
    import shutil
    import tempfile
    import urllib.request
    tls = None
    if not verify_ssl:
        import ssl
        tls = ssl._create_unverified_context()
    handle, part = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(fname)), prefix=".download-")
    try:
        with os.fdopen(handle, "wb") as out, urllib.request.urlopen(url, timeout=60, context=tls) as answer:
            shutil.copyfileobj(answer, out)
        if sha1_hash and not check_sha1(part, sha1_hash):
            raise OSError(f"the file that came does not have the SHA-1 {sha1_hash}")
        replace_file(part, fname)
    finally:
        if os.path.exists(part):
            os.remove(part)


def _get_repo_url():
    """Where files for Gluon are: MXNET_GLUON_REPO, or where MXNet 1.x kept them."""
    url = os.environ.get("MXNET_GLUON_REPO", "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/")
    return url if url.endswith("/") else url + "/"


def _get_repo_file_url(namespace, filename):
    """The address of a file, e.g. of a data set in ``gluon/dataset/mnist``."""
    return f"{_get_repo_url()}{namespace}/{filename}"


def shape_is_known(shape):
    """True when no extent is unknown: 0 and -1, or -1 alone with NumPy shapes."""
    if shape is None:
        return False
    unknown = (-1,) if is_np_shape() else (0, -1)
    return not any(extent in unknown for extent in shape)


class HookHandle:
    """Takes a hook off its block again with `detach`, or at the end of a ``with`` block."""

    def __init__(self):
        self._hooks = None
        self._id = None

    def attach(self, hooks, hook):
        """Adds `hook` to a dict of hooks."""
        if self._hooks is not None:
            raise AssertionError("the handle has a hook already")
        # Weak, so that a handle that is kept does not keep the block alive.
        self._hooks = weakref.ref(hooks)
        self._id = id(hook)
        hooks[self._id] = hook

    def detach(self):
        """Takes the hook off; nothing happens the second time."""
        hooks = self._hooks() if self._hooks is not None else None
        if hooks is not None:
            hooks.pop(self._id, None)

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        self.detach()


class HookDict(OrderedDict):
    """The hooks of a block (a plain dict cannot be referred to weakly)."""


def _indent(text, spaces):
    """`text` with all lines but the first moved right."""
    first, *others = text.split("\n")
    return "\n".join([first] + [" " * spaces + line for line in others])


def _brief_print_list(lst, limit=7):
    """Names in quotes, with those in the middle left out when there are many."""
    names = [f"'{i}'" for i in lst]
    if len(names) > limit:
        names = [*names[:limit // 2], "...", *names[-(limit // 2):]]
    return ", ".join(names)
