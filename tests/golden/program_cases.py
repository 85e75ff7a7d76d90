"""Small programs as users of MXNet 1.x write them, run with 1.9.1 (see record_programs.py) and with this package.

Every function takes the `mxnet` module as `mx` and gives the numbers that the program would print.
"""
import pathlib

import numpy as np
from gluon_cases import numbers

FILE = pathlib.Path(__file__).parent / "programs.npz"


def _start(net, *inputs):
    """Initializes a network and gives its parameters known values, by their place in the sorted names."""
    net.initialize()
    net(*inputs)
    _fill(net)


def _fill(net):
    params = net._collect_params_with_prefix()
    for seed, name in enumerate(sorted(params)):
        low, high = (0.8, 1.2) if name.endswith(("gamma", "running_var")) else (-0.3, 0.3)
        array = params[name].data().copy()
        array[:] = numbers(100 + seed, *params[name].shape, low=low, high=high)
        params[name].set_data(array)


def _labels(seed, classes, *shape):
    return np.random.RandomState(seed).randint(0, classes, shape).astype("float32")


def variational_autoencoder(mx):
    class Autoencoder(mx.gluon.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.encoder = mx.gluon.nn.HybridSequential(prefix="encoder")
                self.encoder.add(mx.gluon.nn.Dense(8, activation="relu"), mx.gluon.nn.Dense(4))
                self.decoder = mx.gluon.nn.HybridSequential(prefix="decoder")
                self.decoder.add(mx.gluon.nn.Dense(8, activation="relu"), mx.gluon.nn.Dense(12, activation="sigmoid"))

        def hybrid_forward(self, F, x, noise):
            mean, spread = F.split(self.encoder(x), axis=1, num_outputs=2)
            y = self.decoder(mean + F.exp(0.5 * spread) * noise)
            likelihood = F.sum(x * F.log(y + 1e-10) + (1 - x) * F.log(1 - y + 1e-10), axis=1)
            return -likelihood - 0.5 * F.sum(1 + spread - mean * mean - F.exp(spread), axis=1)
    net, x, noise = Autoencoder(), mx.nd.array(numbers(1, 16, 12, low=0)), mx.nd.array(numbers(2, 16, 2))
    _start(net, x, noise)
    net.hybridize()
    trainer, losses = mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01}), []
    for _ in range(6):
        with mx.autograd.record():
            loss = net(x, noise)
        loss.backward()
        trainer.step(16)
        losses.append(loss.asnumpy())
    return {"losses": losses}


