"""What a WCS must be, and those of arrays whose first pixel is not (0, 0)."""

from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity
from astropy.wcs import WCS
from astropy.wcs.wcsapi import HighLevelWCSWrapper
from astropy.wcs.wcsapi.wrappers.base import BaseWCSWrapper
from numpy.typing import ArrayLike


def as_wcs(wcs: Any, name: str) -> Any:
    """Return a WCS of the shared interface, APE 14, of two pixel axes."""
    if not hasattr(wcs, "pixel_to_world"):
        raise TypeError(f"{name} must be a WCS of APE 14, not {type(wcs).__name__}")
    if getattr(wcs, "pixel_n_dim", 2) != 2:
        raise ValueError(f"{name} must be of two pixel axes, not of {wcs.pixel_n_dim}; take its celestial part")
    return wcs


def as_celestial(wcs: Any, name: str) -> Any:
    """Return a WCS of the shared interface from two pixel axes to the sky, without the box that may bound it."""
    low = low_level(as_wcs(wcs, name))
    if not is_celestial(wcs):
        raise ValueError(f"{name} must be celestial, not of the axes {low.world_axis_physical_types}")
    if low.world_n_dim != 2:
        raise ValueError(f"{name} must be of two world axes, not of {low.world_n_dim}; take its celestial part")
    # As `regions` does: what begins beyond the box may reach into the image.
    bounded = getattr(low, "bounding_box", None) is not None and hasattr(low, "invert")
    return HighLevelWCSWrapper(_UnboundedWCS(low)) if bounded else wcs


def is_celestial(wcs: Any) -> bool:
    """Whether a WCS has coordinates on the sky; None has not."""
    classes = {} if wcs is None else low_level(wcs).world_axis_object_classes
    return any(kind[0] is SkyCoord for kind in classes.values())


def low_level(wcs: Any) -> Any:
    """Return the part of a WCS that computes with numbers, or one that is such a part."""
    return getattr(wcs, "low_level_wcs", wcs)


class _UnboundedWCS(BaseWCSWrapper):
    """A gwcs evaluated outside of its bounding box too."""

    def pixel_to_world_values(self, x: ArrayLike, y: ArrayLike) -> Any:
        world = self._wcs(x, y, with_bounding_box=False)
        return tuple(map(_plain, world, self._wcs.world_axis_units))

    def world_to_pixel_values(self, *world: ArrayLike) -> Any:
        return tuple(map(_plain, self._wcs.invert(*world, with_bounding_box=False), ("pix", "pix")))


def _plain(value: Any, unit: str) -> Any:
    return value.to_value(unit) if isinstance(value, Quantity) else value


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
