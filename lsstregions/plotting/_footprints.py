"""Footprints as one artist: outlines, fillings, peaks and numbers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba_array
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerPolyCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.patheffects import PathEffectRenderer, withStroke
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform
from numpy.typing import ArrayLike, NDArray

from .. import _measure, _outline
from .._validate import as_finite, as_pair
from ..footprints import Footprint, FootprintSet
from ..spans import SpanSet

Drawable = FootprintSet | Footprint | SpanSet | Iterable[Footprint | SpanSet]

# Footprints that are smaller than this on the screen, in pixels of it, are drawn as squares.
_SMALL = 2.0
# Paths are drawn in pieces of about so many vertices, which stay in the cache while Agg sorts the pixels they touch.
_PIECE = 1 << 15
# Text is slow to draw, and crowded text is not read.
_MAX_LABELS = 100
_FILL_ALPHA = 0.35


def plot_footprints(
    footprints: Drawable,
    ax: Any = None,
    *,
    fill: bool = False,
    color: Any = None,
    column: str | ArrayLike | None = None,
    labels: bool | Sequence[str] = False,
    peaks: bool | Mapping[str, Any] = False,
    origin: tuple[int, int] = (0, 0),
    **style: Any,
) -> "FootprintCollection":
    """Draw the outlines of footprints, holes included, as one artist.

    Parameters
    ----------
    footprints : FootprintSet, Footprint, SpanSet or iterable of them
    ax : matplotlib Axes or WCSAxes, optional
        By default the current axes. Axes without anything in them are scaled to the footprints.
    fill : bool, optional
        Fill the footprints, transparently, as well.
    color : color or sequence of n colors, optional
    column : str or array_like of shape (n,), optional
        What to colour by: a column of `FootprintSet.measure`, or one number a footprint. Takes `cmap`, `norm` and
        `clim`; ``fig.colorbar`` takes the returned artist.
    labels : bool or sequence of n str, optional
        Write each footprint's number (from 1, as in `FootprintSet.to_labels`), or a text, beside it; where more than
        100 are in view, beside the 100 largest.
    peaks : bool or dict, optional
        Mark the peaks; a dict has the properties of the markers, those of `matplotlib.lines.Line2D`.
    origin : pair of int, optional
        The pixel ``(x, y)`` that the axes have at (0, 0).
    **style : dict
        Properties of `matplotlib.collections.Collection`: `linewidth`, `linestyle`, `alpha`, `zorder`, `hatch` ...

    Returns
    -------
    FootprintCollection

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or not of one entry a footprint.
    KeyError
        If `column` is no column of `FootprintSet.measure`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from lsstregions import SpanSet
    >>> ax = Figure().subplots()
    >>> artist = plot_footprints(SpanSet.disk(5) - SpanSet.disk(2), ax, fill=True)
    >>> len(artist)
    1
    """
    drawn = as_footprints(footprints)
    collection = FootprintCollection(drawn, origin=origin, **_colors(drawn, fill, color, column), **style)
    ax = axes_or_current(ax)
    bare = not ax.has_data()
    ax.add_collection(collection, autolim=bare)
    if bare:
        ax.set_aspect("equal")
        ax.autoscale_view()
    if peaks is not False:
        collection.peaks = _peak_markers(drawn, collection, {} if peaks is True else dict(peaks))
        ax.add_line(collection.peaks)
    if labels is not False:
        texts = [str(i + 1) for i in range(len(drawn))] if labels is True else [str(text) for text in labels]
        _check_length(texts, "labels", len(drawn))
        collection.labels = _Labels(collection, texts)
        ax.add_artist(collection.labels)
    return collection


class FootprintCollection(Collection):
    """All footprints of a set as one matplotlib artist.

    Only footprints in view are drawn, and those less than about a pixel wide on the screen as squares: the cost of
    a picture is bounded by what can be seen in it. (Vector formats such as PDF and SVG get every outline.)

    Parameters
    ----------
    footprints : FootprintSet, Footprint, SpanSet or iterable of them
    origin : pair of int, optional
        The pixel ``(x, y)`` that the axes have at (0, 0).
    fill_alpha : float, optional
        What the opacity of the filling, but not of the outlines, is multiplied by.
    **style : dict
        Properties of `matplotlib.collections.Collection`; colours may be one for each footprint.

    Attributes
    ----------
    footprints : FootprintSet
    boxes : ndarray of float, shape (n, 4)
        Edges ``x_min, x_max, y_min, y_max`` of each footprint in the axes.
    peaks, labels : Artist or None
        What marks the peaks and numbers the footprints; `remove` takes them along.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If `fill_alpha` is not finite.
    OverflowError
        If `origin` does not fit into int32.
    """

    def __init__(
        self,
        footprints: Drawable,
        *,
        origin: tuple[int, int] = (0, 0),
        fill_alpha: float = 1.0,
        **style: Any,
    ):
        self.fill_alpha = as_finite(fill_alpha, "fill_alpha")
        self.footprints = as_footprints(footprints)
        self.origin = as_pair(origin, "origin")
        self.peaks: Artist | None = None
        self.labels: Artist | None = None
        x0, y0 = self.origin
        edges = _measure.bounds(self.footprints.spans, self.footprints.offsets)
        self.boxes = edges - np.array([x0, x0, y0, y0]) - 0.5
        self._vertices, self._codes, self._cuts = _closed_rings(self.footprints, self.origin)
        style.setdefault("capstyle", "projecting")
        style.setdefault("joinstyle", "miter")
        super().__init__(**style)

    def __len__(self) -> int:
        return len(self.footprints)

    def get_facecolor(self) -> NDArray[np.float64]:
        """Return the colours of the filling, RGBA from 0 to 1 of shape (n, 4)."""
        return np.asarray(super().get_facecolor()) * [1, 1, 1, self.fill_alpha]

    def get_edgecolor(self) -> NDArray[np.float64]:
        """Return the colours of the outlines, RGBA from 0 to 1 of shape (n, 4).

        Where they are those of the filling, they are as opaque as it was.
        """
        return np.asarray(super().get_facecolor() if isinstance(self._edgecolors, str) else self._edgecolors)

    def get_paths(self) -> list[Path]:
        """Return the outlines, one path a footprint."""
        return [
            Path(self._vertices[a:b], self._codes[a:b]) for a, b in zip(self._cuts[:-1], self._cuts[1:], strict=True)
        ]

    def get_datalim(self, transData: Any) -> Bbox:  # noqa: N803 (as matplotlib has it)
        """Return the box that holds all footprints, in the coordinates of `transData`."""
        full = self._cuts[:-1] < self._cuts[1:]
        if not full.any():
            return Bbox.null()
        low, high = self.boxes[full].min(axis=0), self.boxes[full].max(axis=0)
        box = Bbox([[low[0], low[2]], [high[1], high[3]]])
        return (self.get_transform() - transData).transform_bbox(box)

    def contains(self, mouseevent: Any) -> tuple[bool, dict[str, Any]]:
        """Return whether the mouse is over a footprint, and the index of it."""
        if self._different_canvas(mouseevent):
            return False, {}
        x, y = self.get_transform().inverted().transform((mouseevent.x, mouseevent.y)) + self.origin
        index = int(self.footprints.at(x, y))
        return index >= 0, {"ind": np.array([index] if index >= 0 else [], int)}

    def remove(self) -> None:
        """Remove the footprints, and what marks and numbers them, from the axes."""
        for artist in (self.peaks, self.labels):
            if artist is not None and artist.axes is not None:
                artist.remove()
        super().remove()

    def visible(self) -> NDArray[np.int64]:
        """Return the indices of the footprints in view, of shape (n_visible,)."""
        return self._in_view()[0]

    def _in_view(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the footprints in view and their boxes ``x_min, y_min, x_max, y_max`` on the screen."""
        # Under any transform that keeps directions apart, opposite corners bound a box well enough to look at.
        first = self.get_transform().transform(self.boxes[:, ::2])
        second = self.get_transform().transform(self.boxes[:, 1::2])
        low, high = np.minimum(first, second), np.maximum(first, second)
        frame = self.axes.bbox if self.axes is not None and self.get_clip_on() else self.figure.bbox
        # Lines stick out of their box by half their width.
        margin = float(np.max(self.get_linewidth(), initial=0)) * self.figure.dpi / 72
        seen = self._cuts[:-1] < self._cuts[1:]
        for axis in (0, 1):
            seen &= (high[:, axis] >= frame.min[axis] - margin) & (low[:, axis] <= frame.max[axis] + margin)
        index = np.flatnonzero(seen)
        return index, np.hstack((low[index], high[index]))

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw what is in view."""
        if not self.get_visible() or not len(self):
            return
        self.update_scalarmappable()
        renderer.open_group(self.__class__.__name__, self.get_gid())
        if self.get_path_effects():
            renderer = PathEffectRenderer(self.get_path_effects(), renderer)
        gc = renderer.new_gc()
        self._set_gc_clip(gc)
        gc.set_snap(self.get_snap())
        gc.set_capstyle(self.get_capstyle())
        gc.set_joinstyle(self.get_joinstyle())
        gc.set_antialiased(bool(np.all(self.get_antialiased())))
        if self.get_hatch():
            gc.set_hatch(self.get_hatch())
        index, screen = self._in_view()
        for chosen, face, edge, width, dashes in self._styles(index):
            visible_edge = edge[3] > 0 and width > 0
            gc.set_foreground(edge, isRGBA=True)
            gc.set_linewidth(width if visible_edge else 0)
            gc.set_dashes(*dashes)
            width_x, width_y = (screen[chosen, 2:] - screen[chosen, :2]).T
            small = np.maximum(width_x, width_y) < _SMALL
            if renderer.option_scale_image():  # a vector format, that may be magnified
                small[:] = False
            for path in self._pieces(index[chosen[~small]]):
                renderer.draw_path(gc, path, self.get_transform().frozen(), tuple(face) if face[3] > 0 else None)
            if small.any():
                self._draw_small(renderer, gc, screen[chosen[small]], edge if visible_edge else face)
        gc.restore()
        renderer.close_group(self.__class__.__name__)
        self.stale = False

    def _styles(self, index: NDArray) -> Iterable[tuple[NDArray, NDArray, NDArray, float, Any]]:
        """Yield groups of footprints, given as places in `index`, that share face, edge, line width and dashes."""
        faces, edges = self.get_facecolor(), self.get_edgecolor()
        widths, dashes = np.atleast_1d(self.get_linewidth()), self.get_linestyle()
        columns = [_cycled(rows, index, 4) for rows in (faces, edges)]
        columns.append(_cycled(widths.reshape(-1, 1), index, 1))
        if all(len(column) == 1 for column in columns):
            groups, which = np.hstack(columns), np.zeros(len(index), np.int64)
        else:
            spread = [np.broadcast_to(column, (len(index), column.shape[1])) for column in columns]
            groups, which = np.unique(np.hstack(spread), axis=0, return_inverse=True)
        order = np.argsort(which, kind="stable")
        cuts = np.searchsorted(which[order], np.arange(len(groups) + 1))
        for i, group in enumerate(groups):
            yield order[cuts[i] : cuts[i + 1]], group[:4], group[4:8], float(group[8]), dashes[0]

    def _pieces(self, index: NDArray[np.int64]) -> Iterable[Path]:
        """Yield the outlines of some footprints as paths of a moderate size."""
        sizes = self._cuts[index + 1] - self._cuts[index]
        piece = np.cumsum(sizes) // _PIECE
        for part in np.split(np.arange(len(index)), np.flatnonzero(np.diff(piece)) + 1):
            if len(part):
                rows = _ranges(self._cuts[index[part]], sizes[part])
                yield Path(self._vertices[rows], self._codes[rows])

    def _draw_small(self, renderer: Any, gc: Any, screen: NDArray, color: NDArray) -> None:
        """Draw squares about as large as the outlines of tiny footprints would be, one a pixel of the screen."""
        width = renderer.points_to_pixels(gc.get_linewidth()) + 1
        pixels = np.floor((screen[:, :2] + screen[:, 2:]) / 2).astype(np.int64)
        # The margin around the screen is small, so this is never much larger than the screen.
        first = pixels.min(axis=0)
        taken = np.zeros(pixels.max(axis=0) - first + 1, bool)
        taken[tuple((pixels - first).T)] = True
        centers = np.argwhere(taken) + first + 0.5
        squares = renderer.new_gc()
        squares.copy_properties(gc)
        squares.set_linewidth(0)
        squares.set_snap(False)
        squares.set_foreground(color, isRGBA=True)
        marker = Affine2D().translate(-0.5, -0.5).scale(width)
        renderer.draw_markers(squares, Path.unit_rectangle(), marker, Path(centers), IdentityTransform(), tuple(color))
        squares.restore()


class _Labels(Artist):
    """The numbers of the footprints in view."""

    def __init__(self, collection: FootprintCollection, texts: Sequence[str]):
        super().__init__()
        self._collection, self._texts = collection, texts
        self.set_zorder(collection.get_zorder() + 1)

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        collection = self._collection
        if not (self.get_visible() and collection.get_visible()):
            return
        index = collection.visible()
        width, height = np.diff(collection.boxes[index], axis=1)[:, ::2].T
        index = np.sort(index[np.argsort(-width * height, kind="stable")[:_MAX_LABELS]])
        text = Text(va="bottom", ha="left", fontsize="small", color="white", clip_on=True)
        text.set_path_effects([withStroke(linewidth=2, foreground="black")])
        text.set_figure(self.figure)
        text.axes = self.axes
        text.set_clip_box(self.axes.bbox)
        for i, place in zip(
            index, collection.get_transform().transform(collection.boxes[index][:, [1, 3]]), strict=True
        ):
            text.set_position(place)
            text.set_text(self._texts[i])
            text.draw(renderer)
        self.stale = False


Legend.update_default_handler_map({FootprintCollection: HandlerPolyCollection()})


def outline_path(footprints: Drawable, origin: tuple[int, int] = (0, 0)) -> Path:
    """Return the outlines of footprints, holes included, as one matplotlib path.

    Parameters
    ----------
    footprints : FootprintSet, Footprint, SpanSet or iterable of them
    origin : pair of int, optional
        The pixel ``(x, y)`` that becomes (0, 0).

    Returns
    -------
    matplotlib.path.Path
        A compound path; outer rings run anticlockwise and holes clockwise.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    OverflowError
        If `origin` does not fit into int32.
    """
    drawn = as_footprints(footprints)
    vertices, codes, _ = _closed_rings(drawn, as_pair(origin, "origin"))
    return Path(vertices, codes)


def as_footprints(footprints: Any) -> FootprintSet:
    """Return whatever holds footprints as a set of them; a SpanSet is one footprint."""
    if isinstance(footprints, FootprintSet):
        return footprints
    if isinstance(footprints, Footprint | SpanSet):
        return FootprintSet([footprints])
    if isinstance(footprints, Iterable):
        return FootprintSet(footprints)
    raise TypeError(f"footprints must be a FootprintSet, Footprint or SpanSet, not {type(footprints).__name__}")


def axes_or_current(ax: Any) -> Any:
    """Return axes, by default pyplot's current ones."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    return plt.gca()


