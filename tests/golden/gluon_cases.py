"""What is computed with MXNet 1.9.1 (see record_gluon.py) and with this package, and then compared.

Every function takes the `mxnet` module as `mx`, and gives plain numbers or NumPy arrays.
"""
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent


def numbers(seed, *shape, low=-1.0, high=1.0):
    """Reproducible float32 numbers."""
    return np.random.RandomState(seed).uniform(low, high, shape).astype("float32")


# -- layers ----------------------------------------------------------------------------------------

LAYERS = {
    "dense": (lambda nn: nn.Dense(4), (3, 5)),
    "dense_many_axes": (lambda nn: nn.Dense(4, activation="relu"), (2, 3, 4)),
    "dense_no_flatten": (lambda nn: nn.Dense(4, flatten=False, use_bias=False), (2, 3, 5)),
    "conv1d": (lambda nn: nn.Conv1D(4, 3, strides=2, padding=1), (2, 3, 9)),
    "conv2d": (lambda nn: nn.Conv2D(4, (3, 2), padding=(1, 0), activation="tanh"), (2, 3, 6, 5)),
    "conv2d_groups": (lambda nn: nn.Conv2D(4, 3, groups=2, dilation=2), (2, 6, 7, 7)),
    "conv3d": (lambda nn: nn.Conv3D(2, 2, use_bias=False), (2, 3, 4, 3, 3)),
    "conv1d_transpose": (lambda nn: nn.Conv1DTranspose(3, 3, strides=2, padding=1, output_padding=1), (2, 2, 4)),
    "conv2d_transpose": (lambda nn: nn.Conv2DTranspose(3, 4, strides=2, padding=1), (2, 2, 4, 3)),
    "conv3d_transpose": (lambda nn: nn.Conv3DTranspose(2, 3, strides=2, padding=1, output_padding=1), (2, 4, 3, 2, 2)),
    "max_pool1d": (lambda nn: nn.MaxPool1D(3, 2), (2, 3, 9)),
    "max_pool2d": (lambda nn: nn.MaxPool2D(), (2, 3, 6, 5)),
    "max_pool2d_ceil": (lambda nn: nn.MaxPool2D(3, 2, 1, ceil_mode=True), (2, 3, 6, 6)),
    "max_pool3d": (lambda nn: nn.MaxPool3D(2, 1), (2, 3, 4, 3, 3)),
    "avg_pool1d": (lambda nn: nn.AvgPool1D(2), (2, 3, 8)),
    "avg_pool2d": (lambda nn: nn.AvgPool2D(3, 2, 1), (2, 3, 7, 7)),
    "avg_pool2d_without_pad": (lambda nn: nn.AvgPool2D(3, 2, 1, count_include_pad=False), (2, 3, 7, 7)),
    "avg_pool3d": (lambda nn: nn.AvgPool3D(2), (1, 2, 4, 4, 4)),
    "global_max_pool1d": (lambda nn: nn.GlobalMaxPool1D(), (2, 3, 5)),
    "global_max_pool2d": (lambda nn: nn.GlobalMaxPool2D(), (2, 3, 5, 4)),
    "global_max_pool3d": (lambda nn: nn.GlobalMaxPool3D(), (2, 3, 2, 5, 4)),
    "global_avg_pool1d": (lambda nn: nn.GlobalAvgPool1D(), (2, 3, 5)),
    "global_avg_pool2d": (lambda nn: nn.GlobalAvgPool2D(), (2, 3, 5, 4)),
    "global_avg_pool3d": (lambda nn: nn.GlobalAvgPool3D(), (2, 3, 2, 5, 4)),
    "reflection_pad2d": (lambda nn: nn.ReflectionPad2D(2), (2, 3, 5, 4)),
    "batch_norm": (lambda nn: nn.BatchNorm(), (4, 3, 5, 5)),
    "batch_norm_last_axis": (lambda nn: nn.BatchNorm(axis=-1, scale=False, epsilon=1e-3), (4, 6)),
    "batch_norm_global": (lambda nn: nn.BatchNorm(use_global_stats=True, center=False), (4, 3, 2, 2)),
    "layer_norm": (lambda nn: nn.LayerNorm(), (4, 6)),
    "layer_norm_axis": (lambda nn: nn.LayerNorm(axis=1, center=False), (2, 3, 4)),
    "instance_norm": (lambda nn: nn.InstanceNorm(scale=True), (2, 3, 4, 4)),
    "instance_norm_last_axis": (lambda nn: nn.InstanceNorm(axis=2), (2, 4, 3)),
    "group_norm": (lambda nn: nn.GroupNorm(2), (2, 4, 3, 3)),
    "dropout": (lambda nn: nn.Dropout(0.0), (3, 4)),
    "flatten": (lambda nn: nn.Flatten(), (2, 3, 4)),
    "relu": (lambda nn: nn.Activation("relu"), (3, 4)),
    "sigmoid": (lambda nn: nn.Activation("sigmoid"), (3, 4)),
    "tanh": (lambda nn: nn.Activation("tanh"), (3, 4)),
    "softrelu": (lambda nn: nn.Activation("softrelu"), (3, 4)),
    "softsign": (lambda nn: nn.Activation("softsign"), (3, 4)),
    "leaky_relu": (lambda nn: nn.LeakyReLU(0.3), (3, 4)),
    "prelu": (lambda nn: nn.PReLU(in_channels=4), (3, 4)),
    "elu": (lambda nn: nn.ELU(0.7), (3, 4)),
    "selu": (lambda nn: nn.SELU(), (3, 4)),
    "gelu": (lambda nn: nn.GELU(), (3, 4)),
    "swish": (lambda nn: nn.Swish(1.5), (3, 4)),
    "lambda": (lambda nn: nn.Lambda("square"), (3, 4)),
    "hybrid_lambda": (lambda nn: nn.HybridLambda(lambda F, x: F.sin(x)), (3, 4)),
    "embedding": (lambda nn: nn.Embedding(5, 3), (4, 2), (0, 5)),
    "sequential": (lambda nn: _filled(nn.Sequential(), nn.Dense(5, activation="tanh"), nn.BatchNorm(), nn.Dense(2)),
                   (4, 3)),
    "hybrid_sequential": (lambda nn: _filled(nn.HybridSequential(), nn.Conv2D(4, 3), nn.LayerNorm(), nn.Flatten(),
                                             nn.Dense(3)), (2, 2, 6, 5)),
}

