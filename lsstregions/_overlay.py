"""A picture of an image with the outlines of footprints over it."""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.visualization import AsinhStretch, ImageNormalize, ZScaleInterval
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .footprints import FootprintSet
from .plotting import plot_footprints


def draw(data: NDArray, footprints: FootprintSet, path: Path, *, xy0: tuple[int, int], wcs: Any = None) -> None:
    """Draw an image whose first pixel is `xy0` and footprints over it, on the sky where there is a WCS."""
    ny, nx = data.shape
    longest = max(ny, nx, 1)
    figure = Figure(figsize=(1 + 8 * max(nx / longest, 0.3), 1 + 8 * max(ny / longest, 0.3)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection=wcs) if wcs is not None else figure.add_subplot()
    shown = np.where(np.isfinite(data), data, np.nan)
    finite = shown[np.isfinite(shown)]
    low, _ = ZScaleInterval().get_limits(finite) if finite.size else (0.0, 1.0)
    high = np.quantile(finite, 0.998) if finite.size else 1.0
    norm = ImageNormalize(vmin=low, vmax=max(high, np.nextafter(low, np.inf)), stretch=AsinhStretch(0.05))
    x0, y0 = xy0
    # WCSAxes count pixels from the first one of the array; others show the pixel plane.
    shift = (x0, y0) if wcs is not None else (0, 0)
    edges = np.array([x0, x0 + nx, y0, y0 + ny]) - 0.5 - np.repeat(shift, 2)
    axes.imshow(
        shown,
        origin="lower",
        cmap="gray_r",
        norm=norm,
        extent=edges,
        interpolation="nearest",
        interpolation_stage="data",
    )
    plot_footprints(footprints, axes, color="tab:red", linewidth=0.7, origin=shift)
    if wcs is not None:
        for coordinate, kind in zip(axes.coords, wcs.world_axis_physical_types, strict=True):
            # As in pos.eq.ra.
            coordinate.set_axislabel(str(kind).rpartition(".")[2])
    else:
        axes.set_xlabel("x (pixels)")
        axes.set_ylabel("y (pixels)")
    axes.set_title(f"{len(footprints)} footprints")
    figure.savefig(path, dpi=150)
