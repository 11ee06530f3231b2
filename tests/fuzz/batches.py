"""Reading damaged films by the hundred, in processes that one of them may end."""

import collections
import os
import random
import resource
import signal
import time
import traceback
import warnings
from pathlib import Path

from app.segmentation.errors import PleuraError
from app.segmentation.reading.image_io import read_radiograph
from tests.fuzz.mutations import mutated, seeds

SECONDS = 2


def check(data: bytes) -> tuple[str, float]:
    """Read a file; return what came of it, and the seconds of work that it took.

    Returns:
        "read", the name of an error of ours, or "!" and what else happened.
    """
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read_radiograph(data)
        outcome = "read"
    except PleuraError as error:
        outcome = type(error).__name__
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        outcome = f"!{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    seconds = time.process_time() - started
    return (f"!slow: {seconds:.1f} s" if seconds > SECONDS else outcome), seconds


def read_batch(arguments: tuple[int, int, Path]) -> tuple[collections.Counter, float, float]:
    """Read the inputs of a range, in a process that may be killed by one of them."""
    first, count, folder = arguments
    sound, counts, slowest = seeds(), collections.Counter(), 0.0
    hint = folder / f"running-{os.getpid()}"
    for number in range(first, first + count):
        data = mutated(sound, random.Random(number))
        hint.write_text(str(number))
        signal.alarm(10 * SECONDS)  # what hangs in a codec ends here, and its number stays in the folder
        outcome, seconds = check(data)
        signal.alarm(0)
        counts[outcome] += 1
        slowest = max(slowest, seconds)
        if outcome.startswith("!"):
            (folder / f"{number}.bin").write_bytes(data)
    hint.unlink()
    return counts, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
