"""Vocabularies, vectors of words, and texts for language models. The values were seen with MXNet 1.9.1."""
from collections import Counter

import numpy as np
import pytest

import mxnet as mx
from mxnet.contrib.text import embedding, utils
from mxnet.contrib.text.vocab import Vocabulary
from mxnet.gluon.contrib.data import IntervalSampler
from mxnet.gluon.contrib.data.text import WikiText2, WikiText103

COUNTER = Counter(["b", "b", "a", "c", "c", "c", "some_word$"])


def test_counting():
    text = " Life is great ! \n life is good . \n"
    counted = {"life": 2, "is": 2, "great": 1, "!": 1, "good": 1, ".": 1}
    assert utils.count_tokens_from_str(text, to_lower=True) == counted
    counter = Counter(["a"])
    assert utils.count_tokens_from_str("a*b|a*c", "*", "|", counter_to_update=counter) is counter
    assert counter == {"a": 3, "b": 1, "c": 1}
    assert utils.count_tokens_from_str("a12b1c;d", r"\d+", ";") == {"a": 1, "b": 1, "c": 1, "d": 1}


@pytest.mark.parametrize("kwargs, tokens", [
    ({}, ["<unk>", "c", "b", "a", "some_word$"]),
    ({"most_freq_count": 2}, ["<unk>", "c", "b"]),
    ({"min_freq": 2}, ["<unk>", "c", "b"]),
    ({"min_freq": 10}, ["<unk>"]),
    ({"unknown_token": "b"}, ["b", "c", "a", "some_word$"]),
    ({"most_freq_count": 2, "unknown_token": "u", "reserved_tokens": ["<pad>", "b"]}, ["u", "<pad>", "b", "c", "a"])])
def test_vocabulary(kwargs, tokens):
    vocab = Vocabulary(COUNTER, **kwargs)
    assert vocab.idx_to_token == tokens and len(vocab) == len(tokens)
    assert vocab.token_to_idx == {token: i for i, token in enumerate(tokens)}
    assert vocab.unknown_token == tokens[0] and vocab.reserved_tokens == kwargs.get("reserved_tokens")


def test_lookups():
    vocab = Vocabulary(COUNTER)
    assert vocab.to_indices("c") == 1 and vocab.to_indices(["c", "zz"]) == [1, 0] and vocab.to_indices([]) == []
    assert vocab.to_tokens(0) == "<unk>" and vocab.to_tokens([1, np.int64(2)]) == ["c", "b"]
    for index in (5, -1, 1.0, [1, 100]):
        with pytest.raises(ValueError, match="is not one of the 5 tokens"):
            vocab.to_tokens(index)


@pytest.mark.parametrize("kwargs, message", [
    ({"min_freq": 0}, "min_freq must be positive, got 0"),
    ({"reserved_tokens": ["a", "a"]}, "holds a token twice"),
    ({"reserved_tokens": ["<unk>"]}, "'<unk>' cannot be reserved"),
    ({"counter": {"a": 1}}, "must be a collections.Counter")])
def test_wrong_vocabularies(kwargs, message):
    with pytest.raises(AssertionError, match=message):
        Vocabulary(**{"counter": COUNTER, **kwargs})


def written(path, text):
    path.write_text(text)
    return str(path)


@pytest.fixture
def vectors(tmp_path):
    with pytest.warns(UserWarning, match="'a' is there a second time"):
        return embedding.CustomEmbedding(written(tmp_path / "v.txt", "a 0.1 0.2 0.3\nb 1 2 3\n<unk> 9 9 9\na 5 5 5\n"))


def test_custom_embedding(vectors, tmp_path):
    assert len(vectors) == vectors.vec_len == 3 and vectors.idx_to_token == ["<unk>", "a", "b"]
    rows = np.array([[9, 9, 9], [0.1, 0.2, 0.3], [1, 2, 3]], dtype="float32")
    assert (vectors.idx_to_vec.asnumpy() == rows).all()
    assert (vectors.get_vecs_by_tokens("a").asnumpy() == rows[1]).all()
    assert (vectors.get_vecs_by_tokens(["A", "b"]).asnumpy() == rows[[0, 2]]).all()
    assert (vectors.get_vecs_by_tokens(["A", "zz"], lower_case_backup=True).asnumpy() == rows[[1, 0]]).all()
    with pytest.warns(UserWarning, match="'2' with one element looks like a header"):
        headed = embedding.CustomEmbedding(written(tmp_path / "h.txt", "2 3\na 0.1 0.2 0.3\n"))
    assert headed.idx_to_token == ["<unk>", "a"] and headed.idx_to_vec[0].asnumpy().tolist() == [0, 0, 0]
    other = embedding.CustomEmbedding(written(tmp_path / "d.txt", "a\t0.5\t2\n"), "\t", init_unknown_vec=mx.nd.ones,
                                      unknown_token="<U>")
    assert other.unknown_token == "<U>" and other.idx_to_vec.asnumpy().tolist() == [[1, 1], [0.5, 2]]