CONTRIB_LAYERS = {
    "concurrent": (lambda more: _filled(more.nn.Concurrent(axis=1), more.nn.Identity(), more.nn.PixelShuffle2D(1)),
                   (2, 3, 4, 4)),
    "hybrid_concurrent": (lambda more: _filled(more.nn.HybridConcurrent(), more.nn.Identity(), more.nn.Identity()),
                          (2, 3)),
    "identity": (lambda more: more.nn.Identity(), (2, 3)),
    "pixel_shuffle1d": (lambda more: more.nn.PixelShuffle1D(2), (2, 6, 4)),
    "pixel_shuffle2d": (lambda more: more.nn.PixelShuffle2D((2, 3)), (2, 6, 4, 3)),
    "pixel_shuffle3d": (lambda more: more.nn.PixelShuffle3D((1, 2, 3)), (2, 6, 2, 4, 3)),
    "sync_batch_norm": (lambda more: more.nn.SyncBatchNorm(num_devices=1, prefix="sync_"), (4, 3, 5, 5)),
    "deformable": (lambda more: more.cnn.DeformableConvolution(4, 3, padding=1, num_deformable_group=2),
                   (2, 4, 5, 6)),
}


WITH_MKLDNN = ["conv3d_transpose"]  # what 1.9.1 has on MKL-DNN only


def _filled(container, *children):
    with container.name_scope():
        container.add(*children)
    return container


