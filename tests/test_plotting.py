"""Overlays, compared pixel by pixel with the masks that they show, and what notebooks show."""

import io
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.backend_bases import LocationEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from lsstregions import Axes, Box2D, Box2I, Ellipse, FootprintSet, SpanSet, _reprs, viewers
from lsstregions.masks import Mask, MaskPlane, MaskSchema
from lsstregions.plotting import (
    COLORBLIND_COLORS,
    LSST_COLORS,
    FootprintCollection,
    outline_path,
    plane_colors,
    plot_footprints,
    plot_mask,
)
from lsstregions.plotting._squares import squares

SCALE = 10  # pixels of the screen to a pixel


def make_axes(shape, scale=SCALE, projection=None):
    """Return axes that fill a figure and show an image of a shape."""
    ny, nx = shape
    figure = Figure(figsize=(nx * scale / 100, ny * scale / 100), dpi=100)
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1), **({} if projection is None else {"projection": projection}))
    ax.set(xlim=(-0.5, nx - 0.5), ylim=(-0.5, ny - 0.5))
    ax.axis("off")
    if projection is not None:
        for coord in ax.coords:
            coord.set_ticks_visible(False)
            coord.set_ticklabel_visible(False)
    return ax


def render(ax):
    """Return what is drawn, row 0 at the bottom, as (ny, nx, 3)."""
    canvas = ax.figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[::-1, :, :3].astype(int)


def centers(picture, scale=SCALE):
    """Return the colours at the centres of pixels."""
    return picture[scale // 2 :: scale, scale // 2 :: scale]


def shown(ax, scale=SCALE):
    """Return where something is drawn at the centres of pixels."""
    return (centers(render(ax), scale) != 255).any(axis=2)


FILLED = {"fill": True, "color": "black", "linewidth": 0}


# Footprints


@settings(max_examples=30)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_filled_footprints_are_their_pixels(mask):
    ax = make_axes(mask.shape)
    plot_footprints(SpanSet.from_mask(mask).components(4), ax, **FILLED)
    np.testing.assert_array_equal(shown(ax), mask)


def test_outlines_follow_the_pixel_edges():
    ring = (SpanSet.disk(6) - SpanSet.disk(2)).shift(8, 8)
    ax = make_axes((17, 17))
    plot_footprints(ring, ax, color="black", linewidth=72 / 100)
    drawn = (render(ax) < 128).any(axis=2)
    grown = np.pad(np.kron(ring.to_mask(Box2I.from_shape((17, 17))), np.ones((SCALE, SCALE), int)), 1)
    # What is drawn lies on the edges, to a pixel of the screen.
    edge = np.zeros((170, 170), bool)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            edge |= grown[1:-1, 1:-1] != np.roll(grown, (dy, dx), (0, 1))[1:-1, 1:-1]
    assert drawn.any()
    assert not (drawn & ~edge).any()
    # A line one pixel wide, all of it: every edge of a pixel is SCALE long.
    assert drawn.sum() >= ring.perimeter * SCALE * 0.9


def test_a_set_is_one_artist():
    footprints = SpanSet.from_mask(np.indices((40, 40)).sum(axis=0) % 4 == 0).components(4)
    ax = make_axes((40, 40))
    artist = plot_footprints(footprints, ax, **FILLED)
    assert len(footprints) > 100
    assert list(ax.collections) == [artist]
    assert len(artist) == len(footprints) == len(artist.get_paths())


def test_footprints_in_pieces(monkeypatch):
    monkeypatch.setattr("lsstregions.plotting._footprints._PIECE", 7)
    mask = np.random.default_rng(1).random((20, 20)) < 0.4
    ax = make_axes(mask.shape)
    plot_footprints(SpanSet.from_mask(mask).components(4), ax, **FILLED)
    np.testing.assert_array_equal(shown(ax), mask)


def test_small_footprints_are_seen_from_afar():
    x, y = np.meshgrid(np.arange(50, 1000, 100), np.arange(50, 1000, 100))
    ax = make_axes((1000, 1000), scale=0.1)
    plot_footprints(SpanSet.from_indices(y, x).components(), ax, color="black")
    dark = (render(ax) < 200).any(axis=2)
    assert dark.shape == (100, 100)
    for column, row in zip((x * 0.1).astype(int).flat, (y * 0.1).astype(int).flat, strict=True):
        assert dark[row - 1 : row + 2, column - 1 : column + 2].any()
    assert 100 <= dark.sum() <= 100 * 25
    # Their squares have the colour of their filling if they have no outline.
    ax = make_axes((1000, 1000), scale=0.1)
    plot_footprints(SpanSet.from_indices(y, x).components(), ax, fill=True, color="red", linewidth=0)
    assert (render(ax)[..., 1:] < 255).any()


@pytest.mark.parametrize("side", [1.0, 1.5, 2.39, 3.0, 4.2, 5.0])
def test_a_square_covers_pixels_by_their_shares(side):
    picture, left, bottom = squares(np.array([7]), np.array([-3]), np.array([[10, 20, 30, 255]], np.uint8), side)
    x, y = left + np.arange(picture.shape[1]), bottom + np.arange(picture.shape[0])
    across, along = (np.clip(side / 2 + 0.5 - np.abs(d), 0, 1) for d in (x - 7, y + 3))
    np.testing.assert_allclose(picture[..., 3], 255 * np.outer(along, across), atol=4)
    assert (picture[..., :3] == [10, 20, 30]).all()
    # What is missing around it is less than a tenth of a pixel wide.
    assert max(side / 2 + 0.5 - (np.abs(x - 7).max() + 1), 0) < 0.1 + 1e-9


@given(st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=1, max_size=12), st.sampled_from([1, 3, 5]))
def test_squares_of_many_colors(places, side):
    x, y = np.array(places).T
    colors = np.random.default_rng(3).integers(0, 256, (len(x), 4)).astype(np.uint8)
    picture, left, bottom = squares(x, y, colors, side)
    expected = np.zeros((40, 40, 4), np.uint8)  # from (-20, -20)
    for column, row, color in zip(x + 20, y + 20, colors, strict=True):
        reach = side // 2
        expected[row - reach : row + reach + 1, column - reach : column + reach + 1] = color
    part = expected[bottom + 20 :, left + 20 :][: picture.shape[0], : picture.shape[1]]
    assert part.any(axis=2).sum() == expected.any(axis=2).sum()
    np.testing.assert_array_equal(picture * (picture[..., 3:] > 0), part * (part[..., 3:] > 0))