def test_vectors_of_a_vocabulary(vectors, tmp_path):
    vocab = Vocabulary(COUNTER, reserved_tokens=["<pad>"])
    other = embedding.CustomEmbedding(written(tmp_path / "o.txt", "a 7 8\n"))
    both = embedding.CompositeEmbedding(vocab, [vectors, other])
    assert both.idx_to_token == vocab.idx_to_token and both.reserved_tokens == ["<pad>"] and both.vec_len == 5
    assert both.get_vecs_by_tokens(["b", "a", "c"]).asnumpy().tolist() == [
        [1, 2, 3, 0, 0], [*np.float32([0.1, 0.2, 0.3]), 7, 8], [9, 9, 9, 0, 0]]
    taken = embedding.CustomEmbedding(str(tmp_path / "o.txt"), vocabulary=vocab)
    assert taken.idx_to_vec.shape == (6, 2) and taken.get_vecs_by_tokens("a").asnumpy().tolist() == [7, 8]
    with pytest.raises(AssertionError, match="expected embeddings"):
        embedding.CompositeEmbedding(vocab, [vocab])


def test_updates(vectors):
    vectors.update_token_vectors("a", mx.nd.array([7, 8, 9]))
    vectors.update_token_vectors(["b", "<unk>"], mx.nd.array([[1, 1, 1], [0, 0, 1]]))
    assert vectors.idx_to_vec.asnumpy().tolist() == [[0, 0, 1], [7, 8, 9], [1, 1, 1]]
    with pytest.raises(ValueError, match="'zz' is not in the vocabulary"):
        vectors.update_token_vectors("zz", mx.nd.ones((3,)))
    for tokens, new in (("a", mx.nd.ones((2,))), (["a", "b"], mx.nd.ones((3,))), ("a", [1, 2, 3])):
        with pytest.raises(AssertionError, match="must be an NDArray of shape"):
            vectors.update_token_vectors(tokens, new)


@pytest.mark.parametrize("text, kind, message", [
    ("a 1 2 3\nb 1 2\n", AssertionError, "line 2: token 'b' has 2 elements, but those before have 3"),
    ("a\n", AssertionError, "line 1: expected a token and its elements"),
    ("a 1 x\n", AssertionError, "line 1: the elements are not all numbers"),
    ("", ValueError, "holds no vectors"),
    (None, ValueError, "there is no file")])
def test_damaged_vectors(tmp_path, text, kind, message):
    path = tmp_path / "vectors.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(kind, match=message):
        embedding.CustomEmbedding(str(path))


def test_pretrained_files(tmp_path, monkeypatch):
    names = embedding.get_pretrained_file_names()
    assert len(names["glove"]) == 10 and len(names["fasttext"]) == 327
    assert "wiki.multi.de.vec" in names["fasttext"]
    with pytest.raises(KeyError, match="no embedding 'x'"):
        embedding.get_pretrained_file_names("x")
    with pytest.raises(KeyError, match="no file 'x.txt'"):
        embedding.GloVe("x.txt")
    monkeypatch.setenv("MXNET_GLUON_REPO", (tmp_path / "no-such-mirror").as_uri())
    with pytest.raises(RuntimeError, match="is not there and could not be downloaded .* embedding_root="):
        embedding.create("glove", pretrained_file_name="glove.6B.50d.txt", embedding_root=str(tmp_path))
    (tmp_path / "fasttext").mkdir(exist_ok=True)
    (tmp_path / "fasttext" / "wiki.simple.vec").write_text("a 1 2 3\n")
    assert embedding.create("FastText", embedding_root=str(tmp_path)).vec_len == 3


def test_interval_sampler():
    assert list(IntervalSampler(13, interval=3)) == [0, 3, 6, 9, 12, 1, 4, 7, 10, 2, 5, 8, 11]
    assert list(IntervalSampler(13, interval=3, rollover=False)) == [0, 3, 6, 9, 12]
    assert len(IntervalSampler(13, 3)) == 13 and len(IntervalSampler(13, 3, False)) == 5
    for length, interval in ((3, 5), (0, 1), (5, 0)):
        with pytest.raises(AssertionError, match="interval must be"):
            IntervalSampler(length, interval)


def test_wikitext(tmp_path, monkeypatch):
    (tmp_path / "wiki.train.tokens").write_text(" = T = \n\n the cat sat on \n the mat <unk> @-@ x\n")
    (tmp_path / "wiki.valid.tokens").write_text(" the dog sat on a mat = \n\n the\n")
    train = WikiText2(str(tmp_path), seq_len=3)
    assert [(x.asnumpy().tolist(), y.asnumpy().tolist()) for x, y in train] == [
        ([2, 5, 2], [5, 2, 1]), ([1, 3, 6], [3, 6, 9]), ([9, 8, 1], [8, 1, 3]), ([3, 7, 0], [7, 0, 4])]
    assert train[0][0].dtype == np.int32
    assert train.vocabulary.idx_to_token == ["<unk>", "<eos>", "=", "the", "@-@", "T", "cat", "mat", "on", "sat", "x"]
    valid = WikiText103(str(tmp_path), "validation", vocab=train.vocabulary, seq_len=2)
    assert [y.asnumpy().tolist() for _, y in valid] == [[0, 9], [8, 0], [7, 2], [1, 3]]
    assert valid.frequencies["the"] == 2
    assert len(WikiText2(str(tmp_path), "validation", seq_len=100)) == 0
    with pytest.raises(KeyError, match="segment must be"):
        WikiText2(str(tmp_path), "nope")
    monkeypatch.setenv("MXNET_GLUON_REPO", (tmp_path / "no-such-mirror").as_uri())
    with pytest.raises(RuntimeError, match="'wiki.test.tokens' is not in .* and could not be downloaded"):
        WikiText2(str(tmp_path), "test")
