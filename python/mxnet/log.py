"""Loggers whose lines start with level, time, process and place."""
import logging
import sys
import warnings

__all__ = ["get_logger"]

CRITICAL = logging.CRITICAL
ERROR = logging.ERROR
WARNING = logging.WARNING
INFO = logging.INFO
DEBUG = logging.DEBUG
NOTSET = logging.NOTSET


class _Formatter(logging.Formatter):
    """Lines such as ``W1125 21:25:09 521 train.py:fit:3] text``, the head in colour on a terminal's stream."""

    _COLOURS = {"D": 32, "I": 32, "W": 31, "E": 31, "C": 31}

    def __init__(self, colored=True):
        super().__init__(datefmt="%m%d %H:%M:%S")
        self.colored = colored

    def format(self, record):
        """The line of a record."""
        level = record.levelname[:1]
        head = "%(asctime)s %(process)d %(pathname)s:%(funcName)s:%(lineno)d]"
        if self.colored:
            head = f"\x1b[{self._COLOURS.get(level, 0)}m{level}{head}\x1b[0m"
        else:
            head = level + head
        self._style._fmt = head + " %(message)s"
        return super().format(record)


def getLogger(name=None, filename=None, filemode=None, level=WARNING):
    """The old name of `get_logger`."""
    warnings.warn("getLogger is deprecated; use get_logger", DeprecationWarning, stacklevel=2)
    return get_logger(name, filename, filemode, level)


def get_logger(name=None, filename=None, filemode=None, level=WARNING):
    """The logger called `name`, set up when it is first asked for; the root logger without a name is left as it is.

    Parameters
    ----------
    name : str, optional
        Name of the logger.
    filename : str, optional
        Where it writes; the standard error stream by default.
    filemode : str, optional
        How the file is opened; default 'a'.
    level : int, optional
        The least level it shows, e.g. ``mx.log.INFO``.

    Examples
    --------
    >>> mx.log.get_logger('docs', level=mx.log.INFO).level == mx.log.INFO
    True
    """
    logger = logging.getLogger(name)
    if name is None or getattr(logger, "_mxnet_ready", False):
        return logger
    logger._mxnet_ready = True
    if filename:
        handler = logging.FileHandler(filename, filemode or "a")
        handler.setFormatter(_Formatter(colored=False))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(_Formatter(colored=getattr(sys.stderr, "isatty", lambda: False)()))
    logger.addHandler(handler)
    logger.setLevel(level)
    return logger
