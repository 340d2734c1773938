"""What every operation on span sets means: a few lines of NumPy on boolean frames.

A frame stands for the plane: all pixels outside it are off, and results must fit into it.
"""

import numpy as np


def runs(mask, xy0=(0, 0)):
    """Canonical runs of a frame whose first pixel is xy0."""
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(int), axis=1)
    (y, start), (_, stop) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    return np.column_stack((y + xy0[1], start + xy0[0], stop + xy0[0])).astype(np.int32)


def frame(spans, shape, xy0=(0, 0)):
    """Frame that is on under spans."""
    mask = np.zeros(shape, bool)
    for y, start, stop in spans:
        mask[y - xy0[1], start - xy0[0] : stop - xy0[0]] = True
    return mask


def shifted(mask, dx, dy):
    ny, nx = mask.shape
    out = np.zeros_like(mask)
    out[max(dy, 0) : ny + dy, max(dx, 0) : nx + dx] = mask[max(-dy, 0) : ny - dy, max(-dx, 0) : nx - dx]
    return out


def dilated(mask, offsets):
    return np.any([shifted(mask, dx, dy) for dx, dy in offsets], axis=0)


def eroded(mask, offsets):
    return np.all([shifted(mask, -dx, -dy) for dx, dy in offsets], axis=0)


def disk(r):
    return [(dx, dy) for dy in grid(r) for dx in grid(r) if dx * dx + dy * dy <= r * r]


def square(r):
    return [(dx, dy) for dy in grid(r) for dx in grid(r) if max(abs(dx), abs(dy)) <= r]


def diamond(r):
    return [(dx, dy) for dy in grid(r) for dx in grid(r) if abs(dx) + abs(dy) <= r]


def grid(r):
    return range(-int(r), int(r) + 1)


def labels(mask, connectivity):
    """Components numbered from 0 in raster order of their first pixels, and -1 where the frame is off."""
    neighbours = diamond(1) if connectivity == 4 else square(1)
    before, label = None, np.where(mask, np.arange(mask.size).reshape(mask.shape), mask.size)
    while before is None or (label != before).any():
        padded, before = np.pad(label, 1, constant_values=mask.size), label
        ny, nx = mask.shape
        around = [padded[1 + dy : 1 + dy + ny, 1 + dx : 1 + dx + nx] for dx, dy in neighbours]
        label = np.where(mask, np.min(around, axis=0), mask.size)
    return np.searchsorted(np.unique(label[mask]), label) * mask - ~mask


def count(mask, connectivity):
    return labels(mask, connectivity).max(initial=-1) + 1


def holes(mask, connectivity=8):
    """The background that does not reach the frame's edge."""
    background = labels(np.pad(~mask, 1, constant_values=True), 12 - connectivity)
    return (background > 0)[1:-1, 1:-1]


def euler_number(mask):
    return count(mask, 8) - count(holes(mask), 4)


def perimeter(mask):
    padded = np.pad(mask, 1).astype(int)
    return abs(np.diff(padded, axis=0)).sum() + abs(np.diff(padded, axis=1)).sum()


def moments(mask, order, center=(0, 0)):
    y, x = np.nonzero(mask)
    # Powers of integers would overflow.
    dx, dy = x - float(center[0]), y - float(center[1])
    return np.array([[(dy**p * dx**q).sum() for q in range(order + 1)] for p in range(order + 1)])


def convex_hull(mask):
    """Pixels on the inner side of every line that has all pixels of the set on one side."""
    y, x = np.nonzero(mask)
    rows, columns = np.indices(mask.shape)
    hull = (rows >= y.min()) & (rows <= y.max()) & (columns >= x.min()) & (columns <= x.max())
    for x0, y0 in zip(x, y, strict=True):
        for x1, y1 in zip(x, y, strict=True):
            if ((x1 - x0) * (y - y0) >= (x - x0) * (y1 - y0)).all():
                hull &= (x1 - x0) * (rows - y0) >= (columns - x0) * (y1 - y0)
    return hull


def transformed(mask, transform, inverse):
    """Pixels whose centre comes from the set, in the box of what becomes of the outermost pixels' centres."""
    y, x = np.nonzero(mask)
    corners = np.array([transform(cx, cy) for cx in (x.min(), x.max()) for cy in (y.min(), y.max())])
    low, high = np.ceil(corners.min(axis=0) - 0.5).astype(int), np.floor(corners.max(axis=0) + 0.5).astype(int)
    found = []
    for row in range(low[1], high[1] + 1):
        for column in range(low[0], high[0] + 1):
            place = np.array(inverse(column, row))
            # The floor of place + 0.5, which rounding may put above it.
            sx, sy = (np.floor(place) + (place - np.floor(place) >= 0.5)).astype(int)
            if 0 <= sy < mask.shape[0] and 0 <= sx < mask.shape[1] and mask[sy, sx]:
                found.append((row, column))
    return found
