"""Detection and footprints, dense: what each operation means, in a few lines of NumPy and SciPy."""

import numpy as np
import scipy.ndimage


def passing(image, threshold, sign=1, inclusive=False, mask=None):
    """Pixels beyond a threshold, compared as long doubles, which hold int64 and float64 exactly."""
    pixels, limit = sign * np.asarray(image, np.longdouble), np.asarray(threshold, np.longdouble)
    passes = pixels >= limit if inclusive else pixels > limit
    return passes if mask is None else passes & ~mask


def label(passes, connectivity=8, n_pixels=1):
    """Label image of the components, in the raster order of their first pixels."""
    structure = np.ones((3, 3)) if connectivity == 8 else None
    labels, count = scipy.ndimage.label(passes, structure)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    kept = area >= n_pixels
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0)[labels]


def peaks(image, labels, sign=1):
    """List for each label its peaks (x, y), the most significant first."""
    ny, nx = image.shape
    padded = np.full((ny + 2, nx + 2), np.nan, np.longdouble)
    padded[1:-1, 1:-1] = sign * image.astype(np.longdouble)
    windows = [padded[1 + dy : 1 + dy + ny, 1 + dx : 1 + dx + nx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    maxima = ~np.any([window > windows[4] for window in windows], axis=0)
    found = []
    for number in range(1, labels.max(initial=0) + 1):
        member = labels == number
        chosen = member & maxima
        if not chosen.any():
            highest = np.flatnonzero(member & (windows[4] == windows[4][member].max()))
            chosen.flat[highest[0]] = True
        y, x = np.nonzero(chosen)
        order = np.lexsort((y, x, -windows[4][y, x].astype(float)))
        found.append([(int(x[i]), int(y[i])) for i in order])
    return found


def grow(labels, element):
    """Label image of the components of all labels dilated."""
    return label(scipy.ndimage.binary_dilation(labels > 0, element))


def common_sign(labels, members):
    """The sign that all members, pairs of mask and sign, with a pixel under each label share; 0 where they differ."""
    numbers = range(1, labels.max(initial=0) + 1)
    signs = [{sign for mask, sign in members if mask[labels == number].any()} for number in numbers]
    return [some.pop() if len(some) == 1 else 0 for some in signs]


def frames_of(footprints, box):
    """One boolean frame for each footprint."""
    return [footprint.spans.clip(box).to_mask(box) for footprint in footprints]
