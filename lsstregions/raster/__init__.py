"""Anything region-like to run arrays, or to run arrays and exact coverage.

This package stands below the classes and knows none above `geom` and `ellipses`: those offer their runs through a
method ``__runs__()``. What turns a foreign object into runs is one `functools.singledispatch` function, `runs_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _coverage, _measure, _raster, _runs
from .._frames import Frame
from .._validate import require
from ..geom import Box2I
from ._dispatch import (
    SkippedRegionWarning,
    UnprojectableError,
    batches,
    needed,
    pixels_of,
    projecting,
    runs_of,
    runs_of_regions,
    unordered_runs_of,
)
from ._shapes import RECTANGLE, Shapes, Wholes, circles, ellipses, lines, points, polygons, rectangles

if TYPE_CHECKING:
    from ..spans import SpanSet

__all__ = [
    "ApertureSums",
    "SkippedRegionWarning",
    "circles",
    "coverage",
    "coverage_sum",
    "ellipses",
    "lines",
    "points",
    "polygons",
    "rasterize",
    "rectangles",
    "runs_of",
    "runs_of_regions",
    "unordered_runs_of",
]


Unprojectable = Literal["raise", "skip"]

# Side of a square of the image that the processor's cache holds, with that of its variance.
TILE = 256
# The weights of more pixels than this would take gigabytes.
MAX_AREA = 10**9


def rasterize(
    region: Any, *, wcs: Any = None, within: Box2I | None = None, unprojectable: Unprojectable = "raise"
) -> SpanSet:
    """Return the pixels of anything region-like.

    A pixel belongs to a shape if its centre lies strictly inside, without tolerance; the inner edge of an annulus is
    inside. This is what the ``to_mask(mode="center")`` of `regions` gives wherever no centre is within 1e-9 of the
    edge, but the cost grows with the rows of the shape, or with its edges, never with the area of its box.

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
        - an object with ``to_mask()`` or ``to_pixel(wcs)`` like a region's, or of a class registered with
          `lsstregions.raster.runs_of`.
    wcs : object, optional
        A celestial WCS of the shared interface (APE 14), from the pixel plane, which sky regions need; of a cutout it
        is ``image.absolute_wcs``, not ``image.wcs``, which counts from its first pixel.
    within : Box2I, optional
        What lies outside is left out, and costs nothing.
    unprojectable : {"raise", "skip"}, optional
        What to do with regions on the sky that do not project onto the image.

    Returns
    -------
    SpanSet

    Warns
    -----
    SkippedRegionWarning
        If such regions are skipped.

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

    # Lists are what leaves members out.
    regions = region if unprojectable == "raise" else [region]
    return SpanSet._from_canonical(pixels_of(regions, projecting(wcs, unprojectable), checked(within)))


def coverage(
    region: Any, *, wcs: Any = None, within: Box2I | None = None, unprojectable: Unprojectable = "raise"
) -> tuple[SpanSet, NDArray[np.float64]]:
    """Return every pixel that a region touches and the exact share of its area that lies inside.

    Polygons and arcs are integrated in closed form, wherever they are; interior pixels are not looked at one by one.
    Polygons that cross themselves are taken by the even-odd rule, their edges cut where they meet. Lines and points
    cover nothing. Whole pixels (boxes of integers, span sets, masks) cover themselves, as do regions of a class that is
    registered with `runs_of`.

    Parameters
    ----------
    region : object
    wcs : APE-14 WCS, optional
    within : Box2I, optional
    unprojectable : {"raise", "skip"}, optional
        As of `rasterize`. The members of a list, or of a compound, may be disjoint or nested. If borders cross within a
        pixel it must make no difference how, as where another member covers it.

    Returns
    -------
    spans : SpanSet
    weights : ndarray of float64, shape (area,)
        In (0, 1], in the order of ``spans.indices()``.

    Warns
    -----
    SkippedRegionWarning
        As `rasterize` does.

    Raises
    ------
    ValueError
        If it makes a difference how the borders of two members cross in a pixel, and for what `rasterize` raises it.
    TypeError, OverflowError
        As `rasterize` does.
    """
    from ..spans import SpanSet
    from ._exact import pieces_of

    regions = region if unprojectable == "raise" else [region]
    ((batch, _),) = batches([regions], projecting(wcs, unprojectable))
    if checked(within) is None and isinstance(batch, Shapes):
        # Before anything is made of it.
        batch.bounds(None)
        _check_area(float(batch.areas()[0]))
    spans, weights, _ = pieces_of(batch, within)
    _check_area(_runs.area(spans))
    runs, weights = _coverage.spread(spans, weights)
    return SpanSet._from_canonical(runs), weights