def test_small_footprints_have_their_colors():
    spans = [SpanSet.square(0).shift(x, 50) for x in (5, 35, 65, 95)]
    ax = make_axes((100, 100), scale=0.5)
    colors = ["red", "lime", "blue", "black"]
    plot_footprints(FootprintSet(spans), ax, color=colors, linewidth=[1.44, 1.44, 2.88, 2.88])
    picture = render(ax)
    for x, color in zip((2, 17, 32, 47), colors, strict=True):
        np.testing.assert_array_equal(picture[25, x], np.array(mpl.colors.to_rgb(color)) * 255)
    ax.set(xlim=(-40, 60), ylim=(48, 148))  # some are cut off at the edges of the picture
    assert (render(ax)[0] != 255).any()


def test_what_has_not_changed_is_drawn_again_from_its_picture(monkeypatch):
    rng = np.random.default_rng(7)
    footprints = SpanSet.from_mask(rng.random((60, 60)) < 0.3).components(4)
    ax = make_axes((60, 60), scale=4)
    ax.set_position((0.1, 0.15, 0.7, 0.6))
    artist = plot_footprints(footprints, ax, fill=True, color="navy", alpha=0.6)
    first = render(ax)
    outlines = artist._draw
    monkeypatch.setattr(artist, "_draw", lambda renderer: drawn.append(renderer) or outlines(renderer))
    for times in (1, 1, 1):
        drawn = []
        np.testing.assert_allclose(render(ax), first, atol=3)
        assert len(drawn) <= times
    assert not drawn
    changes = [
        lambda: artist.set_color("red"),
        lambda: artist.set_linewidth(3),
        lambda: ax.set(xlim=(10, 30)),
        lambda: ax.figure.set_size_inches(2, 1),
        lambda: ax.set_position((0.3, 0.2, 0.5, 0.5)),
        lambda: artist.set_clip_on(False),
        lambda: ax.figure.set_dpi(80),
    ]
    for change in changes:
        before = render(ax)
        change()
        changed, again, once_more = render(ax), render(ax), render(ax)
        assert changed.shape != before.shape or (changed != before).any()
        np.testing.assert_allclose(again, changed, atol=3)
        np.testing.assert_array_equal(once_more, again)


