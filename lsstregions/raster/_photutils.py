"""The apertures of photutils; one with many positions is the union of them."""

from typing import Any

import numpy as np
import photutils.aperture as pa

from ._arrays import Many, Runs, circles, ellipses, rectangles
from ._dispatch import needed, runs_of, union_of


def _positions(aperture: Any) -> Any:
    return np.atleast_2d(aperture.positions).T


@runs_of.register(pa.CircularAperture)
@runs_of.register(pa.CircularAnnulus)
def _(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    if isinstance(region, pa.CircularAperture):
        return union_of(circles(*_positions(region), region.r, within=within))
    return union_of(circles(*_positions(region), region.r_out, inner_r=region.r_in, within=within))


@runs_of.register(pa.EllipticalAperture)
@runs_of.register(pa.EllipticalAnnulus)
def _(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    x, y = _positions(region)
    if isinstance(region, pa.EllipticalAperture):
        return union_of(ellipses(x, y, region.a, region.b, region.theta, within=within))
    inner = {"inner_a": region.a_in, "inner_b": region.b_in}
    return union_of(ellipses(x, y, region.a_out, region.b_out, region.theta, **inner, within=within))


@runs_of.register(pa.RectangularAperture)
@runs_of.register(pa.RectangularAnnulus)
def _(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    x, y = _positions(region)
    if isinstance(region, pa.RectangularAperture):
        return union_of(rectangles(x, y, region.w, region.h, region.theta, within=within))
    inner = {"inner_width": region.w_in, "inner_height": region.h_in}
    return union_of(rectangles(x, y, region.w_out, region.h_out, region.theta, **inner, within=within))


@runs_of.register(pa.SkyAperture)
def _(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    return runs_of(region.to_pixel(needed(wcs, region)), wcs, within)
