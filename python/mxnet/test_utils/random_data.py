"""Random arrays, shapes and matrices."""
import numpy as np

from .. import ndarray
from ..error import NotImplementedError as MXNotImplementedError
from ..error import ValueError as MXValueError
from ..ndarray import array
from .comparing import assign_each, default_dtype


def random_arrays(*shapes):
    """Normally distributed NumPy arrays of these shapes: a list, or the array when there is one shape."""
    arrays = [np.array(np.random.randn(*shape), dtype=default_dtype()) for shape in shapes]
    return arrays[0] if len(arrays) == 1 else arrays


def random_uniform_arrays(*shapes, **kwargs):
    """A list of NumPy arrays of numbers from `low` (0) to `high` (1), of type `dtype` (float32)."""
    low, high = kwargs.pop("low", 0.0), kwargs.pop("high", 1.0)
    dtype = kwargs.pop("dtype", default_dtype())
    if kwargs:
        raise TypeError(f"random_uniform_arrays: unknown arguments {', '.join(kwargs)}")
    return [np.random.uniform(low, high, size=shape).astype(dtype) for shape in shapes]


def random_sample(population, k):
    """`k` different elements of a list, in the order of the list's own shuffling."""
    return [population[i] for i in np.random.permutation(len(population))[:k]]


def rand_shape_nd(num_dim, dim=10, allow_zero_size=False):
    """A random shape of `num_dim` axes, each of 1 (0 with `allow_zero_size`) to `dim`."""
    return tuple(np.random.randint(0 if allow_zero_size else 1, dim + 1, size=num_dim).tolist())


def rand_shape_2d(dim0=10, dim1=10, allow_zero_size=False):
    """A random shape of 2 axes, of at most `dim0` and `dim1`."""
    low = 0 if allow_zero_size else 1
    return tuple(int(np.random.randint(low, dim + 1)) for dim in (dim0, dim1))


def rand_shape_3d(dim0=10, dim1=10, dim2=10, allow_zero_size=False):
    """A random shape of 3 axes, of at most `dim0`, `dim1` and `dim2`."""
    low = 0 if allow_zero_size else 1
    return tuple(int(np.random.randint(low, dim + 1)) for dim in (dim0, dim1, dim2))


def rand_coord_2d(x_low, x_high, y_low, y_high):
    """A random point ``(x, y)`` of whole numbers, below `x_high` and `y_high`."""
    return int(np.random.randint(x_low, x_high)), int(np.random.randint(y_low, y_high))


def rand_ndarray(shape, stype="default", density=None, dtype=None, modifier_func=None, shuffle_csr_indices=False,
                 distribution=None, ctx=None):
    """A random NDArray: normally distributed, or for sparse storage as `rand_sparse_ndarray` makes it."""
    if stype == "default":
        return array(random_arrays(tuple(shape)), dtype=dtype or default_dtype(), ctx=ctx)
    return rand_sparse_ndarray(shape, stype, density=density, dtype=dtype, modifier_func=modifier_func,
                               shuffle_csr_indices=shuffle_csr_indices, distribution=distribution, ctx=ctx)[0]


def create_vector(size, dtype=np.int64):
    """The NDArray of 0 to ``size - 1``."""
    return ndarray.arange(0, size, dtype=dtype)


def create_2d_tensor(rows, columns, dtype=np.int64):
    """The NDArray ``(rows, columns)`` with the row's number in each element."""
    return ndarray.arange(0, rows, dtype=dtype).reshape((rows, 1)).broadcast_to((rows, columns))


def get_identity_mat(size):
    """The NDArray of the identity matrix."""
    return array(np.identity(size))


def get_identity_mat_batch(size):
    """The NDArray of two identity matrices, ``(2, size, size)``."""
    return array(np.stack([np.identity(size)] * 2))


# -- sparse arrays ---------------------------------------------------------------------------------

def _sparse_module(function, stype):
    if stype not in ("csr", "row_sparse"):
        raise MXValueError(f"{function}: stype must be 'default', 'csr' or 'row_sparse', got {stype!r}")
    if not hasattr(ndarray.sparse, "csr_matrix"):
        raise MXNotImplementedError(f"{function}: storage '{stype}' is not available, only 'default'")
    return ndarray.sparse


