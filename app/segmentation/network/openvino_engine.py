"""The network on OpenVINO: what serves films, two to three times as fast as PyTorch and without its memory."""

import threading

import numpy as np
import openvino

from app.segmentation.network.engine import Engine, NetworkOutput
from app.segmentation.network.openvino_graph import Graph


class OpenVinoEngine(Engine):
    """A graph at work. It must be made in the process that uses it: its threads do not survive a fork."""

    def __init__(self, graph: Graph, mirror_size: int | None, threads: int = 0) -> None:
        """Compile a graph.

        Args:
            graph: From `read_graph`.
            mirror_size: As `Engine` has it.
            threads: Threads of one inference; 0: all cores.

        Raises:
            RuntimeError: If OpenVINO cannot compile it for this processor.
        """
        super().__init__(f"OpenVINO {openvino.__version__.split('-')[0]}", mirror_size)
        core = openvino.Core()
        model = core.read_model(graph.xml, openvino.Tensor(graph.buffer))
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            # Where a processor has bfloat16, OpenVINO takes it unasked, and a pixel of the map moves by up to 0.9.
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,  # several workers would pin themselves to the same cores
            "INFERENCE_NUM_THREADS": threads,
        }
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        self._lock = threading.Lock()  # one request: an inference takes every core, and memory for one is enough

    def answer(self, batch: np.ndarray) -> NetworkOutput:
        """Run the network on one film or mirror image, float32 (1, 1, S, S), C-contiguous."""
        with self._lock:
            maps, heads, features = self._request.infer([batch]).values()
        return NetworkOutput(maps[0, 0], float(heads[0, 0]), features[0])
