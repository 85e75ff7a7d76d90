"""Symbols in files: those of MXNet, old ones, and broken ones."""
import json

import numpy as np
import pytest

import mxnet as mx


def graph(nodes, heads=((0, 0, 0),), **more):
    return json.dumps({"nodes": nodes, "arg_nodes": [], "heads": [list(h) for h in heads], **more})


def node(op, name, inputs=(), **more):
    return {"op": op, "name": name, "inputs": [list(i) for i in inputs], **more}


def test_round_trip(tmp_path):
    x = mx.sym.var("data", shape=(0, 3), lr_mult=2)
    net = mx.sym.BatchNorm(mx.sym.FullyConnected(x, num_hidden=4, name="fc"), name="bn", eps=1e-3)
    net = mx.sym.Group([net, mx.sym.concat(net, x * 2.5, dim=1)])
    net.save(str(tmp_path / "net.json"))
    again = mx.sym.load(str(tmp_path / "net.json"))
    assert again.tojson() == net.tojson()
    assert again.list_auxiliary_states() == ["bn_moving_mean", "bn_moving_var"]
    values = {n: mx.nd.random.uniform(shape=s)
              for n, s in zip(net.list_arguments(), net.infer_shape(data=(2, 3))[0])}
    states = {n: mx.nd.ones((4,)) for n in net.list_auxiliary_states()}
    want, have = (s.bind(mx.cpu(), values, aux_states=states).forward() for s in (net, again))
    for w, h in zip(want, have):
        np.testing.assert_array_equal(h.asnumpy(), w.asnumpy())


def test_layout_is_that_of_mxnet():
    lines = mx.sym.relu(mx.sym.var("x"), name="r").tojson().split("\n")
    assert lines[:7] == ["{", '  "nodes": [', "    {", '      "op": "null", ', '      "name": "x", ',
                         '      "inputs": []', "    }, "]
    assert lines[-6:] == ["  ], ", '  "arg_nodes": [0], ', '  "node_row_ptr": [0, 1, 2], ', '  "heads": [[1, 0, 0]], ',
                          '  "attrs": {"mxnet_version": ["int", 10901]}', "}"]


def test_file_of_0_8():
    """Parameters under `param`, attributes under `attr` without underscores, no auxiliary states."""
    text = graph([node("null", "x", param={}, attr={"lr_mult": "0.5", "ctx_group": "a"}),
                  node("null", "bn_gamma"), node("null", "bn_beta"),
                  node("BatchNorm", "bn", [(0, 0), (1, 0), (2, 0)], param={"eps": "0.01", "fix_gamma": "True"},
                       backward_source_id=-1)], [(3, 0)])
    net = mx.sym.load_json(text)
    assert net.list_arguments() == ["x", "bn_gamma", "bn_beta"]
    assert net.list_auxiliary_states() == ["bn_moving_mean", "bn_moving_var"]
    assert net.attr_dict()["x"]["__lr_mult__"] == "0.5"
    assert net.attr("eps") == "0.01"