def _fill(params):
    """Gives parameters known values, by their place in the sorted names."""
    for seed, name in enumerate(sorted(params)):
        shape = params[name].shape
        if name.endswith("gamma") and params[name].grad_req == "null":
            continue  # it is 1 and stays so
        low, high = (0.5, 1.5) if name.endswith(("gamma", "running_var")) else (-0.5, 0.5)
        params[name].set_data(_array(params[name], numbers(100 + seed, *shape, low=low, high=high)))


def _array(param, values):
    """`values` as the kind of array that `param` holds."""
    array = param.data().copy()
    array[:] = values
    return array


def ten_steps(mx, params, loss):
    """The loss of each of ten steps of training."""
    trainer = mx.gluon.Trainer(params, "sgd", {"learning_rate": 0.01, "momentum": 0.9, "wd": 0.001})
    losses = []
    for _ in range(10):
        with mx.autograd.record():
            value = loss()
        value.backward()
        trainer.step(1)
        losses.append(value.asnumpy())
    return np.array(losses)


def run_layer(mx, name):
    """Output, gradients and parameters of a layer, its output at inference, and ten steps of training."""
    made_of, case = (mx.gluon.nn, LAYERS[name]) if name in LAYERS else (mx.gluon.contrib, CONTRIB_LAYERS[name])
    make, shape, (low, high) = *case[:2], case[2] if len(case) > 2 else (-2, 2)
    layer = make(made_of)
    layer.initialize()
    x = mx.nd.array(numbers(1, *shape, low=low, high=high))
    layer(x)
    params = layer._collect_params_with_prefix()
    _fill(params)
    if name != "embedding":  # which takes indices
        x.attach_grad()
    with mx.autograd.record():
        out = layer(x)
        weighted = (out * mx.nd.array(numbers(2, *out.shape))).sum()
    weighted.backward()
    result = {"repr": np.array(repr(layer)), "train": out.asnumpy()}
    if x.grad is not None and name != "selu":  # where that of 1.9.1 is not the derivative
        result["grad"] = x.grad.asnumpy()
    for key, param in params.items():
        result["param." + key] = param.data().asnumpy()
        if param.grad_req != "null":
            result["grad." + key] = param.grad().asnumpy()
    result["infer"] = layer(x).asnumpy()
    if any(param.grad_req != "null" for param in params.values()):
        wanted = mx.nd.array(numbers(3, *out.shape))
        result["steps"] = ten_steps(mx, layer.collect_params(), lambda: ((layer(x) - wanted) ** 2).mean())
    return result


# -- losses ----------------------------------------------------------------------------------------

def _labels(*shape, classes=2):
    return np.random.RandomState(7).randint(0, classes, shape).astype("float32")


