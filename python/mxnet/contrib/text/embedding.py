"""Vectors of words, as files hold them."""
import os
import warnings

import numpy as np

from ... import ndarray, registry
from ...base import data_dir
from ...gluon.utils import _get_repo_file_url, download
from . import _pretrained
from .vocab import Vocabulary

__all__ = ["CompositeEmbedding", "CustomEmbedding", "FastText", "GloVe", "create", "get_pretrained_file_names",
           "register"]


class _TokenEmbedding(Vocabulary):
    """The base of all embeddings: a vocabulary with a vector for each token, rows of `idx_to_vec`.

    A subclass that is registered names its files in `pretrained_file_name_sha1`.
    """

    pretrained_file_name_sha1 = {}

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._vec_len = 0
        self._idx_to_vec = None

    @classmethod
    def _get_download_file_name(cls, pretrained_file_name):
        """The file to download, which may be an archive that holds the one wanted."""
        return pretrained_file_name

    @classmethod
    def _check_pretrained_file_names(cls, pretrained_file_name):
        known = cls.pretrained_file_name_sha1
        if pretrained_file_name not in known:
            raise KeyError(f"{cls.__name__}: there is no file {pretrained_file_name!r}; there are {', '.join(known)}")

    @classmethod
    def _get_pretrained_file(cls, embedding_root, pretrained_file_name):
        """The path of a file, downloaded and unpacked when it is not there."""
        kind = cls.__name__.lower()
        folder = os.path.join(os.path.expanduser(embedding_root), kind)
        path = os.path.join(folder, pretrained_file_name)
        if os.path.exists(path):
            return path
        name = cls._get_download_file_name(pretrained_file_name)
        url = _get_repo_file_url(f"gluon/embeddings/{kind}", name)
        try:
            archive = download(url, os.path.join(folder, name), retries=1)
        except RuntimeError as error:
            raise RuntimeError(f"{cls.__name__}: '{path}' is not there and could not be downloaded "
                               f"({error.__cause__}); put the file there, or name its folder with embedding_root="
                               ) from error
        if archive.endswith(".zip"):
            import zipfile
            with zipfile.ZipFile(archive) as contents:
                contents.extractall(folder)
        return path

    def _load_embedding(self, path, elem_delim, init_unknown_vec, encoding="utf8"):
        """Adds the tokens of a file: lines of a token and its elements."""
        path = os.path.expanduser(path)
        if not os.path.isfile(path):
            raise ValueError(f"{type(self).__name__}: there is no file '{path}'")
        rows, unknown, seen = [None] * len(self), None, set()
        with open(path, encoding=encoding) as file:
            for number, line in enumerate(file, 1):
                token, *elements = line.rstrip().split(elem_delim)
                if not elements:
                    raise AssertionError(f"'{path}', line {number}: expected a token and its elements with "
                                         f"{elem_delim!r} between them, got {line.rstrip()!r}")
                vector = self._vector_of(path, number, elements)
                if token == self.unknown_token and unknown is None:
                    self._check_length(path, number, token, vector)
                    unknown = vector
                elif token in seen or token in self._token_to_idx and token != self.unknown_token:
                    warnings.warn(f"'{path}', line {number}: token {token!r} is there a second time, and is left out",
                                  stacklevel=4)
                elif len(vector) == 1:
                    warnings.warn(f"'{path}', line {number}: token {token!r} with one element looks like a header, and "
                                  "is left out", stacklevel=4)
                else:
                    self._check_length(path, number, token, vector)
                    seen.add(token)
                    self._append(token)
                    rows.append(vector)
        if self._vec_len == 0:
            raise ValueError(f"{type(self).__name__}: '{path}' holds no vectors")
        if unknown is None:
            unknown = init_unknown_vec(shape=self._vec_len).asnumpy()
        self._idx_to_vec = ndarray.array(np.stack([unknown if row is None else row for row in rows]))

    def _vector_of(self, path, number, elements):
        try:
            return np.array(elements, dtype=np.float32)
        except ValueError:
            raise AssertionError(f"'{path}', line {number}: the elements are not all numbers") from None

    def _check_length(self, path, number, token, vector):
        if self._vec_len not in (0, len(vector)):
            raise AssertionError(f"'{path}', line {number}: token {token!r} has {len(vector)} elements, but those "
                                 f"before have {self._vec_len}")
        self._vec_len = len(vector)

    def _adopt(self, vocabulary, embeddings):
        """Takes over the tokens of `vocabulary`, with vectors that join those of `embeddings`."""
        if not isinstance(vocabulary, Vocabulary):
            raise AssertionError(f"{type(self).__name__}: vocabulary must be a Vocabulary, got {type(vocabulary)}")
        tokens = list(vocabulary.idx_to_token)
        vectors = [embedding.get_vecs_by_tokens(tokens) for embedding in embeddings]
        self._idx_to_vec = ndarray.concat(*vectors, dim=1) if len(vectors) > 1 else vectors[0]
        self._vec_len = self._idx_to_vec.shape[1]
        self._idx_to_token = tokens
        self._token_to_idx = dict(vocabulary.token_to_idx)
        self._unknown_token = vocabulary.unknown_token
        self._reserved_tokens = vocabulary.reserved_tokens

    def _load(self, path, elem_delim, init_unknown_vec, vocabulary, encoding="utf8"):
        self._load_embedding(path, elem_delim, init_unknown_vec, encoding)
        if vocabulary is not None:
            self._adopt(vocabulary, [self])

    @property
    def vec_len(self):
        """Length of the vectors."""
        return self._vec_len

    @property
    def idx_to_vec(self):
        """The vectors, NDArray of shape (number of tokens, vec_len)."""
        return self._idx_to_vec

    def get_vecs_by_tokens(self, tokens, lower_case_backup=False):
        """The vectors of tokens.

        Parameters
        ----------
        tokens : str or list of str
            The tokens.
        lower_case_backup : bool
            Whether a token that is unknown is looked for in lower case.

        Returns
        -------
        NDArray
            Of shape (vec_len,) for one token, (number of tokens, vec_len) for a list.
        """
        wanted = tokens if isinstance(tokens, list) else [tokens]
        if lower_case_backup:
            wanted = [token if token in self._token_to_idx else token.lower() for token in wanted]
        vectors = self._idx_to_vec.take(ndarray.array(self.to_indices(wanted), dtype="int64"))
        return vectors if isinstance(tokens, list) else vectors[0]

    def update_token_vectors(self, tokens, new_vectors):
        """Sets the vectors of tokens.

        Parameters
        ----------
        tokens : str or list of str
            The tokens. ValueError for one that is not in the vocabulary.
        new_vectors : NDArray
            One row for each token, or shape (vec_len,) for one token. AssertionError for other shapes.
        """
        wanted = tokens if isinstance(tokens, list) else [tokens]
        shape = (len(wanted), self._vec_len)
        if not isinstance(new_vectors, ndarray.NDArray) or new_vectors.shape != shape and not (
                len(wanted) == 1 and new_vectors.shape == shape[1:]):
            raise AssertionError(f"update_token_vectors: new_vectors must be an NDArray of shape {shape}, got "
                                 f"{getattr(new_vectors, 'shape', type(new_vectors))}")
        unknown = [token for token in wanted if token not in self._token_to_idx]
        if unknown:
            raise ValueError(f"update_token_vectors: token {unknown[0]!r} is not in the vocabulary; to change the "
                             f"vector of all unknown tokens, name {self.unknown_token!r}")
        self._idx_to_vec[ndarray.array(self.to_indices(wanted), dtype="int64")] = new_vectors.reshape(shape)


