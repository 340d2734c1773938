"""Dense definitions: which centres of a grid lie strictly inside a shape."""

from fractions import Fraction
from itertools import pairwise

import numpy as np


def grid(box):
    """Return x and y of the pixels of ``(x_start, x_stop, y_start, y_stop)``."""
    x_start, x_stop, y_start, y_stop = box
    y, x = np.mgrid[y_start:y_stop, x_start:x_stop]
    return x.astype(float), y.astype(float)


def circle(box, x, y, r):
    px, py = grid(box)
    return (px - x) ** 2 < (r - np.abs(py - y)) * (r + np.abs(py - y))


def turned(box, x, y, theta):
    px, py = grid(box)
    cos, sin = (round(v) if abs(v - round(v)) < 1e-15 else v for v in (np.cos(theta), np.sin(theta)))
    return (px - x) * cos + (py - y) * sin, (py - y) * cos - (px - x) * sin


def ellipse(box, x, y, a, b, theta):
    u, v = turned(box, x, y, theta)
    return (u / a) ** 2 + (v / b) ** 2 < 1


def rectangle(box, x, y, width, height, theta):
    u, v = turned(box, x, y, theta)
    return (np.abs(u) < width / 2) & (np.abs(v) < height / 2)


def polygon(box, x, y):
    """Even-odd: on no edge, and an odd number of edges to the left."""
    px, py = grid(box)
    inside = np.zeros(px.shape, bool)
    edge = np.zeros(px.shape, bool)
    for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        side = (px - x0) * (y1 - y0) - (py - y0) * (x1 - x0)
        inside ^= (y0 <= py) & (py < y1) & (side > 0)
        edge |= (side == 0) & (min(x0, x1) <= px) & (px <= max(x0, x1)) & (y0 <= py) & (py <= y1)
    return inside & ~edge


def line(x0, y0, x1, y1):
    """Return the pixels, as (y, x), that hold a point of the open line: at, and between, all crossings of borders."""
    x0, y0, x1, y1 = map(Fraction, (x0, y0, x1, y1))
    half = Fraction(1, 2)
    cuts = {Fraction(0), Fraction(1)}
    for low, high in ((x0, x1), (y0, y1)):
        if low != high:
            borders = range(int(np.floor(min(low, high))) - 1, int(np.ceil(max(low, high))) + 2)
            cuts |= {(border + half - low) / (high - low) for border in borders}
    cuts = sorted(t for t in cuts if 0 <= t <= 1)
    between = [(s + t) / 2 for s, t in pairwise(cuts)]
    points = [(x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in cuts[1:-1] + between]
    return {(int(np.floor(y + half)), int(np.floor(x + half))) for x, y in points or [(x0, y0)]}


def edge_distance(box, x, y):
    """Return the distance of every centre from the outline of a polygon."""
    px, py = grid(box)
    nearest = np.full(px.shape, np.inf)
    for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
        dx, dy = x1 - x0, y1 - y0
        length2 = dx * dx + dy * dy
        t = np.clip(((px - x0) * dx + (py - y0) * dy) / length2, 0, 1) if length2 else 0
        nearest = np.minimum(nearest, np.hypot(px - x0 - t * dx, py - y0 - t * dy))
    return nearest