def losses(loss):
    """Losses with inputs; the gradient of the first input is compared."""
    pred, label = numbers(3, 4, 5), numbers(4, 4, 5)
    prob = numbers(5, 4, 5, low=0.1, high=0.9)
    weight = numbers(6, 4, 1, low=0, high=2)
    signs = 2 * _labels(4, 5) - 1
    return {
        "l1": (loss.L1Loss(), [pred, label]),
        "l2": (loss.L2Loss(), [pred, label, weight]),
        "l2_reshaped": (loss.L2Loss(weight=3.0), [pred, label.reshape(4, 5, 1)]),
        "l2_batch_axis": (loss.L2Loss(batch_axis=1), [pred, label]),
        "bce": (loss.SigmoidBCELoss(), [pred * 5, _labels(4, 5)]),
        "bce_weighted": (loss.SigmoidBCELoss(weight=2.0),
                         [pred, _labels(4, 5), weight, numbers(8, 1, 5, low=0, high=3)]),
        "bce_from_sigmoid": (loss.SigmoidBCELoss(from_sigmoid=True), [prob, _labels(4, 5)]),
        "softmax_ce": (loss.SoftmaxCELoss(), [pred, _labels(4, classes=5)]),
        "softmax_ce_weighted": (loss.SoftmaxCrossEntropyLoss(weight=0.5), [pred, _labels(4, classes=5), weight]),
        "softmax_ce_dense": (loss.SoftmaxCELoss(sparse_label=False), [pred, prob]),
        "softmax_ce_axis": (loss.SoftmaxCELoss(axis=1), [numbers(9, 2, 3, 4), _labels(2, 4, classes=3)]),
        "softmax_ce_logits": (loss.SoftmaxCELoss(from_logits=True), [np.log(prob), _labels(4, classes=5)]),
        "kl": (loss.KLDivLoss(), [np.log(prob), prob[::-1].copy()]),
        "kl_scores": (loss.KLDivLoss(from_logits=False), [pred, prob]),
        "huber": (loss.HuberLoss(rho=0.5), [pred, label]),
        "hinge": (loss.HingeLoss(), [pred, signs]),
        "squared_hinge": (loss.SquaredHingeLoss(margin=0.5), [pred, signs]),
        "logistic": (loss.LogisticLoss(), [pred, signs]),
        "logistic_binary": (loss.LogisticLoss(label_format="binary"), [pred, _labels(4, 5)]),
        "triplet": (loss.TripletLoss(margin=2), [pred, label, prob]),
        "poisson": (loss.PoissonNLLLoss(), [pred, _labels(4, 5, classes=4)]),
        "poisson_full": (loss.PoissonNLLLoss(from_logits=False, compute_full=True),
                         [prob, 1 + _labels(4, 5, classes=4)]),
        "cosine": (loss.CosineEmbeddingLoss(margin=0.1), [pred, label, np.array([1, -1, -1, 1], "float32")]),
        "sdml": (loss.SDMLLoss(), [pred, label]),
        "ctc": (loss.CTCLoss(), [numbers(10, 2, 6, 5), np.array([[1, 2, 1], [3, 1, -1]], "float32")]),
        "ctc_lengths": (loss.CTCLoss(layout="TNC", label_layout="TN", weight=0.5),
                        [numbers(11, 6, 2, 5), np.array([[1, 2], [0, 1], [3, 3]], "float32"),
                         np.array([6, 5], "float32"), np.array([3, 1], "float32")]),
    }


def run_loss(mx, name):
    """A loss, the gradient of its first input, and ten steps of training that input."""
    function, inputs = losses(mx.gluon.loss)[name]
    inputs = [mx.nd.array(value) for value in inputs]
    if name == "poisson_full":  # 1.9.1 cannot run it under record
        return {"value": function(*inputs).asnumpy()}
    inputs[0].attach_grad()
    with mx.autograd.record():
        value = function(*inputs)
    value.backward()
    param = mx.gluon.Parameter("pred", shape=inputs[0].shape)
    param.initialize()
    param.set_data(inputs[0])
    return {"value": value.asnumpy(), "grad": inputs[0].grad.asnumpy(),
            "steps": ten_steps(mx, [param], lambda: function(param.data(), *inputs[1:]))}


# -- optimizers ------------------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": ("sgd", {"learning_rate": 0.1, "wd": 0.01}),
    "sgd_momentum": ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01, "clip_gradient": 0.3}),
    # Without decay: in 1.9.1 the velocity sees the weight that the same step has changed already.
    "nag": ("nag", {"learning_rate": 0.1, "momentum": 0.9}),
    "nag_plain": ("nag", {"learning_rate": 0.1}),
    "signum": ("signum", {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01, "wd_lh": 0.02}),
    "signsgd": ("signum", {"learning_rate": 0.1, "momentum": 0.0, "wd": 0.01}),
    "dcasgd": ("dcasgd", {"learning_rate": 0.1, "wd": 0.01}),
    "adam": ("adam", {"learning_rate": 0.1, "wd": 0.01, "clip_gradient": 0.3}),
    "adagrad": ("adagrad", {"learning_rate": 0.1, "wd": 0.01}),
    "rmsprop": ("rmsprop", {"learning_rate": 0.1, "wd": 0.01, "clip_weights": 0.9}),
    "rmsprop_centered": ("rmsprop", {"learning_rate": 0.1, "wd": 0.01, "centered": True}),
    "adadelta": ("adadelta", {"wd": 0.01, "rescale_grad": 0.5}),
    "ftrl": ("ftrl", {"learning_rate": 0.1, "wd": 0.01}),
    "ftml": ("ftml", {"learning_rate": 0.1, "wd": 0.01}),
    "adamax": ("adamax", {"learning_rate": 0.1, "wd": 0.01, "clip_gradient": 0.3}),
    "nadam": ("nadam", {"learning_rate": 0.1, "wd": 0.01}),
    "lamb": ("lamb", {"learning_rate": 0.1, "wd": 0.01, "clip_gradient": 0.3}),
    "lamb_bounds": ("lamb", {"learning_rate": 0.1, "lower_bound": 1.0, "upper_bound": 1.2, "bias_correction": False}),
    "lars": ("lars", {"learning_rate": 0.1, "wd": 0.01, "momentum": 0.9, "eta": 0.5}),
    "lars_schedule": ("lars", {"wd": 0.01, "momentum": 0.9, "eta": 0.5, "eps": 0.1, "schedule": True}),
    "adam_schedule": ("adam", {"schedule": True}),
    "sgd_rescaled": ("sgd", {"learning_rate": 0.1, "momentum": 0.5, "rescale_grad": 0.25}),
    "ccsgd": ("ccsgd", {"learning_rate": 0.1, "momentum": 0.5}),
    "adam_rescaled": ("adam", {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3, "rescale_grad": 2.0}),
    "groupadagrad": ("groupadagrad", {"learning_rate": 0.1}),
    "lbsgd": ("lbsgd", {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01}),
    "lbsgd_linear": ("lbsgd", {"learning_rate": 0.1, "momentum": 0.5, "batch_scale": 2, "updates_per_epoch": 4,
                               "warmup_epochs": 2}),
    "lbsgd_power2": ("lbsgd", {"learning_rate": 0.1, "batch_scale": 2, "updates_per_epoch": 4, "warmup_epochs": 2,
                               "warmup_strategy": "power2"}),
    "lbsgd_sqrt": ("lbsgd", {"learning_rate": 0.1, "batch_scale": 2, "updates_per_epoch": 4, "warmup_epochs": 2,
                             "warmup_strategy": "sqrt", "begin_epoch": 1}),
    "lbsgd_lars": ("lbsgd", {"learning_rate": 0.1, "batch_scale": 2, "wd": 0.1, "warmup_strategy": "lars"}),
    # 16-bit weights with a copy in 32 bits.
    **{f"{kind}_16": (kind, {"learning_rate": 0.1, "multi_precision": True, **more}) for kind, more in (
        ("sgd", {"momentum": 0.9, "wd": 0.01}), ("nag", {"momentum": 0.9}), ("signum", {}), ("adam", {"wd": 0.01}),
        ("rmsprop", {}), ("ftrl", {}), ("lamb", {"wd": 0.01}), ("lars", {"momentum": 0.9, "eta": 0.5, "wd": 0.01}))},
}


def run_optimizer(mx, name):
    """Two weights after each of 10 updates."""
    kind, kwargs = OPTIMIZERS[name]
    kwargs = dict(kwargs)
    if kwargs.pop("schedule", False):
        kwargs["lr_scheduler"] = mx.lr_scheduler.FactorScheduler(2, 0.5, base_lr=0.2)
    optimizer = mx.optimizer.create(kind, param_idx2name={0: "a_weight", 1: "b_bias"}, **kwargs)
    updater = mx.optimizer.get_updater(optimizer)
    dtype = "float16" if name.endswith("_16") else "float32"
    weights = [mx.nd.array(numbers(20, 3, 2), dtype=dtype),
               mx.nd.array(numbers(21, 4, *([1] if name == "groupadagrad" else [])), dtype=dtype)]
    trace = []
    for step in range(10):
        grads = [mx.nd.array(numbers(30 + step, *w.shape), dtype=dtype) for w in weights]
        if updater.aggregate_updates:
            updater([0, 1], grads, weights)
        else:
            for i in range(2):
                updater(i, grads[i], weights[i])
        trace.append(np.concatenate([w.asnumpy().ravel() for w in weights]))
    return {"weights": np.array(trace)}


