"""What notebooks show of our objects: thumbnails and short tables, bounded in size and in time."""

import base64
import html
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._colors import plane_colors
from .ellipses import Axes, Ellipse
from .geom import Box2D, Box2I

if TYPE_CHECKING:
    from .footprints import Footprint, FootprintSet
    from .masks import Mask
    from .spans import SpanSet

# The longer side of a thumbnail, in its pixels, and on the page.
_SIZE = 160
# Rows of a table.
_ROWS = 5
# Larger sets, and masks, are looked at in some rows only.
_MAX_SPANS = 1 << 18
_MAX_PIXELS = 1 << 25
_INK = np.array([31, 95, 165], np.float64)
_SHAPE = 'fill="#1f5fa5" fill-opacity="0.2" stroke="#1f5fa5"'
_PAPER = np.array([244, 246, 248], np.float64)


def spans_html(spans: "SpanSet") -> str:
    """Return a thumbnail and the measures of a span set."""
    rows = [("pixels", spans.area), ("spans", len(spans)), *_box_rows(_box_of(spans))]
    return _page("SpanSet", _image(spans_png(spans)), _facts(rows))


def spans_png(spans: "SpanSet") -> bytes:
    """Return a thumbnail of a span set as PNG."""
    return _png(_shades(_coverage(spans.array, _box_of(spans))))


def footprint_html(footprint: "Footprint") -> str:
    """Return a thumbnail, the measures and the first peaks of a footprint."""
    peaks = footprint.peaks
    rows = [("pixels", footprint.area), *_box_rows(_box_of(footprint)), ("peaks", len(peaks))]
    columns = ("x_peak", "y_peak", "peak_value")
    table = _table(columns, ([f"{row[name]:.6g}" for name in columns] for row in peaks[:_ROWS]), len(peaks))
    return _page(
        type(footprint).__name__, _image(spans_png(footprint.spans)), _facts(rows) + (table if len(peaks) else "")
    )


def footprints_html(footprints: "FootprintSet") -> str:
    """Return a thumbnail of a set of footprints and the measures of the first ones."""
    rows = [("footprints", len(footprints)), ("spans", len(footprints.spans)), *_box_rows(_box_of(footprints))]
    first = footprints[:_ROWS]
    counts = np.diff(first.peak_offsets)
    entries = (
        [i, area, *(f"{value:.2f}" for value in center), f"{x_start} to {x_stop - 1}", f"{y_start} to {y_stop - 1}", n]
        for i, (area, center, (x_start, x_stop, y_start, y_stop), n) in enumerate(
            zip(first.area, first.centroid, first.bbox, counts, strict=True)
        )
    )
    table = _table(("", "pixels", "x", "y", "columns", "rows", "peaks"), entries, len(footprints))
    name = type(footprints).__name__
    return _page(name, _image(footprints_png(footprints)), _facts(rows) + (table if len(footprints) else ""))


def footprints_png(footprints: "FootprintSet") -> bytes:
    """Return a thumbnail of a set of footprints as PNG."""
    return _png(_shades(_coverage(footprints.spans, _box_of(footprints))))


def mask_html(mask: "Mask") -> str:
    """Return a thumbnail of a mask and its planes: bits, numbers of pixels, descriptions."""
    counts: dict[str, Any] = mask.count() if mask.size <= _MAX_PIXELS else {}
    colors = plane_colors(mask.schema)
    planes = [
        [
            f'<span style="color:{colors[plane.name]}">&#9632;</span>',
            plane.bit,
            html.escape(plane.name),
            "bad" if plane.bad else "",
            f"{counts[plane.name]:,}" if counts else "",
            html.escape(_shortened(plane.description)),
        ]
        for plane in list(mask.schema)[:64]
    ]
    header = ("", "bit", "plane", "", "pixels" if counts else "", "description")
    ny, nx = mask.shape
    rows = [("size", f"{nx} x {ny} pixels"), ("xy0", mask.xy0), ("pixels of", mask.array.dtype)]
    return _page("Mask", _image(mask_png(mask)), _facts(rows) + _table(header, planes, len(mask.schema), safe=True))


