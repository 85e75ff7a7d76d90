"""Every operator of the registry, checked through its samples."""
import dataclasses
import functools
import gzip
import json

import calls
import numpy as np
import pytest
import recorded
import samples
from calls import as_list, functions, registry, run, to_array, to_numpy

import mxnet as mx

SAMPLES = samples.load_samples()
NAMES = sorted(registry())
# Gradient kernels are ordinary operators; they are checked through the gradients of those they serve.
# Operators with bodies run in symbols only: see tests/python/symbol/test_control_flow.py.
WITH_BODIES = ("_cond", "_foreach", "_while_loop")
PUBLIC = [name for name in NAMES if not name.startswith("_backward_") and name not in WITH_BODIES]
# A custom operator is what a program makes it: tests/python/test_custom_op.py.
SAMPLED = [name for name in PUBLIC if name != "Custom"]

ERRORS = (mx.MXNetError, ValueError, TypeError, IndexError, NotImplementedError)


def _ids(chosen):
    count = {}
    ids = []
    for s in chosen:
        count[s.op] = count.get(s.op, -1) + 1
        ids.append(f"{s.op}-{count[s.op]}")
    return ids


def per_sample(condition=lambda s: True):
    ids = dict(zip(map(id, SAMPLES), _ids(SAMPLES)))
    chosen = [s for s in SAMPLES if s.op in registry() and condition(s)]
    return pytest.mark.parametrize("sample", chosen, ids=[ids[id(s)] for s in chosen])


def differentiable(s):
    return (s.grad is not False and registry()[s.op]["differentiable"] and not _without_inputs(s)
            and s.op not in NO_DERIVATIVE)


def _without_inputs(s):
    return not any(x is not None and x.dtype.kind == "f" for x in s.inputs)


# --- completeness -------------------------------------------------------------------------------------------


def test_samples_name_operators():
    unknown = sorted({s.op for s in SAMPLES} - set(registry()))
    aliases = {name: functions()[name].op_info()["name"] for name in unknown if name in functions()}
    assert not unknown, f"samples of operators that do not exist, or under an alias {aliases}: {unknown}"


def test_every_operator_has_samples():
    missing = sorted(set(SAMPLED) - {s.op for s in SAMPLES})
    assert not missing, f"{len(missing)} operators have no sample: {', '.join(missing)}"


def test_every_operator_has_a_reference():
    checked = {s.op for s in SAMPLES if s.ref is not None or s.golden is not None or recorded.outputs(s)}
    missing = [name for name in PUBLIC if name not in checked and not registry()[name]["is_random"]
               and any(s.op == name for s in SAMPLES)]
    assert not missing, f"no sample of these has a reference or recorded result: {', '.join(missing)}"


@pytest.mark.parametrize("name", NAMES)
def test_documented(name):
    info = registry()[name]
    assert info["doc"].strip(), "the operator has no text"
    assert info["doc"].rstrip().endswith((".", "`", ")", ":")), f"the text ends in mid-sentence: {info['doc']!r}"
    texts = {entry[0]: entry[1] for entry in info["inputs"]}
    texts.update({entry[0]: entry[4] for entry in info["fields"] if entry[0] != info["variadic"]})
    untold = [entry for entry, text in texts.items() if not text.strip()]
    assert not untold, f"no text for {untold}"
    function = functions()[name]
    assert function.__name__ == name
    assert info["doc"].strip()[:20] in function.__doc__
    assert {p for p in function.__signature__.parameters} >= {entry[0] for entry in info["inputs"]}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITH_BODIES])
def test_runs_somewhere(name):
    assert registry()[name]["has_kernel"], "the operator has neither a kernel nor a composition"


@functools.cache
def _signatures():
    """Inputs and parameters of 1.9.1's operators by name, aliases included."""
    with gzip.open(calls.GOLDEN / "operators.json.gz", "rt") as file:
        return json.load(file)


@pytest.mark.parametrize("name", PUBLIC)
def test_names_are_those_of_mxnet(name):
    """Inputs and parameters have the names and the order of 1.9.1, under every alias."""
    info = registry()[name]
    known = [_signatures()[alias] for alias in (name, *info["aliases"]) if alias in _signatures()]
    if not known:
        pytest.skip("not an operator of 1.9.1")
    inputs = [entry[0] for entry in info["inputs"]]
    fields = [entry[0] for entry in info["fields"]]
    for old in known:
        params = [entry[0] for entry in old["params"]]
        assert inputs[:len(old["inputs"])] == old["inputs"]
        assert set(params) <= set(fields), f"missing parameters {set(params) - set(fields)}"
        assert [f for f in fields if f in params] == params, "order of parameters"


