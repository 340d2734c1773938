"""Footprints as one artist: outlines, fillings, peaks and numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba_array
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerPolyCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.patheffects import PathEffectRenderer, withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

from .. import _outline
from .._ragged import offsets_of, ranges
from .._validate import as_finite, as_pair
from ..footprints import Footprint, FootprintSet
from ..spans import SpanSet
from ._squares import squares

Drawable = FootprintSet | Footprint | SpanSet | Iterable[Footprint | SpanSet]

# Footprints that are smaller than this on the screen, in pixels of it, are drawn as squares.
_SMALL = 2.0
# Details of outlines that are smaller than this, in pixels of the screen, are left out.
_DETAIL = 0.5
# Outlines are made and drawn in pieces of about so many spans, which stay in the cache while Agg sorts the pixels they
# touch.
_PIECE = 1 << 13
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
) -> FootprintCollection:
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

    Only footprints in view are drawn, and all that are less than two pixels wide on the screen as one picture: the
    cost is bounded by what can be seen. (Vector formats such as PDF and SVG get every outline, and so do path effects.)
    Agg, on which most figures are drawn, shows them again from a picture as long as neither they nor the view change.

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

    stale: bool  # as every artist has it

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
        # Column by column, as they are looked at.
        self.boxes = np.asfortranarray(self.footprints.bbox - np.array([x0, x0, y0, y0]) - 0.5)
        self._full = np.diff(self.footprints.offsets) > 0
        self._last_view: tuple[Any, ...] | None = None
        self._picture: NDArray[np.uint8] | None = None
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
        vertices, codes, cuts = _closed_rings(self.footprints.spans, self.footprints.offsets, self.origin)
        return [Path(vertices[a:b], codes[a:b]) for a, b in itertools.pairwise(cuts)]

    def get_datalim(self, transData: Any) -> Bbox:  # noqa: N803 (as matplotlib has it)
        """Return the box that holds all footprints, in the coordinates of `transData`."""
        if not self._full.any():
            return Bbox.null()
        low, high = self.boxes[self._full].min(axis=0), self.boxes[self._full].max(axis=0)
        box = Bbox([[low[0], low[2]], [high[1], high[3]]])
        return (self.get_transform() - transData).transform_bbox(box)

    def contains(self, mouseevent: Any) -> tuple[bool, dict[str, Any]]:
        """Return whether the mouse is over a footprint, and the index of it."""
        if self._different_canvas(mouseevent) or not self.get_visible():
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

    def _frame(self) -> Bbox:
        """Return the part of the screen in which footprints are seen."""
        return self.axes.bbox if self.axes is not None and self.get_clip_on() else self.figure.bbox

    def _in_view(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the footprints in view, and the centres and sizes (2, n) of their boxes on the screen."""
        frame = self._frame()
        if frame.width == 0 or frame.height == 0:
            return np.empty(0, np.int64), np.empty((2, 0)), np.empty((2, 0))
        # Lines stick out of their box by half their width.
        frame = frame.padded(float(np.max(self.get_linewidth(), initial=0)) * self.figure.dpi / 72)
        transform = self.get_transform()
        if transform.is_affine:
            # Most are left out before anything is computed.
            index = np.flatnonzero(self._full & _overlap(self.boxes.T, frame.transformed(transform.inverted())))
            boxes = self.boxes.T if len(index) == len(self) else self.boxes.T.take(index, axis=1)
            matrix = transform.get_matrix()[:2]
            center = np.einsum("ij,jn", matrix[:, :2] / 2, boxes[::2] + boxes[1::2])
            center += matrix[:, 2:]
            return index, center, np.einsum("ij,jn", np.abs(matrix[:, :2]), boxes[1::2] - boxes[::2])
        # Under any transform that keeps directions apart, opposite corners bound a box well enough to look at.
        first, second = (transform.transform(self.boxes[:, k::2]).T for k in (0, 1))
        center, size = (first + second) / 2, np.abs(second - first)
        screen = np.stack((center - size / 2, center + size / 2), axis=1).reshape(4, -1)
        index = np.flatnonzero(self._full & _overlap(screen, frame))
        return index, center[:, index], size[:, index]

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw what is in view; where nothing has changed since the last time, from the picture of it."""
        if not self.get_visible() or not len(self):
            return
        self.update_scalarmappable()
        renderer.open_group(self.__class__.__name__, self.get_gid())
        view = self._view(renderer)
        if self.stale or view is None or view != self._last_view:
            self._draw(renderer)
            # Only what is drawn again is worth a picture.
            self._last_view, self._picture = view, None
        else:
            self._draw_again(renderer)
        renderer.close_group(self.__class__.__name__)
        self.stale = False

    def _view(self, renderer: Any) -> tuple[Any, ...] | None:
        """Return what the pixels depend on besides this artist, where a picture of them can be kept."""
        transform = self.get_transform()
        if not (isinstance(renderer, RendererAgg) and transform.is_affine):
            return None
        return renderer.width, renderer.height, renderer.dpi, self._frame().bounds, transform.get_matrix().tobytes()

    def _draw_again(self, renderer: RendererAgg) -> None:
        """Draw the picture of what is in view, made when it is first needed."""
        # With a pixel more on each side than is clipped to.
        left, bottom = (max(0, int(start) - 1) for start in self._frame().min)
        if self._picture is None:
            width, height = int(renderer.width), int(renderer.height)
            right, top = (int(stop) + 2 for stop in self._frame().max)
            whole = RendererAgg(renderer.width, renderer.height, renderer.dpi)
            self._draw(whole)
            rows = slice(max(0, height - top), height - bottom)
            self._picture = np.asarray(whole.buffer_rgba())[rows, left : min(right, width)][::-1].copy()
        gc = renderer.new_gc()
        self._set_gc_clip(gc)
        if self._picture.size:
            renderer.draw_image(gc, left, bottom, self._picture)
        gc.restore()

    def _draw(self, renderer: Any) -> None:
        """Draw what is in view: a picture of what is small, and the outlines of the rest."""
        index, center, size = self._in_view()
        if renderer.option_scale_image() or self.get_path_effects():  # a vector format may be magnified
            small, large, detail = index[:0], index, 0.0
        else:
            is_small = np.maximum(*size) < _SMALL
            small, large = np.flatnonzero(is_small), index[~is_small]
            detail = self._detail()
        if self.get_path_effects():
            renderer = PathEffectRenderer(self.get_path_effects(), renderer)
        gc = renderer.new_gc()
        self._set_gc_clip(gc)
        if len(small):
            self._draw_small(renderer, gc, index[small], center.take(small, axis=1))
        gc.set_snap(self.get_snap())
        gc.set_capstyle(self.get_capstyle())
        gc.set_joinstyle(self.get_joinstyle())
        gc.set_antialiased(bool(np.all(self.get_antialiased())))
        gc.set_dashes(*self.get_linestyle()[0])
        if self.get_hatch():
            gc.set_hatch(self.get_hatch())
        transform = self.get_transform()
        for chosen, face, edge, width in self._styles(large):
            gc.set_foreground(edge, isRGBA=True)
            gc.set_hatch_color(edge)
            gc.set_linewidth(width if edge[3] > 0 else 0)
            for path in self._pieces(chosen, detail):
                path = transform.transform_path_non_affine(path)
                renderer.draw_path(gc, path, transform.get_affine().frozen(), tuple(face) if face[3] > 0 else None)
        gc.restore()

    def _look(self, index: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
        """Return faces, edges and line widths of some footprints, each of one row if they share it."""
        width = np.atleast_1d(self.get_linewidth()).reshape(-1, 1)
        rows = ((self.get_facecolor(), 4), (self.get_edgecolor(), 4), (width, 1))
        face, edge, width = (_cycled(values, index, columns) for values, columns in rows)
        return face, edge, width

    def _styles(self, index: NDArray[np.int64]) -> Iterable[tuple[NDArray[np.int64], NDArray, NDArray, float]]:
        """Yield groups of footprints that share face, edge and line width, with these."""
        look = self._look(index)
        if all(len(column) == 1 for column in look):
            groups, which = np.hstack(look), np.zeros(len(index), np.int64)
        else:
            spread = [np.broadcast_to(column, (len(index), column.shape[1])) for column in look]
            groups, which = np.unique(np.hstack(spread), axis=0, return_inverse=True)
        order = np.argsort(which, kind="stable")
        cuts = np.searchsorted(which[order], np.arange(len(groups) + 1))
        for i, group in enumerate(groups):
            yield index[order[cuts[i] : cuts[i + 1]]], group[:4], group[4:8], float(group[8])

    def _detail(self) -> float:
        """Return the length in the axes of the details of an outline that cannot be seen on the screen."""
        transform = self.get_transform()
        if not transform.is_affine:
            return 0.0
        return _DETAIL / max(float(np.linalg.norm(transform.get_matrix()[:2, :2], 2)), np.finfo(float).tiny)

    def _pieces(self, index: NDArray[np.int64], detail: float = 0.0) -> Iterable[Path]:
        """Yield the outlines of some footprints as paths of a moderate size."""
        spans, offsets = self.footprints.spans, self.footprints.offsets
        sizes = offsets[index + 1] - offsets[index]
        piece = np.cumsum(sizes) // _PIECE
        for part in np.split(np.arange(len(index)), np.flatnonzero(np.diff(piece)) + 1):
            if len(part):
                rows = ranges(offsets[index[part]], sizes[part])
                vertices, codes, _ = _closed_rings(spans[rows], offsets_of(sizes[part]), self.origin)
                if detail > 1:
                    kept = _worth_drawing(vertices, codes, detail)
                    vertices, codes = vertices[kept], codes[kept]
                yield Path(vertices, codes)

    def _draw_small(self, renderer: Any, gc: Any, index: NDArray[np.int64], center: NDArray[np.float64]) -> None:
        """Draw squares about as large as the outlines of tiny footprints would be, in the middle of pixels."""
        face, edge, width = self._look(index)
        has_edge = (edge[:, 3:] > 0) & (width > 0)
        colors = np.round(255 * np.where(has_edge, edge, face)).astype(np.uint8)
        sides = (np.where(has_edge, renderer.points_to_pixels(width), 0) + 1)[:, 0]
        x, y = np.floor(center, out=center).astype(np.int64)
        for side in np.unique(sides):
            # The margin around the screen is small, and so the picture never much larger than the screen.
            chosen = slice(None) if len(sides) == 1 else sides == side
            picture, *place = squares(x[chosen], y[chosen], colors if len(colors) == 1 else colors[chosen], side)
            renderer.draw_image(gc, *place, picture)


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
    vertices, codes, _ = _closed_rings(drawn.spans, drawn.offsets, as_pair(origin, "origin"))
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
    if ax is None:
        from matplotlib import pyplot as plt

        return plt.gca()
    if not hasattr(ax, "has_data"):
        raise TypeError(f"ax must be Axes of matplotlib, not {ax!r}")
    return ax


def _closed_rings(
    spans: NDArray[np.int32], offsets: NDArray[np.int64], origin: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]:
    """Return vertices, path codes, and the offset of each footprint's outlines in them."""
    corners, rings, runs = _outline.outline(spans, offsets)
    # Rings that end where they began, by a line, can be clipped and simplified by matplotlib; CLOSEPOLY cannot.
    n_rings = len(rings) - 1
    starts = rings[:-1] + np.arange(n_rings)
    index = np.arange(len(corners) + n_rings) - np.repeat(np.arange(n_rings), np.diff(rings) + 1)
    index[rings[1:] + np.arange(n_rings)] = rings[:-1]
    codes = np.full(len(index), Path.LINETO, Path.code_type)
    codes[starts] = Path.MOVETO
    owners = np.searchsorted(offsets, runs, "right") - 1
    first_ring = np.searchsorted(owners, np.arange(len(offsets)))
    cuts = np.append(starts, len(index))[first_ring]
    return corners[index] - np.array([origin[0] + 0.5, origin[1] + 0.5]), codes, cuts