BROKEN = {
    "empty": "",
    "no object": "3",
    "cut off": '{"nodes": [{"op": "null", "name": "x"',
    "no nodes": "{}",
    "nodes of another kind": '{"nodes": 3, "heads": [[0, 0, 0]]}',
    "node of another kind": '{"nodes": [3], "heads": [[0, 0, 0]]}',
    "node without a name": '{"nodes": [{"op": "null", "inputs": []}], "heads": [[0, 0, 0]]}',
    "no heads": graph([node("null", "x")], []),
    "head out of range": graph([node("null", "x")], [(3, 0, 0)]),
    "negative head": graph([node("null", "x")], [(-1, 0, 0)]),
    "output out of range": graph([node("null", "x"), node("relu", "r", [(0, 7, 0)])], [(1, 0, 0)]),
    "cycle": graph([node("relu", "a", [(1, 0, 0)]), node("relu", "b", [(0, 0, 0)])]),
    "unknown operator": graph([node("NoSuchOp", "x")]),
    "bad parameter": graph([node("null", "x"), node("FullyConnected", "f", [(0, 0, 0)], attrs={"num_hidden": "q"})],
                           [(1, 0, 0)]),
    "missing parameter": graph([node("null", "x"), node("FullyConnected", "f", [(0, 0, 0)])], [(1, 0, 0)]),
    "missing input": graph([node("null", "x"), node("elemwise_add", "f", [(0, 0, 0)])], [(1, 0, 0)],
                           attrs={"mxnet_version": ["int", 10901]}),
    "version of another kind": graph([node("null", "x")], attrs={"mxnet_version": ["int", "new"]}),
    "too many inputs": graph([node("null", "x"), node("relu", "f", [(0, 0, 0)] * 3)], [(1, 0, 0)]),
    "huge count": graph([node("null", "x"), node("add_n", "f", [(0, 0, 0)], attrs={"num_args": "2000000000"})],
                        [(1, 0, 0)]),
    "huge number of outputs": graph([node("null", "x"), node("SliceChannel", "f", [(0, 0, 0)],
                                                             attrs={"num_outputs": "2147483647"})], [(1, 0, 0)]),
    "nested too deep": "[" * 100_000,
    "body missing": graph([node("null", "x"), node("_foreach", "f", [(0, 0, 0)], attrs={
        "num_args": "2", "num_outputs": "1", "num_out_data": "1", "in_state_locs": "[]", "in_data_locs": "[0]",
        "remain_locs": "[]"}, subgraphs=[{"nodes": [], "heads": []}])], [(1, 0, 0)]),
    "text not closed": '{"nodes": "abc',
    "bad escape": '{"a": "\\q"}',
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files(case):
    with pytest.raises(mx.MXNetError) as caught:
        mx.sym.load_json(BROKEN[case])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert isinstance(caught.value, (ValueError, TypeError))


def test_places_out_of_range():
    body = json.loads(graph([node("null", "a"), node("relu", "r", [(0, 0, 0)])], [(1, 0, 0)]))
    text = graph([node("null", "x"), node("_foreach", "f", [(0, 0, 0)], attrs={
        "num_args": "2", "num_outputs": "1", "num_out_data": "1", "in_state_locs": "[]", "in_data_locs": "[9]",
        "remain_locs": "[]"}, subgraphs=[body])], [(1, 0, 0)])
    net = mx.sym.load_json(text)
    with pytest.raises(ValueError, match="out of range"):
        net.eval(x=mx.nd.ones((2, 3)))


def test_random_damage():
    """A file with random bytes changed loads or gives a plain error."""
    text = mx.sym.BatchNorm(mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=4), eps=1e-3).tojson()
    random = np.random.RandomState(3)
    for _ in range(500):
        damaged = list(text)
        for place in random.randint(len(text), size=random.randint(1, 6)):
            damaged[place] = chr(random.randint(32, 127))
        try:
            mx.sym.load_json("".join(damaged)).infer_shape_partial(x=(2, 3))
        except mx.MXNetError as error:
            assert "\n" not in str(error)


def test_missing_file():
    with pytest.raises(OSError, match="cannot read"):
        mx.sym.load("/nonexistent/net.json")
    with pytest.raises(TypeError):
        mx.sym.load_json(3)


def test_none_is_written_where_it_is_not_the_default():
    net = mx.sym.slice_axis(mx.sym.var("x"), axis=0, begin=1, end=None)
    again = mx.sym.load_json(net.tojson())
    np.testing.assert_array_equal(again.eval(x=mx.nd.array([1, 2, 3]))[0].asnumpy(), [2, 3])


def test_nodes_in_any_order():
    text = graph([node("relu", "b", [(2, 0, 0)]), node("null", "x"), node("relu", "a", [(1, 0, 0)])])
    net = mx.sym.load_json(text)
    assert net.get_internals().list_outputs() == ["x", "a_output", "b_output"]
    for nodes in ([node("relu", "a", [(0, 0, 0)])], [node("relu", "a", [(1, 0, 0)]), node("relu", "b", [(0, 0, 0)])]):
        with pytest.raises(ValueError, match="node '[ab]' depends on itself"):
            mx.sym.load_json(graph(nodes))


def test_half_characters():
    """Half of a pair of surrogates is no text."""
    for escape in ("\\ud800", "\\udc00", "\\ud800\\u0041", "\\ud800x"):
        name, = mx.sym.load_json(f'{{"nodes": [{{"op": "null", "name": "{escape}", "inputs": []}}], '
                                 '"heads": [[0, 0, 0]]}').list_arguments()
        assert name.startswith("\ufffd")
    assert mx.sym.load_json(mx.sym.var("\U0001f600").tojson().replace("\U0001f600", "\\ud83d\\ude00")).name == \
        "\U0001f600"
