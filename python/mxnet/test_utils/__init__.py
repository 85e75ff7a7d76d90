"""Helpers for tests: comparing arrays, random arrays and shapes, checking gradients and distributions.

Functions that take NumPy arrays take NDArrays as well. Test code imports everything with a star and finds some
modules and classes here too.
"""
import bz2  # noqa: F401
import errno  # noqa: F401
import gzip  # noqa: F401
import json  # noqa: F401
import logging  # noqa: F401
import numbers  # noqa: F401
import os  # noqa: F401
import platform  # noqa: F401
import struct  # noqa: F401
import sys  # noqa: F401
import time  # noqa: F401
import traceback  # noqa: F401
import zipfile  # noqa: F401
from collections import OrderedDict  # noqa: F401
from contextlib import contextmanager  # noqa: F401

import numpy as np  # noqa: F401
import numpy.random as rnd  # noqa: F401
import numpy.testing as npt  # noqa: F401

import mxnet as mx  # noqa: F401

from ..context import Context, current_context  # noqa: F401
from ..ndarray import array  # noqa: F401
from ..ndarray.ndarray import _STORAGE_TYPE_STR_TO_ID  # noqa: F401
from ..runtime import Features  # noqa: F401
from ..symbol import Symbol  # noqa: F401
from ..util import get_cuda_compute_capability, getenv, setenv, use_np  # noqa: F401
from .comparing import *  # noqa: F403
from .distributions import *  # noqa: F403
from .gradients import *  # noqa: F403
from .random_data import *  # noqa: F403
from .surroundings import *  # noqa: F403
from .symbols import *  # noqa: F403
