"""Methods of blocks that train in one call."""

__all__ = ["Trainable"]


class Trainable:
    """What every Block can do besides computing: be trained, evaluated and asked for predictions."""

    def fit(self, data, num_epochs=1, loss_fn=None, optimizer=None, validation_data=None, metrics=None, batch_size=32,
            shuffle=True, ctx=None, verbose=True, checkpoint=None, resume=False, event_handlers=None):
        """Trains the network.

        Parameters that are not initialized are, by Xavier's rule. When an exception is raised, all parameters
        are what they were before.

        Parameters
        ----------
        data : DataIter, DataLoader, Dataset, MXDataBatch, or tuple of arrays
            The data; the last array of a batch holds the labels, the others are given to the network.
        num_epochs : int
            How many times to go through the data.
        loss_fn : gluon.loss.Loss or callable, optional
            The loss of predictions and labels. By default the one used before, or what follows from the last
            activation: for sigmoid the binary cross-entropy of probabilities, for softmax the cross-entropy of
            probabilities, otherwise the L2 loss. A cross-entropy that would apply the last activation again
            leaves that out.
        optimizer : Optimizer, str or Trainer, optional
            By default that of ``with optimizer.prepare(net)``, or the one used before, or Adam. An optimizer
            that is used again goes on where it was.
        validation_data : optional
            As `data`; loss and metrics on it are taken after each epoch.
        metrics : EvalMetric, str or list of them, optional
            By default the accuracy of classifiers and the mean square error of others.
        batch_size, shuffle
            For data sets and arrays: number of samples in a batch, and whether their order is random.
        ctx : Context or list of Context, optional
            Where to train, if the parameters are nowhere yet.
        verbose : bool
            Whether to show the progress: a bar on a terminal with tqdm, a line for each epoch otherwise.
        checkpoint : str, optional
            Folder in which the training is saved after each epoch; see `CheckpointHandler`.
        resume : bool
            Whether to go on from the last checkpoint there, with the history and the state of `event_handlers`, as if
            the training had never stopped. One that has come to its end stays as it is.
        event_handlers : list of EventHandler, optional
            See `gluon.contrib.estimator`.

        Returns
        -------
        History
            Values of loss and metrics by epoch, with a method ``plot()``.

        Raises
        ------
        TypeError, ValueError
            For data, labels, a loss or an optimizer that do not fit.
        MXNetError
            When the loss becomes nan or infinite.

        Examples
        --------
        >>> net = mx.gluon.nn.Dense(1)
        >>> x = mx.nd.random.normal(shape=(64, 3))
        >>> history = net.fit((x, x.sum(axis=1)), num_epochs=3, optimizer="sgd", verbose=False)
        >>> len(history["loss"])
        3
        """
        from . import training
        return training.fit(self, data, num_epochs, loss_fn, optimizer, validation_data, metrics, batch_size, shuffle,
                            ctx, verbose, checkpoint, resume, event_handlers)

    def evaluate(self, data, metrics=None, batch_size=32, ctx=None):
        """The metrics on a data source, a list of float with their `names`: the accuracy for classifiers.

        Parameters as for `fit`.

        Examples
        --------
        >>> net.evaluate((x, y))[0]
        """
        from . import training
        return training.evaluate(self, data, metrics, batch_size, ctx)

    def validate(self, data, loss_fn=None, metrics=None, batch_size=32, ctx=None):
        """The loss and the metrics on a data source, a list of float with their `names`. Parameters as for `fit`.

        Examples
        --------
        >>> loss = net.validate((x, y))[0]
        """
        from . import training
        return training.validate(self, data, loss_fn, metrics, batch_size, ctx)

    def predict(self, data, batch_size=32, ctx=None):
        """The outputs for a data source, joined along axis 0.

        Where a batch holds several arrays, the last is taken for labels and left out. Parameters as for `fit`.

        Returns
        -------
        NDArray, or a list of them for a network of several outputs
        """
        from . import training
        return training.predict(self, data, batch_size, ctx)