def _closed_rings(
    footprints: FootprintSet, origin: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]:
    """Return vertices, path codes, and the offset of each footprint's outlines in them."""
    corners, offsets, runs = _outline.outline(footprints.spans, footprints.offsets)
    # Rings that end where they began, by a line, can be clipped and simplified by matplotlib; CLOSEPOLY cannot.
    n_rings = len(offsets) - 1
    starts = offsets[:-1] + np.arange(n_rings)
    index = np.arange(len(corners) + n_rings) - np.repeat(np.arange(n_rings), np.diff(offsets) + 1)
    index[offsets[1:] + np.arange(n_rings)] = offsets[:-1]
    codes = np.full(len(index), Path.LINETO, Path.code_type)
    codes[starts] = Path.MOVETO
    owners = np.searchsorted(footprints.offsets, runs, "right") - 1
    first_ring = np.searchsorted(owners, np.arange(len(footprints) + 1))
    cuts = np.append(starts, len(index))[first_ring]
    return corners[index] - np.array([origin[0] + 0.5, origin[1] + 0.5]), codes, cuts


def _colors(footprints: FootprintSet, fill: bool, color: Any, column: Any) -> dict[str, Any]:
    """Return the properties of a collection that colour it."""
    if column is not None and color is not None:
        raise TypeError("give either color or column")
    if column is None:
        colors = to_rgba_array("tab:orange" if color is None else color)
        if len(colors) != 1:
            _check_length(colors, "color", len(footprints))
        properties = {"facecolors": colors}
    else:
        values = np.asarray(footprints.measure(columns=[column])[column] if isinstance(column, str) else column)
        _check_length(values, "column", len(footprints))
        properties = {"array": values.astype(float)}
    if fill:
        return properties | {"edgecolors": "face", "fill_alpha": _FILL_ALPHA}
    return properties | {"edgecolors": properties.pop("facecolors", None), "facecolors": "none"}


def _check_length(values: Any, name: str, count: int) -> None:
    if np.ndim(values) == 0 or len(values) != count:
        raise ValueError(f"{name} must have an entry for each of {count} footprints, not the shape {np.shape(values)}")


def _peak_markers(footprints: FootprintSet, collection: FootprintCollection, style: dict[str, Any]) -> Line2D:
    peaks = footprints.peaks
    x0, y0 = collection.origin
    look = {"linestyle": "none", "marker": "+", "color": "red", "zorder": collection.get_zorder() + 1} | style
    return Line2D(np.asarray(peaks["x"]) - x0, np.asarray(peaks["y"]) - y0, **look)


def _cycled(rows: NDArray, index: NDArray[np.int64], width: int) -> NDArray:
    """Return the rows of a property that the footprints at `index` have: one row if all share it."""
    if len(rows) == 0:
        return np.zeros((1, width))
    return rows if len(rows) == 1 else rows[index % len(rows)]


def _ranges(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``first[0], first[0] + 1, ...`` and so on for each, in one array."""
    stops = np.cumsum(count)
    return np.arange(stops[-1] if len(stops) else 0) + np.repeat(first - stops + count, count)
