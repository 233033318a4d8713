"""Intervals and tests of statsmodels, and a bootstrap in NumPy: fixtures/reference/significance. Needs only statsmodels."""
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

FOLDER = Path(__file__).parent.parent / "fixtures/reference/significance"
ROUNDS = 20_000


def bootstrap(differences, random):
    """Percentile interval of the mean over rows (seeds) and columns (samples) that are both drawn anew."""
    seeds, samples = differences.shape
    means = [differences[random.integers(seeds, size=seeds)][:, random.integers(samples, size=samples)].mean() for _ in range(ROUNDS)]
    return [float(q) for q in np.quantile(means, [0.025, 0.975])]


def main():
    random = np.random.default_rng(0)
    shares = [(0, 10), (1, 1), (7, 10), (95, 100), (1875, 2000), (9999, 10000), (10000, 10000), (48213, 50000)]
    pairs = [(0, 0), (1, 0), (5, 5), (30, 38), (18, 60), (3, 17), (410, 495), (0, 40), (2000, 2131), (1, 3000)]
    tables = []
    for seeds, samples, shift in ((3, 400, 0.01), (5, 200, 0.06), (2, 300, 0.0)):
        odds = [0.05, 0.9 - shift, 0.05 + shift]
        tables.append(random.choice([-1, 0, 1], size=(seeds, samples), p=odds))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "significance.json").write_text(json.dumps({
        "versions": {name: version(name) for name in ("statsmodels", "scipy", "numpy")},
        "wilson": [{"right": k, "of": n, "interval": [float(x) for x in proportion_confint(k, n, method="wilson")]} for k, n in shares],
        "mcnemar": [{"onlyA": b, "onlyB": c, "p": float(mcnemar([[0, b], [c, 0]], exact=True).pvalue)} for b, c in pairs],
        "bootstrap": [{"differences": t.tolist(), "mean": float(t.mean()), "interval": bootstrap(t, random)} for t in tables],
    }) + "\n")


if __name__ == "__main__":
    main()