def schedules(mx):
    """Functions that make schedules."""
    made = mx.lr_scheduler
    return {
        "factor": lambda: made.FactorScheduler(5, 0.5, stop_factor_lr=0.02, base_lr=0.3),
        "multi_factor": lambda: made.MultiFactorScheduler([3, 10, 11], 0.1, base_lr=0.3),
        "poly": lambda: made.PolyScheduler(30, base_lr=0.3, final_lr=0.01, pwr=3),
        "cosine": lambda: made.CosineScheduler(30, base_lr=0.3, final_lr=0.01),
        "warmup": lambda: made.CosineScheduler(30, base_lr=0.3, warmup_steps=8, warmup_begin_lr=0.1),
        "warmup_constant": lambda: made.FactorScheduler(5, 0.5, base_lr=0.3, warmup_steps=8, warmup_begin_lr=0.1,
                                                        warmup_mode="constant"),
    }


def run_schedule(mx, name):
    """The learning rate at updates 0 to 39."""
    schedule = schedules(mx)[name]()
    return {"rates": np.array([schedule(i) for i in range(40)])}


SCHEDULES = ["factor", "multi_factor", "poly", "cosine", "warmup", "warmup_constant"]


# -- metrics ---------------------------------------------------------------------------------------

def metrics(metric):
    """Metrics with the kind of batches they take."""
    return {
        "accuracy": (metric.Accuracy(), "classes"),
        "top_k": (metric.TopKAccuracy(2), "classes"),
        "f1": (metric.F1(), "binary"),
        "f1_micro": (metric.F1(average="micro"), "binary"),
        "mcc": (metric.MCC(), "binary"),
        "mcc_micro": (metric.MCC(average="micro"), "binary"),
        "perplexity": (metric.Perplexity(None), "classes"),
        "perplexity_ignore": (metric.Perplexity(1), "classes"),
        "mae": (metric.MAE(), "values"),
        "mse": (metric.MSE(), "values"),
        "rmse": (metric.RMSE(), "values"),
        "cross_entropy": (metric.CrossEntropy(), "classes"),
        "nll": (metric.NegativeLogLikelihood(), "classes"),
        "pearson": (metric.PearsonCorrelation(), "values"),
        "pearson_micro": (metric.PearsonCorrelation(average="micro"), "values"),
        "pcc": (metric.PCC(), "classes"),
        "loss": (metric.Loss(), "classes"),
        "torch": (metric.Torch(), "classes"),
        "caffe": (metric.Caffe(), "classes"),
        "custom": (metric.CustomMetric(lambda label, pred: (float(pred.sum()), 2), name="total"), "classes"),
        "composite": (metric.CompositeEvalMetric(["acc", "ce"]), "classes"),
    }


def _batch(kind, seed):
    size = 7 + seed
    if kind == "values":
        return numbers(40 + seed, size), numbers(50 + seed, size)
    classes = 2 if kind == "binary" else 4
    scores = numbers(40 + seed, size, classes, low=0.1, high=1)
    label = np.random.RandomState(60 + seed).randint(0, classes, size).astype("float32")
    return label, scores / scores.sum(axis=1, keepdims=True)


def run_metric(mx, name):
    """Values after each of 3 batches, with a local reset after the second; names as well."""
    metric, kind = metrics(mx.metric)[name]
    values = []
    for seed in range(3):
        label, pred = _batch(kind, seed)
        metric.update([mx.nd.array(label)], [mx.nd.array(pred)])
        values.append([value for _, value in metric.get_name_value()])
        if name != "pearson_micro":  # 1.9.1 keeps no global value there
            values.append([value for _, value in metric.get_global_name_value()])
        if seed == 1:
            metric.reset_local()
    names = [key for key, _ in metric.get_name_value()]
    return {"values": np.array(values, dtype="float64"), "names": np.array(names),
            "text": np.array(type(metric).__name__)}


