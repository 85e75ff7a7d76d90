"""An example for each operator, which its help shows and the tests run.

The text files beside this one hold them, each under the operator's own name in square brackets. Nothing is read before
somebody asks for help.
"""
import functools
import pathlib
import re

__all__ = ["example_of", "load_examples"]


@functools.cache
def load_examples():
    """All examples by the name of the operator, a dict of str."""
    found = {}
    for path in sorted(pathlib.Path(__file__).parent.glob("*.txt")):
        # A name, and what stands below it up to the next.
        parts = re.split(r"^\[(\w+)\]$\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found.update((name, text.strip("\n") + "\n") for name, text in zip(parts[1::2], parts[2::2]))
    return found


def example_of(name):
    """The example of an operator, '' where there is none.

    Examples
    --------
    >>> print(mx.nd.examples.example_of('relu'), end='')
    >>> mx.nd.relu(mx.nd.array([-1, 0, 2])).asnumpy()
    array([0., 0., 2.], dtype=float32)
    """
    return load_examples().get(name, "")