def translation_with_attention(mx):
    nn, rnn, nd = mx.gluon.nn, mx.gluon.rnn, mx.nd

    class Decoder(mx.gluon.Block):
        def __init__(self, words, size, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embed, self.out = nn.Embedding(words, 4), nn.Dense(words)
                self.score = nn.Sequential()
                self.score.add(nn.Dense(size, activation="tanh", flatten=False), nn.Dense(1, flatten=False))
                self.cell = rnn.LSTMCell(size, input_size=4 + 2 * size)

        def forward(self, word, states, memory, lengths):
            query = nd.broadcast_axis(states[0].expand_dims(1), axis=1, size=memory.shape[1])
            scores = self.score(nd.concat(query, memory, dim=2)).reshape((0, -1))
            scores = nd.SequenceMask(scores.T, sequence_length=lengths, use_sequence_length=True, value=-1e9).T
            weights = nd.softmax(scores, axis=1)
            context = nd.batch_dot(weights.expand_dims(1), memory).squeeze(axis=1)
            h, states = self.cell(nd.concat(self.embed(word), context, dim=1), states)
            return self.out(h), states, weights

    class Encoder(mx.gluon.Block):
        def __init__(self, words, size, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embed = nn.Embedding(words, 4)
                cells = [rnn.GRUCell(size, input_size=4) for _ in range(2)]
                self.cells = rnn.BidirectionalCell(*cells)

        def forward(self, x):
            return self.cells.unroll(x.shape[1], self.embed(x), layout="NTC", merge_outputs=True)
    encoder, decoder = Encoder(9, 5, prefix="enc_"), Decoder(9, 5, prefix="dec_")
    source, target = nd.array(_labels(1, 9, 3, 6)), nd.array(_labels(2, 9, 3, 4))
    lengths = nd.array([6, 4, 3])

    def run():
        memory, states = encoder(source)
        states, loss = [states[0], nd.zeros((3, 5))], 0
        for t in range(3):
            out, states, weights = decoder(target[:, t], states, memory, lengths)
            loss = loss + nd.softmax_cross_entropy(out, target[:, t + 1])
        return loss, weights
    for part in (encoder, decoder):
        part.initialize()
    run()
    for part in (encoder, decoder):
        _fill(part)
    params = mx.gluon.ParameterDict()
    params.update(encoder.collect_params())
    params.update(decoder.collect_params())
    trainer, losses, norms = mx.gluon.Trainer(params, "rmsprop", {"learning_rate": 0.01}), [], []
    for _ in range(5):
        with mx.autograd.record():
            loss, weights = run()
        loss.backward()
        norms.append(float(mx.gluon.utils.clip_global_norm([p.grad() for p in params.values()], 2.0)))
        trainer.step(3)
        losses.append(loss.asnumpy())
    return {"losses": losses, "norms": norms, "weights": weights.asnumpy()}


def language_model(mx):
    """With tied weights, states that are carried over, and clipped gradients."""
    class Model(mx.gluon.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embed = mx.gluon.nn.Embedding(7, 4)
                self.cell = mx.gluon.rnn.SequentialRNNCell()
                for cell in (mx.gluon.rnn.LSTMCell(4, input_size=4), mx.gluon.rnn.DropoutCell(0.0)):
                    self.cell.add(cell)
                self.out = mx.gluon.nn.Dense(7, flatten=False, params=self.embed.params)

        def forward(self, x, states):
            outputs, states = self.cell.unroll(x.shape[0], self.embed(x), states, layout="TNC", merge_outputs=True)
            return self.out(outputs), states
    net, text = Model(), mx.nd.array(np.arange(20).reshape(10, 2) % 7)
    states = net.cell.begin_state(batch_size=2)
    _start(net, text, states)
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0, "momentum": 0.5})
    loss_of, losses = mx.gluon.loss.SoftmaxCrossEntropyLoss(), []
    for _ in range(5):
        states = [state.detach() for state in states]
        with mx.autograd.record():
            out, states = net(text[:-1], states)
            loss = loss_of(out.reshape((-1, 7)), text[1:].reshape((-1,)))
        loss.backward()
        mx.gluon.utils.clip_global_norm([p.grad() for p in net.collect_params().values()], 1.0)
        trainer.step(18)
        losses.append(loss.asnumpy())
    return {"losses": losses, "states": [state.asnumpy() for state in states],
            "names": np.array([name.split("_", 1)[1] for name in net.collect_params()])}


def matrix_factorization(mx):
    class Model(mx.gluon.Block):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.users, self.items = mx.gluon.nn.Embedding(6, 3), mx.gluon.nn.Embedding(7, 3)
                self.dense = mx.gluon.nn.Dense(3, activation="relu")

        def forward(self, user, item):
            return (self.dense(self.users(user)) * self.items(item)).sum(axis=1)
    net, user, item = Model(), mx.nd.array(_labels(1, 6, 20)), mx.nd.array(_labels(2, 7, 20))
    _start(net, user, item)
    trainer, losses = mx.gluon.Trainer(net.collect_params(), "adagrad", {"learning_rate": 0.1, "wd": 1e-3}), []
    for _ in range(5):
        with mx.autograd.record():
            loss = mx.gluon.loss.L2Loss()(net(user, item), mx.nd.array(numbers(3, 20)))
        loss.backward()
        trainer.step(20)
        losses.append(loss.asnumpy())
    return {"losses": losses}


def actor_and_critic(mx):
    """Many losses, of which one is the value of an element."""
    class Net(mx.gluon.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.dense = mx.gluon.nn.Dense(16, activation="relu")
                self.action, self.value = mx.gluon.nn.Dense(2), mx.gluon.nn.Dense(1)

        def forward(self, x):
            x = self.dense(x)
            return mx.nd.log_softmax(self.action(x)), self.value(x)
    net, x, rewards = Net(), mx.nd.array(numbers(1, 5, 4)), numbers(2, 5)
    _start(net, x)
    trainer, distance = mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.03}), mx.gluon.loss.L1Loss()
    trace = []
    for _ in range(4):
        losses = []
        with mx.autograd.record():
            for t, (action, reward) in enumerate(zip([0, 1, 1, 0, 1], rewards)):
                log_chances, value = net(x[t:t + 1])
                losses.append(-log_chances[0, action] * (float(reward) - value.detach()[0, 0]))
                losses.append(distance(value, mx.nd.array([reward])))
        mx.autograd.backward(losses)
        trainer.step(5)
        trace.append([loss.asscalar() for loss in losses])
    return {"losses": trace}