def test_axes_that_are_not_linear():
    footprints = FootprintSet([SpanSet.square(3).shift(x, x) for x in (20, 200, 2000)])
    ax = make_axes((10000, 10000), scale=0.02)
    ax.set(xscale="log", yscale="log", xlim=(10, 10000), ylim=(10, 10000))
    plot_footprints(footprints, ax, color="black")
    picture = render(ax)
    for x in (20, 200, 2000):
        place = round(200 * np.log10(x / 10) / 3)
        assert picture[place - 12 : place + 13, place - 12 : place + 13].min() < 100
    # What is left of zero has no place.
    plot_footprints(SpanSet.square(3), ax)
    render(ax)


@pytest.mark.parametrize("detail", [1.5, 4.0, 20.0])
def test_details_that_are_left_out_cannot_be_seen(detail):
    rng = np.random.default_rng(5)
    mask = SpanSet.from_mask(rng.random((80, 80)) < 0.55) | SpanSet.from_box(Box2I((100, 400), (0, 2)))
    footprints = mask.components(4)
    artist = plot_footprints(footprints, make_axes((100, 100)))
    (whole,) = artist._pieces(np.arange(len(footprints)))
    (drawn,) = artist._pieces(np.arange(len(footprints)), detail)
    assert len(drawn) < len(whole) * (1 if detail < 4 else 0.6)
    rings, kept = (
        shapely.multilinestrings(
            [
                shapely.LineString(ring)
                for ring in np.split(path.vertices, np.flatnonzero(path.codes == Path.MOVETO)[1:])
            ]
        )
        for path in (whole, drawn)
    )
    assert shapely.hausdorff_distance(rings, kept, densify=0.1) <= detail
    assert (drawn.codes == Path.MOVETO).sum() == (whole.codes == Path.MOVETO).sum()


def test_only_what_is_in_view_is_drawn():
    footprints = SpanSet.from_indices(*np.nonzero(np.indices((100, 100)).sum(axis=0) % 5 == 0)).components(4)
    ax = make_axes((100, 100))
    artist = plot_footprints(footprints, ax)
    ax.set(xlim=(9.5, 20.5), ylim=(19.5, 30.5))
    inside = footprints.clip(Box2I((9, 22), (19, 32)))
    assert len(inside) <= len(artist.visible()) < len(inside) + 40
    ax.set(xlim=(1000, 1010))
    assert len(artist.visible()) == 0
    render(ax)


@pytest.mark.parametrize("file_format", ["svg", "pdf"])
def test_vector_formats_get_every_outline(file_format):
    x, y = np.meshgrid(np.arange(5, 100, 10), np.arange(5, 100, 10))
    ax = make_axes((100, 100), scale=1)
    artist = plot_footprints(SpanSet.from_indices(y, x).components(), ax, linewidth=0.123)
    plot_mask(Mask((100, 100), SCHEMA), ax, planes="CR")
    drawn = []
    pieces = artist._pieces
    artist._pieces = lambda index, detail: drawn.append(len(index)) or pieces(index, detail)
    ax.figure.savefig(io.BytesIO(), format=file_format)
    assert sum(drawn) == 100


def test_origin_and_wcs_axes():
    shape = SpanSet.disk(4) - SpanSet.disk(1.5)
    plain = make_axes((10, 10))
    plot_footprints(shape.shift(4, 5), plain, **FILLED)
    expected = render(plain)
    shifted = make_axes((10, 10))
    plot_footprints(shape.shift(1004, 2005), shifted, origin=(1000, 2000), **FILLED)
    np.testing.assert_array_equal(render(shifted), expected)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1e-4, 1e-4]
    sky = make_axes((10, 10), projection=wcs)
    plot_footprints(shape.shift(4, 5), sky, **FILLED)
    np.testing.assert_array_equal(shown(sky), shown(plain))


