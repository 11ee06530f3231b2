"""The training loop and its choices."""
