"""The core: bytes of a film in, a `Prediction` out. No Flask in here; importable alone."""