def adversarial_networks(mx):
    nn = mx.gluon.nn
    drawer, critic = nn.HybridSequential(), nn.HybridSequential()
    drawer.add(nn.Conv2DTranspose(8, 4, 1, 0), nn.InstanceNorm(), nn.Activation("relu"),
               nn.Conv2DTranspose(1, 4, 2, 1, use_bias=False), nn.Activation("tanh"))
    critic.add(nn.Conv2D(4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dense(1))
    noise, real = mx.nd.array(numbers(1, 4, 3, 1, 1)), mx.nd.array(numbers(2, 4, 1, 8, 8))
    _start(drawer, noise)
    _start(critic, real)
    loss_of = mx.gluon.loss.SigmoidBinaryCrossEntropyLoss()
    trainers = [mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01, "beta1": 0.5})
                for net in (drawer, critic)]
    trace = []
    for _ in range(4):
        with mx.autograd.record():
            fake = drawer(noise)
            loss = loss_of(critic(real), mx.nd.ones((4,))) + loss_of(critic(fake.detach()), mx.nd.zeros((4,)))
        loss.backward()
        trainers[1].step(4)
        with mx.autograd.record():
            deceit = loss_of(critic(drawer(noise)), mx.nd.ones((4,)))
        deceit.backward()
        trainers[0].step(4)
        trace.append([loss.asnumpy(), deceit.asnumpy()])
    return {"losses": trace, "picture": fake.asnumpy()}


def several_contexts(mx):
    """Gradients added up, clipped, and used in two calls."""
    contexts, net = [mx.cpu(0), mx.cpu(1)], mx.gluon.nn.Dense(3, in_units=4)
    net.initialize(ctx=contexts)
    _fill(net)
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9},
                               update_on_kvstore=False)
    x, y, loss_of = numbers(1, 8, 4), numbers(2, 8, 3), mx.gluon.loss.L2Loss()
    trace = []
    for _ in range(4):
        xs, ys = (mx.gluon.utils.split_and_load(mx.nd.array(part), contexts) for part in (x, y))
        with mx.autograd.record():
            losses = [loss_of(net(a), b) for a, b in zip(xs, ys)]
        for loss in losses:
            loss.backward()
        trainer.allreduce_grads()
        norms = [float(mx.gluon.utils.clip_global_norm([p.grad(ctx) for p in net.collect_params().values()], 0.5))
                 for ctx in contexts]
        trainer.update(8)
        trace.append([*norms, *(loss.mean().asscalar() for loss in losses)])
    return {"trace": trace, "weights": [net.weight.data(ctx).asnumpy() for ctx in contexts]}