register = registry.get_register_func(_TokenEmbedding, "token embedding")
_create = registry.get_create_func(_TokenEmbedding, "token embedding")


def create(embedding_name, **kwargs):
    """Makes a registered embedding by name, such as 'glove' or 'fasttext'.

    Examples
    --------
    >>> glove = mx.contrib.text.embedding.create("glove", pretrained_file_name="glove.6B.50d.txt")
    """
    return _create(embedding_name, **kwargs)


def get_pretrained_file_names(embedding_name=None):
    """The names of the files of a registered embedding; a dict of those of all without a name. KeyError if unknown."""
    kinds = registry.get_registry(_TokenEmbedding)
    names = {name: list(kind.pretrained_file_name_sha1) for name, kind in kinds.items()}
    if embedding_name is None:
        return names
    if embedding_name not in names:
        raise KeyError(f"get_pretrained_file_names: there is no embedding {embedding_name!r}; there are "
                       f"{', '.join(names)}")
    return names[embedding_name]


@register
class GloVe(_TokenEmbedding):
    """Vectors of words after Pennington, Socher and Manning (2014).

    Parameters
    ----------
    pretrained_file_name : str
        Which file; see `get_pretrained_file_names`. KeyError if there is none.
    embedding_root : str
        Folder of the files, in a folder ``glove`` in it; they are downloaded when they are not there.
    init_unknown_vec : callable
        Makes the vector of unknown tokens when the file has none.
    vocabulary : Vocabulary, optional
        The tokens to take; all of the file by default.
    kwargs
        Further arguments of `Vocabulary`.

    Raises
    ------
    RuntimeError
        When the file is not there and cannot be downloaded.
    """

    pretrained_file_name_sha1 = _pretrained.GLOVE

    def __init__(self, pretrained_file_name="glove.840B.300d.txt",
                 embedding_root=os.path.join(data_dir(), "embeddings"),  # noqa: B008
                 init_unknown_vec=ndarray.zeros, vocabulary=None, **kwargs):
        self._check_pretrained_file_names(pretrained_file_name)
        super().__init__(**kwargs)
        path = self._get_pretrained_file(embedding_root, pretrained_file_name)
        self._load(path, " ", init_unknown_vec, vocabulary)

    @classmethod
    def _get_download_file_name(cls, pretrained_file_name):
        name = pretrained_file_name.removesuffix(".txt")
        shared = name.startswith(("glove.6B", "glove.twitter"))  # the lengths are together in one archive
        return f"{name.rsplit('.', 1)[0] if shared else name}.zip"


