"""Texts to train language models on."""
import os
from collections import Counter

import numpy as np

from .... import ndarray
from ....base import data_dir
from ...data.dataset import _DownloadedDataset
from ...utils import _get_repo_file_url, download

__all__ = ["WikiText103", "WikiText2"]

_END = "<eos>"


class _WikiText(_DownloadedDataset):
    """Articles of the English Wikipedia, as runs of `seq_len` words, each with the words that follow by one."""

    _namespace = None
    _archive = None
    _files = {"train": "wiki.train.tokens", "validation": "wiki.valid.tokens", "test": "wiki.test.tokens"}

    def __init__(self, root, segment, vocab, seq_len):
        if segment not in self._files:
            raise KeyError(f"{type(self).__name__}: segment must be 'train', 'validation' or 'test', got {segment!r}")
        self._segment = segment
        self._seq_len = seq_len
        self._vocab = vocab
        self._counter = None
        super().__init__(root, None)

    @property
    def vocabulary(self):
        """The `mxnet.contrib.text.vocab.Vocabulary` that numbers the words: the one given, or that of this text."""
        return self._vocab

    @property
    def frequencies(self):
        """A Counter of the words of this text."""
        return self._counter

    def _get_data(self):
        path = os.path.join(self._root, self._files[self._segment])
        if not os.path.exists(path):
            self._unpack()
        with open(path, encoding="utf-8") as file:
            lines = [words for words in (line.split() for line in file) if words]
        self._counter = Counter(word for words in lines for word in words)
        if self._vocab is None:
            from ....contrib.text.vocab import Vocabulary
            self._vocab = Vocabulary(self._counter, reserved_tokens=[_END])
        numbers = self._vocab.to_indices([word for words in lines for word in (*words, _END)])
        length = (len(numbers) - 1) // self._seq_len * self._seq_len if numbers else 0
        numbers = np.array(numbers[:length + 1], dtype=np.int32)
        self._data = ndarray.array(numbers[:length].reshape(-1, self._seq_len), dtype="int32")
        self._label = ndarray.array(numbers[1:].reshape(-1, self._seq_len), dtype="int32")

    def _unpack(self):
        import zipfile
        name, sha1 = self._archive
        archive = os.path.join(self._root, name)
        url = _get_repo_file_url(f"gluon/dataset/{self._namespace}", name)
        try:
            download(url, path=archive, sha1_hash=sha1, retries=1)
        except RuntimeError as error:
            raise RuntimeError(f"{type(self).__name__}: '{self._files[self._segment]}' is not in '{self._root}' and "
                               f"could not be downloaded ({error.__cause__}); put the file there, or name its folder "
                               "with root=") from error
        with zipfile.ZipFile(archive) as contents:
            for member in contents.namelist():
                name = os.path.basename(member)
                if name in self._files.values():
                    with open(os.path.join(self._root, name), "wb") as out:
                        out.write(contents.read(member))


class WikiText2(_WikiText):
    """Two million words of the English Wikipedia (Merity et al., 2016), of those that readers found good.

    A sample is a pair of NDArrays of shape (seq_len,) and type int32: words, and the words that follow them by one.
    A line ends with the word ``<eos>``.

    Parameters
    ----------
    root : str
        Folder of the files ``wiki.train.tokens`` and so on; they are downloaded when they are not there.
    segment : {'train', 'validation', 'test'}
        Which part to take. KeyError for another one.
    vocab : mxnet.contrib.text.vocab.Vocabulary, optional
        Numbers the words; made of this text by default.
    seq_len : int
        Words in a sample.

    Raises
    ------
    RuntimeError
        When a file is not there and cannot be downloaded.
    """

    _namespace = "wikitext-2"
    _archive = ("wikitext-2-v1.zip", "3c914d17d80b1459be871a5039ac23e752a53cbe")

    def __init__(self, root=os.path.join(data_dir(), "datasets", "wikitext-2"),  # noqa: B008
                 segment="train", vocab=None, seq_len=35):
        super().__init__(root, segment, vocab, seq_len)


class WikiText103(_WikiText):
    """A hundred million words of the English Wikipedia, in the format of `WikiText2`."""

    _namespace = "wikitext-103"
    _archive = ("wikitext-103-v1.zip", "0aec09a7537b58d4bb65362fee27650eeaba625a")

    def __init__(self, root=os.path.join(data_dir(), "datasets", "wikitext-103"),  # noqa: B008
                 segment="train", vocab=None, seq_len=35):
        super().__init__(root, segment, vocab, seq_len)
