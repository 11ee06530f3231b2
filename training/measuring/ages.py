"""Age bands, by which figures are told apart."""

from collections.abc import Iterator

import pandas as pd

AGE_BANDS = {"age under 40": (0, 40), "age 40 to 59": (40, 60), "age 60 and over": (60, 200)}


def by_age(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Split films by the age of their patients, a text in years; films of unknown age are in no band."""
    age = pd.to_numeric(table["age"], errors="coerce")
    for name, (low, high) in AGE_BANDS.items():
        yield name, table[(age >= low) & (age < high)]
