"""Reads hundreds of thousands of damaged films: `python -m tests.fuzz --inputs 200000 --processes 2`.

Each must be read or refused by an error of ours, in 2 s and 1 GB. What is not is written into a folder, as the file
that it was, and counted; the number of an input tells how to make it again.
"""

import argparse
import collections
import multiprocessing
import sys
from pathlib import Path

from tests.fuzz.batches import read_batch

BYTES = 10**9
BATCH = 500


def main() -> int:
    """Read them, say what came of it, and return how many broke the rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("fuzz-findings"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    ranges = [
        (first, min(BATCH, arguments.first + arguments.inputs - first), arguments.folder)
        for first in range(arguments.first, arguments.first + arguments.inputs, BATCH)
    ]
    total, slowest, largest = collections.Counter(), 0.0, 0.0
    with multiprocessing.get_context("spawn").Pool(arguments.processes, maxtasksperchild=20) as pool:
        for counts, seconds, size in pool.imap_unordered(read_batch, ranges):
            total, slowest, largest = total + counts, max(slowest, seconds), max(largest, size)
            print(f"{total.total()} inputs, slowest {slowest:.2f} s, {largest:.0f} MiB", flush=True)
    for outcome, count in total.most_common():
        print(f"{count:8} {outcome}")
    broken = sum(count for outcome, count in total.items() if outcome.startswith("!"))
    return broken + (largest * 2**20 > BYTES)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
