"""The application that everybody writes: Flask, smp's U-Net on EfficientNet-B0, eager, a film at a time at 512 pixels.

It answers one view, doubts nothing, calibrates nothing and keeps nothing; its mask comes back in the film's own pixels,
as ours does. Its weights are random: that makes it neither slower nor faster. gunicorn serves it with a sync worker.
"""

import base64

import cv2
import numpy as np
import torch
from flask import Flask, request

from app.segmentation.network import torchvision_compat  # noqa: F401  before smp, which imports torchvision

import segmentation_models_pytorch as smp  # isort: skip

SIDE = 512

app = Flask(__name__)
model = smp.Unet("efficientnet-b0", encoder_weights=None, in_channels=1, classes=1, aux_params={"classes": 1}).eval()


@app.get("/healthz")
def alive() -> dict:
    """Answer once the network is built."""
    return {"status": "alive"}


@app.post("/api/v1/predictions")
def predict() -> dict:
    """Answer one film, a PNG or JPEG."""
    film = cv2.imdecode(np.frombuffer(request.files["file"].read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    image = cv2.resize(film, (SIDE, SIDE)).astype(np.float32) / 255
    with torch.no_grad():
        mask_logits, label_logits = model(torch.from_numpy((image - 0.449) / 0.226)[None, None])
    probability_map = torch.sigmoid(mask_logits)[0, 0].numpy()
    mask = cv2.resize(probability_map, film.shape[::-1]) > 0.5
    png = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()
    return {"probability": float(torch.sigmoid(label_logits)), "mask": base64.b64encode(png).decode("ascii")}
