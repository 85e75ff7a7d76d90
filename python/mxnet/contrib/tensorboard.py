"""Metrics for TensorBoard."""

__all__ = ["LogMetricsCallback"]


class LogMetricsCallback:
    """Writes the metrics of each batch or epoch to a folder that TensorBoard shows.

    Parameters
    ----------
    logging_dir : str
        The folder.
    prefix : str, optional
        Stands before the names of the metrics, with a dash.

    Raises
    ------
    ImportError
        When neither mxboard, tensorboardX nor torch with tensorboard is installed.

    Examples
    --------
    >>> module.fit(train_data, eval_data, batch_end_callback=mx.contrib.tensorboard.LogMetricsCallback("logs/train"),
    ...            eval_end_callback=mx.contrib.tensorboard.LogMetricsCallback("logs/eval"))
    """

    def __init__(self, logging_dir, prefix=None):
        self.prefix = prefix
        self.step = 0
        self.summary_writer = _writer(logging_dir)

    def __call__(self, param):
        """Writes the metrics of `param`, which the training loop passes."""
        self.step += 1
        if param.eval_metric is None:
            return
        for name, value in param.eval_metric.get_name_value():
            if self.prefix is not None:
                name = f"{self.prefix}-{name}"
            self.summary_writer.add_scalar(name, value, global_step=self.step)


def _writer(logging_dir):
    import importlib
    for module in ("mxboard", "tensorboardX", "torch.utils.tensorboard"):
        try:
            return importlib.import_module(module).SummaryWriter(logging_dir)
        except ImportError:
            continue
    raise ImportError("LogMetricsCallback: nothing is installed that writes files for TensorBoard; install it with: "
                      "pip install tensorboardX")
