"""A picture of many squares of one size, for what is too small on the screen to have an outline."""

import math

import numpy as np
from numpy.typing import NDArray


def squares(
    x: NDArray[np.int64], y: NDArray[np.int64], colors: NDArray[np.uint8], side: float
) -> tuple[NDArray[np.uint8], int, int]:
    """Return a picture of squares around the centres of pixels of the screen, and the pixel that it begins at.

    Parameters
    ----------
    x, y : ndarray of int64, shape (n,)
        The pixels. The picture covers all of them.
    colors : ndarray of uint8, shape (n, 4) or (1, 4)
        RGBA; where squares overlap, the last one is seen.
    side : float
        In pixels, at least 1. A pixel that is covered in part is as much more transparent.

    Returns
    -------
    picture : ndarray of uint8, shape (ny, nx, 4)
    left, bottom : int
    """
    # Less than a tenth of a pixel is not seen.
    reach = math.ceil(side / 2 - 0.6)
    left, bottom = int(x.min()) - reach, int(y.min()) - reach
    shape = int(y.max()) - bottom + reach + 1, int(x.max()) - left + reach + 1
    cover = np.zeros(shape, np.uint8)
    cover[y - bottom, x - left] = 255
    # A pixel within `whole` of a square's is covered by it; the next one by a share, two of which may add up.
    whole = math.floor(side / 2 - 0.5)
    share = side / 2 - 0.5 - whole
    for axis in (0, 1):
        inside = _largest_within(cover, whole, axis)
        cover = np.maximum(inside, _sum_at(_times(cover, share), reach, axis)) if reach > whole else inside
    words = np.ascontiguousarray(colors).view(np.uint32)[:, 0]
    if len(words) == 1:
        picture = np.full(shape, words[0])
    else:
        last = np.zeros(shape, np.int32)
        last[y - bottom, x - left] = np.arange(1, len(x) + 1)
        for axis in (0, 1):
            last = _largest_within(last, whole, axis)
        # A pixel that is covered in part is seen only where nothing else is.
        outer = last
        for axis in (0, 1):
            outer = _largest_within(outer, reach - whole, axis)
        picture = np.append(words, words[-1:])[np.where(last > 0, last, outer) - 1]
    rgba: NDArray[np.uint8] = picture.view(np.uint8).reshape(*shape, 4)
    rgba[..., 3] = cover if (colors[:, 3] == 255).all() else np.round(rgba[..., 3] * (cover / 255))
    return rgba, left, bottom


def _largest_within(picture: NDArray, reach: int, axis: int) -> NDArray:
    """Return the largest value within reach of each pixel along an axis."""
    if reach == 0:
        return picture
    result = picture.copy()
    source, target = np.moveaxis(picture, axis, 0), np.moveaxis(result, axis, 0)
    for step in range(1, reach + 1):
        np.maximum(target[step:], source[:-step], out=target[step:])
        np.maximum(target[:-step], source[step:], out=target[:-step])
    return result


def _sum_at(picture: NDArray[np.uint8], distance: int, axis: int) -> NDArray[np.uint8]:
    """Return the sum of the two values at a distance from each pixel along an axis, or 255 if it is more."""
    result = np.zeros_like(picture)
    source, target = np.moveaxis(picture, axis, 0), np.moveaxis(result, axis, 0)
    target[distance:] = source[:-distance]
    target[:-distance] += np.minimum(source[distance:], 255 - target[:-distance])
    return result


def _times(picture: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    return (picture * np.uint16(round(256 * share)) >> 8).astype(np.uint8)
