"""Make `import torchvision` work beside a torch build whose binaries it does not match.

torchvision's wheel is compiled against one build of torch. Beside another one (CPU torch with the
CUDA-built torchvision is the common case) its compiled operators cannot load, and the plain import
dies with `RuntimeError: operator torchvision::nms does not exist` while registering the meta kernels
of operators that nothing here ever calls. Declaring the two schemas is enough: models, transforms
and export are pure Python. Import this module before torchvision, timm or
segmentation_models_pytorch; where torchvision is healthy it does nothing.
"""

import sys

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declared = torch.library.Library("torchvision", "FRAGMENT")  # kept alive by this name
    for _operator in ("nms", "qnms"):
        _declared.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision  # noqa: F401
