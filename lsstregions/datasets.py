"""Simulated images to try things on: always the same for the same seed."""

from typing import Any

import numpy as np
from astropy.convolution import Gaussian2DKernel, convolve_fft
from astropy.nddata import VarianceUncertainty
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from ._validate import as_finite, as_int, as_pair
from .masks import MaskSchema
from .nddata import MaskedImage

__all__ = ["simulate_field"]

_SKY = 200.0
_FULL_WELL = 30_000.0


def simulate_field(
    shape: tuple[int, int] = (1024, 1024),
    *,
    n_stars: int = 250,
    n_galaxies: int = 120,
    psf_sigma: float = 1.8,
    xy0: tuple[int, int] = (0, 0),
    seed: int = 2016,
) -> tuple[MaskedImage, Table]:
    """Simulate a field of stars and galaxies as a telescope sees it, the sky subtracted.

    Parameters
    ----------
    shape : pair of int, optional
        Rows and columns.
    n_stars, n_galaxies : int, optional
        How many there are of each; all but the brightest are near the limit of detection.
    psf_sigma : float, optional
        Standard deviation of the Gaussian point spread function, in pixels.
    xy0 : pair of int, optional
        The pixel ``(x, y)`` of the first one.
    seed : int, optional
        Of `numpy.random.default_rng`.

    Returns
    -------
    image : MaskedImage
        Electrons, float32, with variance, a TAN WCS and LSST's planes: a bad column is in BAD, what reached the full
        well in SAT.
    truth : Table
        ``x``, ``y``, ``flux`` (electrons) and ``is_star`` of each source.

    Raises
    ------
    TypeError
        If a number or a pair is none.
    ValueError
        If `shape` is not positive, or `psf_sigma` not finite and positive.
    OverflowError
        If `shape` or `xy0` does not fit into int32.

    Examples
    --------
    >>> from lsstregions.datasets import simulate_field
    >>> image, truth = simulate_field((200, 300), n_stars=10, n_galaxies=5)
    >>> image.shape, len(truth)
    ((200, 300), 15)
    """
    ny, nx = as_pair(shape, "shape")
    if min(ny, nx) < 1:
        raise ValueError(f"shape must be positive, not {shape}")
    n_stars, n_galaxies = as_int(n_stars, "n_stars"), as_int(n_galaxies, "n_galaxies")
    psf_sigma = as_finite(psf_sigma, "psf_sigma")
    if psf_sigma <= 0:
        raise ValueError(f"psf_sigma must be positive, not {psf_sigma}")
    rng = np.random.default_rng(seed)
    count = n_stars + n_galaxies
    x, y = rng.uniform(0, nx - 1, count), rng.uniform(0, ny - 1, count)
    # As many sources as their fluxes are small, as far as a limit.
    flux = np.minimum(1500 * (1 + rng.pareto(0.9, count)), 2e6)
    is_star = np.arange(count) < n_stars
    light = np.zeros((ny, nx))
    for i in np.flatnonzero(~is_star):
        size = rng.uniform(2, 6)
        _add(light, x[i], y[i], flux[i], 12 * size, _galaxy(size, rng.uniform(0, 0.7), rng.uniform(0, np.pi)))
    if n_galaxies:
        light = convolve_fft(light, Gaussian2DKernel(psf_sigma), normalize_kernel=True)
    for i in np.flatnonzero(is_star):
        _add(light, x[i], y[i], flux[i], 7 * psf_sigma, lambda dx, dy: np.exp(-(dx**2 + dy**2) / (2 * psf_sigma**2)))
    electrons = rng.poisson(np.maximum(light, 0) + _SKY).astype(np.float32)
    image = MaskedImage(
        np.minimum(electrons, np.float32(_FULL_WELL)) - np.float32(_SKY),
        mask=MaskSchema.lsst(),
        uncertainty=VarianceUncertainty((np.maximum(light, 0) + _SKY).astype(np.float32)),
        xy0=xy0,
        wcs=_wcs(nx, ny),
        unit="electron",
    )
    assert image.mask is not None
    image.mask.set("SAT", electrons >= _FULL_WELL)
    bad = np.zeros((ny, nx), bool)
    bad[ny // 3 :, (2 * nx) // 3] = True
    image.data[bad] = -_SKY
    image.mask.set("BAD", bad)
    x0, y0 = image.xy0
    return image, Table({"x": x + x0, "y": y + y0, "flux": flux, "is_star": is_star})


def _galaxy(size: float, flattening: float, angle: float) -> Any:
    """Return an exponential disk of that effective radius: a Sersic profile of n = 1, for which astropy needs scipy."""

    def profile(dx: NDArray, dy: NDArray) -> NDArray:
        along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        return np.exp(-1.6783469900166612 * np.hypot(along, across / (1 - flattening)) / size)

    return profile


def _add(light: NDArray, x: float, y: float, flux: float, radius: float, profile: Any) -> None:
    """Add a source of a total flux to the pixels around its position."""
    reach = int(np.ceil(radius))
    column, row = round(x), round(y)
    rows = slice(max(row - reach, 0), max(row + reach + 1, 0))
    columns = slice(max(column - reach, 0), max(column + reach + 1, 0))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    stamp = profile(dx + (column - x), dy + (row - y))
    stamp *= flux / stamp.sum()
    target = light[rows, columns]
    top, left = rows.start - (row - reach), columns.start - (column - reach)
    target += stamp[top : top + target.shape[0], left : left + target.shape[1]]


def _wcs(nx: int, ny: int) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.cunit = "deg", "deg"
    wcs.wcs.crval = 150.1, 2.2
    wcs.wcs.crpix = (nx + 1) / 2, (ny + 1) / 2
    wcs.wcs.cdelt = -0.2 / 3600, 0.2 / 3600
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs
