"""Programs of MXNet 1.x give the numbers that 1.9.1 gives."""
import program_cases as cases
import pytest

import mxnet as mx


@pytest.mark.parametrize("name", cases.PROGRAMS)
def test_program(name, tmp_path):
    cases.check(mx, name, str(tmp_path))