def test_aliases_resolve():
    for name, info in registry().items():
        for alias in info["aliases"]:
            assert functions()[alias].op_info()["name"] == name
    assert set(functions()) == set(mx.operator.get_all_registered_operators())


# --- results ------------------------------------------------------------------------------------------------


def _infer(sample, arrays):
    info = registry()[sample.op]
    params = dict(sample.params)
    if info["variadic"]:
        params.setdefault(info["variadic"], len(arrays))
    specs = [(None, None) if a is None else (a.shape, a._dtype_name) for a in arrays]
    return mx._core.infer(sample.op, params, specs)


@per_sample()
def test_inference_agrees_with_run(sample):
    if any(x is None for x in sample.inputs):
        pytest.skip("inference by name knows no missing inputs")
    arrays = calls.arrays_of(sample)
    outputs = run(sample, arrays)
    inferred = _infer(sample, calls.arrays_of(sample))
    assert len(inferred) >= len(outputs)
    for out, (shape, dtype) in zip(outputs, inferred):
        assert out._dtype_name == dtype
        assert shape is None or out.shape == tuple(shape)  # None where it depends on the numbers


def _check_outputs(sample, outputs, expected, what):
    expected = as_list(expected)
    assert len(outputs) >= len(expected), f"{len(outputs)} outputs, {what} has {len(expected)}"
    for i, (out, want) in enumerate(zip(outputs, expected)):
        if want is None:
            continue
        want, have = np.asarray(want), to_numpy(out)
        assert have.shape == want.shape or {have.shape, want.shape} == {(), (1,)}, f"output {i}: shapes"
        if have.dtype.kind in "iub" and want.dtype.kind in "iub":
            np.testing.assert_array_equal(have, want, err_msg=f"output {i}, {what}")
        else:
            rtol, atol = calls.tolerance(sample, out._dtype_name)
            calls.close(have, want.reshape(have.shape), rtol, atol, f"output {i}, {what}")


@per_sample(lambda s: s.ref is not None or isinstance(s.golden, (np.ndarray, list, tuple)))
def test_reference(sample):
    outputs = run(sample, calls.arrays_of(sample))
    if sample.ref is not None:
        inputs = [x.astype("float64") if x is not None and x.dtype.kind == "f" else x for x in sample.inputs]
        _check_outputs(sample, outputs, sample.ref(*inputs), "reference")
    if isinstance(sample.golden, (np.ndarray, list, tuple)):
        _check_outputs(sample, outputs, sample.golden, "golden")


@per_sample(lambda s: (s.ref is not None or not registry()[s.op]["is_random"]) and recorded.outputs(s))
def test_result_of_mxnet(sample):
    outputs = run(sample, calls.arrays_of(sample))
    expected = recorded.outputs(sample)[:len(outputs)]
    _check_outputs(sample, outputs, expected, "MXNet 1.9.1")
    for out, want in zip(outputs, expected):
        assert to_numpy(out).dtype == want.dtype, "element type differs from MXNet 1.9.1"


@per_sample(lambda s: registry()[s.op]["is_inplace"])
def test_in_place(sample):
    arrays = calls.arrays_of(sample)
    outputs = run(sample, arrays)
    if not arrays or len(outputs) != 1 or arrays[0].shape != outputs[0].shape \
            or arrays[0].dtype != outputs[0].dtype:
        pytest.skip("the output cannot take the place of the first input")
    want = to_numpy(outputs[0])
    arrays = calls.arrays_of(sample)  # anew, since states are written
    run(sample, arrays, out=arrays[0])
    np.testing.assert_array_equal(to_numpy(arrays[0]), want)


@per_sample(lambda s: registry()[s.op]["is_random"])
def test_random_numbers_follow_the_seed(sample):
    first, again = (
        [to_numpy(out) for out in run(sample, calls.arrays_of(sample))] for _ in range(2))
    for a, b in zip(first, again):
        np.testing.assert_array_equal(a, b)


@per_sample(lambda s: any(x is not None and x.dtype == "float32" for x in s.inputs))
def test_dtypes(sample):
    for dtype in calls.dtypes_of(sample):
        arrays = calls.arrays_of(sample, dtype)
        # Compare with float32 on the same, rounded numbers.
        rounded = [a if a is None or not calls.is_floating(a) else a.astype("float32") for a in arrays]
        want = [to_numpy(out) for out in run(sample, rounded)]
        outputs = run(sample, arrays)
        for out, w in zip(outputs, want):
            have = to_numpy(out)
            assert have.shape == w.shape
            if have.dtype.kind in "iub":
                np.testing.assert_array_equal(have, w, err_msg=dtype)
            else:
                calls.close(have, w, *calls.tolerance(sample, dtype), dtype)


