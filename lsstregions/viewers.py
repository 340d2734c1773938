"""What sky viewers take: multi-order coverage maps, for Aladin (ipyaladin), and whatever else reads MOC.

DS9 and jdaviz take the polygons of `FootprintSet.to_regions`, ipyaladin those that it makes with a WCS.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _runs
from ._validate import as_int
from ._wcs import as_celestial
from .footprints import Footprint, FootprintSet
from .footprints._set import as_set
from .spans import SpanSet

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = ["to_moc"]

# The finest cells of HEALPix as mocpy has it.
_MAX_ORDER = 29


def to_moc(footprints: FootprintSet | Footprint | SpanSet, wcs: Any, *, order: int | None = None) -> "MOC":
    """Return the part of the sky that footprints cover as a multi-order coverage map.

    Parameters
    ----------
    footprints : FootprintSet, Footprint or SpanSet
    wcs : APE-14 WCS
        From the pixel plane to the sky.
    order : int, optional
        HEALPix order of the smallest cells, 0 to 29; by default the highest whose cells are wider than the diagonal of
        a pixel, so that neighbouring pixels leave no gaps. The map has the cells that hold the centre of a pixel.

    Returns
    -------
    mocpy.MOC

    Raises
    ------
    ImportError
        If mocpy, which is optional, is not installed.
    TypeError
        If `footprints` is something else, or `wcs` no WCS.
    ValueError
        If `order` is out of range, the WCS not celestial, or a pixel has no place on the sky.
    """
    from mocpy import MOC

    spans = as_set(footprints, "footprints").union()
    if order is not None and not 0 <= as_int(order, "order") <= _MAX_ORDER:
        raise ValueError(f"order must be 0 to {_MAX_ORDER}, not {order}")
    wcs = as_celestial(wcs, "wcs")
    if not spans:
        return MOC.new_empty(_MAX_ORDER if order is None else order)
    if order is None:
        order = _order_of_pixels(wcs, *spans.centroid)
    y, x = _runs.indices(spans.array)
    sky = wcs.pixel_to_world(x, y).icrs
    lost = ~(np.isfinite(sky.ra.deg) & np.isfinite(sky.dec.deg))
    if lost.any():
        raise ValueError(
            f"{np.count_nonzero(lost)} pixels have no place on the sky, the first is ({x[lost][0]}, {y[lost][0]})"
        )
    return MOC.from_lonlat(sky.ra, sky.dec, max_norder=order)


def _order_of_pixels(wcs: Any, x: float, y: float) -> int:
    """Return the highest HEALPix order whose cells are wider than the diagonal of the pixel at (x, y)."""
    corners = wcs.pixel_to_world(np.array([x - 0.5, x + 0.5]), np.array([y - 0.5, y + 0.5]))
    diagonal = corners[0].separation(corners[1]).rad
    if not np.isfinite(diagonal) or diagonal == 0:
        raise ValueError(f"the pixel ({x}, {y}) has no place on the sky")
    # A cell of order 0 has the area pi / 3.
    return int(np.clip(np.floor(np.log2(np.sqrt(np.pi / 3) / diagonal)), 0, _MAX_ORDER))
