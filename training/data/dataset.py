"""Prepared films as tensors: windows with the grey levels of another day for training, whole and as they are else."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from app.segmentation.network.preprocessing import PreprocessingConfig, normalise, resize
from training.data.films import PreparedFilms, resize_mask
from training.data.sampling import Draw
from training.data.windows import WindowConfig, cut_window, soften_border


class FilmDataset(Dataset):
    """Tensors of prepared films: resize, cut and augment where windows are asked for, normalise."""

    def __init__(
        self, films: PreparedFilms, preprocessing: PreprocessingConfig, window: WindowConfig | None = None
    ) -> None:
        """Take films, the side at which they are shown, and what windows to cut; None shows films as serving does."""
        self.films = films
        self.preprocessing = preprocessing
        self.window = window

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
        """Return the input, the reference mask, the label, and the film's row.

        A film whose label is disputed has a soft one: c where the mask shows something and 1 - c where it does
        not, c being `PreparedFilms.certainty`; its mask has the height c.

        Returns:
            Input float32 (1, W, W); mask float32 (1, W, W) in [0, 1]; label float32 (1,) in [0, 1], of what the
            window shows of the mask; row. W is the side of the window, or of the whole film.
        """
        film = self.films.images[draw.row]
        mask = resize_mask(self.films.true_mask(draw.row), self.preprocessing)
        certainty = self.films.certainty(draw.row)
        if self.window is None:
            image = normalise(resize(self.films.image(draw.row), self.preprocessing))
            shown = mask.astype(np.float32)
        else:
            film = resize(np.ascontiguousarray(film), self.preprocessing)
            image, shown = cut_window(film, mask, self.window, np.random.default_rng(draw.seed))
        label = certainty if shown.any() else 1 - certainty
        if self.window is not None:
            shown = soften_border(shown, self.window.soften)
        target = torch.from_numpy(np.float32(certainty) * shown)[None]
        return torch.as_tensor(image).reshape(target.shape), target, torch.tensor([label]), draw.row


def evaluation_loader(
    films: PreparedFilms, rows: Sequence[int] | np.ndarray, preprocessing: PreprocessingConfig, batch_size: int
) -> DataLoader:
    """Every given film once, in order, without augmentation."""
    dataset = FilmDataset(films, preprocessing)
    batches = [[Draw(int(row), 0) for row in rows[at : at + batch_size]] for at in range(0, len(rows), batch_size)]
    return DataLoader(dataset, batch_sampler=batches)
