"""Graphs as older versions of MXNet wrote them, and what 1.9.1 makes of each (see record_old_graphs.py).

Every function takes the `mxnet` module as `mx`.
"""
import json
import pathlib

import numpy as np

FILE = pathlib.Path(__file__).parent / "old_graphs.json"

VERSIONS = {"0.8": None, "0.9.3": 903, "0.9.5": 905, "0.10": 1000, "1.0": 10000, "1.2": 10200}
IMAGE = (2, 3, 8, 8)


def node(op, name, inputs=(), **more):
    return {"op": op, "name": name, "inputs": [[i, 0] for i in inputs], **more}


def graph(nodes, heads, version=None):
    text = {"nodes": nodes, "arg_nodes": [i for i, n in enumerate(nodes) if n["op"] == "null"], "heads": heads}
    if version:
        text["attrs"] = {"mxnet_version": ["int", version]}
    return json.dumps(text)


def applied(op, attrs=None, others=(), key="param", shape=(2, 3), **shapes):
    """One operator on "x" and other variables: nodes, heads, shapes."""
    nodes = [node("null", name) for name in ("x", *others)]
    nodes.append(node(op, "o", range(len(nodes)), **({} if attrs is None else {key: attrs})))
    return nodes, [[len(nodes) - 1, 0]], {"x": shape, **shapes}


def dense(**more):
    nodes = [node("null", "x"), node("null", "fc_weight"), node("null", "fc_bias"),
             node("FullyConnected", "fc", (0, 1, 2), **more)]
    return nodes, [[3, 0]], {"x": (2, 3)}


