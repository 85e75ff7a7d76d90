"""Error classes: each is an `MXNetError` and the Python builtin that fits.

Raised by the core, so that ``except mx.MXNetError`` and ``except ValueError`` both catch a bad
argument::

    try:
        mx.nd.softmax(x, axis=9)
    except IndexError as error:
        print(error)
"""
import builtins

from .base import MXNetError

__all__ = ["MXNetError", "register"]

error_types = {}


def register_error(func_name=None, cls=None):
    """Registers an error class under a name, as a decorator or as ``register_error(name, cls)``."""
    if callable(func_name):
        cls, func_name = func_name, func_name.__name__
    if cls is not None:
        error_types[func_name] = cls
        return cls

    def decorate(klass):
        error_types[func_name or klass.__name__] = klass
        return klass
    return decorate


register = register_error


@register_error
class InternalError(MXNetError):
    """A fault inside mxnet itself; please report it with the program that led to it."""


def _also(builtin):
    """The registered class that is both an MXNetError and `builtin`."""
    body = {"__module__": __name__, "__doc__": f"An MXNetError that is also a builtin {builtin.__name__}."}
    if builtin is builtins.KeyError:
        # The builtin shows the repr of its argument, which hides line breaks and doubles quotes.
        body["__str__"] = RuntimeError.__str__
    return register_error(builtin.__name__, type(builtin.__name__, (MXNetError, builtin), body))


ValueError = _also(builtins.ValueError)
TypeError = _also(builtins.TypeError)
IndexError = _also(builtins.IndexError)
KeyError = _also(builtins.KeyError)
AttributeError = _also(builtins.AttributeError)
MemoryError = _also(builtins.MemoryError)
NotImplementedError = _also(builtins.NotImplementedError)
OSError = _also(builtins.OSError)
