"""Write the graph by which OpenVINO computes a checkpoint's network; `network.openvino_graph` reads it."""

import hashlib
import json
import tempfile
import warnings
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openvino
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from safetensors.numpy import save_file

from app.segmentation.checkpoint import Checkpoint, load_checkpoint
from app.segmentation.network.openvino_graph import HEADER_KEY, graph_path


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


def traced(module: torch.nn.Module) -> openvino.Model:
    """Turn a module of images (N, 1, H, W), in evaluation mode, into operations of OpenVINO, its weights as they are.

    `openvino.convert_model` would fold batch norm into the convolutions at once, and the weights would be others.
    """
    frontend = FrontEndManager().load_by_framework("pytorch")
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit.trace, on which OpenVINO still builds
        decoder = TorchScriptPythonDecoder(module, example_input=(torch.zeros(1, 1, 64, 64),))
    return frontend.convert(frontend.load(decoder))


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
    save_file(packed, path, metadata={HEADER_KEY: json.dumps(header)})
    path.chmod(0o644)  # as the checkpoint's


def laid_out(
    converted: openvino.Model, weights: Mapping[str, np.ndarray]
) -> tuple[bytes, bytes, list[tuple[int, int, str | None]]]:
    """Put a converted network into bytes, and find its weights there.

    Args:
        converted: From `convert` or `traced`.
        weights: By their names.

    Returns:
        Its operations; the buffer of its constants; offset and size, in bytes, of each constant in the buffer, with the
        name of the weight that it is, if it is one.
    """
    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(converted, Path(folder) / "graph.xml", compress_to_fp16=False)
        xml = (Path(folder) / "graph.xml").read_bytes()
        buffer = (Path(folder) / "graph.bin").read_bytes()
    known = {values.astype(np.float32).tobytes(): name for name, values in weights.items()}
    return xml, buffer, [(at, size, known.get(buffer[at : at + size])) for at, size in _constants_of(xml)]


def _constants_of(xml: bytes) -> Iterable[tuple[int, int]]:
    """List offset and size, in bytes, of every constant in the buffer, each once."""
    places = {
        (int(data.attrib["offset"]), int(data.attrib["size"]))
        for layer in ElementTree.fromstring(xml).iter("layer")
        if layer.get("type") == "Const" and (data := layer.find("data")) is not None
    }
    return sorted(places)