def _colors(footprints: FootprintSet, fill: bool, color: Any, column: Any) -> dict[str, Any]:
    """Return the properties of a collection that colour it."""
    if column is not None and color is not None:
        raise TypeError("give either color or column")
    if column is None:
        colors = to_rgba_array("tab:orange" if color is None else color)
        if len(colors) != 1 and not (isinstance(color, str) and color == "none"):
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


def _worth_drawing(vertices: NDArray[np.float64], codes: NDArray[np.uint8], detail: float) -> NDArray[np.bool_]:
    """Return the vertices to keep so that the outlines through them are nowhere farther off than a length."""
    steps = np.abs(np.diff(vertices, axis=0, prepend=vertices[:1])).sum(axis=1)
    # Of the vertices within each length along a ring one is enough.
    piece = (np.cumsum(steps) / detail).astype(np.int64)
    kept = np.diff(piece, prepend=-1) != 0
    starts = codes == Path.MOVETO
    kept |= starts
    kept[:-1] |= starts[1:]
    kept[-1:] = True
    return kept


def _overlap(boxes: NDArray[np.float64], window: Bbox) -> NDArray[np.bool_]:
    """Return which of the boxes of edges ``x_min, x_max, y_min, y_max`` (4, n) reach into a window."""
    x_min, x_max, y_min, y_max = boxes
    inside: NDArray[np.bool_] = (x_max >= window.xmin) & (x_min <= window.xmax)
    return inside & (y_max >= window.ymin) & (y_min <= window.ymax)