def gradients_added_up(mx):
    net, x = mx.gluon.nn.Dense(1, in_units=2), mx.nd.array(numbers(1, 6, 2))
    _start(net, x)
    net.collect_params().setattr("grad_req", "add")
    trainer, trace = mx.gluon.Trainer(net.collect_params(), "nag", {"learning_rate": 0.1, "momentum": 0.5}), []
    for _ in range(3):
        net.collect_params().zero_grad()
        for part in range(3):
            with mx.autograd.record():
                loss = net(x[2 * part:2 * part + 2]).square().sum()
            loss.backward()
        trace.append([net.weight.grad().asnumpy(), net.weight.data().asnumpy()])
        trainer.step(6)
    return {"trace": trace}


def frozen_layers(mx):
    """Fine-tuning: a layer that stays, one with a rate of its own, and no decay of biases."""
    nn = mx.gluon.nn
    features, net = nn.HybridSequential(), nn.HybridSequential()
    features.add(nn.Conv2D(3, 3, activation="relu"), nn.Conv2D(2, 3), nn.GlobalAvgPool2D())
    net.add(features, nn.Dense(4))
    x = mx.nd.array(numbers(1, 5, 2, 7, 7))
    _start(net, x)
    features[0].collect_params().setattr("grad_req", "null")
    features[1].collect_params().setattr("lr_mult", 0.1)
    for param in net.collect_params(".*bias").values():
        param.wd_mult = 0.0
    net.hybridize()
    schedule = mx.lr_scheduler.PolyScheduler(10, base_lr=0.5, pwr=2, final_lr=0.01, warmup_steps=2)
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5, "lr_scheduler": schedule, "wd": 0.1,
                                                             "momentum": 0.9})
    loss_of, losses, rates = mx.gluon.loss.SoftmaxCrossEntropyLoss(), [], []
    for _ in range(6):
        with mx.autograd.record():
            loss = loss_of(net(x), mx.nd.array([0, 1, 2, 3, 0]))
        loss.backward()
        trainer.step(5)
        losses.append(loss.asnumpy())
        rates.append(trainer.learning_rate)
    params = net._collect_params_with_prefix()
    return {"losses": losses, "rates": rates, **{name: param.data().asnumpy() for name, param in params.items()}}


def transformer(mx):
    nn = mx.gluon.nn

    class Layer(mx.gluon.HybridBlock):
        def __init__(self, size, heads, **kwargs):
            super().__init__(**kwargs)
            self.size, self.heads = size, heads
            with self.name_scope():
                self.project, self.join = nn.Dense(3 * size, flatten=False), nn.Dense(size, flatten=False)
                self.first, self.second = nn.LayerNorm(), nn.LayerNorm()
                self.dense = nn.HybridSequential()
                self.dense.add(nn.Dense(2 * size, flatten=False), nn.GELU(), nn.Dense(size, flatten=False))

        def hybrid_forward(self, F, x):
            def split(t):
                t = F.transpose(F.reshape(t, (0, 0, self.heads, -1)), axes=(0, 2, 1, 3))
                return F.reshape(t, (-1, 0, 0), reverse=True)
            q, k, v = (split(part) for part in F.split(self.project(x), num_outputs=3, axis=-1))
            weights = F.softmax(F.batch_dot(q, k, transpose_b=True) / np.sqrt(self.size / self.heads))
            out = F.reshape(F.batch_dot(weights, v), (-1, self.heads, 0, 0), reverse=True)
            x = self.first(x + self.join(F.reshape(F.transpose(out, axes=(0, 2, 1, 3)), (0, 0, -1))))
            return self.second(x + self.dense(x))
    net, x = nn.HybridSequential(), mx.nd.array(numbers(1, 4, 5, 8))
    net.add(Layer(8, 2), Layer(8, 4), nn.Dense(3))
    _start(net, x)
    net.hybridize(static_alloc=True, static_shape=True)
    trainer, losses = mx.gluon.Trainer(net.collect_params(), "lamb", {"learning_rate": 0.01}), []
    for _ in range(5):
        with mx.autograd.record():
            loss = mx.gluon.loss.SoftmaxCELoss()(net(x), mx.nd.array([0, 1, 2, 0]))
        loss.backward()
        trainer.step(4)
        losses.append(loss.asnumpy())
    return {"losses": losses, "out": net(x).asnumpy()}