# --- gradients ----------------------------------------------------------------------------------------------


_LOSS = "its gradient is that of a loss it stands for, not of its output"
_ZERO = "its gradient is zero by definition, though its output changes with the input"
_CHOSEN = "its gradient is chosen, not derived"
NO_DERIVATIVE = {
    "SoftmaxOutput": _LOSS, "LinearRegressionOutput": _LOSS, "LogisticRegressionOutput": _LOSS,
    "MAERegressionOutput": _LOSS, "MakeLoss": _LOSS, "make_loss": _LOSS, "SVMOutput": _LOSS,
    "IdentityAttachKLSparseReg": "a penalty is added to its gradient",
    "BlockGrad": _ZERO, "_contrib_box_iou": _ZERO, "_contrib_box_encode": _ZERO, "_contrib_box_decode": _ZERO,
    "_contrib_bipartite_matching": _ZERO, "_contrib_MultiBoxPrior": _ZERO, "_contrib_MultiBoxTarget": _ZERO,
    "_contrib_MultiBoxDetection": _ZERO, "_contrib_Proposal": _ZERO, "_contrib_MultiProposal": _ZERO,
    "_contrib_gradientmultiplier": _CHOSEN, "_contrib_round_ste": _CHOSEN, "_contrib_sign_ste": _CHOSEN,
    "_sample_multinomial": "it draws anew for every difference; see test_gradient_of_multinomial",
    "Custom": "it is what a program makes it; see test_custom_op.py",
    **dict.fromkeys(["argmax", "argmin", "argsort", "one_hot", "_unravel_index"], _ZERO),
    **{f"_sample_{name}": _ZERO for name in ("uniform", "normal", "gamma", "exponential", "poisson",
                                             "negative_binomial", "generalized_negative_binomial")},
    **{f"_random_{name}_like": _ZERO for name in ("uniform", "normal", "gamma", "exponential", "poisson",
                                                  "negative_binomial", "generalized_negative_binomial")},
}


def test_every_gradient_is_checked():
    """First and second gradients of every differentiable operator, but for those that are no derivatives."""
    sampled = [s for s in SAMPLES if s.op in registry() and differentiable(s) and s.grad2]
    checked = {s.op for s in sampled if calls.Derivatives(s).wrt}
    unchecked = {name for name in PUBLIC if registry()[name]["differentiable"]} - checked
    assert unchecked == set(NO_DERIVATIVE)


@per_sample(lambda s: s.op in NO_DERIVATIVE)
def test_chosen_gradients_are_recorded(sample):
    """What is no derivative can be recorded all the same, in a network whose gradients are differentiated."""
    derivatives = calls.Derivatives(sample)
    if not derivatives.wrt:
        pytest.skip("no input to differentiate by")
    arrays = derivatives.arrays()
    outputs = [out for out in derivatives.record(arrays) if mx._core.on_tape(out)]
    variables = [arrays[i] for i in derivatives.wrt]
    with mx.autograd.record():
        grads = mx.autograd.grad(outputs, variables, create_graph=True)
        heads = [g for g in grads if mx._core.on_tape(g)]
    if heads:
        grads = mx.autograd.grad(heads, variables)
    for g in grads:
        assert np.isfinite(to_numpy(g)).all()


@per_sample(differentiable)
def test_gradient(sample):
    derivatives = calls.Derivatives(sample)
    if not derivatives.wrt:
        pytest.skip("no input to differentiate by")
    derivatives.check_first()


@per_sample(lambda s: differentiable(s) and s.grad2)
def test_second_gradient(sample):
    derivatives = calls.Derivatives(sample)
    if not derivatives.wrt:
        pytest.skip("no input to differentiate by")
    derivatives.check_second()


@per_sample(lambda s: registry()[s.op]["differentiable"] and not _without_inputs(s))
def test_gradient_in_all_dtypes(sample):
    """Backward runs in every type and gives what it gives in float32; fused kernels are checked here too."""
    def gradients(arrays):
        variables = [a for a in arrays if a is not None and calls.is_floating(a)]
        for a in variables:
            a.attach_grad()
        with mx.autograd.record():
            outputs = [out for out in run(sample, arrays) if calls.is_floating(out)]
        if not any(mx._core.on_tape(out) for out in outputs):
            return []
        mx.autograd.backward(outputs)
        return [to_numpy(a.grad) for a in variables]

    for dtype in calls.dtypes_of(sample):
        arrays = calls.arrays_of(sample, dtype)
        rounded = [a if a is None or not calls.is_floating(a) else a.astype("float32") for a in arrays]
        for have, want in zip(gradients(arrays), gradients(rounded)):
            rtol, atol = calls.tolerance(sample, dtype)
            calls.close(have, want, 2 * rtol, 2 * atol, dtype)


