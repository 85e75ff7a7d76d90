"""Errors inside graphs name the node, its block, both shapes, and the line of the program that made it."""
import inspect
import json
import re

import pytest

import mxnet as mx
from mxnet import gluon, nd
from mxnet.gluon import nn


def here(offset=0):
    """This file and the caller's line, as errors tell them."""
    return rf"{re.escape(__file__)}:{inspect.currentframe().f_back.f_lineno + offset}"


def classifier():
    hidden = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=4, name="fc")
    return mx.sym.SoftmaxOutput(hidden, name="softmax"), here(-1)


def text_of(function, *args, **kwargs):
    with pytest.raises(mx.MXNetError) as caught:
        function(*args, **kwargs)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def test_inference():
    net, line = classifier()
    text = text_of(net.infer_shape, data=(2, 3), fc_weight=(4, 5))
    assert re.fullmatch(rf"FullyConnected: weight has shape \(4, 5\), expected \(4, 3\) \[node 'fc', made at {line}\]",
                        text)
    assert text == text_of(net.simple_bind, mx.cpu(), data=(2, 3), fc_weight=(4, 5))
    assert "FullyConnected: data" not in net.tojson() and "made at" not in net.tojson()


def test_shapes_that_are_not_known_tell_who_reads_them():
    net, _ = classifier()
    text = text_of(net.simple_bind, mx.cpu())
    assert "data: None (data of FullyConnected 'fc')" in text
    assert "fc_weight: (4, ?) (weight of FullyConnected 'fc' whose data is None)" in text


def test_binding():
    net, line = classifier()
    text = text_of(net.bind, mx.cpu(), [nd.ones((2, 3)), nd.ones((4, 5)), nd.ones((4,)), nd.ones((2,))])
    assert re.search(rf"weight has shape \(4, 5\), expected \(4, 3\).*\[node 'fc', made at {line}\]", text)


def test_module():
    net, line = classifier()
    module = mx.mod.Module(net)
    module.bind([("data", (2, 3))], [("softmax_label", (2,))])
    module.init_params()
    with pytest.raises(ValueError, match=r"'fc_weight' has shape \(4, 5\), the symbol needs \(4, 3\)"):
        module.set_params({"fc_weight": nd.ones((4, 5)), "fc_bias": nd.ones((4,))}, {})
    bad = mx.mod.Module(mx.sym.elemwise_add(net, mx.sym.var("other"), name="sum"), data_names=["data", "other"])
    line = here(-1)
    text = text_of(bad.bind, [("data", (2, 3)), ("other", (2, 5))], [("softmax_label", (2,))])
    assert re.search(rf"elemwise_add: .*\(2, 4\).*\(2, 5\).* \[node 'sum', made at {line}\]", text)


class Features(gluon.HybridBlock):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential()
            self.features.add(nn.Conv2D(4, 3, in_channels=2), nn.Activation("relu"), nn.Dense(3, in_units=7))

    def hybrid_forward(self, F, x):
        return self.features(x)  # the line that errors name
    line = here(-1)


def test_hybridized_blocks():
    net = Features(prefix="net_")
    net.initialize()
    net.hybridize()
    text = text_of(net, nd.ones((1, 3, 8, 8)))
    assert re.search(r"Convolution: .* \[node 'net_conv0_fwd' of net\.features\.0 "
                     rf"\(Conv2D net_conv0\), made at {Features.line}\]", text)
    text = text_of(net, nd.ones((1, 2, 8, 8)))
    assert re.search(r"FullyConnected: weight has shape \(3, 7\), expected \(3, 144\).*"
                     r"of net\.features\.2 \(Dense net_dense0\)", text)


def test_deferred_shapes():
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Dense(3), nn.Conv2D(4, 3))
    net.initialize()
    net.hybridize()
    text = text_of(net, nd.ones((1, 2)))
    assert re.search(r"Deferred initialization failed.*Convolution.*\[node 'net_conv0_fwd' of net\.1 \(Conv2D "
                     r"net_conv0\), made at ", text)


def test_blocks_are_forgotten_outside():
    Features(prefix="net_")(mx.sym.var("data"))
    net, line = classifier()
    assert f"[node 'fc', made at {__file__}" in text_of(net.infer_shape, data=(2, 3), fc_weight=(4, 5))


def test_bodies_of_loops():
    def body(x, s):
        return mx.sym.elemwise_add(x, mx.sym.var("w"), name="inner"), s
    net, _ = mx.sym.contrib.foreach(body, mx.sym.var("x"), mx.sym.var("s"))
    text = text_of(net.infer_shape, x=(3, 2), s=(1,), w=(5,))
    assert text.count("[node") == 1 and "[node 'inner'" in text and __file__ in text


def test_graphs_from_files_have_no_line():
    net = mx.sym.load_json(classifier()[0].tojson())
    assert "[node 'fc']" in text_of(net.infer_shape, data=(2, 3), fc_weight=(4, 5))
    assert "origin" not in json.dumps(net.attr_dict())
