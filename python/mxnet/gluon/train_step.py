"""`TrainStep`: one step of training as a call."""
from .. import autograd
from .block import HybridBlock

__all__ = ["TrainStep"]


class _WithLoss(HybridBlock):
    """A network and its loss as one block, so that both are one graph: gives the loss and the prediction."""

    def __init__(self, net, loss):
        super().__init__(prefix="")
        self.net, self.loss = net, loss

    def hybrid_forward(self, F, *args):
        *data, label = args
        pred = self.net(*data)
        return self.loss(pred, label), pred

    def _warn_untraceable(self, error):
        """Says nothing: the step then runs under the tape, as documented."""


class TrainStep:
    """A step of training: forward, loss, backward and the update of the parameters.

    Network and loss are traced together, whether or not the network itself is hybridized. The graph and its gradient
    are compiled as one program that writes into the gradient arrays of the parameters; the fused update of the
    trainer follows. What cannot be traced or compiled runs under ``autograd.record()``, with the same numbers.

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
        value, _ = self.forward_backward(*args)
        self.trainer.step(args[0].shape[0] if batch_size is None else batch_size)
        return value

    def forward_backward(self, *args):
        """The first half of a step: the loss and what the network gives, with the gradients in their arrays."""
        return self.compiled(*args) or self._recorded(args)

    def _recorded(self, args):
        with autograd.record():
            pred = self.net(*args[:-1])
            value = self.loss(pred, args[-1])
        value.backward()
        return value, pred

    def compiled(self, *args):
        """`forward_backward` by the program; None, with nothing done, where there is none."""
        ready = self._block and self._block._ready_graph(args)
        if ready is None or ready[0].out_format != [0, 0]:
            return None
        graph, arrays, ctx = ready
        params = [None if isinstance(source, int) else source for source in graph.sources]
        if any(param is not None and param.grad_req == "add" for param in params):
            return None
        trained = [param for param in params if param is not None and param.grad_req == "write"]
        grads = [param.grad(ctx) if param in trained else None for param in params]
        results = graph.program.run_with_gradients(arrays, grads, ctx)
        if results is None:
            return None
        for param in trained:
            param.data(ctx)._fresh_grad = True
        return tuple(results)
