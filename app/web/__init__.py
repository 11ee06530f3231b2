"""Blueprints: parse the request, call, render."""
