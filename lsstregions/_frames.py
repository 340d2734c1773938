"""An image with its mask, variance and origin, from whatever a user has them in."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from . import _pixels, _runs
from ._validate import as_pair, check_unmasked, joined, unmasked
from .geom import Box2I


class Frame(NamedTuple):
    """An image and what belongs to its pixels; byte order and contiguity are as they were given.

    The mask is a boolean array, or a `Mask` of the image's pixels, which becomes one where it is looked at; or bits, if
    they were asked for.
    """

    data: NDArray
    variance: NDArray | None
    mask: Any
    xy0: tuple[int, int]
    unit: Any = None
    wcs: Any = None
    #: The box of the image that this is a part of, or None.
    whole: Box2I | None = None

    @classmethod
    def of(
        cls,
        image: Any,
        variance: Any,
        mask: Any,
        xy0: Any,
        region: Box2I | None = None,
        bits: bool = False,
        bbox: NDArray[np.int64] | None = None,
    ) -> Self:
        """Take arrays, Quantities, masked arrays, NDData and their kin; what is given apart comes first.

        Of a `Mask` it is what is bad that counts, or its bits; it may be larger than the image. Given the boxes of
        footprints, which must lie in the image, only the part of it that holds them is kept, and computed with.
        """
        unit, wcs, given = getattr(image, "unit", None), None, mask
        if is_mask(image):
            xy0 = image.xy0 if xy0 is None else xy0
            image = bits_of(image, "image")
        elif is_nddata(image):
            wcs = image.wcs
            if variance is None and getattr(image.uncertainty, "uncertainty_type", "unknown") != "unknown":
                variance = image.uncertainty
            mask = image.mask if mask is None else mask
            xy0 = getattr(image, "xy0", None) if xy0 is None else xy0
            image = image.data
        elif isinstance(image, np.ma.MaskedArray) or hasattr(image, "unmasked"):
            mask = image.mask if mask is None else mask
            image = image.data if isinstance(image, np.ma.MaskedArray) else image.unmasked
        if xy0 is None:
            origin = mask if is_mask(mask) else region
            xy0 = (0, 0) if origin is None else origin.xy0
        xy0 = as_pair(xy0, "xy0")
        data = _as_image(image, "image")
        # Makes sure that every coordinate fits.
        box = Box2I.from_shape(data.shape, xy0)
        if mask is np.ma.nomask:
            mask = None
        if is_mask(mask):
            if given is not None:
                # A mask of its own is where the image is, wherever that is said to be.
                mask = _part_under(mask, data.shape, box)
            mask = bits_of(mask, "mask") if bits else type(mask)._wrap(mask._words, mask.schema, xy0)
        elif mask is not None:
            mask = _as_mask(mask, bits)
        mask = None if mask is None else _same_shape(mask, data, "mask")
        is_uncertainty = hasattr(variance, "uncertainty_type")
        if variance is not None:
            variance = variance if is_uncertainty else _as_variance(variance, unit)
            _same_shape(np.asarray(variance.array) if is_uncertainty else variance, data, "variance")
        frame = cls(data, variance, mask, xy0, unit, wcs)
        frame = frame if bbox is None else frame.part(bbox)
        # Only the part that is kept is computed.
        return frame._replace(variance=_as_variance(frame.variance, unit)) if is_uncertainty else frame

    @property
    def box(self) -> Box2I:
        """The box of the image."""
        return Box2I.from_shape(self.data.shape, self.xy0)

    @property
    def image_box(self) -> Box2I:
        """The box of the image that this is or is a part of."""
        return self.box if self.whole is None else self.whole

    def part(self, bbox: NDArray[np.int64]) -> Self:
        """Return the part that footprints lie in, as views, given the box of each."""
        box = self.check_holds(bbox)
        rows, columns = (slice(0, 0), slice(0, 0)) if box is None else box.slices(self.xy0)
        variance, mask = (None if plane is None else plane[rows, columns] for plane in (self.variance, self.mask))
        xy0 = self.xy0[0] + columns.start, self.xy0[1] + rows.start
        return self._replace(data=self.data[rows, columns], variance=variance, mask=mask, xy0=xy0, whole=self.image_box)

    def rows(self, start: int, stop: int) -> Self:
        """Return a copy of some rows."""
        variance, mask = (None if p is None else p[start:stop].copy() for p in (self.variance, self.mask))
        xy0 = self.xy0[0], self.xy0[1] + start
        return self._replace(data=self.data[start:stop].copy(), variance=variance, mask=mask, xy0=xy0)

    def check_holds(self, bbox: NDArray[np.int64]) -> Box2I | None:
        """Return the smallest box of footprints, given that of each, or None without a pixel.

        Raises
        ------
        ValueError
            If a footprint leaves the image.
        """
        box, full = self.box, bbox[:, 0] < bbox[:, 1]
        bbox = bbox if full.all() else bbox[full]
        if not len(bbox):
            return None
        low, high = bbox.min(axis=0).tolist(), bbox.max(axis=0).tolist()
        x_start, x_stop, y_start, y_stop = low[0], high[1], low[2], high[3]
        around = Box2I((x_start, x_stop), (y_start, y_stop))
        if around not in box:
            raise ValueError(
                f"the footprints, in x=({x_start}, {x_stop}), y=({y_start}, {y_stop}), leave the image,"
                f" in x=({box.x.start}, {box.x.stop}), y=({box.y.start}, {box.y.stop}); clip them first"
            )
        return around

    def flatten(self, plane: NDArray, spans: NDArray[np.int32]) -> NDArray:
        """Return the values of a plane under spans, in their order."""
        values = values_under(plane, spans, self.xy0)
        return values.astype(values.dtype.newbyteorder("="), copy=False)


def stacked(frames: list[Frame]) -> Frame:
    """Return the rows of blocks, one after the other; of `xy0` that of the first holds."""
    first = frames[0]
    if len(frames) == 1:
        return first
    width = first.data.shape[1]
    for frame in frames[1:]:
        if frame.data.shape[1] != width:
            raise ValueError(f"all blocks of rows must be {width} pixels wide, not {frame.data.shape[1]}")
        if frame.unit != first.unit:
            raise ValueError(f"all blocks of rows must have the unit {first.unit}, not {frame.unit}")
        if (frame.variance is None) != (first.variance is None):
            raise ValueError("all blocks of rows must have a variance, or none")
    variances = [frame.variance for frame in frames if frame.variance is not None]
    mask = None
    if any(frame.mask is not None for frame in frames):
        mask = np.concatenate(
            [np.zeros(f.data.shape, bool) if f.mask is None else np.asarray(f.mask, bool) for f in frames]
        )
    return first._replace(
        data=joined([frame.data for frame in frames], "image"),
        variance=np.concatenate(variances) if variances else None,
        mask=mask,
    )


def as_bytes(array: NDArray) -> NDArray[np.uint8]:
    """Return a 2-D array of native byte order as bytes with contiguous rows, a view if it has them."""
    if (array.strides[1] != array.itemsize and array.shape[1] > 1) or not (
        array.dtype.isnative and array.flags.aligned
    ):
        array = np.require(array, array.dtype.newbyteorder("="), ["C", "A"])
    if array.size == 0:
        return np.empty((array.shape[0], 0), np.uint8)
    if array.shape[1] == 1:
        array = np.ascontiguousarray(array)
    return array.view(np.uint8)


def values_under(image: NDArray, runs: NDArray[np.int32], xy0: tuple[int, int]) -> NDArray:
    """Return the values of an image, (ny, nx, ...), under runs that lie in it, in their order: (area, ...)."""
    values = np.empty((_runs.area(runs), *image.shape[2:]), image.dtype)
    rows = byte_rows(image)
    if rows is None:
        y, x = _runs.indices(runs)
        values[...] = image[y - xy0[1], x - xy0[0]]
    elif values.size:
        _pixels.gather(rows, runs, *xy0, values.nbytes // len(values), values.reshape(-1).view(np.uint8))
    return values


def write_under(image: NDArray, runs: NDArray[np.int32], xy0: tuple[int, int], values: NDArray) -> None:
    """Write values of its dtype, (area, ...), to an image, (ny, nx, ...), under runs that lie in it, in their order."""
    # Masked arrays do more than to change bytes.
    rows = byte_rows(image) if type(image) in (np.ndarray, np.memmap) else None
    if rows is None:
        y, x = _runs.indices(runs)
        image[y - xy0[1], x - xy0[0]] = values
    elif values.size:
        flat = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        _pixels.scatter(rows, runs, *xy0, flat.size // len(values), flat)


def byte_rows(image: NDArray) -> NDArray[np.uint8] | None:
    """Return a view of an image as bytes, one row a row, or None where it has none."""
    if image.dtype.hasobject or image.size == 0 or (image.ndim > 2 and not image.flags.c_contiguous):
        return None
    rows = image.reshape(len(image), -1)
    return rows.view(np.uint8) if rows.strides[1] == rows.itemsize else None


def is_nddata(image: Any) -> bool:
    # Last what arrays have as well, and may refuse to show.
    return all(hasattr(image, name) for name in ("uncertainty", "wcs", "meta", "mask", "data"))


def is_mask(image: Any) -> bool:
    """Whether this is our Mask, whose bits and not whose badness are meant where it stands for an image."""
    return hasattr(image, "schema") and hasattr(image, "array")


def _part_under(mask: Any, shape: tuple[int, ...], box: Box2I) -> Any:
    """Return the part of a mask in the box of an image."""
    if box not in mask.bbox:
        raise ValueError(f"mask must cover the image, in {box!r}, not {mask.bbox!r}")
    if box.is_empty:
        # Boxes without pixels have no place and no shape.
        return type(mask)(shape, mask.schema)
    return mask[box]


def bits_of(mask: Any, name: str) -> NDArray:
    """Return the bits of a mask as one integer a pixel."""
    if mask.array.ndim > 2:
        raise ValueError(f"{name} has planes beyond bit 63, too many for an image of integers; see Mask.to_bool")
    bits: NDArray = mask.array
    return bits


def variance_of(uncertainty: Any) -> Any:
    """Return the variance that an uncertainty tells, with its unit if it has one; None if it is of an unknown kind."""
    from astropy.nddata import StdDevUncertainty, UnknownUncertainty, VarianceUncertainty
    from astropy.units import Quantity

    if uncertainty is None or isinstance(uncertainty, UnknownUncertainty):
        return None
    if isinstance(uncertainty, StdDevUncertainty):
        # By way of `represent_as` it would take twice the memory.
        variance = np.square(uncertainty.array, dtype=np.result_type(uncertainty.array, np.float32))
        return variance if uncertainty.unit is None else Quantity(variance, uncertainty.unit**2, copy=False)
    variance = uncertainty.represent_as(VarianceUncertainty)
    return variance.array if variance.unit is None else Quantity(variance.array, variance.unit, copy=False)


def _as_variance(variance: Any, unit: Any) -> NDArray:
    """Return a variance in the square of the image's unit."""
    if hasattr(variance, "uncertainty_type"):
        variance = variance_of(variance)
    elif is_nddata(variance):
        raise TypeError(f"variance must be an array or an uncertainty, not {type(variance).__name__}: pass its data")
    if getattr(variance, "unit", None) is not None:
        from astropy.units import Quantity, UnitConversionError, dimensionless_unscaled

        wanted = dimensionless_unscaled if unit is None else unit**2
        try:
            variance = (variance if hasattr(variance, "to_value") else Quantity(variance)).to_value(wanted)
        except UnitConversionError:
            raise UnitConversionError(
                f"variance must be in the square of the image's unit, {str(wanted) or 'a plain number'}, "
                f"not {variance.unit}"
            ) from None
    return _as_image(unmasked(variance), "variance")


def _as_mask(mask: Any, bits: bool) -> NDArray:
    check_unmasked(mask, "mask")
    array = np.asarray(mask)
    if array.dtype.kind not in ("biu" if bits else "b"):
        kinds = "integers or booleans" if bits else "booleans, or be a Mask, which knows what is bad"
        raise TypeError(f"mask must hold {kinds}, not dtype {array.dtype}")
    return array


def _as_image(image: Any, name: str) -> NDArray:
    """Return a 2-D array of real numbers; its bytes stay as they are."""
    try:
        array = np.asarray(getattr(image, "value", image))
    except (TypeError, ValueError, NotImplementedError):
        array = np.asarray(None)
    if array.dtype.kind not in "biufcmM":
        raise TypeError(f"{name} must be an array of real numbers, not {image!r:.100}")
    if array.ndim != 2:
        raise ValueError(f"{name} must be 2-D, not of shape {array.shape}")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, not dtype {array.dtype}")
    return array


def _same_shape(array: NDArray, image: NDArray, name: str) -> NDArray:
    if array.shape != image.shape:
        raise ValueError(f"{name} must have the shape of the image, {image.shape}, not {array.shape}")
    return array
