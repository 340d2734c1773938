__version__: str

from .ellipses import Axes, Ellipse, Quadrupole, Separable
from .footprints import FootprintSet
from .geom import (
    AffineTransform,
    Box2D,
    Box2I,
    Extent2D,
    Extent2I,
    IntervalD,
    IntervalI,
    LinearTransform,
    Point2D,
    Point2I,
)
from .spans import SpanSet