def parts_of_ones_own(mx):
    """An optimizer, a schedule, a loss, a metric and a trainer that a program brings along."""
    class Halving(mx.optimizer.Optimizer):
        def create_state(self, index, weight):
            return mx.nd.zeros_like(weight), mx.nd.zeros(weight.shape, weight.context, dtype=weight.dtype)

        def update(self, index, weight, grad, state):
            self._update_count(index)
            grad = mx.nd.clip(grad * self.rescale_grad + self._get_wd(index) * weight, -0.5, 0.5)
            mean, total = state
            mean[:] = 0.9 * mean + 0.1 * grad
            total[:] += grad * grad
            count = self._index_update_count[index]
            weight[:] -= self._get_lr(index) * mean / (mx.nd.sqrt(total) + 1e-6) / (1 - 0.9 ** count)

    class Schedule(mx.lr_scheduler.LRScheduler):
        def __call__(self, count):
            return self.base_lr / (1 + 0.1 * count)

    class LogSquare(mx.gluon.loss.Loss):
        def hybrid_forward(self, F, pred, label, sample_weight=None):
            loss = F.log1p(F.square(pred - label)) * self._weight
            return F.mean(loss, axis=self._batch_axis, exclude=True)

    class Largest(mx.metric.EvalMetric):
        def update(self, labels, preds):
            for label, pred in zip(labels, preds):
                self.sum_metric += float((label - pred).abs().max().asscalar())
                self.num_inst += 1

    class Counting(mx.gluon.Trainer):
        steps = 0

        def step(self, batch_size, **kwargs):
            self.steps += 1
            super().step(2 * batch_size, **kwargs)
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Dense(4, activation="tanh"), mx.gluon.nn.Dense(2))
    x, y = mx.nd.array(numbers(1, 6, 3)), mx.nd.array(numbers(2, 6, 2))
    loss_of, metric = LogSquare(3.0, 0), Largest("largest")
    _start(net, x)
    net.hybridize()
    loss_of.hybridize()
    optimizer = Halving(learning_rate=0.1, lr_scheduler=Schedule(0.1), wd=0.01)
    trainer, losses, rates = Counting(net.collect_params(), optimizer), [], []
    for _ in range(5):
        with mx.autograd.record():
            out = net(x)
            loss = loss_of(out, y)
        loss.backward()
        trainer.step(6)
        metric.update([y], [out])
        losses.append(loss.asnumpy())
        rates.append(trainer.learning_rate)
    return {"losses": losses, "rates": rates, "metric": metric.get()[1], "steps": trainer.steps}


def picture_as_parameter(mx):
    """Steps on a picture by the correlations of its channels."""
    def correlations(picture):
        rows = picture.reshape((3, -1))
        return mx.nd.dot(rows, rows.T) / rows.shape[1]
    picture = mx.gluon.Parameter("picture", shape=(1, 3, 6, 6))
    picture.initialize()
    picture.set_data(mx.nd.array(numbers(1, 1, 3, 6, 6)))
    wanted, trainer = correlations(mx.nd.array(numbers(2, 1, 3, 6, 6))), mx.gluon.Trainer([picture], "adamax")
    losses = []
    for _ in range(5):
        with mx.autograd.record():
            loss = mx.nd.square(correlations(picture.data()) - wanted).mean()
        loss.backward()
        trainer.step(1)
        losses.append(loss.asscalar())
    return {"losses": losses, "picture": picture.data().asnumpy()}