def test_colors():
    footprints = FootprintSet([SpanSet.square(1).shift(x, 2) for x in (2, 6, 10)])
    ax = make_axes((5, 13))
    artist = plot_footprints(footprints, ax, column=[0, 5, 10], fill=True, cmap="viridis", linewidth=0)
    artist.fill_alpha = 1
    colors = centers(render(ax))[2, [2, 6, 10]]
    expected = mpl.colormaps["viridis"]([0.0, 0.5, 1.0])[:, :3] * 255
    np.testing.assert_allclose(colors, expected, atol=2)
    artist.set(clim=(0, 100))
    assert np.ptp(centers(render(ax))[2, [2, 6, 10]], axis=0).max() < 60
    artist.remove()
    plot_footprints(footprints, ax, color=["red", "lime", "blue"], fill=True, linewidth=0).fill_alpha = 1
    np.testing.assert_array_equal(centers(render(ax))[2, [2, 6, 10]], 255 * np.eye(3, dtype=int))
    area = plot_footprints(footprints, ax, column="area", clim=(0, 9), cmap="viridis", linewidth=4)
    np.testing.assert_array_equal(area.get_array(), [9, 9, 9])
    yellow = np.array(mpl.colormaps["viridis"](1.0)[:3]) * 255
    np.testing.assert_allclose(render(ax)[25, 10], yellow, atol=2)  # the left edge of the first
    ax.figure.colorbar(area)
    render(ax)


def test_outlines_of_filled_footprints_are_opaque():
    ax = make_axes((9, 9))
    plot_footprints(SpanSet.square(2).shift(4, 4), ax, fill=True, color="black", linewidth=2)
    picture = render(ax)
    assert picture[45, 45].min() > 128  # the middle, transparent
    assert picture[45, 20].max() < 10  # the left edge


def test_peaks_labels_and_legend():
    image = np.zeros((30, 40))
    image[10, 12], image[20, 30] = 5, 6
    footprints = detected(image)
    ax = make_axes((30, 40))
    artist = plot_footprints(footprints, ax, labels=True, peaks={"marker": "x"}, label="sources")
    np.testing.assert_array_equal(artist.peaks.get_xydata(), [[12, 10], [30, 20]])
    assert artist.peaks.get_marker() == "x"
    with_labels = render(ax)
    artist.labels.set_visible(False)
    assert (render(ax) != with_labels).any()
    assert [text.get_text() for text in ax.legend().get_texts()] == ["sources"]
    render(ax)
    artist.remove()
    assert not ax.lines
    assert not ax.collections
    assert not ax.artists
    plot_footprints(footprints, ax, labels=["one", "two"])
    render(ax)


def detected(image):
    from lsstregions import detect_footprints

    return detect_footprints(image, 1.0)


def test_axes_are_scaled_only_if_there_is_nothing_in_them():
    ax = make_axes((10, 10))
    ax.autoscale()
    plot_footprints(SpanSet.square(2).shift(100, 50), ax)
    assert ax.get_xlim() == pytest.approx((97.5, 102.5), abs=1)
    assert ax.get_ylim() == pytest.approx((47.5, 52.5), abs=1)
    assert ax.get_aspect() == 1
    ax = make_axes((10, 10))
    ax.imshow(np.zeros((10, 10)), origin="lower")
    limits = ax.get_xlim()
    plot_footprints(SpanSet.square(2).shift(100, 50), ax)
    render(ax)
    assert ax.get_xlim() == limits


def test_the_mouse_finds_a_footprint():
    footprints = FootprintSet([SpanSet.square(1).shift(x, 2) for x in (2, 6, 10)])
    ax = make_axes((5, 13))
    artist = plot_footprints(footprints.shift(100, 0), ax, origin=(100, 0))
    for x, expected in ((2, [0]), (6, [1]), (4, []), (10, [2])):
        place = ax.transData.transform((x, 2))
        inside, found = artist.contains(LocationEvent("motion_notify_event", ax.figure.canvas, *place))
        assert inside == bool(expected)
        assert list(found["ind"]) == expected


def test_axes_without_room_show_nothing():
    ax = make_axes((10, 10))
    artist = plot_footprints(SpanSet.disk(3).shift(5, 5), ax)
    ax.set_position((0.5, 0.5, 0, 0.3))
    assert len(artist.visible()) == 0
    assert (render(ax) == 255).all()


