"""Messages about the progress of a training, and its history."""
import sys
import time

from ..contrib.estimator import BatchEnd, EpochBegin, EpochEnd, TrainEnd
from .history import Scores

__all__ = ["Progress"]


class Progress(EpochBegin, BatchEnd, EpochEnd, TrainEnd):
    """Writes a line for each epoch, or shows a bar on a terminal where tqdm is; keeps the history.

    Parameters
    ----------
    history : History
        Where values are added.
    metrics : list of EvalMetric
        Metrics of the training.
    epochs, batches : int
        Number of epochs, and of batches in each, None where that is not known.
    validate : callable or None
        Gives the `Scores` on the validation data.
    processor : Processor
        Is told the number of the epoch.
    verbose : bool
        Whether to write anything.
    """

    priority = 100

    def __init__(self, history, metrics, epochs, batches, validate, processor, verbose):
        self._history = history
        self._metrics = metrics
        self._epochs = epochs
        self._batches = batches
        self._validate = validate
        self._processor = processor
        self._verbose = verbose
        self._epoch = 0
        self._bar = None

    def get_state(self):
        return {"epoch": self._epoch, "history": dict(self._history)}

    def set_state(self, state):
        self._epoch = state["epoch"]
        self._history.update(state["history"])

    def _open_bar(self):
        if not self._verbose or not sys.stderr.isatty():
            return None
        try:
            from tqdm import tqdm
        except ImportError:
            return None
        return tqdm(total=self._batches, desc=f"epoch {self._epoch}/{self._epochs}", leave=False)

    def epoch_begin(self, estimator, *args, **kwargs):
        self._epoch += 1
        self._processor.epoch, self._processor.step = self._epoch, 0
        self._begin = time.perf_counter()
        self._bar = self._open_bar()

    def batch_end(self, estimator, *args, **kwargs):
        if self._bar is not None:
            self._bar.update()
            self._bar.set_postfix_str(str(self._scores()))

    def _scores(self):
        return Scores(pair for metric in self._metrics for pair in metric.get_name_value())

    def close(self):
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def epoch_end(self, estimator, *args, **kwargs):
        self.close()
        scores = self._scores()
        pairs = list(zip(scores.names, scores))
        if self._validate is not None:
            validated = self._validate()
            pairs += [(f"val_{name}", value) for name, value in zip(validated.names, validated)]
        for name, value in pairs:
            self._history.setdefault(name, []).append(value)
        if self._verbose:
            print(f"epoch {self._epoch}/{self._epochs}: {Scores(pairs)} ({time.perf_counter() - self._begin:.1f} s)",
                  flush=True)
