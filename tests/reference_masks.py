"""Dense definitions of what masks do: a mask is a dict of boolean images by plane name."""

import numpy as np


def pixels_of(runs, shape, xy0):
    """Return the bool image of runs; parts outside are left out."""
    image = np.zeros(shape, bool)
    for y, x_start, x_stop in runs:
        if 0 <= y - xy0[1] < shape[0]:
            image[y - xy0[1], max(x_start - xy0[0], 0) : max(x_stop - xy0[0], 0)] = True
    return image


def words_of(planes, bits, dtype):
    """Return the integer image of bool images by name with the bits of their names."""
    words = np.zeros(next(iter(planes.values())).shape, dtype)
    for name, image in planes.items():
        words |= image.astype(dtype) << dtype(bits[name])
    return words


def merged(first, second):
    """Return two dicts of bool images merged by name."""
    return {name: np.logical_or(first.get(name, False), second.get(name, False)) for name in [*first, *second]}


def bad_pixels(planes, bad):
    """Return where any of the bad planes is set."""
    return np.logical_or.reduce(
        [image for name, image in planes.items() if name in bad] or [np.zeros_like(next(iter(planes.values())))]
    )