def test_empty_sets_are_drawn_as_nothing():
    for nothing in (SpanSet(), FootprintSet(), FootprintSet([SpanSet(), SpanSet()])):
        ax = make_axes((10, 10))
        plot_footprints(nothing, ax, labels=True, peaks=True, fill=True)
        assert (render(ax) == 255).all()
        assert len(outline_path(nothing).vertices) == 0


def test_path_effects_hatches_and_visibility():
    from matplotlib.patheffects import withStroke

    ax = make_axes((20, 20))
    artist = plot_footprints(
        SpanSet.disk(8).shift(10, 10), ax, hatch="//", path_effects=[withStroke(linewidth=5, foreground="red")]
    )
    assert (render(ax)[..., 1] < 50).any()
    artist.set_visible(False)
    assert (render(ax) == 255).all()


def test_outline_path_is_a_patch():
    spans = (SpanSet.disk(6) - SpanSet.disk(2)).shift(20, 30)
    ax = make_axes((40, 40))
    ax.add_patch(PathPatch(outline_path(spans, origin=(10, 10)), facecolor="black", linewidth=0))
    np.testing.assert_array_equal(shown(ax), spans.to_mask(Box2I((10, 50), (10, 50))))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"column": [1, 2]}, ValueError, "column must have an entry for each of 1"),
        ({"column": "no_such"}, KeyError, "no_such"),
        ({"column": [1], "color": "red"}, TypeError, "either color or column"),
        ({"color": ["red", "blue"]}, ValueError, "color must have an entry"),
        ({"labels": ["a", "b"]}, ValueError, "labels must have an entry"),
        ({"origin": 5}, TypeError, "origin must be a pair"),
    ],
)
def test_errors(options, error, match):
    with pytest.raises(error, match=match):
        plot_footprints(SpanSet.disk(3), make_axes((10, 10)), **options)


def test_what_is_no_footprint():
    with pytest.raises(TypeError, match="footprints must be"):
        FootprintCollection(5)


def test_current_axes():
    from matplotlib import pyplot as plt

    with mpl.rc_context({"backend": "agg"}):
        plt.switch_backend("agg")
        try:
            artist = plot_footprints(SpanSet.disk(3))
            assert artist.axes is plt.gca()
            assert plot_mask(Mask((5, 5), SCHEMA)).axes is plt.gca()
        finally:
            plt.close("all")


# Masks

SCHEMA = MaskSchema([MaskPlane("SAT", 0, "saturated", bad=True), MaskPlane("CR", 3), MaskPlane("ODD<b>", 9)])


def make_mask(shape=(12, 16), xy0=(0, 0), seed=1):
    mask = Mask(shape, SCHEMA, xy0=xy0)
    rng = np.random.default_rng(seed)
    for name in SCHEMA.names:
        mask.set(name, rng.random(shape) < 0.3)
    return mask


def blended(mask, colors, alpha):
    """The definition: colours over white, plane by plane."""
    picture = np.full((*mask.shape, 3), 255.0)
    for name, color in colors.items():
        rgb = 255 * np.array(mpl.colors.to_rgb(color))
        picture[mask[name]] = picture[mask[name]] * (1 - alpha) + rgb * alpha
    return picture


@pytest.mark.parametrize("colors", ["lsst", "colorblind", {"CR": "black"}])
def test_planes_are_transparent_colors(colors):
    mask = make_mask(xy0=(7, 5))
    ax = make_axes(mask.shape)
    overlay = plot_mask(mask, ax, colors=colors, alpha=0.4, legend=False, origin=mask.xy0)
    assert overlay.colors == plane_colors(SCHEMA, colors)
    np.testing.assert_allclose(centers(render(ax)), blended(mask, overlay.colors, 0.4), atol=3)


def test_some_planes_and_parts_of_a_mask():
    mask = make_mask((40, 40))
    ax = make_axes((10, 10))
    overlay = plot_mask(mask, ax, planes=["CR"], legend=False)
    ax.set(xlim=(19.5, 29.5), ylim=(4.5, 14.5))
    expected = blended(mask[5:15, 20:30], {"CR": overlay.colors["CR"]}, 0.5)
    np.testing.assert_allclose(centers(render(ax)), expected, atol=3)
    ax.set(xlim=(100, 110))
    assert (render(ax) == 255).all()
    ax.set(xlim=(29.5, 19.5))  # axes may run backwards
    np.testing.assert_allclose(centers(render(ax)), expected[:, ::-1], atol=3)