def mask_png(mask: "Mask") -> bytes:
    """Return a thumbnail of a mask as PNG."""
    ny, nx = mask.shape
    if mask.size == 0:
        return _png(_PAPER.astype(np.uint8).reshape(1, 1, 3))
    step = max(1, -(-max(ny, nx) // _SIZE))
    words = mask._words
    if mask.size <= _MAX_PIXELS:
        for axis in (1, 2):
            words = blocks_ored(words, step, axis)
    else:
        words = words[:, ::step, ::step]
    colors = plane_colors(mask.schema)
    picture = np.tile(_PAPER, (*words.shape[1:], 1))
    for plane in sorted(mask.schema, key=lambda plane: plane.bad):
        picture[mask._are_set(words, [plane.name])] = list(bytes.fromhex(colors[plane.name][1:]))
    return _png(picture.astype(np.uint8)[::-1])


def box_svg(box: Box2I | Box2D) -> str:
    """Return a small drawing of a box with its edges."""
    if box.is_empty:
        return _svg(120, 40, '<text x="60" y="24" text-anchor="middle">empty</text>')
    if not np.isfinite([box.width, box.height]).all():
        return _svg(220, 40, f'<text x="110" y="24" text-anchor="middle">{html.escape(repr(box))}</text>')
    scale = 120 / max(box.width, box.height)
    width, height = max(box.width * scale, 2.0), max(box.height * scale, 2.0)
    if isinstance(box, Box2I):
        x_low, x_high, y_low, y_high = (str(edge) for edge in (box.x.min, box.x.max, box.y.min, box.y.max))
    else:
        x_low, x_high, y_low, y_high = (f"{edge:.6g}" for edge in (box.x.min, box.x.max, box.y.min, box.y.max))
    left, top = 80, 10
    right, bottom = left + width, top + height
    shape = f'<rect x="{left}" y="{top}" width="{width:.1f}" height="{height:.1f}" {_SHAPE}/>'
    texts = [
        (left, bottom + 16, "start" if width > 100 else "end", x_low),
        (right, bottom + 16, "end" if width > 100 else "start", x_high),
        (left - 6, bottom, "end", y_low),
        (left - 6, top + 10 if height > 30 else bottom - 14, "end", y_high),
    ]
    return _svg(right + 80, bottom + 24, shape + "".join(_text(*text) for text in texts))


def ellipse_svg(ellipse: Ellipse) -> str:
    """Return a small drawing of an ellipse with its axes and centre."""
    axes = ellipse.core if isinstance(ellipse.core, Axes) else ellipse.core.to_axes()
    longest = max(axes.a, axes.b)
    if not 0 < longest < np.inf:
        return _svg(160, 40, '<text x="80" y="24" text-anchor="middle">a point</text>')
    a, b = (max(60 * axis / longest, 0.5) for axis in (axes.a, axes.b))
    # SVG counts y downwards and turns clockwise.
    turn = f'transform="rotate({-np.degrees(axes.theta):.2f} 80 70)"'
    shape = f'<ellipse cx="80" cy="70" rx="{a:.2f}" ry="{b:.2f}" {turn} {_SHAPE}/>'
    shape += f'<line x1="80" y1="70" x2="{80 + a:.2f}" y2="70" {turn} stroke="#1f5fa5" stroke-opacity="0.6"/>'
    shape += f'<line x1="80" y1="70" x2="80" y2="{70 - b:.2f}" {turn} stroke="#1f5fa5" stroke-opacity="0.6"/>'
    center = f"({ellipse.center.x:.6g}, {ellipse.center.y:.6g})"
    size = f"a = {axes.a:.4g}, b = {axes.b:.4g}, {np.degrees(axes.theta):.4g}°"
    return _svg(160, 180, shape + _text(80, 154, "middle", center) + _text(80, 170, "middle", size))


def _coverage(runs: NDArray[np.int32], box: Box2I | None) -> NDArray[np.float64]:
    """Return how much of each pixel of a thumbnail of a box some runs cover, between 0 and 1; row 0 is the lowest."""
    if box is None or box.is_empty:
        return np.zeros((1, 1))
    scale = max(1.0, max(box.width, box.height) / _SIZE)
    ny, nx = (int(-(-side // scale)) for side in (box.height, box.width))
    step = min(-(-len(runs) // _MAX_SPANS), max(1, int(scale)))
    if step > 1:
        runs = runs[(runs[:, 0] - np.int64(box.y.start)) % step == 0]
    runs = runs[:: -(-len(runs) // _MAX_SPANS) or 1].astype(np.int64)
    # A row, or the rows that it stands for, is no taller than a row of the thumbnail, and lies in two at most.
    low = (runs[:, 0] - box.y.start) / scale
    row = low.astype(np.int64)
    above = np.clip(low + step / scale - (row + 1), 0, 1)
    # A run adds 1 at its start and takes it away at its stop: sums along the row are what is covered.
    slopes = np.zeros((ny + 1) * (nx + 2))
    for sign, edge in ((1, runs[:, 1]), (-1, runs[:, 2])):
        place = (edge - box.x.start) / scale
        column = place.astype(np.int64)
        part = place - column
        for up, height in ((0, step / scale - above), (1, above)):
            for right, width in ((0, 1 - part), (1, part)):
                slopes += sign * np.bincount(
                    (row + up) * (nx + 2) + column + right, weights=height * width, minlength=len(slopes)
                )
    return np.clip(np.cumsum(slopes.reshape(ny + 1, nx + 2), axis=1)[:ny, :nx], 0, 1)


def _shades(coverage: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return coverage as a picture, top row first; what is barely covered is still seen."""
    shade = np.where(coverage > 1e-9, 0.15 + 0.85 * np.sqrt(coverage), 0)[::-1, :, np.newaxis]
    return np.round(_PAPER + (_INK - _PAPER) * shade).astype(np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    """Return an RGB picture (ny, nx, 3) as PNG (ISO/IEC 15948), tiny ones enlarged."""
    times = max(1, _SIZE // 2 // max(picture.shape[:2]))
    picture = picture.repeat(times, axis=0).repeat(times, axis=1)
    height, width = picture.shape[:2]
    lines = np.hstack((np.zeros((height, 1), np.uint8), picture.reshape(height, 3 * width)))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines.tobytes()))
        + chunk(b"IEND", b"")
    )


def blocks_ored(words: NDArray, step: int, axis: int) -> NDArray:
    """Return the bits of every `step` entries along an axis or-ed together."""
    if step == 1:
        return words
    words = np.moveaxis(words, axis, 0)
    result = words[::step].copy()
    for k in range(1, min(step, len(words))):
        part = words[k::step]
        result[: len(part)] |= part
    return np.moveaxis(result, 0, axis)


def _box_of(pixels: Any) -> Box2I | None:
    """Return the box of what is shown, or None if it is wider than a box may be."""
    try:
        return _hull(pixels) if hasattr(pixels, "offsets") else pixels.bbox
    except OverflowError:
        return None


def _hull(footprints: "FootprintSet") -> Box2I:
    """Return the smallest box that holds the region and all footprints, which may leave it."""
    box = Box2I.empty() if footprints.region is None else footprints.region
    boxes = footprints.bbox[np.diff(footprints.offsets) > 0]
    if len(boxes):
        (x_start, _, y_start, _), (_, x_stop, _, y_stop) = boxes.min(axis=0).tolist(), boxes.max(axis=0).tolist()
        box = box.expanded_to(Box2I((x_start, x_stop), (y_start, y_stop)))
    return box


def _box_rows(box: Box2I | None) -> list[tuple[str, Any]]:
    if box is None:
        return [("box", "wider than int32 tells")]
    if box.is_empty:
        return [("box", "empty")]
    return [("columns", f"{box.x.min} to {box.x.max}"), ("rows", f"{box.y.min} to {box.y.max}")]


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def _image(png: bytes) -> str:
    data = base64.b64encode(png).decode()
    return f'<img src="data:image/png;base64,{data}" style="image-rendering:pixelated; border:1px solid #ccc"/>'


def _facts(rows: Iterable[tuple[str, Any]]) -> str:
    entries = (
        f"{name} <b>{value:,}</b>" if isinstance(value, int) else f"{name} <b>{html.escape(str(value))}</b>"
        for name, value in rows
    )
    return f"<div>{' &nbsp; '.join(entries)}</div>"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]], count: int, *, safe: bool = False) -> str:
    """Return a table of a few rows out of `count`; cells that are not safe are escaped."""
    # Pages have styles of their own for tables: a space keeps columns apart in all of them.
    titles = (f'<th style="text-align: left">{name}&ensp;</th>' for name in header)
    lines = [f"<tr>{''.join(titles)}</tr>"]
    for row in rows:
        cells = (str(cell) if safe else html.escape(str(cell)) for cell in row)
        lines.append(f"<tr>{''.join(f'<td>{cell}&ensp;</td>' for cell in cells)}</tr>")
    if count > len(lines) - 1:
        lines.append(f'<tr><td colspan="{len(header)}">... {count - len(lines) + 1:,} more</td></tr>')
    return f"<table>{''.join(lines)}</table>"


def _page(name: str, image: str, text: str) -> str:
    return (
        f'<div style="display:flex; gap:1em; align-items:flex-start"><div>{image}</div>'
        f"<div><b>{name}</b>{text}</div></div>"
    )


def _svg(width: float, height: float, content: str) -> str:
    font = 'font-family="sans-serif" font-size="12" fill="currentColor"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}">'
        f"<g {font}>{content}</g></svg>"
    )


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'
