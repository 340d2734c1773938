"""A footprint as a region of `regions`: everything a user does with one."""

import copy
import json
import operator
import pickle
import subprocess
import sys
import warnings

import astropy.units as u
import hypothesis.strategies as st
import matplotlib.colors
import numpy as np
import pytest
import regions as ar
import shapely
from astropy.wcs import WCS
from hypothesis import given
from test_rasterize import fits_wcs

import lsstregions as lr
from lsstregions import LossWarning, serialize_regions, to_regions, write_regions
from lsstregions.raster import coverage, rasterize, runs_of

OPERATIONS = [operator.and_, operator.or_, operator.xor]
RING = lr.SpanSet.disk(6) - lr.SpanSet.disk(3)

masks = st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=8).map(np.array)


def footprint(spans=RING, **options):
    return lr.Footprint(spans, **options)


def circle(x=2, y=2, r=4):
    return ar.CirclePixelRegion(ar.PixCoord(x, y), r)


def pixels_of(mask):
    """Return the pixels of a RegionMask."""
    return lr.SpanSet.from_mask(np.asarray(mask.data) > 0, (mask.bbox.ixmin, mask.bbox.iymin))


def test_is_a_pixel_region():
    fp = footprint()
    assert isinstance(fp, ar.PixelRegion)
    assert isinstance(fp, ar.Region)
    listed = ar.Regions([fp, circle()])
    assert listed[0] is fp
    assert rasterize(listed) == RING | rasterize(circle())
    with pytest.raises(AttributeError, match="immutable"):
        fp.meta = {}


@pytest.mark.parametrize("mode", ["center", "exact", "subpixels"])
def test_mask(mode):
    fp = footprint()
    mask = fp.to_mask(mode=mode)
    assert mask.data.sum() == fp.area
    assert mask.bbox == fp.bounding_box
    assert pixels_of(mask) == RING
    image = np.arange(400.0).reshape(20, 20)
    moved = fp.shift(9, 8)
    np.testing.assert_array_equal(moved.to_mask(mode).get_values(image), moved.spans.flatten(image))
    assert mask.to_image((5, 5)).shape == (5, 5)
    with pytest.raises(ValueError, match="mode"):
        fp.to_mask(mode="subpixel")
    assert footprint(lr.SpanSet([])).to_mask().data.size == 0


def test_points():
    fp = footprint()
    assert ar.PixCoord(5, 0) in fp
    assert ar.PixCoord(0, 0) not in fp
    assert fp.contains(ar.PixCoord(5.2, -0.3)) is True
    x, y = np.random.default_rng(1).uniform(-9, 9, (2, 5, 40))
    inside = fp.contains(ar.PixCoord(x, y))
    assert inside.shape == x.shape
    np.testing.assert_array_equal(inside, RING.contains(x, y))
    np.testing.assert_array_equal(fp.covers(ar.PixCoord(x, y)), inside)
    edge = ar.PixCoord(6.5, 0.0)
    assert not fp.contains(edge)
    assert fp.covers(edge)
    corner = ar.PixCoord(6.5, 0.5)
    assert fp.covers(corner)
    assert not fp.covers(ar.PixCoord(6.6, 0))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_algebra_of_footprints(operation):
    other = footprint(lr.SpanSet.disk(4).shift(3, 1))
    result = operation(footprint(), other)
    assert isinstance(result, lr.Footprint)
    assert result.spans == operation(RING, other.spans)
    assert operation(footprint(), other.spans).spans == result.spans
    assert (footprint() - other).spans == RING - other.spans


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("turned", [False, True])
def test_algebra_with_regions(operation, turned):
    """Right along our path and along that of regions, whichever side the footprint is on."""
    pair = (circle(), footprint()) if turned else (footprint(), circle())
    result = operation(*pair)
    expected = operation(*map(rasterize, pair))
    assert rasterize(result) == expected
    assert pixels_of(result.to_mask()) == expected
    y, x = np.mgrid[-8:9, -8:9]
    np.testing.assert_array_equal(result.contains(ar.PixCoord(x, y)), expected.contains(x, y))
    assert rasterize(result.copy()) == expected


