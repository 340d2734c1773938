"""What the command `lsstregions` does to an image before and after detection; the work is that of libraries."""

from typing import Any

import numpy as np
from astropy.convolution import Gaussian1DKernel, convolve
from numpy.typing import NDArray

from .detection import Polarity, Threshold, detect_footprints
from .detection._rule import Kind
from .footprints import FootprintSet
from .masks import Mask, MaskPlane, MaskSchema
from .nddata import MaskedImage


def less_background(image: MaskedImage, mesh: int, exclude: list[str] | None = None) -> tuple[NDArray, NDArray]:
    """Return an image less its background, as SExtractor finds it in meshes, through photutils; and its noise.

    Pixels in the planes `exclude`, by default the bad ones, are not looked at.
    """
    if mesh < 1:
        raise ValueError(f"background must be found in meshes of at least 1 pixel, not {mesh}")
    try:
        from photutils.background import Background2D, SExtractorBackground
    except ImportError as error:
        raise ImportError("a background needs photutils: pip install lsstregions[cli]") from error
    data = image.data.astype(np.result_type(image.data, np.float32))
    unusable = ~np.isfinite(data)
    if image.mask is not None:
        unusable |= image.mask.to_bool(exclude)
    model = Background2D(data, mesh, mask=unusable, filter_size=3, bkg_estimator=SExtractorBackground())
    return data - model.background.astype(data.dtype), model.background_rms.astype(data.dtype)


def smoothed(data: NDArray, kernel: NDArray) -> NDArray:
    """Return an image convolved with a kernel in x and then in y; NaN pixels are filled from those around them."""
    total = kernel.sum()
    for line in (kernel[None, :], kernel[:, None]):
        data = total * convolve(data, line, boundary="extend", normalize_kernel=True)
    return data


def detect(
    image: MaskedImage,
    *,
    threshold: float = 5.0,
    kind: Kind | None = None,
    polarity: Polarity = "positive",
    n_pixels: int = 1,
    smooth: float = 0.0,
    mesh: int | None = None,
    grow: float = 0.0,
    exclude: list[str] | None = None,
    inclusive: bool = False,
    connectivity: int = 8,
    n_threads: int = 1,
) -> tuple[FootprintSet, NDArray]:
    """Find the footprints of an image; return them and the image less its background.

    The threshold counts by default in the noise of the background if there is a `mesh` (before smoothing, as
    SExtractor has it), in that of each smoothed pixel if the image has a variance, and otherwise in the standard
    deviation of the smoothed image. Pixels in the planes `exclude`, by default the bad ones, are not detected.
    """
    for name, value in (("smooth", smooth), ("grow", grow)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} must be finite and not negative, not {value}")
    if exclude and image.mask is None:
        raise ValueError(f"exclude names planes, {', '.join(exclude)}, and the image has no mask")
    bad = None if image.mask is None else image.mask.to_bool(exclude)
    if mesh is None:
        data, noise = image.data, None
    else:
        data, noise = less_background(image, mesh, exclude)
    searched, variance = data, image.variance
    if smooth > 0:
        kernel = Gaussian1DKernel(smooth).array
        kernel = kernel / kernel.sum()
        searched = smoothed(data if bad is None else np.where(bad, np.nan, data), kernel)
        # Noise that is independent from pixel to pixel.
        variance = None if variance is None else smoothed(variance, kernel**2)
    if kind is None:
        kind = "stdev" if variance is None or noise is not None else "pixel_stdev"
    if kind == "stdev" and noise is not None:
        rule = Threshold(threshold * noise, inclusive=inclusive)
    else:
        rule = Threshold(threshold, kind, inclusive=inclusive)
    found = detect_footprints(
        searched,
        rule,
        polarity=polarity,
        n_pixels=n_pixels,
        connectivity=connectivity,
        mask=bad,
        variance=variance,
        xy0=image.xy0,
        n_threads=n_threads,
    )
    return (found.grow(grow) if grow > 0 else found), data


def marked(image: MaskedImage, footprints: FootprintSet) -> Mask:
    """Return the mask of an image with the planes of detection set in footprints and nowhere else."""
    mask = Mask(image.shape, MaskSchema.lsst(), xy0=image.xy0) if image.mask is None else image.mask.copy()
    for name, sign in (("DETECTED", 1), ("DETECTED_NEGATIVE", -1)):
        if name not in mask.schema:
            mask = mask.add_planes(MaskPlane(name))
        mask.clear(name)
        mask.set(name, footprints[(footprints.sign == sign) | (footprints.sign == 0)].union())
    return mask


def catalog(image: MaskedImage, data: NDArray, footprints: FootprintSet, columns: list[str] | None = None) -> Any:
    """Return the table of measurements of footprints, with positions on the sky where there is a WCS.

    Pixel values are those of `data`; all else is of the image.
    """
    parts = {name: getattr(image, name) for name in ("mask", "uncertainty", "xy0", "wcs", "unit")}
    table = footprints.measure(MaskedImage(data, **parts), columns=columns)
    table.meta["xy0"] = list(image.xy0)
    return table
