"""The examples in the help of operators."""
import doctest

import numpy as np
import pytest
from calls import functions, registry

import mxnet as mx
from mxnet.ndarray.examples import load_examples

EXAMPLES = load_examples()


def test_examples_name_operators():
    assert not set(EXAMPLES) - set(registry())


def test_every_operator_has_an_example():
    missing = sorted({name for name in registry() if not name.startswith("_backward_")} - set(EXAMPLES))
    assert not missing, f"{len(missing)} operators have no example: {missing}"


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_example(name):
    """It runs and gives what it says, and the help shows it."""
    assert functions()[name].__doc__.endswith("Examples\n--------\n" + EXAMPLES[name])
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    test = doctest.DocTestParser().get_doctest(EXAMPLES[name], {"mx": mx, "np": np}, name, None, 0)
    said = []
    runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
