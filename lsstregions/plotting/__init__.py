"""Overlays for matplotlib and WCSAxes: footprints as one artist, mask planes as transparent colours.

Axes have pixel coordinates, as those of ``imshow`` and WCSAxes do: pixel i covers [i - 0.5, i + 0.5). Where an
image is shown whose pixel ``[0, 0]`` is not the pixel (0, 0), that pixel is the `origin`.
"""

from .._colors import COLORBLIND_COLORS, LSST_COLORS, plane_colors
from ._footprints import FootprintCollection, outline_path, plot_footprints
from ._masks import MaskOverlay, plot_mask

__all__ = [
    "COLORBLIND_COLORS",
    "LSST_COLORS",
    "FootprintCollection",
    "MaskOverlay",
    "outline_path",
    "plane_colors",
    "plot_footprints",
    "plot_mask",
]
