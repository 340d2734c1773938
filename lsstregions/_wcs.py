"""WCS of arrays whose first pixel is not (0, 0)."""

from typing import Any

import numpy as np
from astropy.wcs import WCS
from astropy.wcs.wcsapi import HighLevelWCSWrapper
from astropy.wcs.wcsapi.wrappers.base import BaseWCSWrapper
from numpy.typing import ArrayLike


def absolute(wcs: Any, xy0: tuple[int, int]) -> Any:
    """Return the WCS from the pixel plane of that of an array whose first pixel is `xy0`, if there is one."""
    if wcs is None or xy0 == (0, 0):
        return wcs
    if type(wcs) is WCS and not has_tables(wcs):
        return _shifted(wcs, *xy0)
    return HighLevelWCSWrapper(_ShiftedWCS(wcs.low_level_wcs, *xy0))


def has_tables(wcs: WCS) -> bool:
    """Whether a FITS WCS has tables of distortion."""
    return any(table is not None for table in (wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2))


class _ShiftedWCS(BaseWCSWrapper):
    """Any WCS, for pixel coordinates that are larger by (x0, y0)."""

    def __init__(self, wcs: Any, x0: int, y0: int):
        super().__init__(wcs)
        self._x0 = x0
        self._y0 = y0

    pixel_shape = None
    pixel_bounds = None

    def pixel_to_world_values(self, x: ArrayLike, y: ArrayLike) -> Any:
        return self._wcs.pixel_to_world_values(np.asarray(x) - self._x0, np.asarray(y) - self._y0)

    def world_to_pixel_values(self, *world: ArrayLike) -> Any:
        x, y = self._wcs.world_to_pixel_values(*world)
        return x + self._x0, y + self._y0


def _shifted(wcs: WCS, x0: int, y0: int) -> WCS:
    """Return a FITS WCS for coordinates that are larger by (x0, y0)."""
    shifted = wcs.deepcopy()
    shifted.wcs.crpix = shifted.wcs.crpix + np.array([x0, y0])
    if shifted.sip is not None:
        sip = shifted.sip
        shifted.sip = type(sip)(sip.a, sip.b, sip.ap, sip.bp, sip.crpix + np.array([x0, y0]))
    shifted.pixel_shape = None
    shifted.wcs.set()
    return shifted
