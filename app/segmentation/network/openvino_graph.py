"""The file beside a checkpoint that says how OpenVINO computes its network.

It is a safetensors file without the weights: operations, a few constants, and at which place of OpenVINO's buffer each
of the checkpoint's tensors belongs. So the weights exist once, and to the bit: batch norm folded into convolutions and
rounded to half precision, as OpenVINO's own format would keep them, moves a pixel of the map by up to 0.3.
`python -m training graph` writes it.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from app.segmentation.errors import CheckpointError

SUFFIX = ".openvino"
SUFFIX_INT8 = f".int8{SUFFIX}"
HEADER_KEY = "pleura_graph"


@dataclass(frozen=True)
class Graph:
    """A network for OpenVINO, ready to be read by `openvino.Core.read_model`.

    Attributes:
        xml: Its operations, in OpenVINO's intermediate representation.
        buffer: uint8, all constants that the operations refer to, weights included.
    """

    xml: bytes
    buffer: np.ndarray


def graph_path(weights: Path, kind: str = "openvino") -> Path:
    """Say where the graph of a checkpoint lies: beside it, under its name; `kind` is the engine's."""
    return weights.with_suffix(SUFFIX_INT8 if kind == "int8" else SUFFIX)


def command_for(path: Path) -> str:
    """Say which command makes a graph."""
    return f"`python -m training {'quantise' if path.name.endswith(SUFFIX_INT8) else 'graph'}`"


def read_graph(path: Path, weights: Mapping[str, np.ndarray], weights_sha256: str) -> Graph:
    """Read a graph and put the weights into it.

    Args:
        path: From `graph_path`.
        weights: The checkpoint's.
        weights_sha256: Their hash.

    Raises:
        CheckpointError: If the graph is damaged, or was made for other weights.
    """
    try:
        with safe_open(path, "np") as file:
            header = json.loads(file.metadata()[HEADER_KEY])
            packed = {name: zlib.decompress(file.get_tensor(name)) for name in ("xml", "constants")}
        if any(hashlib.sha256(packed[name]).hexdigest() != header["sha256"][name] for name in packed):
            raise ValueError("its parts have other hashes than it says")
        if header["weights_sha256"] != weights_sha256:
            raise CheckpointError(f"The graph {path} belongs to other weights; make it again with {command_for(path)}.")
        buffer = np.zeros(header["size"], np.uint8)
        constants = np.frombuffer(packed["constants"], np.uint8)
        taken = 0
        for offset, size, name in header["layout"]:
            if name is None:
                values, taken = constants[taken : taken + size], taken + size
            else:
                values = np.ascontiguousarray(weights[name], np.float32).reshape(-1).view(np.uint8)
            buffer[offset : offset + size] = values
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise CheckpointError(
            f"The graph {path} is damaged ({error}); make it again with {command_for(path)}."
        ) from error
    return Graph(packed["xml"], buffer)
