"""What is timed. A case is a function of a library's front end giving the function to time.

`CASES` maps a name to a pair ``(ours, theirs)``: each gets its module (mxnet or torch) and returns a function
without arguments, and one that waits until its result is there. ``theirs`` may be None.
"""
import operator

import networks
import numpy as np

CASES = {}


def _data(*shape, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")


def _add(name, ours, theirs):
    """A case from functions of (front end, arrays...) -> result; see `_arrays`."""
    CASES[name] = (ours, theirs)


def _simple(name, shapes, ours, theirs):
    """A case that applies a function to arrays: ``ours(nd, *arrays)``, ``theirs(torch, *tensors)``."""
    def make_ours(mx):
        arrays = [mx.nd.array(_data(*shape, seed=i)) for i, shape in enumerate(shapes)]
        def wait(result):
            for r in result if isinstance(result, (list, tuple)) else [result]:
                r.wait_to_read()
        return lambda: ours(mx.nd, *arrays), wait

    def make_theirs(torch):
        tensors = [torch.from_numpy(_data(*shape, seed=i)) for i, shape in enumerate(shapes)]
        return lambda: theirs(torch, *tensors), lambda result: None

    _add(name, make_ours, make_theirs)


# --- dispatch: the cost of a call ---------------------------------------------------------------------------

_simple("tiny_add1", [(16,)], lambda nd, x: x + 1, lambda torch, x: x + 1)
_simple("tiny_add", [(16,), (16,)], lambda nd, x, y: x + y, lambda torch, x, y: x + y)
_simple("tiny_relu", [(16,)], lambda nd, x: nd.relu(x), lambda torch, x: torch.relu(x))
_simple("tiny_dot22", [(2, 2), (2, 2)], lambda nd, x, y: nd.dot(x, y), lambda torch, x, y: torch.mm(x, y))
_simple("tiny_sum", [(4, 4)], lambda nd, x: nd.sum(x, axis=1), lambda torch, x: torch.sum(x, dim=1))
_simple("tiny_reshape", [(16,)], lambda nd, x: x.reshape((4, 4)), lambda torch, x: x.reshape((4, 4)))
_simple("tiny_slice", [(16,)], lambda nd, x: x[2:10], lambda torch, x: x[2:10])
_simple("tiny_index", [(4, 4)], lambda nd, x: x[1], lambda torch, x: x[1])
_simple("tiny_concat", [(16,), (16,)], lambda nd, x, y: nd.concat(x, y, dim=0), lambda torch, x, y: torch.cat((x, y)))


_simple("tiny_iadd", [(16,)], lambda nd, x: operator.iadd(x, 1), lambda torch, x: operator.iadd(x, 1))


def _autograd20(mx):
    x = mx.nd.array(_data(16))
    x.attach_grad()
    record = mx.autograd.record

    def step():
        with record():
            y = x
            for _ in range(10):
                y = y * 1.01 + 0.01
        y.backward()
        return x.grad
    return step, lambda grad: grad.wait_to_read()


def _autograd20_torch(torch):
    x = torch.from_numpy(_data(16)).requires_grad_()
    one = torch.ones(16)

    def step():
        y = x
        for _ in range(10):
            y = y * 1.01 + 0.01
        x.grad = None
        y.backward(one)
        return x.grad
    return step, lambda grad: None


_add("tiny_autograd20", _autograd20, _autograd20_torch)

# --- elementwise chains and reductions ----------------------------------------------------------------------

for _name, _size in (("1e6", 10**6), ("1e7", 10**7)):
    _simple(f"add_{_name}", [(_size,), (_size,)], lambda nd, x, y: x + y, lambda torch, x, y: x + y)
    _simple(f"exp_{_name}", [(_size,)], lambda nd, x: nd.exp(x), lambda torch, x: torch.exp(x))
    _simple(f"tanh_{_name}", [(_size,)], lambda nd, x: nd.tanh(x), lambda torch, x: torch.tanh(x))
    _simple(f"relu_{_name}", [(_size,)], lambda nd, x: nd.relu(x), lambda torch, x: torch.relu(x))
    _simple(f"chain_{_name}", [(_size,), (_size,)],
            lambda nd, x, y: nd.sqrt(nd.abs(nd.tanh(x * y + 1) * x - y)) / 2,
            lambda torch, x, y: torch.sqrt(torch.abs(torch.tanh(x * y + 1) * x - y)) / 2)



# --- graphs in which elementwise operators become one ----------------------------------------------------------

def _hybrid(name, shapes, function, theirs):
    """A case that runs ``function(F, *arrays)`` as a hybridized block beside PyTorch's operators."""
    def make_ours(mx):
        class Block(mx.gluon.HybridBlock):
            def hybrid_forward(self, F, *arrays):
                return function(F, *arrays)

        net = Block()
        net.hybridize(static_alloc=True, static_shape=True)
        arrays = [mx.nd.array(_data(*shape, seed=i)) for i, shape in enumerate(shapes)]

        def wait(result):
            for r in result if isinstance(result, (list, tuple)) else [result]:
                r.wait_to_read()
        return lambda: net(*arrays), wait

    def make_theirs(torch):
        tensors = [torch.from_numpy(_data(*shape, seed=i)) for i, shape in enumerate(shapes)]
        return lambda: theirs(torch, *tensors), lambda result: None

    _add(name, make_ours, make_theirs)


def _lstm_gates(lib, i, f, g, o, c):
    c = lib.sigmoid(f) * c + lib.sigmoid(i) * lib.tanh(g)
    return lib.sigmoid(o) * lib.tanh(c), c


def _adam_step(lib, weight, grad, mean, var):
    mean, var = mean * 0.9 + grad * 0.1, var * 0.999 + lib.square(grad) * 0.001
    return weight - mean / (lib.sqrt(var) + 1e-8) * 0.001, mean, var


for _name, _rows in (("1e4", 10), ("1e5", 100), ("1e6", 1000), ("1e7", 10000)):
    _full = (_rows, 1000)
    _hybrid(f"fused_gelu_{_name}", [_full], lambda F, x: x * (F.erf(x * 0.5 ** 0.5) + 1) * 0.5,
            lambda torch, x: x * (torch.erf(x * 0.5 ** 0.5) + 1) * 0.5)
    _hybrid(f"fused_swish_{_name}", [_full], lambda F, x: x * F.sigmoid(x), lambda torch, x: x * torch.sigmoid(x))
    _hybrid(f"fused_residual_{_name}", [_full, _full, (1000,)],
            lambda F, x, y, g: F.relu(F.broadcast_mul(x, g) + y), lambda torch, x, y, g: torch.relu(x * g + y))
    _hybrid(f"fused_lstm_{_name}", [_full] * 5, _lstm_gates, _lstm_gates)
    _hybrid(f"fused_adam_{_name}", [_full] * 4, lambda F, w, g, m, v: _adam_step(F, w, g, m, F.square(v)),
            lambda torch, w, g, m, v: _adam_step(torch, w, g, m, torch.square(v)))

# --- other chains, reductions ----------------------------------------------------------------------------------

_simple("copy_1e7", [(10**7,)], lambda nd, x: x.copy(), lambda torch, x: x.clone())
_simple("broadcast_add", [(1000, 1000), (1, 1000)], lambda nd, x, y: nd.broadcast_add(x, y), lambda torch, x, y: x + y)
for _axis, _label in ((0, "ax0"), (1, "ax1"), (None, "all")):
    _simple(f"sum_{_label}", [(1000, 2000)], lambda nd, x, a=_axis: nd.sum(x, axis=a),
            lambda torch, x, a=_axis: torch.sum(x) if a is None else torch.sum(x, dim=a))
    _simple(f"mean_{_label}", [(1000, 2000)], lambda nd, x, a=_axis: nd.mean(x, axis=a),
            lambda torch, x, a=_axis: torch.mean(x) if a is None else torch.mean(x, dim=a))
_simple("max_ax1", [(1000, 2000)], lambda nd, x: nd.max(x, axis=1), lambda torch, x: torch.amax(x, dim=1))
_simple("argmax_ax1", [(1000, 2000)], lambda nd, x: nd.argmax(x, axis=1), lambda torch, x: torch.argmax(x, dim=1))
_simple("softmax", [(512, 1000)], lambda nd, x: nd.softmax(x), lambda torch, x: torch.softmax(x, -1))
_simple("log_softmax", [(512, 1000)], lambda nd, x: nd.log_softmax(x), lambda torch, x: torch.log_softmax(x, -1))
_simple("layernorm", [(512, 768), (768,), (768,)], lambda nd, x, g, b: nd.LayerNorm(x, g, b),
        lambda torch, x, g, b: torch.nn.functional.layer_norm(x, (768,), g, b))
_simple("transpose2d", [(2000, 2000)], lambda nd, x: nd.transpose(x), lambda torch, x: x.t().contiguous())
_simple("transpose_nhwc", [(32, 64, 56, 56)], lambda nd, x: nd.transpose(x, axes=(0, 2, 3, 1)),
        lambda torch, x: x.permute(0, 2, 3, 1).contiguous())
_simple("concat4", [(250, 1000)] * 4, lambda nd, *x: nd.concat(*x, dim=1), lambda torch, *x: torch.cat(x, 1))


def _embedding(mx):
    weight = mx.nd.array(_data(10000, 128))
    index = mx.nd.array(np.random.RandomState(1).randint(0, 10000, 4096))
    return (lambda: mx.nd.Embedding(index, weight, input_dim=10000, output_dim=128)), lambda r: r.wait_to_read()


def _embedding_torch(torch):
    weight = torch.from_numpy(_data(10000, 128))
    index = torch.from_numpy(np.random.RandomState(1).randint(0, 10000, 4096))
    return (lambda: torch.nn.functional.embedding(index, weight)), lambda r: None


_add("embedding", _embedding, _embedding_torch)

# --- matrix products ----------------------------------------------------------------------------------------

for _n in (256, 512, 1024, 2048):
    _simple(f"gemm_{_n}", [(_n, _n), (_n, _n)], lambda nd, x, y: nd.dot(x, y), lambda torch, x, y: torch.mm(x, y))
_simple("batch_dot", [(64, 128, 64), (64, 64, 128)], lambda nd, x, y: nd.batch_dot(x, y),
        lambda torch, x, y: torch.bmm(x, y))
_simple("fully_connected", [(128, 1024), (1024, 1024), (1024,)],
        lambda nd, x, w, b: nd.FullyConnected(x, w, b, num_hidden=1024),
        lambda torch, x, w, b: torch.nn.functional.linear(x, w, b))

# --- convolution, pooling, normalisation --------------------------------------------------------------------

_CONVOLUTIONS = {  # batch 8 unless told: (in, out, size, kernel, stride, groups), as in ResNet and MobileNet
    "conv7x7s2_3_64_224": (3, 64, 224, 7, 2, 1),
    "conv1x1_64_256_56": (64, 256, 56, 1, 1, 1),
    "conv3x3_64_56": (64, 64, 56, 3, 1, 1),
    "conv3x3_128_28": (128, 128, 28, 3, 1, 1),
    "conv3x3_256_14": (256, 256, 14, 3, 1, 1),
    "conv3x3_512_7": (512, 512, 7, 3, 1, 1),
    "conv1x1_1024_256_14": (1024, 256, 14, 1, 1, 1),
    "conv1x1s2_256_512_56": (256, 512, 56, 1, 2, 1),
    "dwconv3x3_144_56": (144, 144, 56, 3, 1, 144),
}


def _convolution(name, batch=8):
    cin, cout, size, k, stride, groups = _CONVOLUTIONS[name]
    ours = dict(kernel=(k, k), stride=(stride, stride), pad=(k // 2, k // 2), num_filter=cout, num_group=groups,
                no_bias=True)
    theirs = dict(stride=stride, padding=k // 2, groups=groups)
    return [(batch, cin, size, size), (cout, cin // groups, k, k)], ours, theirs


for _name in _CONVOLUTIONS:
    _shapes, _ours, _theirs = _convolution(_name)
    _simple(_name, _shapes, lambda nd, x, w, p=_ours: nd.Convolution(x, w, **p),
            lambda torch, x, w, p=_theirs: torch.nn.functional.conv2d(x, w, **p))


def _forward_backward(name, shapes, ours, theirs):
    """A case that runs forward and backward with respect to all arrays."""
    def make_ours(mx):
        arrays = [mx.nd.array(_data(*shape, seed=i)) for i, shape in enumerate(shapes)]
        for a in arrays:
            a.attach_grad()

        def step():
            with mx.autograd.record():
                y = ours(mx.nd, *arrays)
            y.backward()
            return arrays
        return step, lambda arrays: [a.grad.wait_to_read() for a in arrays]

    def make_theirs(torch):
        tensors = [torch.from_numpy(_data(*shape, seed=i)).requires_grad_() for i, shape in enumerate(shapes)]

        def step():
            for t in tensors:
                t.grad = None
            y = theirs(torch, *tensors)
            y.backward(torch.ones_like(y))
        return step, lambda r: None

    _add(name, make_ours, make_theirs)


_shapes, _ours, _theirs = _convolution("conv3x3_128_28")
_forward_backward("conv3x3_128_28_fwdbwd", _shapes, lambda nd, x, w, p=_ours: nd.Convolution(x, w, **p),
                  lambda torch, x, w, p=_theirs: torch.nn.functional.conv2d(x, w, **p))
_simple("maxpool3s2_64_112", [(8, 64, 112, 112)],
        lambda nd, x: nd.Pooling(x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="max"),
        lambda torch, x: torch.nn.functional.max_pool2d(x, 3, 2, 1))
_simple("avgpool_global_512_7", [(32, 512, 7, 7)],
        lambda nd, x: nd.Pooling(x, global_pool=True, pool_type="avg", kernel=(1, 1)),
        lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, 1))


def _batchnorm(mx):
    x, gamma, beta = (mx.nd.array(_data(*s)) for s in ((8, 64, 56, 56), (64,), (64,)))
    mean, var = mx.nd.zeros((64,)), mx.nd.ones((64,))
    for a in (x, gamma, beta):
        a.attach_grad()

    def step():
        with mx.autograd.record():
            y = mx.nd.BatchNorm(x, gamma, beta, mean, var, fix_gamma=False)
        y.backward()
        return x.grad
    return step, lambda grad: grad.wait_to_read()


def _batchnorm_torch(torch):
    x, gamma, beta = (torch.from_numpy(_data(*s)).requires_grad_() for s in ((8, 64, 56, 56), (64,), (64,)))
    mean, var = torch.zeros(64), torch.ones(64)

    def step():
        for t in (x, gamma, beta):
            t.grad = None
        y = torch.nn.functional.batch_norm(x, mean, var, gamma, beta, training=True)
        y.backward(torch.ones_like(y))
    return step, lambda r: None


_add("batchnorm_fwdbwd", _batchnorm, _batchnorm_torch)


# --- images at other sizes and places -----------------------------------------------------------------------

for _how, _label in ((_simple, ""), (_forward_backward, "_fwdbwd")):
    for _name, _shapes, _ours, _theirs in [
        ("resize_bilinear_x2", [(8, 64, 56, 56)],
         lambda nd, x: nd.contrib.BilinearResize2D(x, height=112, width=112),
         lambda torch, x: torch.nn.functional.interpolate(x, size=(112, 112), mode="bilinear", align_corners=True)),
        ("resize_bilinear_half", [(8, 64, 56, 56)],
         lambda nd, x: nd.contrib.BilinearResize2D(x, height=28, width=28),
         lambda torch, x: torch.nn.functional.interpolate(x, size=(28, 28), mode="bilinear", align_corners=True)),
        ("upsampling_x2", [(8, 64, 56, 56)], lambda nd, x: nd.UpSampling(x, scale=2, sample_type="nearest"),
         lambda torch, x: torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")),
        ("adaptive_avg_pool7", [(8, 64, 56, 56)], lambda nd, x: nd.contrib.AdaptiveAvgPooling2D(x, output_size=7),
         lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, 7)),
        ("lrn", [(8, 64, 56, 56)], lambda nd, x: nd.LRN(x, nsize=5),
         lambda torch, x: torch.nn.functional.local_response_norm(x, 5)),
        ("bilinear_sampler", [(8, 64, 56, 56), (8, 2, 56, 56)], lambda nd, x, grid: nd.BilinearSampler(x, grid),
         lambda torch, x, grid: torch.nn.functional.grid_sample(x, grid.permute(0, 2, 3, 1), align_corners=True)),
    ]:
        _how(_name + _label, _shapes, _ours, _theirs)

# --- recurrent networks, sequences --------------------------------------------------------------------------

def _recurrent(name, kind, train, steps=64, batch=32, size=512):
    """Inference, or a step of training by SGD, of two layers that both libraries have under the same name."""
    def make_ours(mx):
        layer = getattr(mx.gluon.rnn, kind)(size, 2, input_size=size)
        layer.initialize(mx.init.Uniform(0.05))
        x = mx.nd.array(_data(steps, batch, size))
        if not train:
            return (lambda: layer(x)), lambda result: result.wait_to_read()
        trainer = mx.gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 1e-4})

        def step():
            with mx.autograd.record():
                y = layer(x)
            y.backward()
            trainer.step(batch)
        return step, lambda result: mx.nd.waitall()

    def make_theirs(torch):
        layer = getattr(torch.nn, kind)(size, size, 2)
        x = torch.from_numpy(_data(steps, batch, size))
        if not train:
            def infer():
                with torch.no_grad():
                    return layer(x)
            return infer, lambda result: None
        optimizer = torch.optim.SGD(layer.parameters(), 1e-4 / batch)

        def step():
            optimizer.zero_grad(set_to_none=True)
            y = layer(x)[0]
            y.backward(torch.ones_like(y))
            optimizer.step()
        return step, lambda result: None

    _add(name, make_ours, make_theirs)


for _kind in ("LSTM", "GRU", "RNN"):
    _recurrent(f"{_kind.lower()}_infer", _kind, False)
    _recurrent(f"{_kind.lower()}_train", _kind, True)
    _recurrent(f"{_kind.lower()}_infer_b1", _kind, False, steps=1, batch=1, size=256)

_CTC_LABELS = np.random.RandomState(1).randint(1, 30, (16, 40))


def _ctc_torch(torch, x):
    log_probs = torch.nn.functional.log_softmax(x, 2)
    lengths = torch.full((16,), 200), torch.full((16,), 40)
    return torch.nn.functional.ctc_loss(log_probs, torch.from_numpy(_CTC_LABELS), *lengths, reduction="none")


_forward_backward("ctc_fwdbwd", [(200, 16, 30)], lambda nd, x: nd.CTCLoss(x, nd.array(_CTC_LABELS)), _ctc_torch)


def _attention(nd, x):
    weights = nd.softmax(nd.contrib.interleaved_matmul_selfatt_qk(x, heads=12))
    return nd.contrib.interleaved_matmul_selfatt_valatt(x, weights, heads=12)


def _attention_torch(torch, x):
    q, k, v = (x.reshape(128, 96, 3, 64)[:, :, i].transpose(0, 1) for i in range(3))
    weights = torch.softmax(torch.bmm(q, k.transpose(1, 2)) / 8, -1)
    return torch.bmm(weights, v).transpose(0, 1).reshape(128, 8, 768)


_simple("self_attention", [(128, 8, 12 * 3 * 64)], _attention, _attention_torch)
_forward_backward("self_attention_fwdbwd", [(128, 8, 12 * 3 * 64)], _attention, _attention_torch)

# --- training steps -----------------------------------------------------------------------------------------


def _train(batch, shape, build, kind):
    """A step of training: as "eager" code, with a "hybrid" network, or as one "compiled" program."""
    def make(mx):
        nn = mx.gluon.nn
        net = build(nn)
        net.initialize(mx.init.Xavier())
        if kind == "hybrid":
            net.hybridize(static_alloc=True, static_shape=True)
        x = mx.nd.array(_data(batch, *shape))
        label = mx.nd.array(np.arange(batch) % 10)
        loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
        net(x)
        trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.01, "momentum": 0.9})

        compiled = mx.gluon.TrainStep(net, loss, trainer)

        def step():
            with mx.autograd.record():
                value = loss(net(x), label)
            value.backward()
            trainer.step(batch)
            return value

        def wait(value):
            value.wait_to_read()
            mx.nd.waitall()
        return (lambda: compiled(x, label)) if kind == "compiled" else step, wait
    return make


