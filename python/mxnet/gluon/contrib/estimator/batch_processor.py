"""What an estimator does with one batch."""
from .... import autograd
from ...utils import split_and_load

__all__ = ["BatchProcessor"]


class BatchProcessor:
    """Runs the network and the loss on a batch; override its methods for other kinds of training.

    Examples
    --------
    >>> class Clipped(mx.gluon.contrib.estimator.BatchProcessor):
    ...     def fit_batch(self, estimator, train_batch, batch_axis=0):
    ...         result = super().fit_batch(estimator, train_batch, batch_axis)
    ...         mx.gluon.utils.clip_global_norm([p.grad() for p in estimator.net.collect_params().values()], 1.0)
    ...         return result
    """

    def __init__(self):
        pass

    def _get_data_and_label(self, batch, ctx, batch_axis=0):
        """The parts of data and label for each context."""
        return (split_and_load(batch[0], ctx_list=ctx, batch_axis=batch_axis),
                split_and_load(batch[1], ctx_list=ctx, batch_axis=batch_axis))

    def evaluate_batch(self, estimator, val_batch, batch_axis=0):
        """Predictions and losses for a batch.

        Parameters
        ----------
        estimator : Estimator
            Whose `val_net` and `val_loss` are used.
        val_batch : tuple
            Data and label.
        batch_axis : int
            The axis of samples, along which the batch is split among contexts.

        Returns
        -------
        tuple of 4 lists of NDArray
            Data, labels, predictions and losses, one for each context.
        """
        data, label = self._get_data_and_label(val_batch, estimator.context, batch_axis)
        pred = [estimator.val_net(x) for x in data]
        loss = [estimator.val_loss(y_hat, y) for y_hat, y in zip(pred, label)]
        return data, label, pred, loss

    def fit_batch(self, estimator, train_batch, batch_axis=0):
        """Predictions, losses and gradients for a batch. The weights are updated later, by `GradientUpdateHandler`.

        Parameters and result as for `evaluate_batch`, with `net` and `loss`.
        """
        data, label = self._get_data_and_label(train_batch, estimator.context, batch_axis)
        with autograd.record():
            pred = [estimator.net(x) for x in data]
            loss = [estimator.loss(y_hat, y) for y_hat, y in zip(pred, label)]
        for one in loss:
            one.backward()
        return data, label, pred, loss
