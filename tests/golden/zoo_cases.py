"""The networks of the zoo, with MXNet 1.9.1 (see record_zoo.py) and with this package; see gluon_cases.py."""
import gzip
import json
import pathlib

import numpy as np

FILE = pathlib.Path(__file__).parent / "zoo.json.gz"

# One network of each family that is run, with the smallest size of images that it takes.
RUN = {"alexnet": 63, "densenet121": 221, "inceptionv3": 299, "mobilenet0.25": 32, "mobilenetv2_0.25": 32,
       "resnet18_v1": 32, "resnet50_v1": 32, "resnet18_v2": 32, "resnet50_v2": 32, "squeezenet1.0": 220,
       "squeezenet1.1": 220, "vgg11": 32, "vgg11_bn": 32}


def names(mx):
    """The names that `get_model` lists when it does not know one."""
    try:
        mx.gluon.model_zoo.vision.get_model("unknown")
    except ValueError as error:
        return sorted(line.strip() for line in str(error).split("\n")[1:])


def describe(mx, name):
    """Names and shapes of parameters, places of them, names of blocks, and the text of a network."""
    with mx.name.NameManager():
        net = mx.gluon.model_zoo.vision.get_model(name)
    blocks = []
    net.apply(lambda block: blocks.append(block.name))
    return {"params": [[key, list(param.shape), param.grad_req] for key, param in net.collect_params().items()],
            "places": list(net._collect_params_with_prefix()), "blocks": blocks, "repr": repr(net)}


def _started(mx, name, images):
    """A network with known weights, images, and the shapes of all parameters."""
    net = mx.gluon.model_zoo.vision.get_model(name, classes=10)
    net.initialize()
    random = np.random.RandomState(0)
    x = mx.nd.array(random.uniform(-1, 1, (images, 3, RUN[name], RUN[name])).astype("float32"))
    net(x)
    shapes = []
    for key, param in net.collect_params().items():
        shapes.append(list(param.shape))
        if key.endswith("weight"):
            fan_in = int(np.prod(param.shape[1:]))
            values = random.standard_normal(param.shape).astype("float32") * np.sqrt(2 / fan_in)
        elif key.endswith(("gamma", "running_var")):
            values = np.ones(param.shape) if param.grad_req == "null" and key.endswith("gamma") \
                else random.uniform(0.8, 1.2, param.shape)
        else:
            values = random.uniform(-0.1, 0.1, param.shape)
        param.set_data(mx.nd.array(values.astype("float32")))
    return net, x, shapes


def run(mx, name):
    """10 outputs for 2 images."""
    net, x, shapes = _started(mx, name, 2)
    return {"shapes": shapes, "out": net(x).asnumpy().tolist()}


def train(mx, name):
    """The losses of ten training steps on 2 images, without dropout.

    Batch normalizations use their running averages: those of so few numbers would make much of rounding errors.
    """
    net, x, _ = _started(mx, name, 2)

    def calm(block):
        if hasattr(block, "_rate"):
            block._rate = 0.0
        if isinstance(block, mx.gluon.nn.BatchNorm):
            block._kwargs["use_global_stats"] = True
    net.apply(calm)
    label, loss_of = mx.nd.array([1, 7]), mx.gluon.loss.SoftmaxCrossEntropyLoss()
    # Shortcuts without normalization add up, and steps that are too long make much of rounding errors.
    rate = 1e-6 if name.startswith("resnet") else 4e-4 if name.startswith(("squeezenet", "densenet")) else 2e-3
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": rate, "momentum": 0.9, "wd": 1e-4})
    losses = []
    for _ in range(10):
        with mx.autograd.record():
            loss = loss_of(net(x), label)
        loss.backward()
        trainer.step(2)
        losses.append(loss.asnumpy().tolist())
    return losses


def recorded():
    return json.loads(gzip.decompress(FILE.read_bytes()))