def _check_area(area: float) -> None:
    if area > MAX_AREA:
        raise ValueError(f"the region covers {area:.3g} pixels, more than {MAX_AREA:.0e}; pass a smaller `within`")


class ApertureSums(NamedTuple):
    """What `coverage_sum` returns.

    Attributes
    ----------
    sum, area, error : ndarray of float64, shape (n,)
        For each region, in the units of the image and in pixels; `error` is None where there is no variance, and NaN
        where its sum is negative.
    """

    sum: NDArray[np.float64]
    area: NDArray[np.float64]
    error: NDArray[np.float64] | None


def coverage_sum(
    image: ArrayLike,
    regions: Any,
    *,
    wcs: Any = None,
    variance: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    xy0: tuple[int, int] | None = None,
    unprojectable: Unprojectable = "raise",
) -> ApertureSums:
    """Return the sum of an image over each of a list of regions, every pixel weighted by the exact share inside.

    Parameters
    ----------
    image : array_like, Quantity, MaskedArray or NDData, shape (ny, nx)
        Float32 and float64 are taken as they are, anything else as float64; sums are of doubles, and in its unit.
    regions : iterable or aperture
        A list, tuple, ``Regions``, `FootprintSet` or iterator of regions of any kind that `coverage` knows;
        ``meta["include"]`` is not looked at. An aperture of photutils with many positions stands for as many regions,
        and anything else for one.
    wcs : object, optional
        As of `rasterize`; by default that of the image, if it is an NDData with one.
    variance : array_like, shape (ny, nx), optional
        The variance of each pixel; by default from the image's uncertainty, if it has one.
    mask : array_like of bool, shape (ny, nx), optional
        True where a pixel is to be left out; by default the mask of the image, if it has one. A `Mask` covers what its
        own origin says.
    xy0 : pair of int, optional
        The pixel that ``image[0, 0]`` is; by default that of the image, of a `Mask` given with it, or (0, 0).
    unprojectable : {"raise", "skip"}, optional
        As of `rasterize`; the sum over what is skipped is 0, and so is its area.

    Returns
    -------
    sum : ndarray of float64, shape (n,)
        The sums of weight times value.
    area : ndarray of float64, shape (n,)
        The sums of the weights of the pixels used, those in the image and not masked: an area in pixels.
    error : ndarray of float64, shape (n,), or None
        The square roots of the sums of weight times variance, as SExtractor has them, and photutils up to 3.0; later
        ones take the squares of the weights.

    Warns
    -----
    SkippedRegionWarning
        As `rasterize` does.

    Raises
    ------
    TypeError
        If `image` or `xy0` is of the wrong kind, or a region of no known one.
    ValueError
        If an array is of another shape, or for what `coverage` raises it.
    OverflowError
        If a coordinate does not fit into int32.
    """
    frame = Frame.of(image, variance, mask, xy0)
    dtype = np.result_type(frame.data, np.float32, *([] if frame.variance is None else [frame.variance]))
    dtype = np.dtype(np.float32 if dtype == np.float32 else np.float64)
    unit = frame.unit
    if wcs is None and frame.wcs is not None:
        from .._wcs import absolute

        wcs = absolute(frame.wcs, frame.xy0)
    is_aperture = hasattr(regions, "positions")
    if is_aperture and hasattr(regions, "to_pixel"):
        try:
            made: Any = batches([regions], needed(wcs, regions))[0][0]
            (regions,) = made.regions
        except UnprojectableError:
            regions = [regions] if regions.isscalar else list(regions)
    if isinstance(regions, list | tuple | Iterator) or hasattr(regions, "regions") or hasattr(regions, "offsets"):
        regions = list(getattr(regions, "regions", regions))
        result = np.zeros((3, len(regions)))
        for batch, places in batches(regions, projecting(wcs, unprojectable)):
            result[:, places] = _sums(batch, frame, dtype)
    else:
        ((batch, _),) = batches([regions], projecting(wcs, unprojectable))
        result = _sums(batch.batch if is_aperture and isinstance(batch, Wholes) else batch, frame, dtype)
    total, area, noise = result
    with np.errstate(invalid="ignore"):
        error = None if frame.variance is None else np.sqrt(noise)
    if unit is not None:
        # Not in place: that would be of the image's class.
        total, error = total << unit, None if error is None else error << unit
    return ApertureSums(total, area, error)


