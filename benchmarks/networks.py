"""Convolutional networks: inference and steps of training, beside the same networks written in PyTorch.

Each case exists twice: PyTorch with its usual order of axes, and (`_cl`) with channels last.
"""
import numpy as np

SIZES = {"lenet": (1, 28, 28), "resnet18": (3, 224, 224), "resnet50": (3, 224, 224), "mobilenetv2": (3, 224, 224),
         "vgg11": (3, 224, 224)}


def _data(batch, name):
    return np.random.RandomState(0).uniform(-1, 1, (batch, *SIZES[name])).astype("float32")


# --- ours ---------------------------------------------------------------------------------------------------


def _ours(mx, name):
    zoo, nn = mx.gluon.model_zoo.vision, mx.gluon.nn
    if name == "lenet":
        net = nn.HybridSequential()
        net.add(nn.Conv2D(20, 5, activation="tanh"), nn.MaxPool2D(2, 2), nn.Conv2D(50, 5, activation="tanh"),
                nn.MaxPool2D(2, 2), nn.Flatten(), nn.Dense(500, activation="tanh"), nn.Dense(10))
    else:
        net = {"resnet18": zoo.resnet18_v1, "resnet50": zoo.resnet50_v1, "mobilenetv2": zoo.mobilenet_v2_1_0,
               "vgg11": zoo.vgg11}[name]()
    net.initialize(mx.init.Xavier())
    net.hybridize(static_alloc=True, static_shape=True)
    return net


def _infer(name, batch):
    def make(mx):
        net, x = _ours(mx, name), mx.nd.array(_data(batch, name))
        return (lambda: net(x)), lambda result: result.wait_to_read()
    return make


def _train(name, batch):
    def make(mx):
        net, x = _ours(mx, name), mx.nd.array(_data(batch, name))
        label = mx.nd.array(np.arange(batch) % 10)
        loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
        loss.hybridize(static_alloc=True, static_shape=True)
        net(x)
        trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.01, "momentum": 0.9})

        def step():
            with mx.autograd.record():
                value = loss(net(x), label)
            value.backward()
            trainer.step(batch)
            return value
        return step, lambda value: mx.nd.waitall()
    return make


# --- PyTorch's ----------------------------------------------------------------------------------------------


def _block(torch, before, after, stride, narrow):
    nn = torch.nn

    class Block(nn.Module):
        """A residual block, with a narrow middle or without."""

        def __init__(self):
            super().__init__()
            if narrow:
                middle = after // 4
                self.body = nn.Sequential(
                    nn.Conv2d(before, middle, 1, stride), nn.BatchNorm2d(middle), nn.ReLU(True),
                    nn.Conv2d(middle, middle, 3, 1, 1, bias=False), nn.BatchNorm2d(middle), nn.ReLU(True),
                    nn.Conv2d(middle, after, 1), nn.BatchNorm2d(after))
            else:
                self.body = nn.Sequential(
                    nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True),
                    nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after))
            self.past = nn.Identity()
            if before != after or stride > 1:
                self.past = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

        def forward(self, x):
            return torch.relu(self.past(x) + self.body(x))
    return Block()


def _resnet(torch, layers, channels, narrow):
    nn = torch.nn
    parts = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(True), nn.MaxPool2d(3, 2, 1)]
    before = 64
    for stage, (count, after) in enumerate(zip(layers, channels)):
        for i in range(count):
            parts.append(_block(torch, before, after, 2 if stage and not i else 1, narrow))
            before = after
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000))


def _mobilenetv2(torch):
    nn = torch.nn

    def convolution(before, after, kernel=1, stride=1, groups=1, activation=True):
        parts = [nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False),
                 nn.BatchNorm2d(after)]
        return parts + [nn.ReLU6(True)] if activation else parts

    class Bottleneck(nn.Module):
        def __init__(self, before, after, t, stride):
            super().__init__()
            middle = before * t
            self.body = nn.Sequential(*convolution(before, middle), *convolution(middle, middle, 3, stride, middle),
                                      *convolution(middle, after, activation=False))
            self.shortcut = stride == 1 and before == after

        def forward(self, x):
            return self.body(x) + x if self.shortcut else self.body(x)

    parts, before = convolution(3, 32, 3, 2), 32
    for count, after, t, stride in ((1, 16, 1, 1), (2, 24, 6, 2), (3, 32, 6, 2), (4, 64, 6, 2), (3, 96, 6, 1),
                                    (3, 160, 6, 2), (1, 320, 6, 1)):
        for i in range(count):
            parts.append(Bottleneck(before, after, t, 1 if i else stride))
            before = after
    return nn.Sequential(*parts, *convolution(320, 1280), nn.AdaptiveAvgPool2d(1),
                         nn.Conv2d(1280, 1000, 1, bias=False), nn.Flatten())


def _vgg11(torch):
    nn = torch.nn
    parts, before = [], 3
    for count, after in ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)):
        for _ in range(count):
            parts += [nn.Conv2d(before, after, 3, 1, 1), nn.ReLU(True)]
            before = after
        parts.append(nn.MaxPool2d(2))
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(True), nn.Dropout(0.5),
                         nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(0.5), nn.Linear(4096, 1000))


def _lenet(torch):
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.Tanh(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.Tanh(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 500), nn.Tanh(), nn.Linear(500, 10))


def _theirs(torch, name, batch, channels_last):
    make = {"lenet": _lenet, "vgg11": _vgg11, "mobilenetv2": _mobilenetv2,
            "resnet18": lambda torch: _resnet(torch, (2, 2, 2, 2), (64, 128, 256, 512), False),
            "resnet50": lambda torch: _resnet(torch, (3, 4, 6, 3), (256, 512, 1024, 2048), True)}[name]
    net, x = make(torch), torch.from_numpy(_data(batch, name))
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    return net, x


def _infer_torch(name, batch, channels_last):
    def make(torch):
        net, x = _theirs(torch, name, batch, channels_last)
        net.eval()

        def infer():
            with torch.inference_mode():
                return net(x)
        return infer, lambda result: None
    return make


def _train_torch(name, batch, channels_last):
    def make(torch):
        net, x = _theirs(torch, name, batch, channels_last)
        label = torch.from_numpy(np.arange(batch) % 10)
        optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, fused=True)

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(net(x), label)
            loss.backward()
            optimizer.step()
        return step, lambda r: None
    return make


def add_cases(cases):
    """Enters all networks in a dictionary like `cases.CASES`."""
    for name in SIZES:
        for label, channels_last in (("", False), ("_cl", True)):
            for batch in (1, 32):
                cases[f"infer_{name}_b{batch}{label}"] = (_infer(name, batch), _infer_torch(name, batch, channels_last))
            batch = 64 if name == "lenet" else 8
            cases[f"step_{name}_b{batch}{label}"] = (_train(name, batch), _train_torch(name, batch, channels_last))
