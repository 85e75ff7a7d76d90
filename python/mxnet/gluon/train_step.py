"""`TrainStep`: one step of training as a call."""
from .. import autograd
from .block import HybridBlock

__all__ = ["TrainStep"]


class _WithLoss(HybridBlock):
    """A network and its loss as one block, so that both are one graph."""

    def __init__(self, net, loss):
        super().__init__(prefix="")
        self.net, self.loss = net, loss

    def hybrid_forward(self, F, *args):
        *data, label = args
        return self.loss(self.net(*data), label)


class TrainStep:
    """A step of training: forward, loss, backward and the update of the parameters.

    Network and loss are traced together and run as one program, whether or not the network itself is
    hybridized; what cannot be traced runs operator by operator.

    Parameters
    ----------
    net : Block
        The network.
    loss : Block
        Called as ``loss(net(*data), label)``.
    trainer : Trainer
        Updates the parameters.

    Examples
    --------
    >>> net = mx.gluon.nn.Dense(2)
    >>> net.initialize()
    >>> trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    >>> step = mx.gluon.TrainStep(net, mx.gluon.loss.L2Loss(), trainer)
    >>> step(mx.nd.ones((4, 3)), mx.nd.ones((4, 2))).shape
    (4,)
    """

    def __init__(self, net, loss, trainer):
        self.net, self.loss, self.trainer = net, loss, trainer
        self._block = None
        if isinstance(net, HybridBlock) and isinstance(loss, HybridBlock):
            self._block = _WithLoss(net, loss)
            self._block._active = True  # of this block alone: net and loss stay as they are

    def __call__(self, *args, batch_size=None):
        """Takes one step.

        Parameters
        ----------
        *args : NDArray
            The inputs of the network, then the label.
        batch_size : int, optional
            What gradients are divided by; the extent of axis 0 of the first input by default.

        Returns
        -------
        NDArray
            The loss of each sample.
        """
        if len(args) < 2:
            raise ValueError(f"TrainStep: expected inputs and a label, got {len(args)} arrays")
        with autograd.record():
            if self._block is not None:
                value = self._block(*args)
            else:
                value = self.loss(self.net(*args[:-1]), args[-1])
        value.backward()
        self.trainer.step(args[0].shape[0] if batch_size is None else batch_size)
        return value
