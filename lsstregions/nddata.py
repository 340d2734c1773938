"""MaskedImage: an NDData that knows its place in the pixel plane and names the planes of its mask."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from astropy.nddata import (
    Cutout2D,
    NDArithmeticMixin,
    NDData,
    NDSlicingMixin,
    NDUncertainty,
)
from astropy.units import Quantity
from astropy.wcs import WCS
from numpy.typing import ArrayLike, NDArray

from ._frames import variance_of
from ._validate import as_any_pair, as_float, as_pair, check_unmasked
from ._wcs import absolute
from .geom import Box2I
from .masks import MASKED, Mask, MaskSchema, merge_masks, window_of
from .raster import Unprojectable


class MaskedImage(NDArithmeticMixin, NDSlicingMixin, NDData):
    """An image with named mask planes, uncertainty, unit, WCS, metadata and a place in the pixel plane.

    Parameters
    ----------
    data : array-like or NDData
        The pixels, of shape (ny, nx), kept as they are. From an `~astropy.nddata.NDData` everything else is taken
        over too, without copying arrays, unless it is given. (Arithmetic makes images of numbers and of rows; they
        have no place in the plane.)
    mask : Mask, MaskSchema or bool array of shape (ny, nx), optional
        A schema makes a mask without any bit set. A bool array is wrapped as the bad plane ``MASKED``.
    uncertainty : NDUncertainty or array-like of shape (ny, nx), optional
        LSST's variance plane is a `~astropy.nddata.VarianceUncertainty`.
    xy0 : (int, int), optional
        Coordinates of the first pixel; by default those of the mask, or (0, 0).
    wcs : APE-14 WCS, optional
        From array indices to the sky, as everywhere in astropy; see `absolute_wcs`.
    unit : unit-like, optional
    meta : mapping, optional
    copy : bool, optional
    psf : ndarray of shape (n, m), optional
        As for `~astropy.nddata.NDData`.

    Raises
    ------
    TypeError
        If `xy0` is no pair of integers.
    ValueError
        If the mask covers other pixels than the data.
    OverflowError
        If a coordinate does not fit into int32.

    Examples
    --------
    >>> image = MaskedImage(np.zeros((4, 5)), MaskSchema.lsst(), xy0=(100, 200))
    >>> image.set_mask("SAT", Box2I(x=(101, 103), y=(200, 202)))
    >>> image[1:, 1:].xy0
    (101, 201)
    >>> int(image.add(1).mask["SAT"].sum())
    4
    """

    _xy0: tuple[int, int] | None

    def __init__(
        self,
        data: Any,
        mask: Any = None,
        uncertainty: NDUncertainty | ArrayLike | None = None,
        xy0: tuple[int, int] | None = None,
        wcs: Any = None,
        *,
        unit: Any = None,
        meta: Any = None,
        copy: bool = False,
        psf: Any = None,
    ):
        sources = (mask, data, getattr(data, "mask", None))
        given = (source._xy0 for source in sources if isinstance(source, Mask | MaskedImage))
        # None: not said. An array has no place of its own and fits onto any image.
        self._xy0 = next(given, None) if xy0 is None else as_pair(xy0, "xy0")
        super().__init__(data, mask=mask, uncertainty=uncertainty, wcs=wcs, unit=unit, meta=meta, copy=copy, psf=psf)

    @property
    def mask(self) -> Mask | None:
        """The mask; a schema or a bool array may be assigned as well."""
        return self._mask

    @mask.setter
    def mask(self, value: Any) -> None:
        shape = self.data.shape
        if value is not None and len(shape) == 2:
            if isinstance(value, MaskSchema):
                value = Mask(shape, value, xy0=self.xy0)
            elif not isinstance(value, Mask):
                check_unmasked(value, "mask")
                array = np.asarray(value)
                if array.dtype != bool:
                    raise TypeError(f"mask must be a Mask, a MaskSchema or a bool array, not of {array.dtype}")
                # np.ma has a mask of one element for none at all.
                value = Mask(array if array.ndim else np.full(shape, array), MASKED, xy0=self.xy0)
            if value.shape != shape or value.xy0 != self.xy0:
                raise ValueError(
                    f"the mask, of shape {value.shape} at {value.xy0}, does not cover the image, "
                    f"of shape {shape} at {self.xy0}"
                )
        self._mask = value

    @property
    def xy0(self) -> tuple[int, int]:
        """Coordinates of the first pixel."""
        return (0, 0) if self._xy0 is None else self._xy0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the data."""
        return self.data.shape

    @property
    def bbox(self) -> Box2I:
        """The box that the image covers."""
        return Box2I.from_shape(self.data.shape, xy0=self.xy0)

    @property
    def variance(self) -> NDArray | None:
        """The variance of each pixel in the square of the image's unit; None without an uncertainty of a known kind.

        Raises
        ------
        UnitConversionError
            If the uncertainty is of another kind of unit.
        """
        variance = variance_of(self.uncertainty)
        if not isinstance(variance, Quantity):
            return variance
        return variance.value if self.unit is None else variance.to_value(self.unit**2)

    @property
    def absolute_wcs(self) -> Any:
        """The WCS from the pixel plane, in which the first pixel is `xy0`, to the sky; None without one.

        Sky regions are rasterized with it where results are in the pixel plane, as those of this package are.
        """
        return absolute(self.wcs, self.xy0)

    def set_mask(self, planes: Any, region: Any, *, unprojectable: Unprojectable = "raise") -> None:
        """Set planes of the mask in a region; sky regions go through the image's WCS. See `Mask.set`.

        Raises
        ------
        ValueError
            If the image has no mask.
        """
        if self.mask is None:
            raise ValueError("the image has no mask: assign one, or a MaskSchema, to its attribute mask")
        self.mask.set(planes, region, self.absolute_wcs, unprojectable=unprojectable)

    def cutout(self, position: Any, size: Any, *, mode: str = "trim") -> Self:
        """Return the part of the image around a position, sharing its pixels.

        Parameters
        ----------
        position : (x, y) or SkyCoord
            In the pixel plane or on the sky.
        size : int, Quantity, or (ny, nx) of them
            As for `~astropy.nddata.Cutout2D`, of whose units of angle the image's WCS makes pixels.
        mode : {"trim", "strict"}, optional
            Whether a cutout that reaches beyond the image is trimmed or refused.

        Raises
        ------
        TypeError
            If `position` is neither.
        ValueError
            If `mode` is neither, or a position on the sky is given and the image has no WCS.
        `~astropy.nddata.NoOverlapError`, `~astropy.nddata.PartialOverlapError`
            If no pixel is in the image, or with "strict" not all are.
        """
        if mode not in ("trim", "strict"):
            raise ValueError(f'mode must be "trim" or "strict", not {mode!r}')
        if hasattr(position, "spherical"):
            if self.wcs is None:
                raise ValueError("a position on the sky needs an image with a WCS")
            x, y = self.wcs.world_to_pixel(position)
        else:
            point = as_any_pair(position, "position")
            x, y = (as_float(value, "position") - start for value, start in zip(point, self.xy0, strict=True))
        sizes = size if isinstance(size, tuple | list) else (size,)
        wcs = self.wcs if any(isinstance(length, Quantity) for length in sizes) else None
        return self[Cutout2D(self.data, (float(x), float(y)), size, wcs=wcs, mode=mode).slices_original]

    def to_nddata(self, kind: type = NDData, **changes: Any) -> Any:
        """Return the image as another class of NDData, such as `~astropy.nddata.CCDData`, without copying arrays.

        The place in the pixel plane stays behind. A CCDData keeps the bad pixels of the mask as they are now, and
        needs a unit, which may be among the `changes`: keywords of the class.
        """
        parts = {name: getattr(self, name) for name in ("uncertainty", "mask", "wcs", "meta", "unit", "psf")}
        return kind(self.data, **parts | changes)

    @classmethod
    def read(cls, path: Any, format: str | None = None, **options: Any) -> Self:
        """Read an image from a file.

        For the options of FITS files see `lsstregions.io.fits_mask.read_image`.
        """
        from .io import read

        return read(cls, path, format=format, **options)

    def write(
        self,
        path: Any,
        format: str | None = None,
        overwrite: bool = False,
        **options: Any,
    ) -> None:
        """Write the image to a file.

        For the options of FITS files see `lsstregions.io.fits_mask.write_image`.
        """
        from .io import write

        write(self, path, format=format, overwrite=overwrite, **options)

    def __repr__(self) -> str:
        if self.data.ndim != 2:
            return super().__repr__()
        ny, nx = self.data.shape
        unit = "" if self.unit is None else f" in {self.unit}"
        parts = [f"{type(self).__name__} {nx} x {ny} at {self.xy0} of {self.data.dtype}{unit}"]
        if self.uncertainty is not None:
            parts.append(f"uncertainty {self.uncertainty.uncertainty_type}")
        if self.wcs is not None:
            parts.append(f"WCS {' '.join(str(axis) for axis in self.wcs.low_level_wcs.world_axis_physical_types)}")
        parts.append("no mask" if self.mask is None else f"mask {', '.join(self.mask.schema.names)}")
        return f"<{'; '.join(parts)}>"

    # What the mixins call

    def _slice(self, item: Any) -> dict[str, Any]:
        if self.data.ndim != 2:
            return super()._slice(item)
        window = window_of(item, self.data.shape, self.xy0)
        if window is None:
            parts = super()._slice(item)
            if parts["data"].ndim == 2:
                raise IndexError("a MaskedImage is cut by a box or by slices without a step")
            return parts
        rows, columns = window
        x0, y0 = self.xy0
        return super()._slice(window) | {"xy0": (x0 + columns.start, y0 + rows.start)}

    def _slice_wcs(self, item: Any) -> Any:
        # A FITS WCS stays one, so that the piece can be written.
        if type(self.wcs) is WCS and isinstance(item, tuple) and all(isinstance(part, slice) for part in item):
            return self.wcs[item]
        return super()._slice_wcs(item)

    def _arithmetic(self, operation: Any, operand: Any, *args: Any, **options: Any) -> Any:
        options.setdefault("handle_mask", merge_masks)
        places = {
            image._xy0
            for image in (self, operand)
            if isinstance(image, MaskedImage) and image.data.ndim == 2 and image._xy0 is not None
        }
        if len(places) > 1:
            raise ValueError(f"the images cover different pixels: they begin at {' and '.join(map(str, places))}")
        place = next(iter(places), None)
        here, operand = (_placed(image, place) for image in (self, operand))
        result, parts = super(MaskedImage, here)._arithmetic(operation, operand, *args, **options)
        if np.ndim(result) == 2 and operand is not None:
            parts["xy0"] = place
        return result, parts


def _placed(image: Any, place: tuple[int, int] | None) -> Any:
    """Return an image whose mask is at a place, if it was a bool array, which has none of its own."""
    if not isinstance(image, MaskedImage) or image._xy0 is not None or place is None:
        return image
    if image.mask is None or image.mask.schema != MASKED:
        return image
    moved = copy.copy(image)
    moved._xy0 = place
    moved.mask = Mask._wrap(image.mask._words, MASKED, place)
    return moved
