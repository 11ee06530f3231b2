"""DICOM files rendered by DCMTK, a reader that has nothing in common with ours."""

import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

RENDERERS = {"native": "dcm2pnm", "JPEG": "dcmj2pnm", "JPEG-LS": "dcml2pnm"}
"""DCMTK's programs, by the compression that they read."""


def rendered(data: bytes, *options: str, compression: str = "native") -> np.ndarray:
    """Render a file to greys, float32 (H, W) in [0, 1]; colours by their luma.

    Args:
        data: The file.
        options: Of `dcm2pnm`: which window, for one.
        compression: A key of `RENDERERS`.
    """
    with tempfile.TemporaryDirectory() as folder:
        film, picture = Path(folder, "film.dcm"), Path(folder, "film.pnm")
        film.write_bytes(data)
        command = [RENDERERS[compression], "-q", "-O", *options, "+opw", str(film), str(picture)]
        subprocess.run(command, check=True, capture_output=True)
        return _greys(picture.read_text())


def encoded(data: bytes, program: str, *options: str) -> bytes:
    """Have one of DCMTK's programs write a film anew, in another transfer syntax."""
    with tempfile.TemporaryDirectory() as folder:
        film, other = Path(folder, "film.dcm"), Path(folder, "other.dcm")
        film.write_bytes(data)
        subprocess.run([program, "-q", *options, str(film), str(other)], check=True, capture_output=True)
        return other.read_bytes()


def _greys(pnm: str) -> np.ndarray:
    """Read a plain PGM or PPM."""
    kind, width, height, top, *levels = re.sub(r"#.*", "", pnm).split()
    values = np.array(levels, np.float32) / np.float32(top)
    if kind == "P2":
        return values.reshape(int(height), int(width))
    return values.reshape(int(height), int(width), 3) @ np.array([0.299, 0.587, 0.114], np.float32)