def rand_sparse_ndarray(shape, stype, density=None, dtype=None, distribution=None, data_init=None, rsp_indices=None,
                        modifier_func=None, shuffle_csr_indices=False, ctx=None):
    """A random sparse array and what it is made of.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    stype : str
        'csr' or 'row_sparse'.
    density : float, optional
        The share of elements (of rows for 'row_sparse') that are stored; random by default.
    dtype : numpy type, optional
        Default float32.
    distribution : str, optional
        'uniform', or for 'csr' 'powerlaw': each row stores twice as many elements as the one before.
    data_init : float, optional
        Value of all stored elements; random numbers from 0 to 1 by default.
    rsp_indices : list of int, optional
        The stored rows of 'row_sparse'.
    modifier_func : function, optional
        Applied to each stored value.
    shuffle_csr_indices : bool
        Leave the column numbers of each row of 'csr' without order.
    ctx : Context, optional
        Where to put it.

    Returns
    -------
    tuple
        The array, and ``(values, rows)`` for 'row_sparse', ``(indptr, indices, data)`` for 'csr'.
    """
    sparse = _sparse_module("rand_sparse_ndarray", stype)
    distribution = distribution or "uniform"
    density = np.random.rand() if density is None else density
    dtype = default_dtype() if dtype is None else dtype
    if stype == "row_sparse":
        if distribution != "uniform":
            raise MXValueError(f"rand_sparse_ndarray: distribution {distribution!r} is not one of 'row_sparse'")
        rows = np.flatnonzero(np.random.rand(shape[0]) < density) if rsp_indices is None else np.array(rsp_indices)
        values = _stored_values((len(rows), *shape[1:]), dtype, data_init, modifier_func)
        made = sparse.row_sparse_array((values, rows), shape=shape, ctx=ctx, dtype=dtype)
        return made, (values, rows)
    if len(shape) != 2:
        raise MXValueError(f"rand_sparse_ndarray: 'csr' needs a shape of 2 dimensions, got {tuple(shape)}")
    mask = _csr_mask(shape, density, distribution)
    indptr = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype("int64")
    indices = np.nonzero(mask)[1].astype("int64")
    values = _stored_values((len(indices),), dtype, data_init, modifier_func)
    if shuffle_csr_indices:
        for first, last in zip(indptr[:-1], indptr[1:]):
            np.random.shuffle(indices[first:last])
    made = sparse.csr_matrix((values, indices, indptr), shape=shape, ctx=ctx, dtype=dtype)
    return made, (made.indptr, made.indices, made.data)


def _stored_values(shape, dtype, data_init, modifier_func):
    values = np.random.rand(*shape).astype(dtype)
    if data_init is not None:
        values.fill(data_init)
    return values if modifier_func is None else assign_each(values, modifier_func).astype(dtype)


def _csr_mask(shape, density, distribution):
    if distribution == "uniform":
        return np.random.rand(*shape) < density
    if distribution != "powerlaw":
        raise MXValueError(f"rand_sparse_ndarray: distribution must be 'uniform' or 'powerlaw', got {distribution!r}")
    mask = np.zeros(shape, dtype=bool)
    left, count = int(density * shape[0] * shape[1]), 1
    for row in mask:
        row[:min(count, left, shape[1])] = True
        left -= int(row.sum())
        count *= 2
    return mask


def create_sparse_array(shape, stype, data_init=None, rsp_indices=None, dtype=None, modifier_func=None, density=.5,
                        shuffle_csr_indices=False):
    """A random sparse array with some stored elements; see `rand_sparse_ndarray`."""
    if stype == "row_sparse" and rsp_indices is not None and max(rsp_indices, default=0) >= shape[0]:
        raise MXValueError(f"create_sparse_array: rsp_indices {list(rsp_indices)} are out of range for {shape[0]} rows")
    return rand_sparse_ndarray(shape, stype, density=density, data_init=data_init, rsp_indices=rsp_indices, dtype=dtype,
                               modifier_func=modifier_func, shuffle_csr_indices=shuffle_csr_indices)[0]


def create_sparse_array_zd(shape, stype, density, data_init=None, rsp_indices=None, dtype=None, modifier_func=None,
                           shuffle_csr_indices=False):
    """`create_sparse_array` where a `density` of 0 also leaves out the rows of `rsp_indices`."""
    if stype == "row_sparse" and density == 0.0:
        rsp_indices = []
    return create_sparse_array(shape, stype, data_init, rsp_indices, dtype, modifier_func, density, shuffle_csr_indices)


def shuffle_csr_column_indices(csr):
    """Puts the column numbers in each row of a CSR array of SciPy into random order, in place."""
    for first, last in zip(csr.indptr[:-1], csr.indptr[1:]):
        np.random.shuffle(csr.indices[first:last])


# -- matrices --------------------------------------------------------------------------------------

def new_orthonormal_matrix_2d(n):
    """A random orthonormal matrix ``(n, n)``."""
    return np.linalg.qr(np.random.randn(n, n))[0]


def new_matrix_with_real_eigvals_2d(n):
    """A random matrix ``(n, n)`` with real eigenvalues, ``Q D Q^T`` of an upper triangular D."""
    q = new_orthonormal_matrix_2d(n)
    return q @ np.triu(np.random.uniform(-10, 10, (n, n))) @ q.T


def new_sym_matrix_with_real_eigvals_2d(n):
    """A random symmetric matrix ``(n, n)``."""
    q = new_orthonormal_matrix_2d(n)
    return q @ np.diag(np.random.uniform(-10, 10, n)) @ q.T


def _batch_of(make, shape):
    count = int(np.prod(shape[:-2], dtype=int))
    return np.array([make(shape[-1]) for _ in range(count)]).reshape(shape)


def new_matrix_with_real_eigvals_nd(shape):
    """Random matrices with real eigenvalues, of a shape ``(..., n, n)``."""
    return _batch_of(new_matrix_with_real_eigvals_2d, shape)


def new_sym_matrix_with_real_eigvals_nd(shape):
    """Random symmetric matrices, of a shape ``(..., n, n)``."""
    return _batch_of(new_sym_matrix_with_real_eigvals_2d, shape)
