"""torchvision beside a torch it was not built for; every case in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(code: str, *, first_on_path: Path = ROOT) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": f"{first_on_path}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def fake_torchvision(tmp_path):
    """Put a torchvision in front of the real one; it does what a given line does."""

    def write(line: str) -> Path:
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision" / "__init__.py").write_text(f"import torch\n{line}\n")
        return tmp_path

    return write


def test_models_transforms_and_smp_work_here():
    done = run(
        "from app.segmentation.network import torchvision_compat\n"
        "import torch, torchvision, segmentation_models_pytorch\n"
        "from torchvision.transforms import v2\n"
        "picture = v2.RandomHorizontalFlip(1.0)(torch.arange(6.0).reshape(1, 2, 3))\n"
        "print(picture[0, 0].tolist(), tuple(torchvision.models.resnet18()(torch.zeros(1, 3, 64, 64)).shape))"
    )
    assert done.stdout.strip() == "[2.0, 1.0, 0.0] (1, 1000)", done.stderr


def test_missing_operators_are_declared(fake_torchvision):
    """A torchvision whose compiled operators did not load fails where it registers their meta kernels."""
    folder = fake_torchvision("torch.library.register_fake('torchvision::nms')(lambda dets, scores, iou: None)")
    done = run(
        "try: import torchvision\n"
        "except RuntimeError as error: print(error)\n"
        "from app.segmentation.network import torchvision_compat; print('imported')",
        first_on_path=folder,
    )
    assert done.stdout.splitlines() == ["operator torchvision::nms does not exist", "imported"], done.stderr


def test_healthy_torchvision_is_left_alone(fake_torchvision):
    folder = fake_torchvision("count = globals().get('count', 0) + 1")
    done = run(
        "from app.segmentation.network import torchvision_compat as compat; import torch\n"
        "print(hasattr(compat, '_declared'), hasattr(torch.ops.torchvision, 'nms'))",
        first_on_path=folder,
    )
    assert done.stdout.strip() == "False False", done.stderr


def test_other_failures_are_not_hidden(fake_torchvision):
    folder = fake_torchvision("raise RuntimeError('CUDA driver is too old')")
    done = run("from app.segmentation.network import torchvision_compat", first_on_path=folder)
    assert done.returncode == 1
    assert "CUDA driver is too old" in done.stderr
