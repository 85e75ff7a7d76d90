"""How the operators of the registry are spread over the modules of ``mx.sym``: as over those of ``mx.nd``."""
from ..ndarray.register import functions, place_of, signature

__all__ = ["functions", "place_of", "signature"]