def _train_torch(batch, shape, build):
    def make(torch):
        net = build(torch.nn)
        optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)
        x = torch.from_numpy(_data(batch, *shape))
        label = torch.from_numpy(np.arange(batch) % 10)

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(net(x), label)
            loss.backward()
            optimizer.step()
        return step, lambda r: None
    return make


def _mlp(nn):
    net = nn.HybridSequential()
    net.add(nn.Dense(512, activation="relu"), nn.Dense(512, activation="relu"), nn.Dense(10))
    return net


def _mlp_torch(nn):
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def _lenet(nn):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(20, 5, activation="tanh"), nn.MaxPool2D(2, 2), nn.Conv2D(50, 5, activation="tanh"),
            nn.MaxPool2D(2, 2), nn.Flatten(), nn.Dense(500, activation="tanh"), nn.Dense(10))
    return net


def _lenet_torch(nn):
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.Tanh(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.Tanh(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 500), nn.Tanh(), nn.Linear(500, 10))


for _name, _batch, _shape, _build, _build_torch in (("train_mlp_b128", 128, (784,), _mlp, _mlp_torch),
                                                    ("train_lenet_b64", 64, (1, 28, 28), _lenet, _lenet_torch)):
    for _kind, _label in (("eager", ""), ("hybrid", "_hybrid"), ("compiled", "_compiled")):
        _add(_name + _label, _train(_batch, _shape, _build, _kind), _train_torch(_batch, _shape, _build_torch))


