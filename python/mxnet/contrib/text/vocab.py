"""Vocabularies: tokens and their numbers."""
from collections import Counter

__all__ = ["Vocabulary"]

UNKNOWN_IDX = 0


class Vocabulary:
    """Numbers the tokens of a text: first the unknown token, then reserved ones, then the others, frequent ones first.

    Tokens that occur equally often are in alphabetical order.

    Parameters
    ----------
    counter : collections.Counter, optional
        How often each token occurs.
    most_freq_count : int, optional
        Number of tokens of `counter` to take, at most; all by default.
    min_freq : int
        How often a token must occur.
    unknown_token : hashable
        Stands for all tokens that are not in the vocabulary.
    reserved_tokens : list of hashable, optional
        Tokens that are always in it, such as padding.

    Raises
    ------
    AssertionError
        When `min_freq` is not positive, `counter` is no Counter, or reserved tokens occur twice.

    Examples
    --------
    >>> counter = mx.contrib.text.utils.count_tokens_from_str("a b b c c c d")
    >>> vocab = mx.contrib.text.vocab.Vocabulary(counter, min_freq=2, reserved_tokens=["<pad>"])
    >>> vocab.idx_to_token
    ['<unk>', '<pad>', 'c', 'b']
    >>> vocab.to_indices(["b", "d"])
    [3, 0]
    """

    def __init__(self, counter=None, most_freq_count=None, min_freq=1, unknown_token="<unk>", reserved_tokens=None):
        if min_freq <= 0:
            raise AssertionError(f"Vocabulary: min_freq must be positive, got {min_freq}")
        if reserved_tokens is not None:
            if unknown_token in reserved_tokens:
                raise AssertionError(f"Vocabulary: the unknown token {unknown_token!r} cannot be reserved as well")
            if len(set(reserved_tokens)) != len(reserved_tokens):
                raise AssertionError("Vocabulary: reserved_tokens holds a token twice")
        self._unknown_token = unknown_token
        self._reserved_tokens = None if reserved_tokens is None else list(reserved_tokens)
        self._idx_to_token = [unknown_token, *(reserved_tokens or ())]
        self._token_to_idx = {token: i for i, token in enumerate(self._idx_to_token)}
        if counter is not None:
            self._add_counted(counter, most_freq_count, min_freq)

    def _add_counted(self, counter, most_freq_count, min_freq):
        if not isinstance(counter, Counter):
            raise AssertionError(f"Vocabulary: counter must be a collections.Counter, got {type(counter)}")
        ordered = sorted(sorted(counter.items(), key=lambda item: item[0]), key=lambda item: item[1], reverse=True)
        room = len(counter) if most_freq_count is None else most_freq_count
        for token, frequency in ordered:
            if frequency < min_freq or room <= 0:
                break
            if token not in self._token_to_idx:
                self._append(token)
                room -= 1

    def _append(self, token):
        self._token_to_idx[token] = len(self._idx_to_token)
        self._idx_to_token.append(token)

    def __len__(self):
        return len(self._idx_to_token)

    @property
    def token_to_idx(self):
        """The number of each token, a dict."""
        return self._token_to_idx

    @property
    def idx_to_token(self):
        """The token of each number, a list."""
        return self._idx_to_token

    @property
    def unknown_token(self):
        """What stands for tokens that are not in the vocabulary; its number is 0."""
        return self._unknown_token

    @property
    def reserved_tokens(self):
        """The tokens that are always in it; None if there are none."""
        return self._reserved_tokens

    def to_indices(self, tokens):
        """The number of a token, or a list for a list of tokens; 0 for unknown ones."""
        if isinstance(tokens, list):
            return [self._token_to_idx.get(token, UNKNOWN_IDX) for token in tokens]
        return self._token_to_idx.get(tokens, UNKNOWN_IDX)

    def to_tokens(self, indices):
        """The token of a number, or a list for a list of numbers. ValueError for one that is not in use."""
        if isinstance(indices, list):
            return [self.to_tokens(index) for index in indices]
        if not hasattr(indices, "__index__") or not 0 <= indices < len(self):
            raise ValueError(f"Vocabulary.to_tokens: index {indices!r} is not one of the {len(self)} tokens")
        return self._idx_to_token[indices]
