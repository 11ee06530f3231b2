"""Reading damaged films by the hundred, in processes that one of them may end."""

import collections
import os
import random
import signal
import time
import traceback
import warnings
from pathlib import Path

from app.segmentation.errors import PleuraError
from app.segmentation.reading.image_io import read_radiograph
from tests.fuzz.mutations import mutated, seeds
from tests.support.processes import memory_mib

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
    """Read the inputs of a range, in a process that may be killed by one of them.

    Returns:
        How often each outcome was; the seconds of the slowest; the most MiB that the process had while it read.
    """
    first, count, folder = arguments
    sound, counts, slowest, largest = seeds(), collections.Counter(), 0.0, 0.0
    hint = folder / f"running-{os.getpid()}"
    for number in range(first, first + count):
        data = mutated(sound, random.Random(number))
        hint.write_text(str(number))
        signal.alarm(10 * SECONDS)  # what hangs in a codec ends here, and its number stays in the folder
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: making an input is not reading it
        outcome, seconds = check(data)
        signal.alarm(0)
        counts[outcome] += 1
        slowest, largest = max(slowest, seconds), max(largest, memory_mib(os.getpid(), "VmHWM"))
        if outcome.startswith("!"):
            (folder / f"{number}.bin").write_bytes(data)
    hint.unlink()
    return counts, slowest, largest