# --- odd inputs and errors ----------------------------------------------------------------------------------


def _survives(sample, arrays):
    """The call gives a result or a plain error."""
    try:
        run(sample, arrays)
    except ERRORS as error:
        _plain(error, sample.op)


def _plain(error, op):
    text = str(error)
    assert text.startswith(f"{op}:") or op == "", f"the message does not start with the operator: {text!r}"
    assert "\n" not in text and "Check failed" not in text, f"not one plain sentence: {text!r}"


@per_sample()
def test_empty_inputs(sample):
    arrays = [None if x is None else to_array(x if x.ndim == 0 else x[:0]) for x in sample.inputs]
    _survives(sample, arrays)
    arrays = [None if x is None else to_array(x if x.ndim == 0 else x[..., :0]) for x in sample.inputs]
    _survives(sample, arrays)


@per_sample()
def test_scalar_inputs(sample):
    _survives(sample, [None if x is None else to_array(np.array(x.reshape(-1)[0] if x.size else 0, x.dtype))
                       for x in sample.inputs])


@per_sample()
def test_more_dimensions(sample):
    _survives(sample, [None if x is None else to_array(x.reshape((1,) * 5 + x.shape)) for x in sample.inputs])


@per_sample()
def test_other_dtypes(sample):
    for dtype in ("int32", "int8", "bool"):
        arrays = [None if x is None else to_array(np.abs(x).astype(dtype)) for x in sample.inputs]
        _survives(sample, arrays)


def _first_samples():
    first = {}
    for s in SAMPLES:
        first.setdefault(s.op, s)
    return pytest.mark.parametrize("sample", [s for s in first.values() if s.op in registry()],
                                   ids=[op for op in first if op in registry()])


@_first_samples()
def test_wrong_keyword(sample):
    if not registry()[sample.op]["fields"]:
        with pytest.warns(UserWarning, match="no_such_parameter"):
            run(sample, calls.arrays_of(sample), no_such_parameter=1)
        return
    with pytest.raises(TypeError) as caught:
        run(sample, calls.arrays_of(sample), no_such_parameter=1)
    _plain(caught.value, sample.op)
    assert "no_such_parameter" in str(caught.value)
    assert isinstance(caught.value, mx.MXNetError)


@_first_samples()
def test_missing_input(sample):
    info = registry()[sample.op]
    if info["variadic"] or not info["inputs"] or info["inputs"][0][2]:
        pytest.skip("no input is required")
    with pytest.raises(TypeError) as caught:
        functions()[sample.op](**sample.params)
    _plain(caught.value, sample.op)


@_first_samples()
def test_wrong_kind_of_input(sample):
    if not any(x is not None for x in sample.inputs):
        pytest.skip("no inputs")
    with pytest.raises(TypeError) as caught:
        functions()[sample.op](*[None if x is None else "text" for x in sample.inputs], **sample.params)
    assert isinstance(caught.value, mx.MXNetError)
    _plain(caught.value, sample.op)


def _wrong_values(kind):
    """Values that a parameter of a type cannot have."""
    if kind.startswith("{"):
        return ["no such value", 12345]
    if kind.startswith(("int", "long", "boolean", "float", "double")):
        return ["text", (1, 2), [], "1.2.3"]
    if kind.startswith(("Shape", "tuple")):
        return ["text", ("a", "b"), (1.5, "c")]
    return ["no such type"] if kind.startswith("dtype") else []


def _odd_values(kind):
    """Values of a parameter's type that may not make sense."""
    if kind.startswith("int"):
        return [-7, 0, 99, 2 ** 40]
    if kind.startswith(("float", "double")):
        return [-1e30, 0, 1e30, float("nan"), float("inf")]
    if kind.startswith("Shape"):
        return [(), (-7,), (0,), (1,) * 9, (3, -7), 5]
    if kind.startswith("tuple"):
        return [(), (-7,), (0,) * 9, (1e30, -1)]
    return [None]


def _fields(sample):
    info = registry()[sample.op]
    return [(entry[0], entry[1]) for entry in info["fields"] if entry[0] != info["variadic"]]


@_first_samples()
def test_wrong_type_of_parameter(sample):
    """A value of another type is refused with a sentence that names operator and parameter."""
    for name, kind in _fields(sample):
        for value in _wrong_values(kind):
            with pytest.raises(ERRORS) as caught:
                run(dataclasses.replace(sample, params={**sample.params, name: value}), calls.arrays_of(sample))
            _plain(caught.value, sample.op)
            assert name in str(caught.value), f"{name}={value!r}: the message does not name it: {caught.value}"


