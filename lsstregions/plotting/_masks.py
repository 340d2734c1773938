"""The planes of a mask as transparent colours over an image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.artist import allow_rasterization
from matplotlib.colors import to_rgba
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from numpy.typing import NDArray

from .._colors import plane_colors
from .._reprs import blocks_ored
from .._validate import as_pair
from ..masks import Mask
from ._footprints import axes_or_current


def plot_mask(
    mask: Mask,
    ax: Any = None,
    *,
    planes: str | Iterable[str] | None = None,
    colors: str | Mapping[str, Any] = "lsst",
    alpha: float = 0.5,
    legend: bool = True,
    origin: tuple[int, int] = (0, 0),
    **style: Any,
) -> MaskOverlay:
    """Draw the planes of a mask as transparent colours.

    Parameters
    ----------
    mask : Mask
    ax : matplotlib Axes or WCSAxes, optional
        By default the current axes. Axes without anything in them are scaled to the mask.
    planes : str or iterable of str, optional
        By default every plane that has pixels, the bad ones last. Where several are set, later ones lie over earlier
        ones.
    colors : {"lsst", "colorblind"} or dict, optional
        See `plane_colors`.
    alpha : float, optional
        From 0, transparent, to 1, opaque; a colour with an alpha of its own keeps it.
    legend : bool, optional
        Whether to add a legend of the planes.
    origin : pair of int, optional
        The pixel ``(x, y)`` that the axes have at (0, 0); ``mask.xy0`` where the image of the mask is shown.
    **style : dict
        Properties of `matplotlib.image.AxesImage`, such as `zorder`.

    Returns
    -------
    MaskOverlay

    Raises
    ------
    KeyError
        If there is no such plane.
    TypeError, ValueError
        If an argument is of the wrong kind or value.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from lsstregions import Mask, MaskSchema, SpanSet
    >>> mask = Mask((100, 100), MaskSchema.lsst())
    >>> mask.set("CR", SpanSet.disk(20).shift(50, 50))
    >>> plot_mask(mask, Figure().subplots()).colors
    {'CR': '#ff00ff'}
    """
    ax = axes_or_current(ax)
    bare = not ax.has_data()
    overlay = MaskOverlay(ax, mask, planes=planes, colors=colors, alpha=alpha, origin=origin, **style)
    overlay.set_clip_path(ax.patch)
    if bare:
        x_min, x_max, y_min, y_max = overlay.get_extent()
        ax.set_aspect("equal")
        ax.set(xlim=(x_min, x_max), ylim=(y_min, y_max))
    ax.add_image(overlay)
    if legend and overlay.colors:
        _add_to_legend(ax, overlay.legend_handles())
    return overlay


def _add_to_legend(ax: Any, handles: list[Patch]) -> None:
    """Add entries to the legend that axes have, or give them one."""
    known, labels = [], []
    if (legend := ax.get_legend()) is not None:
        known, labels = list(legend.legend_handles), [text.get_text() for text in legend.get_texts()]
    new = [handle for handle in handles if handle.get_label() not in labels]
    labels += [handle.get_label() for handle in new]
    ax.legend([*known, *new], labels, loc="upper right", fontsize="small", framealpha=0.9)


class MaskOverlay(AxesImage):
    """The planes of a mask as one transparent matplotlib image.

    Colours are made as the image is drawn, of the part in view and of no more pixels than the screen has: a pixel of
    the screen has the planes of all pixels of the mask under it, so that none is lost however far one zooms out.
    Later changes of the mask show when the figure is drawn again. The mouse shows the names of the planes.

    Parameters
    ----------
    ax : matplotlib Axes
    mask : Mask
    planes : str or iterable of str, optional
    colors : {"lsst", "colorblind"} or dict, optional
    alpha : float, optional
    origin : pair of int, optional
        As of `plot_mask`.
    **style : dict
        Properties of `matplotlib.image.AxesImage`.

    Attributes
    ----------
    mask : Mask
    colors : dict
        The colours of the planes that are drawn.
    xy0 : pair of int
        The pixel that the axes have at (0, 0); matplotlib calls something else the origin of an image.

    Raises
    ------
    KeyError
        If there is no such plane.
    TypeError
        If `mask` is no Mask, or `origin` no pair of integers.
    ValueError
        If `alpha` is not from 0 to 1, or `colors` another string.
    OverflowError
        If `origin` does not fit into int32.
    """

    def __init__(
        self,
        ax: Any,
        mask: Mask,
        *,
        planes: str | Iterable[str] | None = None,
        colors: str | Mapping[str, Any] = "lsst",
        alpha: float = 0.5,
        origin: tuple[int, int] = (0, 0),
        **style: Any,
    ):
        if not isinstance(mask, Mask):
            raise TypeError(f"mask must be a Mask, not {type(mask).__name__}")
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1, not {alpha}")
        if planes is None:
            # What is bad is drawn over what covers more.
            names = sorted((name for name, n in mask.count().items() if n), key=lambda name: mask.schema[name].bad)
        else:
            names = [planes] if isinstance(planes, str) else list(planes)
            mask.schema.bitmask(names)  # raises where there is no such plane
        self.mask = mask
        self.xy0 = as_pair(origin, "origin")
        every = plane_colors(mask.schema, colors)
        self.colors = {name: every[name] for name in names}
        self._rgba = {name: _with_alpha(color, alpha) for name, color in self.colors.items()}
        super().__init__(ax, origin="lower", interpolation="nearest", interpolation_stage="rgba", **style)
        self._A = np.zeros((1, 1, 4), np.uint8)
        self._extent = self._extent_of((0, mask.shape[1], 0, mask.shape[0]))

    def _extent_of(self, window: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        """Return the edges ``x_min, x_max, y_min, y_max`` in the axes of a part of the mask."""
        x_start, x_stop, y_start, y_stop = window
        x0, y0 = (start - first - 0.5 for start, first in zip(self.mask.xy0, self.xy0, strict=True))
        return x0 + x_start, x0 + x_stop, y0 + y_start, y0 + y_stop

    def legend_handles(self) -> list[Patch]:
        """Return a patch of colour for each plane that is drawn."""
        return [Patch(facecolor=self._rgba[name], edgecolor="gray", label=name) for name in self.colors]

    def get_cursor_data(self, event: Any) -> Any:
        """Return the names of the planes under the mouse, those that are not drawn too."""
        x, y = self.axes.transData.inverted().transform((event.x, event.y)) + self.xy0
        pixel = {"x": int(np.floor(x + 0.5)), "y": int(np.floor(y + 0.5))}
        try:
            return self.mask.interpret(**pixel)
        except (IndexError, OverflowError):
            return None

    def format_cursor_data(self, data: tuple[str, ...]) -> str:
        """Return the names of planes as text."""
        return ", ".join(data)

    def can_composite(self) -> bool:
        """Return False: the colours are made as this image is drawn, on its own."""
        return False

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw what is in view."""
        window, step = self._view()
        if window is not None and self.colors:
            whole, self._extent = self._extent, self._extent_of(window)
            self._A = self._composite(window, step)
            super().draw(renderer)
            self._extent = whole
        self.stale = False

    def _view(self) -> tuple[tuple[int, int, int, int] | None, int]:
        """Return the part of the mask in view, in whole steps, and the step: mask pixels to a pixel of the screen."""
        if self.axes.bbox.width == 0 or self.axes.bbox.height == 0:
            return None, 1
        corners = self.axes.bbox.corners()
        (x_min, y_min), (x_max, y_max) = (
            end(self.axes.transData.inverted().transform(corners), axis=0) for end in (np.min, np.max)
        )
        left, _, bottom, _ = self.get_extent()
        step = max(1, int(min((x_max - x_min) / self.axes.bbox.width, (y_max - y_min) / self.axes.bbox.height)))
        ny, nx = self.mask.shape
        # Steps are counted from the edge of the mask, so that colours do not flicker as the view moves.
        x_start, y_start = (max(0, int((low - edge) // step) * step) for low, edge in ((x_min, left), (y_min, bottom)))
        x_stop = min(nx, int(-(-(x_max - left) // step)) * step)
        y_stop = min(ny, int(-(-(y_max - bottom) // step)) * step)
        if x_start >= x_stop or y_start >= y_stop:
            return None, step
        return (x_start, x_stop, y_start, y_stop), step

    def _composite(self, window: tuple[int, int, int, int], step: int) -> NDArray[np.uint8]:
        """Return the colours (ny, nx, 4) of a part of the mask, `step` pixels to a side of each."""
        words = _reduced(self.mask, window, step)
        shape = words.shape[1:]
        color, opacity = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
        for name, (*rgb, alpha) in self._rgba.items():
            there = self.mask._are_set(words, [name])
            # The operator "over" (Porter and Duff 1984), with colours multiplied by their opacity.
            color[there] = color[there] * (1 - alpha) + np.array(rgb, np.float32) * alpha
            opacity[there] = opacity[there] * (1 - alpha) + alpha
        result = np.zeros((*shape, 4), np.uint8)
        shown = opacity > 0
        result[shown, :3] = np.round(255 * color[shown] / opacity[shown, np.newaxis])
        result[..., 3] = np.round(255 * opacity)
        return result


def _reduced(mask: Mask, window: tuple[int, int, int, int], step: int) -> NDArray:
    """Return the words (n_words, ny, nx) of a part of a mask, the bits of blocks of pixels or-ed together."""
    x_start, x_stop, y_start, y_stop = window
    return blocks_ored(blocks_ored(mask._words[:, y_start:y_stop, x_start:x_stop], step, 1), step, 2)


def _with_alpha(color: Any, alpha: float) -> tuple[float, float, float, float]:
    rgba = to_rgba(color)
    return rgba if rgba[3] < 1 else (*rgba[:3], alpha)
