"""Anything region-like to run arrays, or to run arrays and exact coverage.

This package stands below the classes and knows none above `geom` and `ellipses`: those offer their runs through a method
``__runs__()``. What turns a foreign object into runs is one `functools.singledispatch` function, `runs_of`.
"""

from typing import TYPE_CHECKING, Any

from .._validate import as_int32
from ..geom import Box2I
from ._dispatch import runs_of, runs_of_regions
from ._shapes import circles, ellipses, lines, points, polygons, rectangles

if TYPE_CHECKING:
    from ..spans import SpanSet

__all__ = [
    "circles",
    "ellipses",
    "lines",
    "points",
    "polygons",
    "rasterize",
    "rectangles",
    "runs_of",
    "runs_of_regions",
]


def rasterize(region: Any, *, wcs: Any = None, within: Box2I | None = None) -> "SpanSet":
    """Return the pixels of anything region-like.

    A pixel belongs to a shape if its centre lies strictly inside, without tolerance; the inner edge of an annulus is
    inside. This is what the ``to_mask(mode="center")`` of `regions` gives wherever no centre is within 1e-9 of the edge,
    but the cost grows with the rows of the shape, or with its edges, never with the area of its box.

    Parameters
    ----------
    region : object
        - any pixel, sky or spherical region of `regions`, compounds of any depth included; a point is the pixel that
          holds it, a line every pixel that holds a point of it between its ends;
        - a ``Regions`` or a list of anything here: the union; a region whose ``meta["include"]`` is false takes its
          pixels away from what came before it;
        - an aperture of photutils: the union over its positions;
        - a geometry of shapely: the interior of polygons, lines and points as above;
        - a `Box2I`, `Box2D`, `Ellipse`, or anything with a method ``__runs__``, as `SpanSet` and `Footprint` have;
        - a 2-D boolean array;
        - an object with ``to_mask()`` or ``to_pixel(wcs)`` like a region's, or of a class registered with `runs_of`.
    wcs : object, optional
        A celestial WCS of the shared interface (APE 14), which sky regions need.
    within : Box2I, optional
        What lies outside is left out, and costs nothing.

    Returns
    -------
    SpanSet

    Raises
    ------
    TypeError
        For something that is no region, or a text.
    ValueError
        For a sky region without `wcs` or that does not project, and for sizes that are not finite.
    OverflowError
        For a region that leaves int32 where there is no `within`.
    """
    from ..spans import SpanSet

    return SpanSet._from_canonical(runs_of(region, wcs, checked(within)))


def checked(within: Any) -> Any:
    """Return `within`, which must be a Box2I or None."""
    if within is not None and not isinstance(within, Box2I):
        raise TypeError(f"within must be a Box2I, not {within!r}")
    return within
