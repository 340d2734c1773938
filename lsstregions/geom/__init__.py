"""Points, extents, intervals, boxes and affine maps of the pixel plane.

Pixel ``i`` covers ``[i - 0.5, i + 0.5)`` and its centre is the integer ``i``. Points are ``(x, y)``, arrays
are indexed ``[y, x]``. A name that ends in ``I`` is made of int32 pixels, one that ends in ``D`` of floats.

All classes are immutable values: they compare exactly and only with their own class, hash, pickle, and
``eval(repr(value)) == value``.

Empty intervals and boxes obey one rule: all empty ones of a class are equal; an empty one is contained by
everything, contains nothing but other empty ones, overlaps nothing, and stays empty when it is moved or dilated.
"""

from ._boxes import Box2D, Box2I
from ._intervals import IntervalD, IntervalI
from ._points import Extent2D, Extent2I, Point2D, Point2I
from ._transforms import AffineTransform, LinearTransform

__all__ = [
    "AffineTransform",
    "Box2D",
    "Box2I",
    "Extent2D",
    "Extent2I",
    "IntervalD",
    "IntervalI",
    "LinearTransform",
    "Point2D",
    "Point2I",
]
