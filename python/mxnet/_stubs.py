"""Writes the type stubs of the operators, from the registry.

    python -m mxnet._stubs             writes the .pyi files into the package
    python -m mxnet._stubs --check     says which of them are stale, with exit status 1

Editors and type checkers read them; nothing does at run time. The build of a wheel runs this, so that a stub is never
older than the registry.
"""
import argparse
import inspect
import keyword
import pathlib
import re
import sys
import textwrap

HEADER = '''\
# Written by python -m mxnet._stubs from the registry of operators; not to be edited.
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

{imports}

_Dtype = str | type | np.dtype[Any]
_Shape = int | Sequence[int]
_Out = NDArray | Sequence[NDArray] | None
'''

# Parameters on which the number of outputs depends.
_COUNTS = {"num_outputs", "ret_typ", "state_outputs", "output_mean_var", "get_prob", "sections", "indices_or_sections"}

_TYPES = {"boolean": "bool", "int": "int", "double": "float", "float": "float", "string": "str", "dtype": "_Dtype",
          "Shape(tuple)": "_Shape"}

# Properties of the array and what they are.
_PROPERTIES = {"shape": "tuple[int, ...]", "ndim": "int", "size": "int", "dtype": "Any", "context": "Context",
               "ctx": "Context", "stype": "str", "grad": "NDArray | None", "T": "NDArray", "handle": "int",
               "writable": "bool"}

_METHODS = '''\
    def __init__(self, handle: NDArray | None = None, writable: bool = True) -> None: ...
    def __getitem__(self, key: Any) -> NDArray: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[NDArray]: ...
    def __bool__(self) -> bool: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __index__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]: ...
    def __dlpack__(self, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def asnumpy(self) -> np.ndarray[Any, Any]: ...
    def asscalar(self) -> Any: ...
    def item(self) -> bool | int | float: ...
    def wait_to_read(self) -> None: ...
    def wait_to_write(self) -> None: ...
    def detach(self) -> NDArray: ...
    def copy(self) -> NDArray: ...
    def copyto(self, other: NDArray | Context) -> NDArray: ...
    def as_in_context(self, context: Context) -> NDArray: ...
    def as_in_ctx(self, ctx: Context) -> NDArray: ...
    def astype(self, dtype: _Dtype, copy: bool = True) -> NDArray: ...
    def reshape(self, *shape: _Shape, **kwargs: Any) -> NDArray: ...
    def attach_grad(self, grad_req: Literal['write', 'add', 'null'] = 'write', stype: str | None = None) -> None: ...
    def backward(self, out_grad: NDArray | None = None, retain_graph: bool = False, train_mode: bool = True,
                 create_graph: bool = False) -> None: ...
'''

# Functions beside those that return one array.
_NOT_ARRAYS = {"histogram", "split_v2", "waitall", "to_dlpack_for_read", "to_dlpack_for_write"}

_OPERATORS = ("add", "sub", "mul", "truediv", "mod", "pow")
_COMPARISONS = ("lt", "le", "gt", "ge")


def type_text(kind):
    """The annotation for a type as the registry names it: ``'int or None'`` is ``int | None``."""
    if kind.endswith(" or None"):
        return f"{type_text(kind[:-8])} | None"
    if kind.startswith("{"):
        return f"Literal[{kind[1:-1]}]"
    inner = re.fullmatch(r"tuple of <(.*)>", kind)
    if inner:
        item = type_text(inner[1])
        return f"{item} | Sequence[{item}]"
    return _TYPES.get(kind, "Any")


def result_text(info):
    """The annotation of an operator's result."""
    if _COUNTS & {name for name, *_ in info["fields"]}:
        return "Any"
    return "NDArray" if info["num_outputs"] == 1 else "list[NDArray]"


def operator_text(name, info, method=False):
    """The stub of one operator, as a function or as a method without its first input."""
    variadic = info["variadic"]
    inputs = info["inputs"][1:] if method else info["inputs"]
    parts = ["self"] if method else []
    optional = False
    for i, (label, _, missing, _) in enumerate(inputs):
        if variadic and i == len(inputs) - 1:
            parts.append(f"*{label}: NDArray | Sequence[NDArray]")
            continue
        optional = optional or missing
        parts.append(f"{label}: NDArray" + (" | None = None" if optional else ""))
    for label, kind, required, default, _ in info["fields"]:
        if label == variadic or keyword.iskeyword(label):
            continue
        optional = optional or not required
        annotation = type_text(kind)
        if default is None and not required and not annotation.endswith((" | None", "Any")):
            annotation += " | None"
        value = "..." if required else repr(default)
        parts.append(f"{label}: {annotation}" + (f" = {value}" if optional else ""))
    taken = {part.split(":")[0] for part in parts}
    parts += [f"{label}: {kind} = None" for label, kind in (("out", "_Out"), ("name", "str | None"))
              if label not in taken]
    parts.append("**kwargs: Any")
    return f"def {name}({', '.join(parts)}) -> {result_text(info)}: ..."