def test_peaks_follow():
    fp = footprint().add_peak(5, 0, 10.0).add_peak(-5, 0, 8.0)
    right = footprint(lr.SpanSet.disk(4).shift(5, 0)).add_peak(8, 0, 3.0)
    assert sorted((fp & right).peaks["x_peak"]) == [5]
    assert sorted((fp | right).peaks["x_peak"]) == [-5, 5, 8]
    assert sorted((fp ^ right).peaks["x_peak"]) == [-5, 8]
    assert sorted((fp - right).peaks["x_peak"]) == [-5]
    assert len(fp.copy(spans=right.spans).peaks) == 1


def test_copies():
    fp = footprint(meta={"label": "a"}, visual={"color": "red"}).add_peak(5, 0, 10.0)
    for same in (fp.copy(), copy.copy(fp), copy.deepcopy(fp), pickle.loads(pickle.dumps(fp))):
        assert same == fp
        assert hash(same) == hash(fp)
        assert same.meta == fp.meta
        assert same.visual == fp.visual
    assert fp.copy(meta={"label": "b"}).meta == {"label": "b"}
    assert fp.copy(spans=lr.SpanSet.disk(1)).area == 5
    with pytest.raises(TypeError, match="radius"):
        fp.copy(radius=3)
    far = fp.shift(10**6, 0)
    assert far != far.shift(1, 0)
    assert fp != circle()


def test_polygon():
    polygon = footprint().to_polygon()
    assert rasterize(polygon) == RING
    assert sum(coverage(polygon)[1]) == pytest.approx(RING.area)
    solid = footprint(lr.SpanSet.disk(4)).to_polygon()
    assert isinstance(solid, ar.PolygonPixelRegion)
    assert solid.area == lr.SpanSet.disk(4).area
    with pytest.raises(ValueError, match="empty"):
        footprint(lr.SpanSet([])).to_polygon()


@given(masks)
def test_outlines_hold_the_pixels(mask):
    spans = lr.SpanSet.from_mask(mask, (-3, 5))
    if len(spans):
        assert rasterize(footprint(spans).to_polygon()) == spans
        assert rasterize(to_regions([footprint(spans)])) == spans


@given(masks)
def test_outlines_on_the_sky_hold_the_pixels(mask):
    spans = lr.SpanSet.from_mask(mask, (-3, 5))
    if len(spans):
        wcs = fits_wcs()
        (region,) = to_regions([footprint(spans)], wcs=wcs)
        assert isinstance(region, ar.PolygonSkyRegion)
        assert rasterize(region, wcs=wcs) == spans


def test_sets_on_the_sky_keep_what_they_know():
    wcs = fits_wcs()
    footprints = holed()
    on_sky = lr.FootprintSet(footprints).to_regions(wcs=wcs)
    assert [rasterize(region, wcs=wcs) for region in on_sky] == [fp.spans for fp in footprints]
    assert [region.meta["label"] for region in on_sky] == [str(i) for i in range(len(footprints))]
    assert isinstance(footprints[0].to_regions(wcs=wcs)[0], ar.PolygonSkyRegion)
    assert len(lr.FootprintSet().to_regions(wcs=wcs)) == 0


def test_many_rings_are_no_deep_compound():
    grid = lr.SpanSet.from_indices(*map(np.ravel, np.mgrid[0:80:2, 0:80:2]))
    fp = footprint(grid)
    sky = fp.to_sky(fits_wcs())
    assert rasterize(fp.to_polygon()) == grid
    assert pixels_of(fp.to_polygon().to_mask()) == grid
    assert rasterize(sky, wcs=fits_wcs()) == grid


def test_sky():
    wcs = fits_wcs()
    fp = footprint().shift(100, 90)
    sky = fp.to_sky(wcs)
    assert isinstance(sky, ar.SkyRegion)
    assert rasterize(sky, wcs=wcs) == fp.spans
    sphere = fp.to_spherical_sky(wcs)
    assert isinstance(sphere, ar.SphericalSkyRegion)
    assert rasterize(sphere, wcs=wcs) == fp.spans
    assert isinstance((fp | circle(100, 90)).to_sky(wcs), ar.CompoundSkyRegion)


def test_rotate():
    fp = footprint(lr.SpanSet.from_box(lr.Box2I(x=(0, 9), y=(0, 3))))
    turned = fp.rotate(ar.PixCoord(0, 0), 90 * u.deg)
    assert turned.bounding_box == ar.RegionBoundingBox(-2, 1, 0, 9)
    assert fp.rotate(ar.PixCoord(4, 1), np.pi) == fp


