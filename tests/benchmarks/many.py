"""How much memory an archive of ten thousand films takes, row by row.

    python -m tests.benchmarks.many [FILMS]

The films are one synthetic film under other hashes (a byte after its end differs), so that each is read and answered;
the network is one of random weights and a small input, which takes no time. Reading, rows and table are the product's.
Prints a table: resident memory of the process that answers, and of the one that reads.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from app.config import ROOT
from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig
from tests.support.answers import DECISION
from tests.support.film_files import to_png
from training.releasing.graph import graph
from training.releasing.phantom.drawing import draw_phantom

FILMS = 10_000
STEPS = 10


def main() -> None:
    """Make films and weights, have them answered, and look on."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILMS
    with tempfile.TemporaryDirectory() as place:
        films, out, weights = (Path(place) / name for name in ("films", "results.csv", "small.safetensors"))
        films.mkdir()
        film = to_png(draw_phantom(1, 256).image)
        for number in range(count):
            (films / f"{number:06d}.png").write_bytes(film + number.to_bytes(4, "big"))
        torch.manual_seed(0)
        config = ModelConfig(decoder_channels=(16, 16, 8, 8, 8))
        metadata = CheckpointMetadata("small", config, PreprocessingConfig(64), decision=DECISION)
        save_checkpoint(weights, build_model(config), metadata)
        graph(weights)
        command = [sys.executable, "-m", "app.batch", str(films), "--out", str(out)]
        own = {**os.environ, "PLEURA_WEIGHTS": str(weights)}
        process = subprocess.Popen(command, cwd=ROOT, env=own, stderr=subprocess.DEVNULL)
        print("| rows | answering, MiB | reading, MiB | seconds |\n|---|---|---|---|", flush=True)
        started, told = time.monotonic(), 0
        while process.poll() is None:
            time.sleep(0.1)
            rows = out.read_bytes().count(b"\n") - 1 if out.exists() else 0
            if rows >= told + count // STEPS:
                told = rows
                print(f"| {rows} | {_resident(process.pid)} | {time.monotonic() - started:.0f} |", flush=True)
        print(f"ended with {process.returncode}; {len(out.read_text().splitlines()) - 1} rows")


def _resident(pid: int) -> str:
    """Resident memory in MiB, of a process and of its child."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = []
    for one in (str(pid), *children[:1]):
        lines = Path(f"/proc/{one}/status").read_text().splitlines()
        found.append(next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")))
    return " | ".join(map(str, found))


if __name__ == "__main__":
    main()
