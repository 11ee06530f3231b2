"""A cluster gives the table that one machine gives, whatever happens to a node on the way."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import ROOT
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

pytest.importorskip("ray")

LOSE_A_NODE = """
import sys
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from app.batch import command as batch, ray_work

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
ray.init(cluster.address, log_to_driver=False)
ray_work.FILMS_IN_A_TASK = 1
rows = ray_work.rows_by_ray

def losing(*given):
    for number, row in enumerate(rows(*given)):
        if number == 0:
            cluster.remove_node(nodes[0], allow_graceful=False)
            print("a node is lost")
        yield row

batch.rows_by_ray = losing
status = batch.main(sys.argv[1:])
ray.shutdown()
cluster.shutdown()
sys.exit(status)
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """Twelve films, one of them twice, one of DICOM, and two files that are none."""
    folder = tmp_path_factory.mktemp("archive") / "films"
    (folder / "ward").mkdir(parents=True)
    for seed in range(10):
        (folder / f"{seed}.png").write_bytes(to_png(draw_phantom(seed, 256).image))
    (folder / "ward" / "again.png").write_bytes((folder / "3.png").read_bytes())
    (folder / "ward" / "b.dcm").write_bytes(to_dicom(draw_phantom(20, 256).image))
    (folder / os.fsdecode(b"b\xf6se.txt")).write_text("no film")
    (folder / "lost.png").symlink_to(folder / "nowhere.png")
    return folder


@pytest.fixture
def run(films, tmp_path, checkpoint_path):
    """Run a program that answers the films, and return its table's lines, sorted, and what it printed."""

    def run(
        out: str, *options: str, program: tuple[str, ...] = ("-m", "app.batch"), status: int = 0
    ) -> tuple[list[str], str]:
        own = {**os.environ, "PLEURA_WEIGHTS": str(checkpoint_path), "PLEURA_THREADS": "1", "PYTHONPATH": str(ROOT)}
        own |= {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
        command = [sys.executable, *program, str(films), "--out", str(tmp_path / out), *options]
        done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=400)
        assert done.returncode == status, done.stderr[-3000:]
        return sorted((tmp_path / out).read_text().splitlines()), done.stdout if status == 0 else done.stderr

    return run


def test_a_cluster_gives_the_same_table_and_goes_on_where_it_stopped(run, tmp_path):
    alone, _ = run("alone.csv")
    assert len(alone) == 15
    together, _ = run("together.csv", "--ray", "here", "--workers", "2", "--masks", str(tmp_path / "masks"))
    assert together == alone
    lines = (tmp_path / "together.csv").read_text().splitlines(keepends=True)
    (tmp_path / "half.csv").write_text("".join(lines[:7]))
    half, _ = run("half.csv", "--ray", "here", "--workers", "1")
    assert half == alone


def test_what_a_node_cannot_write_stops_the_run_in_one_sentence(run, films, tmp_path):
    sha256 = hashlib.sha256((films / "5.png").read_bytes()).hexdigest()
    (tmp_path / "dicom" / f"{sha256}-report.dcm").mkdir(parents=True)  # nothing can be put in its place
    _, told = run("alone.csv", "--ray", "here", "--workers", "1", "--dicom", str(tmp_path / "dicom"), status=1)
    last = told.strip().splitlines()[-1]
    assert last.startswith("The cluster cannot go on: ") and last.endswith("Nothing is lost: go on later.")


def test_what_a_lost_node_had_in_hand_is_answered_by_another(run):
    alone, _ = run("alone.csv")
    rest, printed = run("rest.csv", "--ray", "here", "--workers", "2", program=("-c", LOSE_A_NODE))
    assert "a node is lost" in printed
    assert rest == alone