@pytest.mark.parametrize("step", [2, 7])
def test_no_pixel_is_lost_from_afar(step):
    mask = Mask((100 * step, 100 * step), SCHEMA)
    mask.set("CR", SpanSet.from_indices([5 * step + 1, 70 * step], [3 * step, 99 * step + 1]))
    ax = make_axes(mask.shape, scale=1 / step)
    plot_mask(mask, ax, legend=False)
    assert sorted(zip(*np.nonzero((render(ax) != 255).any(axis=2)), strict=True)) == [(5, 3), (70, 99)]


def test_later_changes_are_drawn():
    mask = Mask((10, 10), SCHEMA)
    ax = make_axes(mask.shape)
    plot_mask(mask, ax, planes="SAT", legend=False)
    assert not shown(ax).any()
    mask.set("SAT", SpanSet.disk(3).shift(5, 5))
    np.testing.assert_array_equal(shown(ax), mask["SAT"])


def test_legend_names_the_planes_that_have_pixels():
    mask = Mask((10, 10), SCHEMA)
    mask.set("CR", SpanSet.square(1).shift(5, 5))
    ax = make_axes(mask.shape)
    overlay = plot_mask(mask, ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["CR"]
    event = LocationEvent("motion_notify_event", ax.figure.canvas, *ax.transData.transform((5, 5)))
    assert overlay.format_cursor_data(overlay.get_cursor_data(event)) == "CR"
    event = LocationEvent("motion_notify_event", ax.figure.canvas, *ax.transData.transform((50, 5)))
    assert overlay.get_cursor_data(event) is None
    plot_mask(Mask((10, 10), SCHEMA), make_axes((10, 10)))


@pytest.mark.parametrize("layout", ["tight", "constrained"])
def test_layouts_know_the_size_of_overlays(layout):
    figure = Figure(layout=layout)
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    plot_mask(make_mask(), ax)
    plot_footprints(SpanSet.disk(3).shift(5, 5), ax, labels=True, peaks=True)
    figure.savefig(io.BytesIO(), bbox_inches="tight")


def test_planes_beyond_64():
    schema = MaskSchema([MaskPlane(f"P{i}", i) for i in range(70)])
    mask = Mask((8, 8), schema)
    mask.set("P69", SpanSet.disk(2).shift(4, 4))
    ax = make_axes(mask.shape)
    plot_mask(mask, ax, legend=False)
    np.testing.assert_array_equal(shown(ax), mask["P69"])
    assert len(_reprs.mask_html(mask)) < 30_000
    assert _reprs.mask_png(mask)


def test_mask_errors():
    with pytest.raises(KeyError, match="NONE"):
        plot_mask(make_mask(), make_axes((5, 5)), planes="NONE")
    with pytest.raises(KeyError, match="NONE"):
        plane_colors(SCHEMA, {"NONE": "red"})
    with pytest.raises(ValueError, match="colors must be"):
        plane_colors(SCHEMA, "rainbow")
    with pytest.raises(ValueError, match="alpha"):
        plot_mask(make_mask(), make_axes((5, 5)), alpha=2)
    with pytest.raises(TypeError, match="mask must be a Mask"):
        plot_mask(np.zeros((5, 5), bool), make_axes((5, 5)))


def test_colors_are_known_to_matplotlib_and_differ():
    assert all(mpl.colors.is_color_like(color) for color in (*LSST_COLORS.values(), *COLORBLIND_COLORS))
    lsst = plane_colors(MaskSchema.lsst())
    assert len(set(lsst.values())) == len(lsst)


# What notebooks show


def read_png(data):
    return mpl.image.imread(io.BytesIO(data), format="png")[..., :3]


def test_thumbnails_show_the_pixels():
    spans = (SpanSet.disk(6) - SpanSet.disk(2)).shift(100, 200)
    picture = read_png(_reprs.spans_png(spans))
    times = picture.shape[0] // 13
    dark = picture[::-1][times // 2 :: times, times // 2 :: times].max(axis=2) < 0.9
    np.testing.assert_array_equal(dark, spans.to_mask())


def test_thumbnails_of_large_sets_show_how_much_is_covered():
    spans = SpanSet.from_box(Box2I((0, 800), (0, 1600))) | SpanSet.from_box(Box2I((1599, 1600), (0, 1600)))
    coverage = _reprs._coverage(spans.array, spans.bbox)
    assert coverage.shape == (160, 160)
    np.testing.assert_allclose(coverage[:, :80], 1, atol=1e-9)
    np.testing.assert_allclose(coverage[:, 80:159], 0, atol=1e-9)
    np.testing.assert_allclose(coverage[:, 159], 0.1, atol=1e-9)


def test_large_objects_have_small_reprs():
    rng = np.random.default_rng(2)
    mask = rng.random((3000, 3000)) < 0.3
    spans = SpanSet.from_mask(mask)
    footprints = spans.components()
    planes = MaskSchema([MaskPlane(f"P{i}", i, "very " * 1000) for i in range(63)])
    texts = [
        _reprs.spans_html(spans),
        _reprs.footprints_html(footprints),
        _reprs.footprint_html(footprints[0]),
        _reprs.mask_html(Mask(mask.astype(np.uint64), planes)),
    ]
    assert all(len(text) < 120_000 for text in texts)
    assert "more" in texts[1]


@pytest.mark.parametrize("region", [None, Box2I((0, 50), (0, 30))])
def test_reprs_of_few_and_no_footprints(region):
    for sets in ([], [SpanSet()], [SpanSet.disk(2)], [SpanSet.disk(2).shift(5, 5)] * 9):
        footprints = FootprintSet(sets, region=region)
        text = _reprs.footprints_html(footprints)
        assert "FootprintSet" in text
        assert read_png(_reprs.footprints_png(footprints)).size
        assert text.count("<tr>") == (1 + min(len(sets), 6) if sets else 0)
    assert "peaks" in _reprs.footprint_html(detected(np.eye(5) * 2)[0])
    assert "empty" in _reprs.spans_html(SpanSet())


def test_mask_repr_is_safe_and_counts():
    text = _reprs.mask_html(make_mask())
    assert "ODD&lt;b&gt;" in text
    assert "saturated" in text
    assert f"{make_mask().count()['SAT']}" in text
    assert read_png(_reprs.mask_png(make_mask())).size
    assert read_png(_reprs.mask_png(Mask((0, 5), SCHEMA))).size


def test_masks_too_large_to_count(monkeypatch):
    monkeypatch.setattr(_reprs, "_MAX_PIXELS", 10)
    assert ">pixels&ensp;</th>" not in _reprs.mask_html(make_mask())


@pytest.mark.parametrize(
    "box",
    [
        Box2I((3, 500), (7, 100)),
        Box2I((3, 4), (7, 8)),
        Box2I.empty(),
        Box2I((0, 2**31 - 1), (-(2**31), -1)),
        Box2D((0.5, 1.5), (1e9, 1e9 + 1)),
        Box2D.empty(),
        Box2D((-np.inf, np.inf), (0, 1)),
    ],
    ids=repr,
)
def test_boxes_are_drawn(box):
    root = ET.fromstring(_reprs.box_svg(box))
    assert root.tag.endswith("svg")
    assert float(root.get("width")) <= 300


@pytest.mark.parametrize("core", [Axes(10, 4, 0.5), Axes(3, 3, 0), Axes(5, 0, 1), Axes(0, 0, 0), Axes(1e300, 1, 0)])
@pytest.mark.parametrize("to", [lambda core: core, lambda core: core.to_quadrupole()])
def test_ellipses_are_drawn(core, to):
    try:
        ellipse = Ellipse(to(core), (100.25, 3))
    except (ValueError, OverflowError):
        return  # an ellipse that cannot be said in moments
    assert ET.fromstring(_reprs.ellipse_svg(ellipse)).tag.endswith("svg")


# Viewers


def tangent_wcs():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [-1 / 3600, 1 / 3600], [50, -30]
    wcs.wcs.crpix = [100, 100]
    return wcs


def test_moc():
    pytest.importorskip("mocpy")
    wcs = tangent_wcs()
    spans = (SpanSet.disk(60) - SpanSet.disk(30)).shift(100, 100)
    moc = viewers.to_moc(spans, wcs)
    y, x = spans.indices()
    sky = wcs.pixel_to_world(x, y)
    assert moc.contains_lonlat(sky.ra, sky.dec).all()
    center = wcs.pixel_to_world(np.array([100]), np.array([100]))
    assert not moc.contains_lonlat(center.ra, center.dec).any()
    area = moc.sky_fraction * 4 * np.pi * np.degrees(1) ** 2 * 3600**2
    assert area == pytest.approx(spans.area, rel=0.1)
    assert viewers.to_moc(FootprintSet([spans, spans]), wcs) == moc
    assert viewers.to_moc(FootprintSet([spans])[0], wcs) == moc
    assert viewers.to_moc(spans, wcs, order=10).max_order == 10
    assert viewers.to_moc(SpanSet(), wcs).empty()


def test_moc_errors():
    pytest.importorskip("mocpy")
    with pytest.raises(TypeError, match="footprints must be"):
        viewers.to_moc([1], tangent_wcs())
    with pytest.raises(ValueError, match="order must be 0 to 29"):
        viewers.to_moc(SpanSet.disk(3), tangent_wcs(), order=30)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---AIT", "DEC--AIT"], [-1, 1]
    with pytest.raises(ValueError, match="no place on the sky"):
        viewers.to_moc(SpanSet.disk(300), wcs)


def test_legends_are_added_to():
    mask = Mask((5, 6), MaskSchema(["A", "B"]))
    mask.set(["A", "B"], ...)
    ax = Figure().subplots()
    ax.plot([0, 5], [0, 4], label="track")
    ax.legend()
    for planes in ("A", "B", "A"):
        mask.plot(ax, planes=planes)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["track", "A", "B"]


def test_every_plane_has_a_colour_of_its_own():
    schema = MaskSchema([f"P{i}" for i in range(25)])
    assert len(set(plane_colors(schema, "colorblind").values())) == 25
    assert len(set(plane_colors(MaskSchema.lsst(), "colorblind").values())) == 11


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf", "ps"])
def test_hatches_in_every_format(file_format):
    ax = Figure().subplots()
    plot_footprints(SpanSet.disk(20), ax, hatch="//")
    ax.figure.savefig(io.BytesIO(), format=file_format)


@pytest.mark.parametrize("size", [(0, 0.5), (0.5, 0), (0, 0)])
def test_axes_of_no_size(size):
    mask = Mask((100, 120), MaskSchema.lsst())
    mask.set("SAT", SpanSet.disk(9).shift(50, 50))
    figure = Figure()
    ax = figure.add_axes((0.1, 0.1, *size))
    ax.imshow(np.zeros((100, 120)), aspect="auto")
    plot_mask(mask, ax)
    figure.savefig(io.BytesIO())


def test_masks_from_very_far():
    """Their cost is that of the screen."""
    mask = Mask((100, 120), MaskSchema.lsst())
    mask.set("SAT", ...)
    ax = Figure().subplots()
    plot_mask(mask, ax)
    ax.set(xlim=(-1e15, 1e15), ylim=(-1e15, 1e15))
    ax.figure.savefig(io.BytesIO())
    words = np.array([[[1], [2], [4]]], np.uint8)
    assert _reprs.blocks_ored(words, 10**15, 1).tolist() == [[[7]]]


def test_what_is_not_seen_is_not_found():
    ax = make_axes((30, 30))
    collection = plot_footprints(SpanSet.disk(8).shift(10, 10), ax, visible=False)
    event = LocationEvent("motion_notify_event", ax.figure.canvas, *ax.transData.transform((10, 10)))
    assert collection.contains(event) == (False, {})
    collection.set_visible(True)
    assert collection.contains(event)[0]
    assert len(plot_footprints(SpanSet.disk(3), ax, color="none", fill=True)) == 1
    for plot in (lambda ax: plot_footprints(SpanSet.disk(3), ax), lambda ax: plot_mask(Mask((3, 3), MaskSchema()), ax)):
        for wrong in ("r", ax.figure):
            with pytest.raises(TypeError, match="ax must be Axes of matplotlib"):
                plot(wrong)
