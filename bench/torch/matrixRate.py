"""GFLOP/s of torch's matrix products: matrixRate.py THREADS SHAPES, with SHAPES as JSON [[rows, inner, columns], ...]."""
import json
import sys
import time

import torch

SECONDS = 1.5


def rate(shapes, dtype):
    pairs = [(torch.randn(m, k, dtype=dtype), torch.randn(n, k, dtype=dtype)) for m, k, n in shapes]
    work = sum(2 * m * k * n for m, k, n in shapes)
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        began = time.perf_counter()
        for a, b in pairs:
            a @ b.T
        best = min(best, time.perf_counter() - began)
    return work / best / 1e9


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    shapes = json.loads(sys.argv[2])
    with torch.inference_mode():
        print(json.dumps({name: rate(shapes, getattr(torch, name)) for name in ("float32", "bfloat16")}))
