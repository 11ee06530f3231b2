"""Which engine answers films: OpenVINO where it can, else PyTorch."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from app.segmentation.checkpoint import Checkpoint
from app.segmentation.errors import CheckpointError
from app.segmentation.network.engine import Engine
from app.segmentation.network.openvino_graph import command_for, graph_path, read_graph

if TYPE_CHECKING:
    from app.segmentation.network.torch_engine import TorchEngine

ENGINES = ("auto", "openvino", "int8", "torch")

logger = logging.getLogger(__name__)


def open_engine(checkpoint: Checkpoint, weights: Path, kind: str = "auto", threads: int = 0) -> Engine:
    """Make the engine that answers films.

    Args:
        checkpoint: The loaded weights.
        weights: Where they lie; the graph for OpenVINO lies beside them.
        kind: One of `ENGINES`. "auto" is OpenVINO or, where it does not load or has no graph, PyTorch;
            "int8" is OpenVINO in eight bits, for checkpoints that have passed `python -m training quantise`.
        threads: Threads of one inference; 0: all cores.

    Raises:
        CheckpointError: If the graph is damaged or another checkpoint's; or missing, or OpenVINO does not load, and
            "openvino" or "int8" was asked for.
        ValueError: If there is no such engine.
    """
    if kind not in ENGINES:
        raise ValueError(f"The engine must be one of {', '.join(ENGINES)}, not {kind!r}.")
    if kind == "torch":
        return torch_engine(checkpoint, threads)
    path = graph_path(weights, kind)
    if path.is_file():
        graph = read_graph(path, checkpoint.weights, checkpoint.weights_sha256)
        try:
            from app.segmentation.network.openvino_engine import OpenVinoEngine

            engine: Engine = OpenVinoEngine(graph, checkpoint.metadata.mirror_size, threads)
            engine.description += ", int8" if kind == "int8" else ""
            return engine
        except Exception as error:  # a library of machine code that does not load may raise anything
            objection, details = "OpenVINO does not load", f"{type(error).__name__}: {error}"
    else:
        objection, details = "there is no graph for OpenVINO", f"{path} is missing, {command_for(path)} makes it"
    if kind != "auto":
        raise CheckpointError(f"PLEURA_ENGINE={kind} cannot be: {objection} ({details}).")
    logger.warning("PyTorch answers films, several times slower: %s (%s).", objection, details)
    engine = torch_engine(checkpoint, threads)
    engine.description += f" ({objection})"
    return engine


def torch_engine(checkpoint: Checkpoint, threads: int = 0) -> TorchEngine:
    """Make the reference engine, which takes seconds: PyTorch is loaded by nothing before."""
    import torch

    from app.segmentation.network.torch_engine import TorchEngine

    if threads:
        torch.set_num_threads(threads)
    return TorchEngine(checkpoint.model, checkpoint.metadata.mirror_size)
