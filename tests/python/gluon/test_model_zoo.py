"""The networks of the zoo agree with MXNet 1.9.1."""
import numpy as np
import pytest
import zoo_cases as cases

import mxnet as mx
from mxnet.gluon.model_zoo import model_store, vision

RECORDED = cases.recorded()


def test_names():
    assert cases.names(mx) == RECORDED["names"]


@pytest.mark.parametrize("name", RECORDED["names"])
def test_description(name):
    have, wanted = cases.describe(mx, name), RECORDED["models"][name]
    for key in ("repr", "params", "places", "blocks"):
        assert have[key] == wanted[key], key


@pytest.mark.parametrize("name", cases.RUN)
def test_output(name, compiled):
    have, wanted = cases.run(mx, name), RECORDED["runs"][name]
    assert have["shapes"] == wanted["shapes"]
    scale = np.abs(wanted["out"]).max()
    np.testing.assert_allclose(have["out"], wanted["out"], rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("name", cases.RUN)
def test_training(name):
    have, wanted = np.array(cases.train(mx, name)), np.array(RECORDED["losses"][name])
    assert wanted[-1].mean() < wanted[0].mean()
    np.testing.assert_allclose(have, wanted, rtol=1e-3, atol=2e-3 * wanted.max())


def test_thumbnails_and_arguments():
    net = vision.ResNetV1(vision.BottleneckV1, [1, 1], [4, 8, 16], classes=3, thumbnail=True)
    net.initialize()
    assert net(mx.nd.ones((2, 3, 8, 8))).shape == (2, 3)
    net = vision.get_model("ResNet18_v2", classes=4, thumbnail=True)
    net.initialize()
    assert net(mx.nd.ones((1, 3, 16, 16))).shape == (1, 4)
    net = vision.DenseNet(4, 3, [2, 2], dropout=0.5, classes=3)
    net.initialize()
    assert net(mx.nd.ones((1, 3, 120, 120))).shape == (1, 3)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="no model 'resnet19_v1'"):
        vision.get_model("resnet19_v1")
    with pytest.raises(AssertionError, match=r"num_layers must be one of \[18, 34, 50, 101, 152\], got 19"):
        vision.get_resnet(1, 19)
    with pytest.raises(AssertionError, match="version must be 1 or 2, got 3"):
        vision.get_resnet(3, 18)
    with pytest.raises(KeyError, match="num_layers"):
        vision.get_vgg(12)
    with pytest.raises(AssertionError, match="version must be '1.0' or '1.1'"):
        vision.SqueezeNet("2.0")
    with pytest.raises(AssertionError, match="channels must be one longer"):
        vision.ResNetV1(vision.BasicBlockV1, [1, 2], [3, 4])


def test_pretrained_from_a_folder(tmp_path, monkeypatch):
    net = vision.mobilenet0_25()
    net.initialize()
    x = mx.nd.random.uniform(shape=(1, 3, 32, 32))
    wanted = net(x).asnumpy()
    net.save_parameters(str(tmp_path / "mobilenet0.25-9f83e440.params"))
    again = vision.get_model("mobilenet0.25", pretrained=True, root=str(tmp_path), ctx=mx.cpu())
    np.testing.assert_array_equal(again(x).asnumpy(), wanted)

    (tmp_path / "mobilenet0.25-9f83e440.params").rename(tmp_path / "mobilenet0.25.params")
    assert model_store.get_model_file("mobilenet0.25", root=str(tmp_path)).endswith("mobilenet0.25.params")
    model_store.purge(str(tmp_path))
    assert not list(tmp_path.iterdir())

    monkeypatch.setenv("MXNET_GLUON_REPO", "http://127.0.0.1:1")
    with pytest.raises(RuntimeError, match=r"the pretrained weights of mobilenet0\.25 are not at .*9f83e440\.params"):
        vision.mobilenet0_25(pretrained=True, root=str(tmp_path))
    with pytest.raises(ValueError, match="no pretrained weights of a model 'other'"):
        model_store.get_model_file("other")


def test_a_summary_lists_the_body_of_a_block_before_its_shortcut(capsys):
    net = vision.resnet18_v1(classes=10)
    net.initialize()
    net.summary(mx.nd.ones((1, 3, 32, 32)))
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "-" in line.split(" (")[0].strip("-")]
    assert rows[16:22] == ["Conv2D-17", "BatchNorm-18", "Activation-19", "Conv2D-20", "BatchNorm-21", "Conv2D-22"]
