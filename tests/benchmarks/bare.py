"""The network without an application around it, and the processor without a network, in a process of their own.

It reads "openvino COUNT", "gemm COUNT" or "operations 1" a line from its standard input, and answers with a line of
JSON: the milliseconds of each film, both views; the GFLOP/s of each product of matrices; the operations of a film.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.config import read_settings
from app.segmentation.predictor import Predictor

MATRIX_SIDE = 2048


def main() -> None:
    """Load the network, and measure whatever is asked for."""
    settings = read_settings()
    predictor = Predictor.load(Path(settings["WEIGHTS"]), engine="openvino", threads=settings["THREADS"])
    sides = (predictor.metadata.preprocessing.image_size, predictor.decision.mirror_size)
    rng = np.random.default_rng(0)
    views = [rng.standard_normal((1, 1, side, side), dtype=np.float32) for side in sides if side]

    def film() -> None:
        for view in views:
            predictor.engine.answer(view)

    measured = {"openvino": (film, lambda seconds: 1e3 * seconds), "gemm": (_gemm(), _gflops)}
    print("ready", flush=True)
    for line in sys.stdin:
        name, count = line.split()
        if name == "operations":  # counted by PyTorch, which nothing else here needs
            from training.evidence.costs import count_operations

            print(json.dumps([count_operations(predictor.reference, sides[0])]), flush=True)
            continue
        work, figure = measured[name]
        print(json.dumps([figure(seconds) for seconds in timed(work, int(count))]), flush=True)


def timed(work: Callable[[], object], count: int) -> list[float]:
    """Do something so often, and once before for nothing; return the seconds of each."""
    work()
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def _gemm() -> Callable[[], object]:
    matrix = np.random.default_rng(0).random((MATRIX_SIDE, MATRIX_SIDE), dtype=np.float32)
    return lambda: matrix @ matrix


def _gflops(seconds: float) -> float:
    return 2 * MATRIX_SIDE**3 / seconds / 1e9


if __name__ == "__main__":
    main()