def _sums(batch: Any, frame: Frame, dtype: np.dtype) -> NDArray[np.float64]:
    """Return the sums over each region of a batch, their areas and variances: of shape (3, n)."""
    box = frame.box
    if isinstance(batch, Shapes) and batch.kind != RECTANGLE:
        order = _by_tile(batch.columns, *box.xy0)
        result = np.empty((3, order.size))
        conics = batch.measurable().take(order, axis=1)
        planes, xy0 = _planes_in(frame, dtype, *_raster.reach(conics, box.y.start, box.y.stop)[:4])
        result[:, order] = _coverage.conic_sums(*planes, conics, *xy0)
        return result
    from ._exact import pieces_of

    spans, weights, offsets = pieces_of(batch, box)
    if not len(spans):
        return np.zeros((3, len(offsets) - 1))
    left, right, low, high = _measure.extents(spans, offsets)[0][:, np.diff(offsets) > 0]
    planes, xy0 = _planes_in(frame, dtype, left.min(), right.max(), low.min(), high.max())
    return _coverage.sums(*planes, spans, weights, offsets, *xy0)


def _planes_in(
    frame: Frame, dtype: np.dtype, x_min: float, x_max: float, y_min: float, y_max: float
) -> tuple[tuple[NDArray, NDArray, NDArray], tuple[int, int]]:
    """Return an image, its variance and mask as kernels take them, within these bounds, and their first pixel."""
    # Only this part is converted.
    (x0, y0), (ny, nx) = frame.xy0, frame.data.shape
    left, right = (int(np.clip(edge, x0, x0 + nx)) - x0 for edge in (np.floor(x_min), np.ceil(x_max) + 1))
    low, high = (int(np.clip(edge, y0, y0 + ny)) - y0 for edge in (np.floor(y_min), np.ceil(y_max) + 1))
    part = slice(low, max(low, high)), slice(left, max(left, right))
    variance, mask = (None if plane is None else plane[part] for plane in (frame.variance, frame.mask))
    planes = (
        _with_rows(frame.data[part].astype(dtype, copy=False)),
        _beside(variance, dtype),
        _beside(None if mask is None else np.asarray(mask), np.dtype(bool)).view(np.uint8),
    )
    return planes, (x0 + left, y0 + low)


def _by_tile(columns: NDArray[np.float64], x0: int, y0: int) -> NDArray[np.intp]:
    """Return an order of shapes in which neighbours come together, so that their pixels are read from memory once."""
    x, y = np.clip((columns[:2] - [[x0], [y0]]) / TILE, 0, 255).astype(np.uint16)
    return np.argsort(256 * y + x, kind="stable")


def _beside(plane: NDArray | None, dtype: np.dtype) -> NDArray:
    """Return an array that goes with an image, or one of no pixels."""
    return np.empty((0, 0), dtype) if plane is None else _with_rows(plane.astype(dtype, copy=False))


def _with_rows(array: NDArray) -> NDArray:
    """Return an array each of whose rows is contiguous, and aligned."""
    good = array.strides[1] == array.itemsize and array.flags.aligned
    return array if good else np.require(array, requirements=["C", "A"])


def checked(within: Any) -> Any:
    """Return `within`, which must be a Box2I or None."""
    return None if within is None else require(within, Box2I, "within")
