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

    Network and loss are traced together, whether or not the network itself is hybridized. The graph, its gradient and
    the operators by which the optimizer updates the parameters are compiled as one program; gradients are in the arrays
    of the parameters afterwards. An optimizer that does more than to call operators, and a trainer with a store or
    several contexts, update in a call of their own. What cannot be traced or compiled runs under
    ``autograd.record()``. The numbers are the same in all cases.

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
        self._calls = None  # what is left of the update: calls already counted, or None for all of it
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
        batch_size = args[0].shape[0] if batch_size is None else batch_size
        value, _ = self.forward_backward(*args, batch_size=batch_size)
        self.update(batch_size)
        return value

    def forward_backward(self, *args, batch_size=None):
        """The first half of a step: the loss and what the network gives, with the gradients in their arrays.

        With `batch_size` the update may be made along with it.
        """
        return self.compiled(*args, batch_size=batch_size) or self._recorded(args)

    def update(self, batch_size):
        """The second half of a step: what is left of the update of the parameters."""
        calls, self._calls = self._calls, None
        if calls is None:
            self.trainer.step(batch_size)
            return
        for call in calls:
            call.run()
        self.trainer._mark_stale()

    def _recorded(self, args):
        with autograd.record():
            pred = self.net(*args[:-1])
            value = self.loss(pred, args[-1])
        value.backward()
        return value, pred

    def compiled(self, *args, batch_size=None, needs_finite=False):
        """`forward_backward` by the program; None, with no array changed, where there is none.

        With `needs_finite` an update that is made along with it is left out if the loss is not finite.
        """
        self._calls = None
        ready = self._block and self._block._ready_graph(args)
        if ready is None or ready[0].out_format != [0, 0]:
            return None
        graph, arrays, ctx = ready
        params = [None if isinstance(source, int) else source for source in graph.sources]
        if any(param is not None and param.grad_req == "add" for param in params):
            return None
        grads = [param.grad(ctx) if param is not None and param.grad_req == "write" else None for param in params]
        trained = [param for param, grad in zip(params, grads) if grad is not None]
        if batch_size is not None and self._renews_all(trained):
            self._calls = self.trainer._step_calls(batch_size)
        results = None
        if self._calls is not None:
            results = graph.program.run_step(arrays, grads, self._calls, needs_finite, ctx)
            if results is not None:
                self._calls = []
                return tuple(results)
        results = graph.program.run_step(arrays, grads, (), False, ctx)
        if results is None:
            return None
        for param in trained:
            param.data(ctx)._fresh_grad = True
        return tuple(results)

    def _renews_all(self, trained):
        """Whether all gradients of the trainer are new once those of the parameters `trained` are."""
        trained = set(trained)
        return all(param in trained or param._grad is None or param._data[0]._fresh_grad
                   for param in self.trainer._params)
