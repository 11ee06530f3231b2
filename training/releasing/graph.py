"""Write the graph by which OpenVINO computes a checkpoint's network; `network.openvino_graph` reads it."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch

from app.segmentation.checkpoint import Checkpoint, load_checkpoint, write_tensors
from app.segmentation.network.openvino_graph import HEADER_KEY, graph_path
from training.learning.operations import laid_out, traced


class Served(torch.nn.Module):
    """What an engine asks a network for: map, logit of the image-level head, features averaged over the film."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network: Any = network

    def forward(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Answer float32 (1, 1, S, S) by float32 (1, 1, S, S), (1, 1) and (1, C)."""
        features = self.network.encoder(batch)
        maps = self.network.segmentation_head(self.network.decoder(features)).sigmoid()
        return maps, self.network.classification_head(features[-1]), features[-1].mean(dim=(2, 3))


def graph(weights: Path) -> None:
    """Write the graph of a checkpoint beside it, so that OpenVINO can serve it.

    Args:
        weights: Checkpoint, released or not.
    """
    checkpoint = load_checkpoint(weights)
    write_graph(convert(checkpoint.model), checkpoint, graph_path(weights))


def convert(network: torch.nn.Module) -> openvino.Model:
    """Turn a network into operations of OpenVINO that answer one film of any side by what an engine asks for."""
    converted = traced(Served(network.eval()))
    converted.reshape({0: openvino.PartialShape([1, 1, -1, -1])})  # film and mirror image have sides of their own
    return converted


def write_graph(converted: openvino.Model, checkpoint: Checkpoint, path: Path) -> None:
    """Write a converted network without what its checkpoint holds already.

    Args:
        converted: From `convert`, or made of it.
        checkpoint: Whose weights it computes with.
        path: From `graph_path`.
    """
    xml, buffer, layout = laid_out(converted, checkpoint.weights)
    constants = b"".join(buffer[offset : offset + size] for offset, size, name in layout if name is None)
    parts = {"xml": xml, "constants": constants}
    header = {
        "weights_sha256": checkpoint.weights_sha256,
        "openvino": openvino.__version__,
        "size": len(buffer),
        "layout": layout,
        "sha256": {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()},
    }
    packed = {name: np.frombuffer(zlib.compress(part, 9), np.uint8) for name, part in parts.items()}
    write_tensors(path, packed, {HEADER_KEY: json.dumps(header)})
