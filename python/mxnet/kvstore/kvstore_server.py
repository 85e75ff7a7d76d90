"""The servers of distributed stores."""
from ..base import MXNetError

__all__ = ["KVStoreServer"]


class KVStoreServer:
    """Serves the values of a distributed store to its workers.

    Parameters
    ----------
    kvstore : KVStore
        The store.
    """

    def __init__(self, kvstore):
        self.kvstore = kvstore
        self.handle = getattr(kvstore, "handle", None)
        self.init_logging = False

    def run(self):
        """Serves until the workers are done. MXNetError for a store without servers."""
        raise MXNetError(f"KVStoreServer.run: a store of type '{self.kvstore.type}' has no servers")
