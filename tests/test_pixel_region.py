"""A footprint as a region of `regions`: everything a user does with one."""

import copy
import operator
import pickle

import astropy.units as u
import hypothesis.strategies as st
import numpy as np
import pytest
import regions as ar
import shapely
from hypothesis import given
from test_rasterize import fits_wcs

import lsstregions as lr
from lsstregions._pixel_region import OutlineWarning, serialize_regions, to_regions, write_regions
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
    fp.plot(ax=axes)
    footprint(lr.SpanSet([])).plot(ax=axes)
    plt.close("all")


def nested():
    """Return footprints one in the hole of another, the inner ones first."""
    big = lr.SpanSet.disk(20) - lr.SpanSet.disk(15)
    small = lr.SpanSet.disk(10) - lr.SpanSet.disk(5)
    return [footprint(lr.SpanSet.disk(2)), footprint(small), footprint(big), footprint(lr.SpanSet.disk(3).shift(40, 0))]


@pytest.mark.parametrize("format", ["ds9", "crtf", "fits"])
def test_every_format_holds_outlines(format, tmp_path):  # noqa: A002
    footprints = nested()
    pixels = lr.SpanSet.union(*(fp.spans for fp in footprints))
    assert rasterize(to_regions(footprints)) == pixels
    for items in (footprints, lr.FootprintSet(footprints)):
        text = serialize_regions(items, format)
        assert rasterize(ar.Regions.parse(text, format=format)) == pixels
        write_regions(items, tmp_path / f"file.{format}", format, overwrite=True)
        assert rasterize(ar.Regions.read(tmp_path / f"file.{format}", format=format)) == pixels
    one = footprints[1]
    assert rasterize(ar.Regions.parse(one.serialize(format=format), format=format)) == one.spans
    one.write(tmp_path / f"one.{format}", format=format)
    assert rasterize(ar.Regions.read(tmp_path / f"one.{format}", format=format)) == one.spans
    with pytest.raises(OSError, match="already"):
        one.write(tmp_path / f"one.{format}", format=format)


def test_lists_of_footprints_and_shapes(tmp_path):
    items = [circle(50, 50, 5), *nested()]
    write_regions(items, tmp_path / "mixed.reg")
    assert rasterize(ar.Regions.read(tmp_path / "mixed.reg")) == rasterize(items)


def test_what_outlines_cannot_say():
    with pytest.warns(OutlineWarning, match="flux"):
        assert len(to_regions([footprint(meta={"flux": 3})])) == 2
    with pytest.warns(OutlineWarning, match="1 empty"):
        assert len(to_regions([footprint(lr.SpanSet([]))])) == 0
    assert [region.meta["label"] for region in footprint(meta={"label": "a"}).to_regions()] == ["a", "a"]


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
