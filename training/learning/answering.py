"""What answers validation films: OpenVINO on a processor, in half of PyTorch's time; elsewhere the network itself."""

import copy
import logging
from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np
import torch

Answer = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""Turns images, float32 (N, 1, S, S), into mask logits of the same shape and image logits (N, 1)."""

logger = logging.getLogger(__name__)


def answering(network: torch.nn.Module) -> Answer:
    """Make what answers films as a network does, with the weights that it has now.

    Args:
        network: In evaluation mode.

    Returns:
        A function, whose answers lie on the network's device. On a processor they are OpenVINO's, which differ from
        PyTorch's by rounding; they are PyTorch's where OpenVINO does not load, or cannot compute such a network.
    """
    device = next(network.parameters()).device
    if device.type == "cpu":
        try:
            if network not in _forms:
                _forms[network] = _Form(network)
            return _forms[network].filled(network)
        except Exception as error:  # a library of machine code that does not load may raise anything
            logger.warning("PyTorch validates, OpenVINO cannot (%s: %s).", type(error).__name__, error)
    return lambda images: network(images.to(device, memory_format=torch.channels_last))


class _Form:
    """A network's operations with the places of its weights: a conversion takes seconds, and 40 MiB for good."""

    def __init__(self, network: torch.nn.Module) -> None:
        """Convert a copy whose weights are all different, so that each is found where it belongs.

        Raises:
            ValueError: If a weight is not found.
        """
        from training.learning.operations import laid_out, traced

        rng = np.random.default_rng(0)
        drawn = copy.deepcopy(network)
        for tensor in drawn.state_dict().values():
            if tensor.is_floating_point():  # a variance must be positive
                tensor.copy_(torch.from_numpy(rng.uniform(0.5, 1.5, tensor.shape)))
        self.xml, self.buffer, layout = laid_out(traced(drawn), _weights_of(drawn))
        self.places = {name: (at, size) for at, size, name in layout if name is not None}
        if lost := _weights_of(drawn).keys() - self.places:
            raise ValueError(f"{sorted(lost)[:3]} are not found in what it was converted to")

    def filled(self, network: torch.nn.Module) -> Answer:
        """Put a network's weights in their places."""
        import openvino

        buffer = np.frombuffer(self.buffer, np.uint8).copy()
        for name, values in _weights_of(network).items():
            at, size = self.places[name]
            buffer[at : at + size] = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        core = openvino.Core()
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        compiled = core.compile_model(core.read_model(self.xml, openvino.Tensor(buffer)), "CPU", settings)

        def answer(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            masks, heads = compiled([images.numpy()]).values()
            return torch.from_numpy(masks), torch.from_numpy(heads)

        return answer


_forms: WeakKeyDictionary[torch.nn.Module, _Form] = WeakKeyDictionary()


def _weights_of(network: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