def test_artist():
    import matplotlib.pyplot as plt

    fp = footprint(visual={"color": "red", "linewidth": 3})
    patch = fp.as_artist(origin=(2, 3), linestyle="--")
    extent = patch.get_path().get_extents()
    assert (extent.xmin, extent.ymin, extent.xmax, extent.ymax) == (-8.5, -9.5, 4.5, 3.5)
    assert patch.get_linewidth() == 3
    assert patch.get_linestyle() == "--"
    # A hole is left open where it runs the other way round.
    assert [shapely.LinearRing(ring).is_ccw for ring in patch.get_path().to_polygons()] == [True, False]
    _, axes = plt.subplots()
    drawn = fp.plot((2, 3), axes, linestyle="--")
    assert drawn.axes is axes
    assert matplotlib.colors.same_color(drawn.get_edgecolor(), patch.get_edgecolor())
    assert drawn.get_linewidth() == patch.get_linewidth()
    assert np.allclose(drawn.get_datalim(axes.transData).bounds, extent.bounds)
    assert matplotlib.colors.same_color(fp.plot(ax=axes, color="blue").get_edgecolor(), "blue")
    filled = footprint(visual={"facecolor": "lime", "fill": True}).plot(ax=axes)
    assert matplotlib.colors.same_color(filled.get_facecolor()[0, :3], "lime")
    footprint(lr.SpanSet([])).plot(ax=axes)
    assert fp.plot(axes).axes is axes
    plt.close("all")


def nested():
    """Return footprints one in the hole of another, the inner ones first."""
    big = lr.SpanSet.disk(20) - lr.SpanSet.disk(15)
    small = lr.SpanSet.disk(10) - lr.SpanSet.disk(5)
    return [footprint(lr.SpanSet.disk(2)), footprint(small), footprint(big), footprint(lr.SpanSet.disk(3).shift(40, 0))]


def holed():
    """Footprints: a hole in a part in a hole, parts and holes that meet in corners, one pixel."""
    big = lr.SpanSet.disk(20) - lr.SpanSet.disk(15) | lr.SpanSet.disk(10) - lr.SpanSet.disk(5) | lr.SpanSet.disk(2)
    y, x = np.mgrid[0:9, 0:7]
    chess = lr.SpanSet.from_mask((x + y) % 2 == 0, (40, 3))
    random = lr.SpanSet.from_mask(np.random.default_rng(5).random((30, 40)) < 0.6, (-80, -70))
    return [footprint(spans) for spans in (big, chess, random, lr.SpanSet.disk(0).shift(90, -90))]


FILES = pytest.mark.parametrize("format", ["ds9", "crtf", "fits"])


def through_text_and_file(items, folder, format):
    """Yield regions as they come back from text or a table, and from a file."""
    yield ar.Regions.parse(serialize_regions(items, format), format=format)
    path = folder / f"file.{format}"
    write_regions(items, path, format, overwrite=True)
    yield ar.Regions.read(path, format=format)


@FILES
@pytest.mark.parametrize("make", [nested, holed])
def test_every_format_holds_footprints(make, format, tmp_path):
    footprints = make()
    for items in (footprints, lr.FootprintSet(footprints)):
        for back in (to_regions(items), *through_text_and_file(items, tmp_path, format)):
            assert [rasterize(region) for region in back] == [fp.spans for fp in footprints]
            # So they are for regions itself.
            assert [pixels_of(region.to_mask()) for region in back] == [fp.spans for fp in footprints]
    one = footprints[1]
    assert rasterize(ar.Regions.parse(one.serialize(format=format), format=format)) == one.spans
    one.write(tmp_path / f"one.{format}", format=format)
    assert rasterize(ar.Regions.read(tmp_path / f"one.{format}", format=format)) == one.spans
    with pytest.raises(FileExistsError, match="exists"):
        one.write(tmp_path / f"one.{format}", format=format)


@FILES
@given(masks)
def test_every_format_holds_any_pixels(tmp_path_factory, format, mask):
    spans = lr.SpanSet.from_mask(mask, (-3, 5))
    if spans:
        for back in through_text_and_file([footprint(spans)], tmp_path_factory.mktemp("any"), format):
            assert [rasterize(region) for region in back] == [spans]


@FILES
def test_lists_of_footprints_and_shapes(format, tmp_path):
    square = ar.PolygonPixelRegion(ar.PixCoord([3, 9, 9, 3], [60, 60, 66, 66]))
    items = [circle(50, 50, 5), *holed(), lr.FootprintSet(nested()), square]
    expected = [rasterize(region) for region in to_regions(items)]
    assert [rasterize(circle(50, 50, 5)), rasterize(square)] == [expected[0], expected[-1]]
    for back in through_text_and_file(items, tmp_path, format):
        assert [rasterize(region) for region in back] == expected


