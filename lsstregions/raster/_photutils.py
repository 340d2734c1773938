"""The apertures of photutils; one with many positions is the union of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import photutils.aperture as pa

from .._ragged import offsets_of
from .._validate import as_radians
from ._dispatch import Mixed, batch, box_runs, runs_of
from ._shapes import CIRCLE, ELLIPSE, RECTANGLE, Batch, Runs, Shapes, wholes
from ._sky import Projection

Apertures = Sequence[Any]

# Of each class: its shape, what its sizes must be divided by, and their names.
_KINDS = {
    pa.CircularAperture: (CIRCLE, 1, ("r", "r")),
    pa.CircularAnnulus: (CIRCLE, 1, ("r_out", "r_out", "r_in", "r_in")),
    pa.EllipticalAperture: (ELLIPSE, 1, ("a", "b")),
    pa.EllipticalAnnulus: (ELLIPSE, 1, ("a_out", "b_out", "a_in", "b_in")),
    pa.RectangularAperture: (RECTANGLE, 2, ("w", "h")),
    pa.RectangularAnnulus: (RECTANGLE, 2, ("w_out", "h_out", "w_in", "h_in")),
}


@batch(*_KINDS)
def _apertures(apertures: Apertures, wcs: Any) -> Batch:
    kind, divisor, names = next(value for known, value in _KINDS.items() if isinstance(apertures[0], known))
    counts = [np.size(aperture.positions) // 2 for aperture in apertures]
    x, y = np.concatenate([np.atleast_2d(aperture.positions) for aperture in apertures]).T
    angles = [as_radians(getattr(aperture, "theta", 0.0), "theta") for aperture in apertures]
    sizes = [[getattr(aperture, name) / divisor for aperture in apertures] for name in names]
    a, b, *inner = (np.repeat(size, counts) for size in sizes)
    return wholes(Shapes(kind, x, y, a, b, np.repeat(angles, counts), *inner), offsets_of(counts))


@batch(pa.SkyAperture)
def _sky_apertures(apertures: Apertures, wcs: Any) -> Batch:
    # Raises for those of which a position has no place on the image.
    Projection(apertures, "positions", wcs)
    return Mixed([aperture.to_pixel(wcs) for aperture in apertures], wcs)


@runs_of.register
def _(region: pa.BoundingBox, wcs: Any = None, within: Any = None) -> Runs:
    return box_runs(region.ixmin, region.ixmax, region.iymin, region.iymax, within)
