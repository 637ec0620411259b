#!/usr/bin/env python3
"""Statistics of small arrays by numpy and scipy: tests/store/golden/statistics.json.

    python3 tools/make_statistics_golden.py > tests/store/golden/statistics.json

p is scipy.stats.wilcoxon's with its defaults; null stands for NaN. `interval` is a percentile bootstrap of the mean by numpy's own generator, with many resamples,
and `se` the standard error of the mean, in which its distance is measured. `drawn` is the same with the generator of src/store/statistics.c, written down a
second time: splitmix64, and a draw below n by multiplication with rejection."""
import json
import math
import platform
import sys
import warnings

import numpy as np
import scipy
from scipy import stats

SEED, RESAMPLES = 20260101, 200000
DRAWN_SEED, DRAWN_RESAMPLES = 7, 150
MASK = (1 << 64) - 1


def splitmix64(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def below(random, n):
    while True:
        product = (next(random) >> 32) * n
        if product & 0xFFFFFFFF >= (1 << 32) % n:
            return product >> 32


def drawn(values):
    random, means = splitmix64(DRAWN_SEED), []
    for _ in range(DRAWN_RESAMPLES):
        total = 0.0
        for _ in values:
            total += values[below(random, len(values))]
        means.append(total / len(values))
    return list(np.percentile(means, [2.5, 97.5]))


def interval(values):
    random, v = np.random.default_rng(SEED), np.array(values)
    means = np.concatenate([v[random.integers(0, len(v), (2000, len(v)))].mean(axis=1) for _ in range(RESAMPLES // 2000)])
    return list(np.percentile(means, [2.5, 97.5]))


def rank_biserial(values):
    d = np.array([v for v in values if v != 0])
    ranks = stats.rankdata(np.abs(d))
    return float((ranks[d > 0].sum() - ranks[d < 0].sum()) / ranks.sum()) if len(d) else math.nan


def describe(values):
    n = len(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p = float(stats.wilcoxon(values).pvalue)
    numbers = dict(mean=float(np.mean(values)) if n else math.nan, median=float(np.median(values)) if n else math.nan,
                   p=p, r=rank_biserial(values), se=float(np.std(values, ddof=1) / math.sqrt(n)) if n > 1 else math.nan)
    lists = dict(interval=interval(values), drawn=drawn(values)) if n else {}
    return dict(values=values, **{k: None if math.isnan(v) else v for k, v in numbers.items()}, **lists)


def cases():
    random = np.random.default_rng(SEED)

    def normal(n, mean, digits=9):
        return [round(float(v), digits) for v in random.normal(mean, 10.0, n)]

    yield "no value", []
    yield "one value", [-3.5]
    yield "two values", [1.25, -2.5]
    yield "two values of one size", [1.5, 1.5]
    yield "two values of one size and two signs", [1.5, -1.5]
    for n in (2, 13, 14, 51):
        yield f"{n} zeros", [0.0] * n
    yield "8 values, exact", normal(8, 4.0)
    yield "20 values, exact", normal(20, -6.0)
    yield "50 values, the most that are exact", normal(50, 3.0)
    yield "50 values, every one below 0", [-abs(v) for v in normal(50, 0.0)]
    yield "51 values, normal", normal(51, 3.0)
    yield "50 values, one of them 0", normal(49, 3.0) + [0.0]
    yield "13 values with ties, the most that are exact", [1.0, -1.0, 2.0, 2.0, -3.0, 3.0, 4.0, 5.0, 5.0, 5.0, 6.0, -2.0, 7.0]
    yield "13 values with zeros", [0.0, 1.0, 2.0, -3.0, 4.0, 0.0, 5.0, 6.0, 0.0, -7.0, 8.0, 9.0, 10.0]
    yield "14 values with ties, normal", [1.0, -1.0, 2.0, 2.0, -3.0, 3.0, 4.0, 5.0, 5.0, 5.0, 6.0, -2.0, 7.0, 7.0]
    yield "14 values, 13 of them 0", [0.0] * 13 + [-2.0]
    yield "200 values with ties and zeros", normal(200, -1.0, 0)
    yield "200 values far from 0", normal(200, -60.0)


json.dump(dict(made_by="tools/make_statistics_golden.py", python=platform.python_version(), numpy=np.__version__, scipy=scipy.__version__,
               seed=SEED, resamples=RESAMPLES, drawn_seed=DRAWN_SEED, drawn_resamples=DRAWN_RESAMPLES,
               cases=[dict(name=name, **describe(values)) for name, values in cases()]), sys.stdout)
print()