def test_crtf_is_in_pixels_or_on_the_sky():
    sky = footprint(lr.SpanSet.disk(3).shift(100, 90)).to_sky(fits_wcs())
    back = ar.Regions.parse(serialize_regions([sky], "crtf", coordsys="icrs"), format="crtf")
    assert rasterize(back, wcs=fits_wcs()) == lr.SpanSet.disk(3).shift(100, 90)
    with pytest.raises(ValueError, match="all on the sky"):
        serialize_regions([footprint(), sky], "crtf")


@FILES
def test_writing_changes_no_region(format):
    excluded = ar.CirclePixelRegion(ar.PixCoord(2, 2), 4, meta=ar.RegionMeta({"include": 0, "label": "deg"}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        serialize_regions([footprint(), excluded], format)
    assert excluded.meta == {"include": 0, "label": "deg"}


def test_names_are_kept():
    named = footprint(meta={"label": "3deg poly[["}, visual={"color": "red"})
    for format in ("ds9", "crtf"):
        text = serialize_regions([named, circle()], format)
        assert "3deg poly[[" in text
        assert "red" in text
        back = ar.Regions.parse(text, format=format)
        assert rasterize(back[0]) == RING
    with pytest.warns(LossWarning, match="meta and visual"):
        serialize_regions([named], "fits")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    for name in ("a.reg", "a.crtf", "a.fits", "a.footprint"):
        (tmp_path / name).write_text("mine")
        with pytest.raises((AttributeError, TypeError)):
            write_regions([footprint(), "no region"], tmp_path / name, overwrite=True)
        assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 4


def test_what_outlines_cannot_say(tmp_path):
    with pytest.warns(LossWarning, match="flux"):
        assert len(to_regions([footprint(meta={"flux": 3})])) == 1
    with pytest.warns(LossWarning, match="1 empty"):
        assert len(to_regions([footprint(lr.SpanSet([]))])) == 0
    with pytest.warns(LossWarning, match="peaks, signs"):
        write_regions([footprint(sign=-1).add_peak(5, 0, 10.0)], tmp_path / "a.reg")
    with pytest.warns(LossWarning, match="excluded"):
        serialize_regions([ar.CirclePixelRegion(ar.PixCoord(2, 2), 4, meta=ar.RegionMeta({"include": 0}))], "ds9")
    assert [region.meta["label"] for region in footprint(meta={"label": "a"}).to_regions()] == ["a"]


def test_runs():
    np.testing.assert_array_equal(runs_of(footprint()), RING.array)
    spans, weights = coverage(footprint())
    assert spans == RING
    assert (weights == 1).all()


def test_own_format(tmp_path):
    """Nothing is lost, along the ways of regions and along ours."""
    full = footprint(region=lr.Box2I(x=(-9, 9), y=(-8, 8)), sign=-1, meta={"label": "a"}).add_peak(5, 0, 10.0, flux=3.5)
    footprints = [full, footprint(lr.SpanSet([])), *nested()]
    ar.Regions(footprints).write(tmp_path / "a.footprint", format="footprint")
    write_regions(lr.FootprintSet(footprints[:1]), tmp_path / "b.footprint")
    ar.Regions(footprints).write(str(tmp_path / "c.footprint"))
    for path in (tmp_path / "a.footprint", tmp_path / "c.footprint"):
        for back in (ar.Regions.read(path, format="footprint"), ar.Regions.read(path)):
            assert list(back) == footprints
            assert back[0].meta == full.meta
            assert back[0].region == full.region
    assert list(ar.Regions.read(tmp_path / "b.footprint")) == [full]
    assert list(ar.Regions.parse(full.serialize(format="footprint"), format="footprint")) == [full]
    with pytest.raises(OSError, match="exists"):
        full.write(tmp_path / "a.footprint")
    full.write(tmp_path / "a.footprint", overwrite=True)
    with pytest.raises(TypeError, match="Circle"):
        ar.Regions([circle()]).write(tmp_path / "d.footprint", format="footprint")
    for text in ("", "[]", "{}", '{"format": "lsstregions footprint", "version": 2}'):
        with pytest.raises(ValueError, match="format"):
            ar.Regions.parse(text, format="footprint")
    with pytest.raises(ValueError, match="damaged"):
        ar.Regions.parse('{"format": "lsstregions footprint", "version": 1, "footprint": [{}]}', format="footprint")
    text = ar.Regions([full.copy()]).serialize(format="footprint")
    for name in ("x_peak", "peak_value", "x", "id"):
        content = json.loads(text)
        for values in (3, [], [1] * (len(full.peaks) + 1), [[1]] * len(full.peaks)):
            content["footprint"][0]["peaks"][name][1] = values
            with pytest.raises(ValueError, match="damaged"):
                ar.Regions.parse(json.dumps(content), format="footprint")


def test_span_sets_from_either_side():
    spans, footprint = lr.SpanSet.disk(3), lr.Footprint(lr.SpanSet.disk(3).shift(2, 1))
    for operation in (operator.and_, operator.or_, operator.xor):
        assert operation(spans, footprint) == operation(footprint, spans)
    assert spans - footprint == spans - footprint.spans
    assert (footprint - spans).spans == footprint.spans - spans
    for operation in (operator.and_, operator.or_, operator.xor, operator.sub):
        with pytest.raises(TypeError):
            operation(3, footprint)


class TestOffTheSky:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crpix, wcs.wcs.cdelt = ["RA---AIT", "DEC--AIT"], [360, 180], [-0.5, 0.5]

    @pytest.mark.parametrize("x", [10_000, -2])
    def test_raises(self, x):
        off = lr.Footprint(lr.SpanSet.disk(3).shift(x, 0))
        for call in (off.to_sky, off.to_spherical_sky, lambda wcs: lr.to_regions(off, wcs=wcs)):
            with pytest.raises(ValueError, match="the outline leaves the sky"):
                call(self.wcs)
            with pytest.raises(TypeError, match="wcs must be a WCS"):
                call(3)


def test_what_to_regions_takes(tmp_path):
    circle = ar.CirclePixelRegion(ar.PixCoord(3, 4), 2)
    assert list(lr.to_regions(circle)) == [circle]
    assert len(lr.to_regions([circle | circle, footprint(), lr.FootprintSet([lr.SpanSet.disk(2)])])) == 3
    for items in (3, [3], [lr.SpanSet.disk(3)]):
        with pytest.raises(TypeError, match="items must be footprints"):
            lr.write_regions(items, tmp_path / "x.reg")
    with pytest.raises(FileNotFoundError, match=r"nowhere.*no folder"):
        lr.write_regions(circle, tmp_path / "nowhere" / "x.reg")
    with pytest.raises(TypeError, match="center"):
        footprint().rotate(3, 1)


@pytest.mark.parametrize("text", ["junk", "{}", "[]", "3", '{"format": "lsstregions footprint"}', b"\xff\xfe\x00"])
def test_no_footprints_in_a_file(tmp_path, text):
    path = tmp_path / "bad.footprint"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(lr.io.FileFormatError, match=r"bad\.footprint: "):
        ar.Regions.read(path, format="footprint")


@pytest.mark.parametrize("imports", ["import lsstregions, regions", "import regions, lsstregions"])
def test_the_format_is_known_whoever_comes_first(tmp_path, imports):
    path = tmp_path / "one.footprint"
    ar.Regions([footprint()]).write(path, format="footprint")
    code = f"{imports}; print(len(regions.Regions.read({str(path)!r}, format='footprint')))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert result.stdout == "1\n", result.stderr


def test_what_is_joined_keeps_meta_and_visual():
    a = lr.Footprint(lr.SpanSet.disk(2), meta={"label": "a"}, visual={"color": "red"})
    b = lr.Footprint(lr.SpanSet.disk(2).shift(1, 0), meta={"label": "b"})
    for made in (a & b, a | b, a ^ b, a - b, a.merge(b), a & b.spans):
        assert made.meta == a.meta
        assert made.visual == a.visual


def test_columns_of_no_peaks_stay():
    footprint = lr.Footprint(lr.SpanSet.disk(2)).add_peak(0, 0, 5.0)
    columns = lr.FootprintSet([footprint]).with_peak_columns(q=[7])
    footprint = columns[0].clip(lr.Box2I((1, 3), (0, 1)))
    assert "q" in footprint.peaks.colnames
    assert len(footprint.peaks) == 0
    regions = ar.Regions([footprint])
    assert ar.Regions.parse(regions.serialize(format="footprint"), format="footprint")[0] == footprint