@_first_samples()
def test_odd_values_of_parameters(sample):
    """A value out of range gives a plain error, or a result where it means something."""
    for name, kind in _fields(sample):
        for value in _odd_values(kind):
            _survives(dataclasses.replace(sample, params={**sample.params, name: value}), calls.arrays_of(sample))


@per_sample(lambda s: any(x is not None and x.ndim for x in s.inputs))
def test_shapes_that_do_not_fit(sample):
    """One input that is longer, has an axis more, or one less than it should."""
    for i, x in enumerate(sample.inputs):
        if x is None or x.ndim == 0 or x.size > 5000:  # a long vector would broadcast against the rest to gigabytes
            continue
        for changed in (np.concatenate([x, x], axis=-1), np.concatenate([x, x], axis=0), x[None], x[..., None], x[:1],
                        x.reshape(-1)):
            arrays = calls.arrays_of(sample)
            arrays[i] = to_array(changed)
            _survives(sample, arrays)


@per_sample(lambda s: sum(x is not None for x in s.inputs) > 1)
def test_dtypes_that_do_not_fit(sample):
    """One input of another element type than the others."""
    for i, x in enumerate(sample.inputs):
        if x is None:
            continue
        for dtype in ("float64", "float16", "int32", "bool"):
            arrays = calls.arrays_of(sample)
            arrays[i] = to_array(np.abs(x).astype(dtype))
            _survives(sample, arrays)


# --- other ways to run --------------------------------------------------------------------------------------


class _Way:
    """One way to run a sample's operator with gradients: the outputs, and the gradients of floating inputs."""

    def __init__(self, sample):
        self.sample = sample
        module, name = mx.nd.register.place_of(sample.op)
        self.find = lambda F: getattr(F if module == "op" else getattr(F, module), name)

    def variables(self, arrays):
        mutable = calls.Derivatives(self.sample)._mutable()
        return [i for i, a in enumerate(arrays) if calls.is_floating(a) and i not in mutable]

    def recorded(self, function, arrays):
        """By autograd, of any function of the arrays."""
        chosen = self.variables(arrays)
        for i in chosen:
            arrays[i].attach_grad()
        mx.random.seed(11)
        with mx.autograd.record():
            outputs = as_list(function(*arrays))
            heads = [out for out in outputs if calls.is_floating(out) and mx._core.on_tape(out)]
        if heads:
            mx.autograd.backward(heads)
        return [to_numpy(out) for out in outputs], [to_numpy(arrays[i].grad) for i in chosen]

    def executed(self, arrays):
        """By an executor."""
        names = [f"input{i}" for i in range(len(arrays))]
        net = self.find(mx.sym)(*map(mx.sym.var, names), **self.sample.params)
        given = dict(zip(names, arrays))
        grads = {names[i]: mx.nd.zeros(arrays[i].shape, dtype=arrays[i].dtype) for i in self.variables(arrays)}
        args, states = net.list_arguments(), net.list_auxiliary_states()
        executor = net.bind(mx.cpu(), {n: given[n] for n in args}, {n: g for n, g in grads.items() if n in args},
                            aux_states={n: given[n] for n in states})
        mx.random.seed(11)
        outputs = executor.forward(is_train=True)
        executor.backward([out.ones_like() if calls.is_floating(out) else out.zeros_like() for out in outputs])
        return [to_numpy(out) for out in outputs], [to_numpy(g) for g in grads.values()]


@per_sample()
def test_symbolic_and_hybridized(sample):
    """An executor and a hybridized block give what the operator gives on arrays, and the same gradients."""
    if any(x is None for x in sample.inputs) or not sample.inputs:
        pytest.skip("a graph's inputs cannot be missing")
    if mx.nd.register.place_of(sample.op) is None:
        pytest.skip("not an operator of mx.nd")
    way = _Way(sample)

    class Block(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, *inputs):
            return way.find(F)(*inputs, **sample.params)

    want, grads = way.recorded(Block(), calls.arrays_of(sample))
    if not want:
        pytest.skip("the operator has no outputs")
    block = Block()
    block.hybridize()
    for outputs, gradients in (way.recorded(block, calls.arrays_of(sample)), way.executed(calls.arrays_of(sample))):
        for h, w in zip(outputs + gradients, want + grads, strict=True):
            np.testing.assert_allclose(h, w, rtol=1e-5, atol=1e-6)
    assert block._cached_graph, "the block was not compiled"