# --- updates of parameters --------------------------------------------------------------------------------------

def _update(name, optimizer, optimizer_torch, sizes):
    def make_ours(mx):
        updater = mx.optimizer.get_updater(mx.optimizer.create(optimizer, learning_rate=1e-3))
        weights, grads = ([mx.nd.array(_data(size, seed=seed)) for size in sizes] for seed in range(2))
        return lambda: updater(list(range(len(sizes))), grads, weights), lambda result: mx.nd.waitall()

    def make_theirs(torch):
        weights = [torch.nn.Parameter(torch.from_numpy(_data(size))) for size in sizes]
        for weight in weights:
            weight.grad = torch.from_numpy(_data(len(weight), seed=1))
        return getattr(torch.optim, optimizer_torch)(weights, lr=1e-3, fused=True).step, lambda result: None

    _add(name, make_ours, make_theirs)


for _name, _sizes in (("20x1e2", [100] * 20), ("20x1e5", [100000] * 20)):
    _update(f"update_sgd_{_name}", "sgd", "SGD", _sizes)
    _update(f"update_adam_{_name}", "adam", "Adam", _sizes)


networks.add_cases(CASES)


# --- loading: a round of small samples, labels as numbers -----------------------------------------------------

def _loader(name, workers, threads=False):
    """Batches of 64 of 4000 images of 28 x 28 bytes; PyTorch has no threads, so its processes stand beside ours."""
    images = (_data(4000, 28, 28) * 127 + 128).astype("uint8")

    def make_ours(mx):
        samples = mx.gluon.data.ArrayDataset(mx.nd.array(images, dtype="uint8"), np.arange(4000))
        loader = mx.gluon.data.DataLoader(samples, 64, num_workers=workers, thread_pool=threads)
        return lambda: [batch for batch in loader][-1][0], lambda result: result.wait_to_read()

    def make_theirs(torch):
        samples = torch.utils.data.TensorDataset(torch.from_numpy(images), torch.arange(4000))
        loader = torch.utils.data.DataLoader(samples, 64, num_workers=workers, persistent_workers=workers > 0)
        return lambda: [batch for batch in loader][-1][0], lambda result: None

    _add(name, make_ours, make_theirs)


_loader("loader_0_workers", 0)
_loader("loader_2_workers", 2)
_loader("loader_2_threads", 2, threads=True)
