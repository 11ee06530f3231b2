"""Answering a whole folder of films: `python -m app.batch FOLDER --out results.csv`."""