# Written by every version.
ANY = {
    "param": dense(param={"num_hidden": "4"}),
    "attr": dense(attr={"num_hidden": "4"}),
    "attrs": dense(attrs={"num_hidden": "4"}),
    "attributes_of_inputs": dense(attr={"num_hidden": "4", "weight_lr_mult": "3", "bias_wd_mult": "2", "lr_mult": "5",
                                        "ctx_group": "g"}),
    "own_attribute": dense(attr={"num_hidden": "4", "__foo__": "3"}),
    "unknown_parameter": dense(param={"num_hidden": "4"}, attr={"foo": "3"}),
    "backward_source_id": ([node("null", "x", backward_source_id=-1, param={}),
                            node("Activation", "a", (0,), param={"act_type": "relu"}, backward_source_id=-1)],
                           [[1, 0]], {"x": (2, 3)}),
    "states": ([node("null", n) for n in ("x", "bn_gamma", "bn_beta", "bn_moving_mean", "bn_moving_var")]
               + [node("BatchNorm", "bn", range(5), attr={"eps": "0.01"})], [[5, 0]], {"x": (2, 3)}),
    "argmax": applied("argmax", {"axis": "-1"}),
    "argmin": applied("argmin", {"axis": "-1", "keepdims": "False"}),
    "argmax_axis": applied("argmax", {"axis": "1"}),
    "order": ([node("Activation", "a", (1,), attr={"act_type": "relu"}), node("null", "x")], [[0, 0]], {"x": (2, 3)}),
    "prelu": applied("LeakyReLU", {"act_type": "prelu"}, ["o_gamma"]),
    "filter": applied("UpSampling", {"scale": "2", "num_filter": "3", "sample_type": "bilinear", "num_args": "1"},
                      ["o_weight"], shape=IMAGE),
}
# Written by versions up to 0.8 only.
OLDEST = {
    "no_states": ([node("null", n) for n in ("x", "bn_gamma", "bn_beta")]
                  + [node("BatchNorm", "bn", range(3), param={"eps": "0.01", "fix_gamma": "True"})], [[3, 0]],
                  {"x": (2, 3)}),
    "no_parameters": ([node("null", "x"), node("FullyConnected", "fc", (0,), param={"num_hidden": "4"})], [[1, 0]],
                      {"x": (2, 3)}),
    "no_bias": (dense()[0][:2] + [node("FullyConnected", "fc", (0, 1), param={"num_hidden": "4"})], [[2, 0]],
                {"x": (2, 3)}),
    "no_gamma": applied("LeakyReLU", {"act_type": "prelu"}),
    "batch_norm_v1": applied("BatchNorm_v1", {}, ["o_gamma", "o_beta"], shape=IMAGE),
    "sparse_reg": applied("IdentityAttachKLSparseReg", {"sparseness_target": "0.1"}),
    "softmax": applied("Softmax", {"grad_scale": "1", "ignore_label": "-1", "multi_output": "False",
                                   "use_ignore": "False"}, ["l"]),
    "convolution": applied("Convolution", {"kernel": "(3,3)", "num_filter": "2", "workspace": "512", "no_bias": "False",
                                           "num_group": "1", "pad": "(0, 0)", "stride": "(1,1)"},
                           ["o_weight", "o_bias"], shape=IMAGE),
    "convolution_v1": applied("Convolution_v1", {"kernel": "(3,3)", "num_filter": "2", "workspace": "512"},
                              ["o_weight", "o_bias"], shape=IMAGE),
    "pooling_v1": applied("Pooling_v1", {"kernel": "(3,3)", "pool_type": "max", "stride": "(2,2)", "pad": "(0,0)"},
                          shape=IMAGE),
    "pooling": applied("Pooling", {"global_pool": "True", "kernel": "(3,3)", "pool_type": "avg"}, shape=IMAGE),
    "sum_of": applied("ElementWiseSum", {"num_args": "2"}, ["y"]),
    "plus": applied("_Plus", None, ["y"]),
    "plus_scalar": applied("_PlusScalar", {"scalar": "2"}),
    "right_division": applied("_RDivScalar", {"scalar": "2"}),
    "scalar_on_left": applied("_DivScalar", {"scalar": "2", "scalar_on_left": "True"}),
    "concat": applied("Concat", {"num_args": "2", "dim": "1"}, ["y"], y=(2, 3)),
    "swap": applied("SwapAxis", {"dim1": "0", "dim2": "1"}),
    "block": applied("BlockGrad"),
    "cast": applied("Cast", {"dtype": "float64"}),
    "target_shape": applied("Reshape", {"target_shape": "(3, 0)"}),
    "shape_and_target": applied("Reshape", {"shape": "(3,2)", "target_shape": "(0,0)", "keep_highest": "False",
                                            "reverse": "False"}),
    "lrn": applied("LRN", {"nsize": "3", "alpha": "0.1", "beta": "0.7", "knorm": "1"}, shape=IMAGE),
    "norm": applied("L2Normalization", {"eps": "1e-10"}),
    "leaky": applied("LeakyReLU", {"act_type": "leaky", "slope": "0.3"}),
    "slices": applied("SliceChannel", {"num_outputs": "3", "axis": "1", "squeeze_axis": "False"}),
    "crop": applied("crop", {"begin": "(0,0)", "end": "(1,2)"}),
    "crop_center": applied("Crop", {"num_args": "1", "h_w": "(3,3)", "center_crop": "True"}, shape=IMAGE),
    "deconvolution": applied("Deconvolution", {"kernel": "(3,3)", "num_filter": "2", "no_bias": "True"}, ["o_weight"],
                             shape=IMAGE),
    "embedding": applied("Embedding", {"input_dim": "5", "output_dim": "2"}, ["o_weight"]),
    "regression": applied("LinearRegressionOutput", {}, ["l"]),
    "softmax_activation": applied("SoftmaxActivation", {"mode": "channel"}, shape=IMAGE),
    "sum_axis": applied("sum_axis", {"axis": "1"}),
    "max_axis": applied("max_axis", {"axis": "1", "keepdims": "True"}),
    "element_mask": applied("element_mask", None, ["l"]),
    "transpose": applied("transpose", {"axes": "()"}),
    "sequence_last": applied("SequenceLast", {"use_sequence_length": "False"}, shape=(3, 2, 2)),
    "instance_norm": applied("InstanceNorm", {"eps": "0.001"}, ["o_gamma", "o_beta"], shape=IMAGE),
    "copy": applied("_CrossDeviceCopy"),
    "old_module": applied("MultiBoxPrior", {"sizes": "(1,)"}, shape=IMAGE),
}

CASES = {f"{name}, {version}": (*case, number) for name, case in ANY.items() for version, number in VERSIONS.items()}
CASES.update({f"{name}, 0.8": (*case, None) for name, case in OLDEST.items()})


def describe(mx, name):
    """What a reader makes of a graph: names, attributes, shapes, sums of outputs; or that it is refused."""
    nodes, heads, shapes, version = CASES[name]
    try:
        symbol = mx.sym.load_json(graph(nodes, heads, version))
    except mx.MXNetError:
        return {"refused": True}
    arg_shapes, out_shapes, aux_shapes = symbol.infer_shape(**shapes)
    random = np.random.RandomState(0)
    args = {n: mx.nd.array(random.uniform(0, 1, s)) for n, s in zip(symbol.list_arguments(), arg_shapes)}
    aux = {n: mx.nd.array(random.uniform(0.5, 1, s)) for n, s in zip(symbol.list_auxiliary_states(), aux_shapes)}
    outputs = symbol.bind(mx.cpu(), args, aux_states=aux).forward()
    return {"args": list(args), "aux": list(aux), "outputs": symbol.list_outputs(), "attrs": symbol.attr_dict(),
            "shapes": [list(map(list, s)) for s in (arg_shapes, out_shapes, aux_shapes)],
            "sums": [float(out.asnumpy().astype("float64").sum()) for out in outputs]}


def recorded():
    """What 1.9.1 made of them, by name."""
    return json.loads(FILE.read_text())
