"""Counting words."""
import re
from collections import Counter

__all__ = ["count_tokens_from_str"]


def count_tokens_from_str(source_str, token_delim=" ", seq_delim="\n", to_lower=False, counter_to_update=None):
    r"""Counts the tokens of a text.

    Parameters
    ----------
    source_str : str
        The text.
    token_delim, seq_delim : str
        What stands between tokens and between sequences: regular expressions, or else plain text.
    to_lower : bool
        Whether to count in lower case.
    counter_to_update : collections.Counter, optional
        A counter to add to.

    Returns
    -------
    collections.Counter
        How often each token occurs; `counter_to_update` if there is one.

    Examples
    --------
    >>> counter = mx.contrib.text.utils.count_tokens_from_str("Life is great!\nlife is good.", to_lower=True)
    >>> counter["life"], counter["great!"]
    (2, 1)
    """
    try:
        tokens = re.split(f"{token_delim}|{seq_delim}", source_str)
    except re.error:
        tokens = re.split(f"{re.escape(token_delim)}|{re.escape(seq_delim)}", source_str)
    counter = Counter() if counter_to_update is None else counter_to_update
    counter.update(token.lower() if to_lower else token for token in tokens if token)
    return counter
