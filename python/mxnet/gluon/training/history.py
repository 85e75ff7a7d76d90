"""What `fit` and `evaluate` give back."""

__all__ = ["History", "Scores"]


class Scores(list):
    """Numbers with names: a list of float, and the list `names` of what they are."""

    def __init__(self, pairs):
        pairs = list(pairs)
        super().__init__(value for _, value in pairs)
        self.names = [name for name, _ in pairs]

    def __str__(self):
        return ", ".join(f"{name}={value:.4g}" for name, value in zip(self.names, self))


class History(dict):
    """The values of each epoch: a dict from name ('loss', 'accuracy', 'val_loss', ...) to a list of float.

    Examples
    --------
    >>> history = net.fit((x, y), num_epochs=5)
    >>> history["loss"][-1] < history["loss"][0]
    True
    >>> axes = history.plot()
    """

    def plot(self, *names, ax=None):
        """Draws the values over the epochs; needs matplotlib.

        Parameters
        ----------
        *names : str
            Which to draw; all by default.
        ax : matplotlib axes, optional
            Where to draw; new axes by default.

        Returns
        -------
        matplotlib axes
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("History.plot: matplotlib is needed to draw; install it with: pip install matplotlib") \
                from error
        unknown = [name for name in names if name not in self]
        if unknown:
            raise ValueError(f"History.plot: there is no '{unknown[0]}'; there are {', '.join(self)}")
        if ax is None:
            _, ax = pyplot.subplots()
        for name in names or self:
            values = self[name]
            ax.plot(range(1, len(values) + 1), values, marker="o", label=name)
        ax.set_xlabel("epoch")
        ax.legend()
        return ax