# -- iterators -------------------------------------------------------------------------------------

ITERATORS = {f"{handle}_{size}": (handle, size)
             for handle in ("pad", "discard", "roll_over") for size in (1, 3, 4, 5, 10)}


def run_iterator(mx, name):
    """Labels and pads of 3 rounds over 10 samples."""
    handle, size = ITERATORS[name]
    iterator = mx.io.NDArrayIter(numbers(70, 10, 2), np.arange(10), size, last_batch_handle=handle)
    rows = []
    for _ in range(3):
        for batch in iterator:
            rows.append([batch.pad, *batch.label[0].asnumpy().tolist()])
        rows.append([-1] * (size + 1))
        iterator.reset()
    return {"rows": np.array(rows)}


# -- names -----------------------------------------------------------------------------------------

def _stack(gluon, prefix=None):
    net = gluon.nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(gluon.nn.Dense(4, activation="relu"), gluon.nn.BatchNorm(), gluon.nn.Dense(2))
    return net


def _custom(gluon, **kwargs):
    class Net(gluon.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.first = gluon.nn.Dense(2)
                self.second = gluon.nn.Conv2D(3, 2, prefix="mine_")
                self.shared = gluon.nn.Dense(2, params=self.first.params)
                self.inner = _stack(gluon)
            self.outside = gluon.nn.Dense(2)
            self.scale = self.params.get("scale", shape=(2,))
    return Net(**kwargs)


def run_names(mx):
    """Names of parameters, of blocks, and of places in the tree, in several kinds of networks."""
    gluon = mx.gluon
    result = {}
    with mx.name.NameManager():
        nets = {"stack": _stack(gluon), "stack_prefix": _stack(gluon, "net_"), "stack_empty": _stack(gluon, ""),
                "custom": _custom(gluon), "custom_prefix": _custom(gluon, prefix="own_"),
                "custom_empty": _custom(gluon, prefix="")}
        with mx.name.Prefix("outer_"):
            nets["in_prefix"] = _stack(gluon)
        for layer in ("Conv1D(2, 1)", "Conv2DTranspose(2, 1)", "MaxPool2D()", "GlobalAvgPool1D()", "Embedding(3, 2)",
                      "LayerNorm()", "Dropout(0.5)", "Activation('relu')", "PReLU()", "Flatten()"):
            kind, args = layer[:-1].split("(")
            nets[layer] = getattr(gluon.nn, kind)(*[eval(a) for a in args.split(", ") if a])
        nets["loss"] = gluon.loss.L2Loss()
    for key, net in nets.items():
        result[key] = {"name": net.name, "prefix": net.prefix, "params": list(net.collect_params().keys()),
                       "places": list(net._collect_params_with_prefix()),
                       "selected": list(net.collect_params(".*weight|.*gamma").keys()), "own": list(net.params.keys())}
    return result


# -- what was recorded -----------------------------------------------------------------------------

def recorded(kind, name):
    """The arrays that record_gluon.py wrote for a case."""
    prefix = f"{kind}/{name}/"
    with np.load(HERE / "gluon.npz") as file:
        return {key[len(prefix):]: file[key] for key in file.files if key.startswith(prefix)}


def check(kind, name, run, mx, rtol=1e-5, atol=1e-6):
    """Runs a case and compares all it gives with what was recorded."""
    wanted, have = recorded(kind, name), run(mx, name)
    assert sorted(have) == sorted(wanted)
    for key, value in wanted.items():
        if value.dtype.kind == "U":
            assert have[key].tolist() == value.tolist(), key
        else:
            assert have[key].shape == value.shape, key
            np.testing.assert_allclose(have[key], value, rtol=rtol, atol=atol, err_msg=f"{kind} {name}: {key}")
