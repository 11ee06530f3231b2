"""Weights to a released checkpoint: calibration, evaluation, model card."""
