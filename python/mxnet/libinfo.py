"""Where the library lies."""
import pathlib

__all__ = ["find_conf_path", "find_include_path", "find_lib_path"]

__version__ = "1.9.2"


def find_lib_path(prefix="libmxnet"):
    """Paths of the library, a list of str.

    Raises
    ------
    RuntimeError
        When there is no library whose name starts with `prefix`.
    """
    # The package may be made of links to its sources, with the library beside the links.
    from . import _core
    folder = pathlib.Path(_core.__file__).parent / "lib"
    found = sorted(str(path) for path in folder.glob(f"{prefix}.so*"))
    if not found:
        raise RuntimeError(f"find_lib_path: there is no {prefix}.so in {folder}")
    return found


def find_include_path():
    """The folder of the C++ headers.

    Raises
    ------
    RuntimeError
        When they are not installed.
    """
    from . import _core
    beside = pathlib.Path(_core.__file__).parent / "include"
    for folder in (beside, pathlib.Path(__file__).resolve().parents[2] / "cpp"):
        if (folder / "mxnet" / "mxnet.h").is_file():
            return str(folder) + "/"
    raise RuntimeError(f"find_include_path: the C++ headers are not installed in {beside}")


def find_conf_path(prefix="tvmop"):
    """Raises RuntimeError: there are no operators made by TVM, and so no configuration of them."""
    raise RuntimeError(f"find_conf_path: there is no {prefix}.conf; this package has no operators made by TVM")