@register
class FastText(_TokenEmbedding):
    """Vectors of words after Bojanowski et al. (2017), of 294 languages. The parameters are those of `GloVe`."""

    pretrained_file_name_sha1 = _pretrained.FAST_TEXT

    def __init__(self, pretrained_file_name="wiki.simple.vec",
                 embedding_root=os.path.join(data_dir(), "embeddings"),  # noqa: B008
                 init_unknown_vec=ndarray.zeros, vocabulary=None, **kwargs):
        self._check_pretrained_file_names(pretrained_file_name)
        super().__init__(**kwargs)
        path = self._get_pretrained_file(embedding_root, pretrained_file_name)
        self._load(path, " ", init_unknown_vec, vocabulary)

    @classmethod
    def _get_download_file_name(cls, pretrained_file_name):
        return f"{pretrained_file_name.removesuffix('.vec')}.zip"


class CustomEmbedding(_TokenEmbedding):
    """Vectors of a file of one's own: lines of a token and its elements.

    Parameters
    ----------
    pretrained_file_path : str
        The file. ValueError if it is not there.
    elem_delim : str
        What stands between the token and the elements.
    encoding : str
        Encoding of the file.
    init_unknown_vec : callable
        Makes the vector of unknown tokens when the file has none.
    vocabulary : Vocabulary, optional
        The tokens to take; all of the file by default.
    kwargs
        Further arguments of `Vocabulary`.
    """

    def __init__(self, pretrained_file_path, elem_delim=" ", encoding="utf8", init_unknown_vec=ndarray.zeros,
                 vocabulary=None, **kwargs):
        super().__init__(**kwargs)
        self._load(pretrained_file_path, elem_delim, init_unknown_vec, vocabulary, encoding)


class CompositeEmbedding(_TokenEmbedding):
    """The tokens of a vocabulary, with the vectors of several embeddings joined.

    Parameters
    ----------
    vocabulary : Vocabulary
        The tokens.
    token_embeddings : embedding or list of embeddings
        Where their vectors come from.
    """

    def __init__(self, vocabulary, token_embeddings):
        super().__init__()
        if not isinstance(token_embeddings, list):
            token_embeddings = [token_embeddings]
        for embedding in token_embeddings:
            if not isinstance(embedding, _TokenEmbedding):
                raise AssertionError(f"CompositeEmbedding: expected embeddings, got {type(embedding)}")
        self._adopt(vocabulary, token_embeddings)
