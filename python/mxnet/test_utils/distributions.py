"""Statistical tests of random numbers."""
import numpy as np


def mean_check(generator, mu, sigma, nsamples=1000000):
    """True when the mean of ``generator(nsamples)`` is `mu`, but for 3 standard errors."""
    mean = np.mean(np.array(generator(nsamples)))
    return bool(abs(mean - mu) < 3 * sigma / np.sqrt(nsamples))


def var_check(generator, sigma, nsamples=1000000):
    """True when the variance of normal ``generator(nsamples)`` is ``sigma ** 2``, but for 3 standard errors."""
    variance = np.var(np.array(generator(nsamples)), ddof=1)
    return bool(abs(variance - sigma ** 2) < 3 * np.sqrt(2 * sigma ** 4 / (nsamples - 1)))


def gen_buckets_probs_with_ppf(ppf, nbuckets):
    """Intervals of equal probability and their probabilities, from the inverse of a distribution function."""
    if nbuckets < 1:
        raise AssertionError(f"gen_buckets_probs_with_ppf: needs at least one interval, got {nbuckets}")
    edges = [ppf(i / nbuckets) for i in range(nbuckets + 1)]
    return list(zip(edges[:-1], edges[1:])), [1 / nbuckets] * nbuckets


def chi_square_check(generator, buckets, probs, nsamples=1000000):
    """Chi-square test that samples fall into intervals (or on values) as often as they should.

    Parameters
    ----------
    generator : callable
        ``generator(n)`` gives `n` samples.
    buckets : list
        Pairs of bounds, or values.
    probs : list of float
        Probability of each.
    nsamples : int
        Number of samples.

    Returns
    -------
    tuple
        The probability of frequencies at least as far off, the frequencies found and the expected.
    """
    from scipy import stats
    if not buckets:
        raise AssertionError("chi_square_check: there are no buckets")
    samples = np.array(generator(nsamples)).reshape(-1)[:nsamples]
    if isinstance(buckets[0], (list, tuple)):
        found = np.array([((samples >= low) & (samples < high)).sum() for low, high in buckets])
    else:
        found = np.array([(samples == value).sum() for value in buckets])
    expected = (len(samples) * np.array(probs)).astype(np.int64)
    # The test asks for equal sums; rounding and samples outside of all buckets would break that.
    expected = expected * (found.sum() / expected.sum())
    _, p = stats.chisquare(f_obs=found, f_exp=expected)
    return float(p), found, expected


def verify_generator(generator, buckets, probs, nsamples=1000000, nrepeat=5, success_rate=0.2, alpha=0.05):
    """Raises AssertionError unless a share `success_rate` of `nrepeat` chi-square tests pass at level `alpha`."""
    results = [chi_square_check(generator, buckets, probs, nsamples)[0] for _ in range(nrepeat)]
    passed = sum(p > alpha for p in results)
    if passed < nrepeat * success_rate:
        raise AssertionError(f"verify_generator: {passed} of {nrepeat} tests passed; their p-values are {results}")
    return results
