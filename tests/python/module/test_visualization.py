"""Tables and drawings of symbols."""
import pytest

import mxnet as mx


def network():
    net = mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), num_filter=4, name="conv")
    net = mx.sym.Activation(mx.sym.BatchNorm(net, name="bn"), act_type="relu", name="act")
    net = mx.sym.FullyConnected(mx.sym.Flatten(net, name="flat"), num_hidden=3, name="fc")
    return mx.sym.SoftmaxOutput(net, name="softmax")


def test_summary(capsys):
    mx.viz.print_summary(network(), {"data": (1, 1, 8, 8)})
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if "(" in line and "Layer" not in line]
    assert rows == [["data(null)", "1x8x8", "0"], ["conv(Convolution)", "4x6x6", "40", "data"],
                    ["bn(BatchNorm)", "4x6x6", "8", "conv"], ["act(Activation)", "4x6x6", "0", "bn"],
                    ["flat(Flatten)", "144", "0", "act"], ["fc(FullyConnected)", "3", "435", "flat"],
                    ["softmax(SoftmaxOutput)", "3", "0", "fc"]]
    assert "Total params: 483" in lines
    mx.viz.print_summary(network())
    assert "Total params: 0" in capsys.readouterr().out
    with pytest.raises(TypeError, match="print_summary: symbol must be a Symbol, got str"):
        mx.viz.print_summary("net")


def test_plot():
    pytest.importorskip("graphviz")
    source = mx.viz.plot_network(network(), shape={"data": (1, 1, 8, 8)}, save_format="dot").source
    assert 'conv -> data [label="1x8x8"' in source
    assert "conv_weight" not in source
    assert "conv_weight" in mx.viz.plot_network(network(), hide_weights=False).source


def test_rows_are_those_of_operators_and_the_first_variable(capsys):
    both = mx.sym.FullyConnected(mx.sym.var("a"), num_hidden=2, name="fa") \
        + mx.sym.FullyConnected(mx.sym.var("b"), num_hidden=2, name="fb")
    mx.viz.print_summary(both, {"a": (2, 3), "b": (2, 5)})
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "(" in line and "Layer" not in line]
    assert [row[0] for row in rows] == ["a(null)", "fa(FullyConnected)", "fb(FullyConnected)",
                                        f"{both.name}(elemwise_add)"]
    assert rows[2] == ["fb(FullyConnected)", "2", "12"]