def function_text(name, function, result="Any"):
    """The stub of a function written in Python."""
    parts = []
    for p in inspect.signature(function).parameters.values():
        text = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "") + f"{p.name}: Any"
        if p.default is not p.empty:
            text += " = ..."
        parts.append(text)
    return f"def {name}({', '.join(parts)}) -> {result}: ..."


def wrapped(text, indent=""):
    """The head of a definition in lines; what follows its last parenthesis stays with it."""
    arguments, result = text.rsplit(")", 1)
    lines = textwrap.wrap(arguments + ")" + result.replace(" ", "\0"), 118, initial_indent=indent,
                          subsequent_indent=indent + "        ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def documented(text, doc, indent=""):
    """A stub with the first sentence of its documentation."""
    first = re.split(r"(?<=[.:;])\s", " ".join(doc.split()), maxsplit=1)[0].replace("\\", "\\\\").replace('"""', "'''")
    body = wrapped(text[:-4], indent)
    return f'{body}\n{indent}    """{first.rstrip(":;")}"""\n{indent}    ...\n'


def module_stub(module):
    """The stub of one module of ``mx.nd`` that holds operators, and of its Python functions."""
    import importlib

    from .ndarray import register
    python = importlib.import_module(f"mxnet.ndarray.{module}")
    operators = register.functions(module)
    lines = [HEADER.format(imports="from .ndarray import NDArray")]
    for name in sorted(operators):
        if not keyword.iskeyword(name) and name.isidentifier() and not name.startswith("_backward_"):
            info = operators[name].op_info()
            lines.append(documented(operator_text(name, info), info["doc"]))
    for name in sorted(set(python.__all__) - set(operators)):
        function = getattr(python, name)
        lines.append(documented(function_text(name, function), function.__doc__))
    return "\n".join(lines)


def ndarray_stub():
    """The stub of ``mxnet.ndarray.ndarray``: the array class with the methods of the registry."""
    from . import _core
    from .ndarray import NDArray, arithmetic, creation, manipulation, ndarray
    lines = [HEADER.format(imports="from ..context import Context").replace("import Seq", "import Iterator, Seq")]
    lines.append('class NDArray:\n    """An n-dimensional array of one element type on one device."""\n')
    lines += [f"    @property\n    def {name}(self) -> {kind}: ..." for name, kind in _PROPERTIES.items()]
    lines.append(_METHODS.rstrip())
    for sign in _OPERATORS:
        lines.append(f"    def __{sign}__(self, other: NDArray | float) -> NDArray: ...")
        lines.append(f"    def __r{sign}__(self, other: NDArray | float) -> NDArray: ...")
        lines.append(f"    def __i{sign}__(self, other: NDArray | float) -> NDArray: ...")
    lines += [f"    def __{sign}__(self, other: NDArray | float) -> NDArray: ..." for sign in _COMPARISONS]
    lines += [f"    def __{sign}__(self, other: Any) -> Any: ..." for sign in ("eq", "ne")]
    lines += [f"    def __{sign}__(self) -> NDArray: ..." for sign in ("neg", "abs", "pos")]
    told = set(re.findall(r"def (\w+)", _METHODS)) | set(_PROPERTIES)
    for name in sorted(set(dir(NDArray)) - told):
        member = inspect.getattr_static(NDArray, name)
        if name.startswith("_"):
            continue
        if isinstance(member, _core.OpFunction):
            info = member.op_info()
            lines.append(documented(operator_text(name, info, method=True), info["doc"], "    "))
        elif inspect.isfunction(member):
            lines.append(documented(function_text(name, member).replace("self: Any", "self"), member.__doc__, "    "))
    arrays = {*arithmetic.__all__, *creation.__all__, *manipulation.__all__} - _NOT_ARRAYS
    for name in sorted(ndarray.__all__):
        value = getattr(ndarray, name)
        if inspect.isfunction(value):
            result = "NDArray" if name in arrays else "Any"
            lines.append(documented(function_text(name, value, result), value.__doc__))
        elif name != "NDArray":
            lines.append(f"{name}: dict[Any, Any]")
    return "\n".join(lines) + "\n"


def stubs():
    """The text of every stub by its path in the package."""
    found = {f"ndarray/{module}.pyi": module_stub(module)
             for module in ("op", "_internal", "contrib", "linalg", "image", "random")}
    found["ndarray/ndarray.pyi"] = ndarray_stub()
    return found


def main():
    import mxnet
    parser = argparse.ArgumentParser(prog="python -m mxnet._stubs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only; exit status 1 when a stub is stale")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=pathlib.Path(mxnet.__file__).parent,
                        help="the package's folder (default: of the package that runs)")
    options = parser.parse_args()
    stale = []
    for path, text in stubs().items():
        file = options.folder / path
        if file.exists() and file.read_text() == text:
            continue
        stale.append(path)
        if not options.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    if options.check and stale:
        sys.exit(f"stale: {', '.join(stale)}; run python -m mxnet._stubs")
    print("up to date" if not stale else f"wrote {', '.join(stale)}")


if __name__ == "__main__":
    main()
