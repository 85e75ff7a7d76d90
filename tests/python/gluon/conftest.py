"""Fixtures for the tests of Gluon."""
import pytest

from mxnet import gluon


@pytest.fixture(params=[False, True], ids=["eager", "compiled"])
def compiled(request, monkeypatch):
    """Runs a test twice: with blocks as they are, and with all hybrid blocks compiled from the start."""
    if not request.param:
        return False
    plain = gluon.HybridBlock.__init__

    def start(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        self._active = True
    monkeypatch.setattr(gluon.HybridBlock, "__init__", start)
    return True
