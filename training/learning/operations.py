"""A network as operations of OpenVINO, and where its weights stand among them."""

import tempfile
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openvino
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder


def traced(module: torch.nn.Module) -> openvino.Model:
    """Turn a module of images (N, 1, H, W), in evaluation mode, into operations of OpenVINO, its weights as they are.

    `openvino.convert_model` would fold batch norm into the convolutions at once, and the weights would be others.
    """
    frontend = FrontEndManager().load_by_framework("pytorch")
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit.trace, on which OpenVINO still builds
        decoder = TorchScriptPythonDecoder(module, example_input=(torch.zeros(1, 1, 64, 64),))
    return frontend.convert(frontend.load(decoder))


def laid_out(
    converted: openvino.Model, weights: Mapping[str, np.ndarray]
) -> tuple[bytes, bytes, list[tuple[int, int, str | None]]]:
    """Put a converted network into bytes, and find its weights there.

    Args:
        converted: From `traced`, or made of it.
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