def network_from_files(mx, folder):
    """Exported, read back without its class, cut, and trained on."""
    nn = mx.gluon.nn
    net, x = nn.HybridSequential(prefix="net_"), mx.nd.array(numbers(1, 2, 1, 8, 8))
    with net.name_scope():
        net.add(nn.Conv2D(3, 3), nn.BatchNorm(), nn.Activation("relu"), nn.Dense(4))
    _start(net, x)
    net.hybridize()
    net(x)
    net.export(f"{folder}/net", epoch=3)
    again = mx.gluon.SymbolBlock.imports(f"{folder}/net-symbol.json", ["data"], f"{folder}/net-0003.params")
    inner = mx.sym.load(f"{folder}/net-symbol.json").get_internals()
    cut = mx.gluon.SymbolBlock(inner["net_relu0_fwd_output"], mx.sym.var("data"))
    cut.collect_params().load(f"{folder}/net-0003.params", ignore_extra=True)
    result = {"outputs": np.array(inner.list_outputs()), "cut": cut(x).asnumpy()}
    trainer, losses = mx.gluon.Trainer(again.collect_params(), "sgd", {"learning_rate": 0.1}), []
    for _ in range(4):
        with mx.autograd.record():
            loss = mx.gluon.loss.SoftmaxCELoss()(again(x), mx.nd.array([0, 1]))
        loss.backward()
        trainer.step(2)
        losses.append(loss.asnumpy())
    module = mx.mod.Module(*mx.model.load_checkpoint(f"{folder}/net", 3)[:1], data_names=["data"], label_names=None)
    module.bind(data_shapes=[("data", (2, 1, 8, 8))], for_training=False)
    module.set_params(*mx.model.load_checkpoint(f"{folder}/net", 3)[1:])
    module.forward(mx.io.DataBatch([x]))
    return {**result, "losses": losses, "module": module.get_outputs()[0].asnumpy()}


def control_flow(mx):
    """A recurrent cell in a loop over the steps, and a loop with a condition, both compiled."""
    class Loop(mx.gluon.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.cell = mx.gluon.rnn.LSTMCell(3, input_size=2)

        def hybrid_forward(self, F, x, h, c):
            outputs, states = F.contrib.foreach(self.cell, x, [h, c])
            _, (_, doubled) = F.contrib.while_loop(lambda i, v: i < 3, lambda i, v: (v, [i + 1, v * 2]),
                                                   [F.zeros((1,)), states[0]], max_iterations=5)
            return outputs, doubled
    net, x, state = Loop(), mx.nd.array(numbers(1, 4, 2, 2)), mx.nd.zeros((2, 3))
    _start(net, x, state, state)
    results = {}
    for hybrid in (False, True):
        net.hybridize(hybrid)
        with mx.autograd.record():
            outputs, doubled = net(x, state, state)
            loss = outputs.sum() + doubled.sum()
        loss.backward()
        results[f"outputs {hybrid}"] = outputs.asnumpy()
        results[f"grad {hybrid}"] = net.cell.i2h_weight.grad().asnumpy()
    return results


PROGRAMS = {program.__name__: program for program in (
    variational_autoencoder, translation_with_attention, language_model, matrix_factorization, actor_and_critic,
    adversarial_networks, several_contexts, gradients_added_up, frozen_layers, transformer, parts_of_ones_own,
    picture_as_parameter, network_from_files, control_flow)}


def run(mx, name, folder):
    """The numbers of a program, as arrays."""
    program = PROGRAMS[name]
    with mx.name.NameManager():
        result = program(mx, folder) if program is network_from_files else program(mx)
    return {key: np.array(value) for key, value in result.items()}


def check(mx, name, folder, rtol=2e-4, atol=2e-5):
    """Runs a program and compares its numbers with what was recorded."""
    have, prefix = run(mx, name, folder), f"{name}/"
    with np.load(FILE) as file:
        wanted = {key[len(prefix):]: file[key] for key in file.files if key.startswith(prefix)}
    assert sorted(have) == sorted(wanted)
    for key, value in wanted.items():
        if value.dtype.kind == "U":
            assert have[key].tolist() == value.tolist(), key
        else:
            np.testing.assert_allclose(have[key], value, rtol=rtol, atol=atol, err_msg=f"{name}: {key}")
