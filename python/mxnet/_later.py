"""Submodules that are imported when they are first asked for, so that `import mxnet` stays short."""
import importlib


def later(package, **modules):
    """A module's ``__getattr__`` that imports submodules.

    Parameters
    ----------
    package : str
        ``__name__`` of the module.
    **modules : str
        Submodule for each attribute; ``mod="module"`` makes ``mxnet.mod`` the module ``mxnet.module``.
    """
    def __getattr__(name):
        if name not in modules:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return importlib.import_module(f".{modules[name]}", package)
    return __getattr__
