"""Forecast a seasonal series with two networks of GluonTS, which is built on this interface.

Needs `pip install gluonts==0.17.0`. The series are generated: days and weeks of different strength, a trend
and noise. The figure of merit stands beside that of the seasonal naive forecast, which repeats the last week.
"""
import argparse
import pathlib

import numpy as np
import pandas as pd
from gluonts.dataset.common import ListDataset
from gluonts.evaluation import Evaluator, make_evaluation_predictions
from gluonts.mx import DeepAREstimator, SimpleFeedForwardEstimator, Trainer

import mxnet as mx

HORIZON, SEASON = 24, 24 * 7


def series(count, hours, random):
    """Hourly values ``(count, hours)``."""
    time = np.arange(hours)
    day, week = 2 * np.pi * time / 24, 2 * np.pi * time / SEASON
    rows = []
    for _ in range(count):
        level, slope = random.uniform(20, 60), random.uniform(-0.005, 0.01)
        shape = random.uniform(4, 10) * np.sin(day + random.uniform(0, 6)) + random.uniform(2, 5) * np.sin(week)
        rows.append(level + slope * time + shape + random.normal(0, 1, hours))
    return np.array(rows)


def dataset(rows):
    start = pd.Period("2024-01-01", freq="h")
    return ListDataset([{"start": start, "target": row} for row in rows], freq="h")


def naive_error(rows):
    """The mean absolute error of last week's values, over the mean absolute value."""
    truth, guess = rows[:, -HORIZON:], rows[:, -HORIZON - SEASON:-SEASON]
    return np.abs(truth - guess).sum() / np.abs(truth).sum()


def evaluate(predictor, rows):
    """The weighted quantile loss and the error of the median, of forecasts of the last day."""
    forecasts, truths = make_evaluation_predictions(dataset(rows), predictor=predictor, num_samples=100)
    forecasts, truths = list(forecasts), list(truths)
    scores, _ = Evaluator(quantiles=(0.1, 0.5, 0.9), num_workers=0)(iter(truths), iter(forecasts), len(rows))
    return forecasts, scores["mean_wQuantileLoss"], scores["ND"]


def draw(path, rows, forecasts):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    _, axes = pyplot.subplots(len(forecasts), 1, figsize=(10, 3 * len(forecasts)), squeeze=False)
    for axis, (name, forecast) in zip(axes[:, 0], forecasts.items()):
        axis.plot(rows[0, -3 * HORIZON:], color="black", label="truth")
        time = np.arange(2 * HORIZON, 3 * HORIZON)
        axis.plot(time, forecast[0].quantile(0.5), label=name)
        axis.fill_between(time, forecast[0].quantile(0.1), forecast[0].quantile(0.9), alpha=0.3)
        axis.legend()
    pyplot.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batches", type=int, default=50, help="batches in an epoch")
    parser.add_argument("--series", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    mx.random.seed(args.seed)
    np.random.seed(args.seed)

    rows = series(args.series, 24 * 60, np.random.RandomState(args.seed))
    train = dataset(rows[:, :-HORIZON])
    common = {"prediction_length": HORIZON, "context_length": 2 * HORIZON}

    def trainer():
        return Trainer(ctx=mx.cpu(), epochs=args.epochs, num_batches_per_epoch=args.batches, learning_rate=3e-3)
    estimators = {
        "SimpleFeedForward": SimpleFeedForwardEstimator(trainer=trainer(), num_hidden_dimensions=[40, 40], **common),
        "DeepAR": DeepAREstimator(freq="h", trainer=trainer(), num_layers=2, num_cells=32, **common),
    }
    print(f"seasonal naive: error {naive_error(rows):.3f} of the mean")
    drawn = {}
    for name, estimator in estimators.items():
        drawn[name], loss, error = evaluate(estimator.train(train), rows)
        print(f"{name}: mean weighted quantile loss {loss:.4f}, error of the median {error:.3f} of the mean",
              flush=True)
    args.output.mkdir(parents=True, exist_ok=True)
    draw(args.output / "forecast_gluonts.png", rows, drawn)


if __name__ == "__main__":
    main()
