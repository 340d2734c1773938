import gzip
import json
import os
import threading
import warnings

import numpy as np
import pytest
import regions
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.wcs import WCS, FITSFixedWarning
from hypothesis import given, settings
from hypothesis import strategies as st

import lsstregions as lr
from lsstregions import Box2I, FootprintSet, SpanSet, io
from lsstregions._rings import cut_rings
from lsstregions.io import _checked, arrow, coco, fits_footprints, labels, outlines
from lsstregions.io._checked import checked_columns
from lsstregions.io._files import replacing

# Format, how its name ends, options of the writer, and what it keeps beyond the pixels.
FORMATS = [
    ("fits", ".fits", {}, "all"),
    ("parquet", ".parquet", {}, "all"),
    ("geojson", ".geojson", {}, "no values"),
    ("coco", ".json", {}, "region"),
    ("coco", ".json", {"segmentation": "polygon"}, "region"),
    ("labels", ".fits", {}, "region"),
    ("wkt", ".wkt", {}, "pixels"),
    ("ds9", ".reg", {}, "pixels"),
    ("crtf", ".crtf", {}, "pixels"),
    ("fits-regions", ".fits", {}, "pixels"),
]


def found(seed=0, shape=(40, 50), threshold=0.3, xy0=(7, 3), **options) -> FootprintSet:
    """Return footprints with holes, parts that meet in corners, and peaks."""
    image = np.random.default_rng(seed).normal(size=shape)
    return lr.detect_footprints(image, threshold, xy0=xy0, **options)


def same_pixels(first, second):
    return np.array_equal(first.spans, second.spans) and np.array_equal(first.offsets, second.offsets)


def roundtrip(footprints, path, name, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", io.LossWarning)
        io.write(footprints, path, format=name, overwrite=True, **options)
    return io.read(FootprintSet, path)


@pytest.mark.parametrize(("name", "suffix", "options", "keeps"), FORMATS)
def test_round_trip(tmp_path, name, suffix, options, keeps):
    footprints = found(polarity="both", threshold=0.5)
    read = roundtrip(footprints, tmp_path / f"x{suffix}", name, **options)
    assert same_pixels(read, footprints)
    if keeps in ("all", "no values"):
        assert read == footprints
    if keeps != "pixels":
        assert read.region == footprints.region


@pytest.mark.parametrize(("name", "suffix", "options", "keeps"), FORMATS)
def test_no_footprints(tmp_path, name, suffix, options, keeps):
    for footprints in (FootprintSet(), found(threshold=99.0)):
        read = roundtrip(footprints, tmp_path / f"{len(os.listdir(tmp_path))}{suffix}", name, **options)
        assert len(read) == 0
        if keeps in ("all", "no values"):
            assert read == footprints
            assert read.region == footprints.region


@pytest.mark.parametrize(("name", "suffix", "options", "keeps"), FORMATS)
def test_span_set(tmp_path, name, suffix, options, keeps):
    spans = (SpanSet.disk(7) - SpanSet.disk(3)).shift(20, 10) | SpanSet.from_box(Box2I((2, 4), (18, 19)))
    path = tmp_path / f"s{suffix}"
    io.write(spans, path, format=name, **options)
    assert io.read(SpanSet, path) == spans


@pytest.mark.parametrize(("name", "suffix", "options", "keeps"), [case for case in FORMATS if case[3] != "all"])
def test_warns_of_what_is_lost(tmp_path, name, suffix, options, keeps):
    heavy = found().make_heavy(np.zeros((40, 50)))
    with pytest.warns(io.LossWarning, match="pixel values"):
        io.write(heavy, tmp_path / f"x{suffix}", format=name, **options)


@pytest.mark.parametrize(("name", "suffix", "options", "keeps"), FORMATS)
def test_does_not_overwrite(tmp_path, name, suffix, options, keeps):
    path = tmp_path / f"x{suffix}"
    path.write_text("mine")
    footprints = found()._replaced(region=Box2I((0, 60), (0, 60)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", io.LossWarning)
        with pytest.raises(FileExistsError, match="exists"):
            io.write(footprints, path, format=name, **options)
        assert path.read_text() == "mine"
        io.write(footprints, path, format=name, overwrite=True, **options)
    assert same_pixels(io.read(FootprintSet, path), footprints)
    assert os.listdir(tmp_path) == [path.name]


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.fits"
    io.write(found(), path)
    before = path.read_bytes()

    def fail(self, *args, **kwargs):
        with open(args[0], "wb") as file:
            file.write(b"SIMPLE")
        raise KeyboardInterrupt

    monkeypatch.setattr(fits.HDUList, "writeto", fail)
    with pytest.raises(KeyboardInterrupt):
        io.write(found(1), path, overwrite=True)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.fits"]


@st.composite
def footprint_sets(draw, corners=(0, 5, -7, 30_000, -40_000, 10**9)):
    """Sets of any pixels at all: they overlap, are empty, and lie anywhere."""
    corner = st.sampled_from(corners)
    shapes = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**36 - 1)), max_size=5)
    sets = []
    for ny, nx, bits in draw(shapes):
        mask = np.array([bits >> i & 1 for i in range(ny * nx)], bool).reshape(ny, nx)
        sets.append(SpanSet.from_mask(mask, xy0=(draw(corner), draw(corner))))
    return FootprintSet(sets, draw(st.sampled_from([None, Box2I((-5, 60_000), (0, 9))])))


@settings(max_examples=60)
@given(footprint_sets())
def test_any_footprints(tmp_path_factory, footprints):
    folder = tmp_path_factory.mktemp("any")
    for name, suffix in (("fits", ".fits"), ("parquet", ".parquet"), ("geojson", ".geojson")):
        read = roundtrip(footprints, folder / f"x{suffix}", name)
        assert read == footprints
        assert read.region == footprints.region


@settings(max_examples=30)
@given(footprint_sets(corners=(2**31 - 20, -(2**31), 3)))
def test_footprints_at_the_ends_of_int32(tmp_path_factory, footprints):
    folder = tmp_path_factory.mktemp("ends")
    for name, suffix in (("fits", ".fits"), ("parquet", ".parquet")):
        assert roundtrip(footprints, folder / f"x{suffix}", name) == footprints


@settings(max_examples=60)
@given(footprint_sets())
def test_one_ring_has_the_pixels_of_each(footprints):
    vertices, offsets = cut_rings(footprints.spans, footprints.offsets)
    runs, begins = lr.raster.polygons(*vertices.T, offsets) if len(vertices) else (footprints.spans, footprints.offsets)
    assert np.array_equal(runs, footprints.spans)
    assert np.array_equal(begins, footprints.offsets)
    polygons = outlines.to_polygons(footprints)
    assert [SpanSet.from_region(polygon) for polygon in polygons] == [one.spans for one in footprints]


@settings(max_examples=60)
@given(footprint_sets())
def test_transposed(footprints):
    inside = footprints.shift(0, 0)
    runs, offsets = outlines.transposed(inside.spans, inside.offsets)
    for i, one in enumerate(inside):
        y, x = one.spans.indices()
        if x.max(initial=0) < 2**31 - 1:
            assert SpanSet.from_indices(x, y) == SpanSet(runs[offsets[i] : offsets[i + 1]])


# FITS


def test_fits_keeps_every_column(tmp_path):
    rng = np.random.default_rng(3)
    footprints = found()
    count = len(footprints.peaks)
    columns = {
        "flag": rng.integers(0, 2, count).astype(bool),
        "small": rng.integers(-100, 100, count).astype(np.int8),
        "unsigned": rng.integers(0, 2**16, count).astype(np.uint16),
        "half": rng.normal(size=count).astype(np.float16),
        "single": rng.normal(size=count).astype(np.float32),
        "name": np.array([f"p{i}" for i in range(count)]),
        "pair": rng.normal(size=(count, 2)),
        "id": rng.permutation(count) + 2**40,
    }
    footprints = footprints.with_peak_columns(**columns)
    image = rng.normal(size=(40, 50)).astype(np.float32)
    footprints = footprints.make_heavy(image, image.astype(float) ** 2, rng.integers(0, 2**31, (40, 50)))
    path = tmp_path / "x.fits"
    io.write(footprints, path)
    read = io.read(FootprintSet, path)
    assert read == footprints
    assert {name: read.peaks[name].dtype for name in columns} == {
        name: column.dtype for name, column in columns.items()
    }
    assert {name: plane.dtype for name, plane in read.values.items()} == {
        name: plane.dtype for name, plane in footprints.values.items()
    }


def test_fits_is_readable_by_others(tmp_path):
    path = tmp_path / "x.fits"
    footprints = found()
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = 10.0, 20.0
    io.write(footprints, path, wcs=wcs, meta={"OBSERVER": "Rubin", "EXPTIME": 30.0})
    each, spans = Table.read(path, hdu="FOOTPRINTS"), Table.read(path, hdu="SPANS")
    y = np.repeat(np.asarray(each["y"], int), each["n_spans"]) + spans["dy"]
    x = np.repeat(np.asarray(each["x"], int), each["n_spans"]) + spans["dx"]
    assert np.array_equal(np.column_stack((y, x, x + spans["width"])), footprints.spans)
    header = fits_footprints.read_header(path)
    assert (header["OBSERVER"], header["EXPTIME"]) == ("Rubin", 30.0)
    with pytest.warns(FITSFixedWarning, match="more axes"):
        wcs = WCS(header)
    assert wcs.wcs.crval.tolist() == [10.0, 20.0]
    with fits.open(path) as hdus:
        hdus.verify("exception")


def test_fits_refuses_what_it_cannot_keep(tmp_path):
    peaks = len(found().peaks)
    for columns in ({"bad": np.full(peaks, 2**63, np.uint64)}, {"ö": np.zeros(peaks)}, {"what": np.full(peaks, None)}):
        with pytest.raises(ValueError, match="cannot be"):
            io.write(found().with_peak_columns(**columns), tmp_path / "x.fits")
    assert not os.listdir(tmp_path)


def changed(path, extension, **columns):
    """Write other values into columns of a FITS file."""
    with fits.open(path) as hdus:
        for name, change in columns.items():
            table = Table(hdus[extension].data)
            table[name] = change(np.asarray(table[name]).astype(np.int64))
            header = hdus[extension].header
            hdus[extension] = fits.BinTableHDU(table, name=extension)
            hdus[extension].header.update({k: v for k, v in header.items() if k.startswith("LRTYP")})
        hdus.writeto(path, overwrite=True)


@pytest.mark.parametrize(
    ("extension", "columns", "message"),
    [
        ("SPANS", {"dx": lambda a: a + 2**31}, "int32"),
        ("SPANS", {"dy": lambda a: a + 2**31 - 1}, "int32"),
        ("SPANS", {"width": lambda a: a * 0}, "empty"),
        ("SPANS", {"width": lambda a: -a}, "stops before"),
        ("SPANS", {"width": lambda a: a + 60}, "overlaps"),
        ("SPANS", {"dy": lambda a: a[::-1]}, "out of order"),
        ("FOOTPRINTS", {"n_spans": lambda a: a + 1}, "n_spans"),
        ("FOOTPRINTS", {"n_spans": lambda a: -a}, "n_spans"),
        ("FOOTPRINTS", {"n_spans": lambda a: a + 2**62}, "n_spans"),
        ("FOOTPRINTS", {"n_peaks": lambda a: a * 0}, "n_peaks"),
        ("FOOTPRINTS", {"sign": lambda a: a + 7}, "sign"),
        ("PEAKS", {"x_peak": lambda a: a + 2**40}, "int32"),
    ],
)
def test_fits_with_bad_columns(tmp_path, extension, columns, message):
    path = tmp_path / "x.fits"
    io.write(found(), path)
    changed(path, extension, **columns)
    with pytest.raises(io.FileFormatError, match=f"(?s)x.fits.*{message}"):
        io.read(FootprintSet, path)


def test_later_version_and_foreign_files(tmp_path):
    path = tmp_path / "x.fits"
    io.write(found(), path)
    fits.setval(path, "LRVERS", value=2)
    with pytest.raises(io.FileFormatError, match="x.fits: it is of version 2"):
        io.read(FootprintSet, path)
    fits.setval(path, "LRKIND", value="Other")
    with pytest.raises(io.FileFormatError, match="holds no footprints"):
        io.read(FootprintSet, path)
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(path, overwrite=True)
    with pytest.raises(io.FileFormatError, match="x.fits: .*nothing else that holds footprints"):
        io.read(FootprintSet, path)
    for name in ("x.parquet", "x.json", "x.geojson", "x.wkt", "x.reg", "x.crtf", "y.fits"):
        (tmp_path / name).write_bytes(b"\xff\x00 no such thing")
        with pytest.raises(io.FileFormatError, match=name):
            io.read(FootprintSet, tmp_path / name)
        with pytest.raises(FileNotFoundError):
            io.read(FootprintSet, tmp_path / f"no-{name}")


def test_truncated(tmp_path):
    for name in ("x.fits", "x.parquet", "x.json", "x.geojson"):
        path = tmp_path / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", io.LossWarning)
            io.write(found(), path)
        data = path.read_bytes()
        for size in range(0, len(data) - 1, len(data) // 40):
            path.write_bytes(data[:size])
            try:
                read = io.read(FootprintSet, path, format={"x.json": "coco"}.get(name, name.partition(".")[2]))
            except io.FileFormatError as error:
                if name not in str(error):
                    raise
            else:
                # What was cut off is the padding of the last block.
                assert data[size:].strip(b"\0") == b""
                assert read == found()


def test_compressed_by_gzip(tmp_path):
    io.write(found(), tmp_path / "x.fits.gz")
    assert (tmp_path / "x.fits.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert io.read(FootprintSet, tmp_path / "x.fits.gz") == found()
    assert fits_footprints.read_footprints(tmp_path / "x.fits.gz") == found()


def test_unpacks_within_bounds(tmp_path, monkeypatch):
    data = json.dumps({"text": "x" * 100_000}).encode()
    path = tmp_path / "x.json"
    path.write_bytes(gzip.compress(data))
    monkeypatch.setattr(_checked, "MAX_UNPACKED", len(data))
    assert _checked.content(path) == data
    monkeypatch.setattr(_checked, "MAX_UNPACKED", len(data) - 1)
    for read in (lambda: io.read(FootprintSet, path), lambda: coco.read_coco(path)):
        with pytest.raises(io.FileFormatError, match=r"x.json: it unpacks to more than \d+ bytes"):
            read()


# Columns


def test_checked_columns():
    good = np.array([[0, 1, 3], [0, 4, 5], [-2, 0, 1]])
    runs, offsets = checked_columns(good, [0, 2, 2, 3])
    assert runs.dtype == np.int32
    assert offsets.tolist() == [0, 2, 2, 3]
    for spans, offsets in [
        (good, [0, 3]),
        (good, [0, 2]),
        (good, [1, 3]),
        (good, [0, 3, 2, 3]),
        (good, [0.0, 2.0, 3.0]),
        (good[:, :2], [0, 3]),
        (good[::-1], [0, 3]),
        ([[0, 1, 3], [0, 3, 4]], [0, 2]),
        ([[2**31 - 1, 0, 1]], [0, 1]),
        ([[0, 0, 0]], [0, 1]),
        (good, []),
    ]:
        with pytest.raises((TypeError, ValueError), match="must|lies|out of order|empty"):
            checked_columns(spans, offsets)


# Arrow


def test_arrow_shares_memory():
    footprints = found().make_heavy(np.random.default_rng(0).normal(size=(40, 50)))
    table = arrow.to_arrow(footprints)
    assert table.num_rows == len(footprints)
    spans = table.column("spans").chunk(0).values.values.to_numpy()
    assert np.shares_memory(spans, footprints.spans)
    assert np.shares_memory(table.column("image").chunk(0).values.to_numpy(), footprints.values["image"])
    back = arrow.from_arrow(table)
    assert back == footprints
    assert np.shares_memory(back.spans, footprints.spans)
    assert np.shares_memory(back.values["image"], footprints.values["image"])


def test_arrow_slices_and_chunks():
    pa = pytest.importorskip("pyarrow")
    footprints = found().make_heavy(np.random.default_rng(0).normal(size=(40, 50)))
    table = arrow.to_arrow(footprints)
    part = arrow.from_arrow(table.slice(3, 5))
    assert same_pixels(part, footprints[3:8])
    assert np.array_equal(part.values["image"], footprints[3:8].values["image"])
    assert len(part.peaks) == len(footprints[3:8].peaks)
    joined = arrow.from_arrow(pa.concat_tables([table.slice(0, 4), table.slice(4)]))
    assert same_pixels(joined, footprints)


def test_arrow_refuses_other_tables():
    pa = pytest.importorskip("pyarrow")
    for columns in (
        {"spans": [1, 2]},
        {"spans": [[[0, 1]]]},
        {"spans": pa.array([[[0, 1, 2]], None], pa.large_list(pa.list_(pa.int32(), 3)))},
        {"spans": pa.array([[[0, 2, 1]]], pa.large_list(pa.list_(pa.int32(), 3)))},
    ):
        with pytest.raises((ValueError, TypeError), match="spans|span 0"):
            arrow.from_arrow(pa.table(columns))


# COCO


def test_coco_is_that_of_pycocotools(tmp_path):
    mask_api = pytest.importorskip("pycocotools.mask")
    for seed, shape in enumerate([(40, 50), (1, 9), (9, 1), (3, 3), (64, 300)]):
        footprints = found(seed, shape, 0.2, xy0=(0, 0))
        path = tmp_path / f"{seed}.json"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", io.LossWarning)
            io.write(footprints, path)
        for one, annotation in zip(footprints, json.loads(path.read_text())["annotations"], strict=True):
            theirs = mask_api.encode(np.asfortranarray(one.spans.to_mask(Box2I.from_shape(shape)).view(np.uint8)))
            assert annotation["segmentation"]["counts"] == theirs["counts"].decode()
            assert annotation["area"] == mask_api.area(theirs)
            assert annotation["bbox"] == mask_api.toBbox(theirs).tolist()


@given(st.lists(st.lists(st.integers(0, 2**38 - 1), max_size=9), max_size=6))
def test_coco_counts(lists):
    counts, offsets = coco._flattened(lists, np.int64)
    texts = coco.encode_counts(counts, offsets)
    back, begins = coco.decode_counts(texts)
    assert np.array_equal(back, counts)
    assert np.array_equal(begins, offsets)


def test_coco_reads_every_kind_of_segmentation(tmp_path):
    path = tmp_path / "x.json"
    image = '"images": [{"id": 7, "height": 3, "width": 4}]'
    segments = [
        '{"size": [3, 4], "counts": [1, 1, 1, 2, 7]}',
        '{"size": [3, 4], "counts": "11116"}',
        "[[1, 0, 3, 0, 3, 2, 1, 2], [0, 2, 1, 2, 1, 3, 0, 3]]",
        "[]",
        '{"size": [3, 4], "counts": [12]}',
        '{"size": [3, 4], "counts": [0, 12]}',
    ]
    annotations = ", ".join(f'{{"image_id": 7, "segmentation": {segment}}}' for segment in segments)
    path.write_text(f'{{{image}, "annotations": [{annotations}]}}')
    read = io.read(FootprintSet, path)
    assert [one.spans.array.tolist() for one in read] == [
        [[0, 1, 2], [1, 0, 2]],
        [[0, 1, 2], [1, 0, 2]],
        [[0, 1, 3], [1, 1, 3], [2, 0, 1]],
        [],
        [],
        [[0, 0, 4], [1, 0, 4], [2, 0, 4]],
    ]
    assert read.region == Box2I.from_shape((3, 4))


@pytest.mark.parametrize(
    "segment", ['{"size": [2, 5000000], "counts": [0, 10000000]}', "[[0, 0, 9, 0, 9, 4300000, 0, 4300000]]"]
)
def test_coco_of_few_numbers_and_many_rows(tmp_path, segment):
    """A small file must not take gigabytes."""
    size = (
        '{"id": 7, "height": 2, "width": 5000000}' if "size" in segment else '{"id": 7, "height": 9000000, "width": 9}'
    )
    path = tmp_path / "x.json"
    path.write_text(f'{{"images": [{size}], "annotations": [{{"image_id": 7, "segmentation": {segment}}}]}}')
    with pytest.raises(io.FileFormatError, match="of [28] numbers must not take more than 4[12][0-9]* rows"):
        io.read(FootprintSet, path)


# Labels, regions and tables


@pytest.mark.parametrize("name", ["x.fits", "x.parquet"])
def test_footprints_that_are_there_twice(tmp_path, name):
    some = found()[[0, 0, 1]]
    some.write(tmp_path / name)
    assert FootprintSet.read(tmp_path / name) == some
    grown = some.grow(1)[0]
    text = grown.serialize(format="footprint")
    assert list(regions.Regions.parse(text, format="footprint")) == [grown]


def test_labels_warn_of_overlaps(tmp_path):
    overlapping = FootprintSet([SpanSet.disk(3), SpanSet.disk(2).shift(2, 0)])
    with pytest.warns(io.LossWarning, match="overlaps"):
        labels.write_labels(overlapping, tmp_path / "x.fits")


@pytest.mark.parametrize("compression", [None, "PLIO_1", "GZIP_1", "GZIP_2", "RICE_1"])
def test_labels_of_others(tmp_path, compression):
    footprints = found(threshold=0.8)
    with pytest.warns(io.LossWarning):
        labels.write_labels(footprints, tmp_path / "x.fits", compression=compression)
    assert np.array_equal(fits.getdata(tmp_path / "x.fits"), footprints.to_labels())
    assert same_pixels(io.read(FootprintSet, tmp_path / "x.fits"), footprints)
    fits.PrimaryHDU(footprints.to_labels().astype(">i8")).writeto(tmp_path / "y.fits")
    assert same_pixels(io.read(FootprintSet, tmp_path / "y.fits"), footprints.shift(-7, -3))


def test_measurements(tmp_path):
    footprints = found()
    io.write(footprints, tmp_path / "x.ecsv")
    table = QTable.read(tmp_path / "x.ecsv")
    assert np.array_equal(table["area"].value, footprints.area)


def test_table_shares_memory():
    footprints = found()
    table = io.to_table(footprints)
    assert len(table) == len(footprints)
    for column, array in [
        (table["span_start"], footprints.offsets),
        (table["span_stop"], footprints.offsets),
        (table["peak_stop"], footprints.peak_offsets),
        (table["sign"], footprints.sign),
        (table.meta["spans"]["x_stop"], footprints.spans),
    ]:
        assert np.shares_memory(np.asarray(column), array)
        assert not column.flags.writeable
    assert np.array_equal(table["span_stop"] - table["span_start"], np.diff(footprints.offsets))
    assert np.array_equal(table.meta["spans"]["x_start"], footprints.spans[:, 1])
    assert table.meta["region"] == [7, 57, 3, 43]


def test_regions_of_others(tmp_path):
    (tmp_path / "x.reg").write_text("image\ncircle(11, 11, 3.5)\nbox(31, 31, 4, 6, 0)\n-circle(11, 11, 1.5)\n")
    read = io.read(FootprintSet, tmp_path / "x.reg")
    assert len(read) == 2
    sky = 'fk5\ncircle(10.0, 20.0, 3.6")\n'
    (tmp_path / "s.reg").write_text(sky)
    with pytest.raises(io.FileFormatError, match="wcs"):
        io.read(FootprintSet, tmp_path / "s.reg", format="ds9")


def test_reading_from_threads(tmp_path):
    io.write(found(), tmp_path / "x.fits")
    io.write(found(), tmp_path / "x.parquet")
    results = []

    def work():
        results.append(fits_footprints.read_footprints(tmp_path / "x.fits") == found())
        results.append(arrow.read_parquet(tmp_path / "x.parquet") == found())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 16


@pytest.mark.parametrize("kind", ["ds9", "crtf", "fits"])
def test_regions_without_a_shape_in_a_format(tmp_path, kind):
    """Compounds in pixels become outlines; what is on the sky is refused."""
    circles = [regions.CirclePixelRegion(regions.PixCoord(x, 9), 4) for x in (8, 12, 40)]
    items = [lr.Footprint(SpanSet.disk(3).shift(30, 30)), circles[0] | circles[1], circles[0] ^ circles[1], circles[2]]
    expected = [lr.rasterize(item) for item in items]
    with pytest.warns(io.LossWarning, match="a CompoundPixelRegion, of whose pixels the outline is kept"):
        lr.write_regions(items, tmp_path / "x", kind)
    read = regions.Regions.read(tmp_path / "x", format=kind)
    assert [lr.rasterize(region) for region in read] == expected
    sky = regions.CircleSkyRegion(SkyCoord(1 * u.deg, 2 * u.deg), 1 * u.deg)
    with pytest.raises(ValueError, match=f"{kind} files cannot hold a CompoundSkyRegion"):
        lr.serialize_regions([sky | sky], kind)


def test_one_footprint_is_a_list_of_one():
    footprint = lr.Footprint(SpanSet.disk(3).shift(30, 30))
    assert lr.serialize_regions(footprint, "ds9") == lr.serialize_regions([footprint], "ds9")
    assert footprint & footprint == footprint | footprint == footprint


class TestOddColumns:
    """What a format cannot keep it refuses or names; what it keeps comes back."""

    image = np.zeros((3, 9))
    image[1, 1], image[1, 6] = 7, np.inf
    two = lr.detect_footprints(image, 5)

    def test_infinities(self, tmp_path):
        odd = self.two.with_peak_columns(q=[np.nan, -np.inf], c=np.array([np.nan, 1j]))
        assert odd == odd
        plain = self.two.with_peak_columns(q=[np.nan, -np.inf])
        plain.write(tmp_path / "x.geojson")
        text = (tmp_path / "x.geojson").read_text()
        json.loads(text, parse_constant=pytest.fail)
        assert lr.FootprintSet.read(tmp_path / "x.geojson") == plain
        text = regions.Regions(list(plain)).serialize(format="footprint")
        json.loads(text, parse_constant=pytest.fail)
        back = regions.Regions.parse(text, format="footprint")
        assert np.array_equal(back[1].peaks["q"], [-np.inf])
        with pytest.raises(ValueError, match="'c' of peaks, of complex128, cannot be kept in JSON"):
            odd.write(tmp_path / "y.geojson")
        with pytest.raises(ValueError, match="'c', of complex128, cannot be kept in Arrow"):
            io.to_arrow(odd)

    def test_bytes_and_byte_order(self, tmp_path):
        odd = self.two.with_peak_columns(b=[b"ab", b"c\xff"], f=np.array([1.5, 2], ">f8"))
        odd.write(tmp_path / "x.parquet")
        back = lr.FootprintSet.read(tmp_path / "x.parquet")
        assert np.asarray(back.peaks["b"]).tolist() == [b"ab", b"c\xff"]
        assert back.peaks["f"].tolist() == [1.5, 2]

    def test_blanks(self, tmp_path):
        with pytest.warns(lr.LossWarning, match="blanks at the ends of name"):
            self.two.with_peak_columns(name=["a ", "b"]).write(tmp_path / "x.fits")

    def test_truncated_heavy_ones(self, tmp_path):
        path = tmp_path / "heavy.fits"
        self.two.make_heavy(self.image).write(path)
        with fits.open(path) as hdus:
            end = hdus["VALUES"].fileinfo()["hdrLoc"]
        path.write_bytes(path.read_bytes()[:end])
        with pytest.raises(io.FileFormatError, match="heavy.fits: it is truncated"):
            lr.FootprintSet.read(path)

    def test_as_wide_as_can_be(self, tmp_path):
        wide = lr.FootprintSet([lr.SpanSet([[0, -(2**31), 2**31 - 1]]), lr.SpanSet([[2**31 - 2, 5, 2**31 - 1]])])
        wide.write(tmp_path / "x.fits")
        assert lr.FootprintSet.read(tmp_path / "x.fits") == wide

    def test_label_images_end_with_the_region(self, tmp_path):
        found = lr.FootprintSet([one.spans for one in self.two], region=lr.Box2I((0, 3), (0, 3)))
        with pytest.warns(lr.LossWarning, match="outside the region"):
            found.write(tmp_path / "x.fits", format="labels")

    @pytest.mark.parametrize("table", [5, None, [1]])
    def test_no_arrow_tables(self, table):
        with pytest.raises(TypeError, match="table must be an Arrow table"):
            io.from_arrow(table)


class TestFilesThatTakeThePlaceOfOthers:
    one = lr.FootprintSet([lr.SpanSet.disk(2)])

    def test_links_stay(self, tmp_path):
        target, link = tmp_path / "target.fits", tmp_path / "link.fits"
        self.one.write(target)
        link.symlink_to(target)
        self.one.shift(1, 1).write(link, overwrite=True)
        assert link.is_symlink()
        assert lr.FootprintSet.read(target) == self.one.shift(1, 1)

    def test_long_names(self, tmp_path):
        path = tmp_path / f"{'x' * 240}.fits"
        self.one.write(path)
        assert lr.FootprintSet.read(path) == self.one

    def test_errors_name_the_file_that_was_meant(self, tmp_path):
        with pytest.raises(OSError, match="meant.txt") as caught, replacing(tmp_path / "meant.txt", False) as new:
            raise OSError(28, "No space left on device", str(new))
        assert caught.value.filename == str(tmp_path / "meant.txt")


def test_metadata_of_other_footprints(tmp_path):
    first = FootprintSet([SpanSet.disk(2)], Box2I((-9, 10), (-9, 10)))
    first.write(tmp_path / "a.fits", meta={"OBSERVER": "Caroline Herschel"})
    header = fits_footprints.read_header(tmp_path / "a.fits")
    second = FootprintSet([SpanSet.disk(2).shift(100, 100)])
    for meta in (header, {"LRXSTART": 5}):
        second.write(tmp_path / "b.fits", meta=meta, overwrite=True)
        assert FootprintSet.read(tmp_path / "b.fits").region is None
    second.write(tmp_path / "b.fits", meta=header, overwrite=True)
    assert fits_footprints.read_header(tmp_path / "b.fits")["OBSERVER"] == "Caroline Herschel"


def test_wkt_of_any_depth(tmp_path):
    for text in ("GEOMETRYCOLLECTION(" * 100_000, "POINT (1 1)"):
        (tmp_path / "deep.wkt").write_text(text)
        with pytest.raises(io.FileFormatError, match="deep.wkt: a footprint must be a POLYGON or a MULTIPOLYGON"):
            FootprintSet.read(tmp_path / "deep.wkt")


def test_dtypes_that_files_ask_for(tmp_path):
    """A dtype is as long as a file says, which need not have so many bytes."""
    peaks = Table({"x_peak": [0], "y_peak": [0], "peak_value": [1.0], "name": ["abc"]})
    footprint = lr.Footprint(SpanSet.disk(2), peaks)
    FootprintSet([footprint]).write(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits", mode="update") as hdus:
        hdus["PEAKS"].header["LRTYP4"] = "U500000000"
    with pytest.raises(io.FileFormatError, match="cannot have been of"):
        FootprintSet.read(tmp_path / "a.fits")
    text = regions.Regions([footprint]).serialize(format="footprint")
    for old, new in (
        ('"<U3"', '"U500000000"'),
        ('"peaks": {', '"peaks": [], "p": {'),
        ("[-2, 0, 1]", "[-2, 0, 2147483648]"),
    ):
        assert old in text
        with pytest.raises(ValueError, match="damaged"):
            regions.Regions.parse(text.replace(old, new), format="footprint")
    with pytest.raises(ValueError, match="no text in the format"):
        regions.Regions.parse("[" * 100_000, format="footprint")


def test_what_json_has(tmp_path):
    footprint = lr.Footprint(SpanSet.disk(2), meta={"id": np.int64(3), "good": np.True_, "z": np.float32(0.5)})
    (again,) = regions.Regions.parse(regions.Regions([footprint]).serialize(format="footprint"), format="footprint")
    assert again.meta == {"id": 3, "good": True, "z": 0.5}
    for value in (np.longdouble(1), object()):
        with pytest.raises(TypeError, match="meta and visual must be of what JSON has"):
            footprint_of(value).serialize(format="footprint")
    peaks = Table({"x_peak": [0], "y_peak": [0], "peak_value": [1.0], "far": np.array([1], np.longdouble)})
    with pytest.raises(ValueError, match="'far' of peaks, of float128|longdouble"):
        FootprintSet([lr.Footprint(SpanSet.disk(2), peaks)]).write(tmp_path / "a.geojson")


def footprint_of(value):
    return regions.Regions([lr.Footprint(SpanSet.disk(2), meta={"what": value})])


def test_texts_of_peaks(tmp_path):
    pytest.importorskip("pyarrow")
    peaks = Table({"x_peak": [0, 1], "y_peak": [0, 0], "peak_value": [2.0, 1]})
    peaks["text"], peaks["bytes"] = ["a\0b", "c"], [b"\0a", b"b"]
    footprints = FootprintSet([lr.Footprint(SpanSet.disk(2), peaks)])
    footprints.write(tmp_path / "a.parquet")
    assert FootprintSet.read(tmp_path / "a.parquet") == footprints
    peaks["text"] = ["été", "c"]
    with pytest.raises(ValueError, match="'text' .*ASCII"):
        FootprintSet([lr.Footprint(SpanSet.disk(2), peaks)]).write(tmp_path / "a.fits")


def test_region_files_of_old_macintoshes(tmp_path):
    text = "# Region file format: DS9\nimage\ncircle(10,20,3)\ncircle(30,20,4)\n"
    (tmp_path / "a.reg").write_bytes(text.replace("\n", "\r").encode())
    assert len(FootprintSet.read(tmp_path / "a.reg")) == 2


def test_blank_pixels_have_no_label(tmp_path):
    hdu = fits.PrimaryHDU(np.array([[0, 1], [-99, 2]], np.int16))
    hdu.header["BLANK"] = -99
    hdu.writeto(tmp_path / "a.fits")
    assert FootprintSet.read(tmp_path / "a.fits").spans.tolist() == [[0, 1, 2], [1, 1, 2]]


def test_outlines_on_the_sky(tmp_path):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [-1e-4, 1e-4], [50, 30]
    footprints = FootprintSet([SpanSet.disk(5), SpanSet.disk(3).shift(20, 0)])
    for name in ("a.reg", "a.crtf"):
        footprints.write(tmp_path / name, wcs=wcs)
        assert np.array_equal(FootprintSet.read(tmp_path / name, wcs=wcs).area, footprints.area)
        with pytest.raises(io.FileFormatError, match="a wcs is needed .*: pass wcs="):
            FootprintSet.read(tmp_path / name)
    for kind in ("fits", "footprint"):
        with pytest.raises(ValueError, match=f"{kind} hold pixels: leave out the wcs"):
            lr.write_regions(footprints, tmp_path / "x", kind, wcs=wcs)
    assert not (tmp_path / "x").exists()


def test_options_of_formats(tmp_path):
    footprints = FootprintSet([SpanSet.disk(3)])
    footprints.write(tmp_path / "a.fits")
    with pytest.raises(TypeError, match="read whole, without within"):
        FootprintSet.read(tmp_path / "a.fits", within=Box2I((0, 2), (0, 2)))
    footprints.write(tmp_path / "a.reg")
    assert FootprintSet.read(tmp_path / "a.reg", within=Box2I((0, 2), (0, 2))).area.tolist() == [4]


def test_unknown_formats(tmp_path):
    (tmp_path / "a.txt").write_text("what is this")
    with pytest.raises(io.FileFormatError, match="a.txt: it is of no format that is known"):
        FootprintSet.read(tmp_path / "a.txt")
    for name in ("ds9", "crtf"):
        with pytest.raises(io.FileFormatError, match="a.txt: "):
            FootprintSet.read(tmp_path / "a.txt", name)
    uses = [lambda: FootprintSet.read(tmp_path / "a.txt", "what"), lambda: FootprintSet().write(tmp_path / "b", "what")]
    for use in uses:
        with pytest.raises(ValueError, match="format must be one of .*coco.*, not 'what'"):
            use()
    with pytest.raises(ValueError, match="the name must end in one of .*fits"):
        FootprintSet().write(tmp_path / "b.what")
    FootprintSet().write(tmp_path / "c.fits", "fits", True)
    FootprintSet().write(tmp_path / "c.fits", "fits", True)


def test_labels_are_of_the_region():
    footprints = FootprintSet([SpanSet.disk(3)], Box2I((-1, 4), (-1, 4)))
    with pytest.warns(io.LossWarning, match="leave their region"):
        assert footprints.to_labels().sum() < 29
    assert footprints.to_labels(Box2I((-3, 4), (-3, 4))).sum() == 29
    # Cut at the sides alone, which leaves as many spans.
    with pytest.warns(io.LossWarning, match="leave their region"):
        FootprintSet([SpanSet([(0, 0, 9)])], Box2I((0, 4), (0, 1))).to_labels()


def test_texts_in_region_files_are_left_out(tmp_path):
    path = tmp_path / "labelled.reg"
    path.write_text("# Region file format: DS9\nimage\ncircle(11, 11, 3)\ntext(5, 5) # text={a star}\n")
    with pytest.warns(lr.SkippedRegionWarning, match="texts have no pixels: 1 of them"):
        found = FootprintSet.read(path)
    assert found.area.tolist() == [SpanSet.from_region(regions.CirclePixelRegion(regions.PixCoord(10, 10), 3)).area]


def test_region_files_with_what_does_not_project(tmp_path):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [10, 20], [-1e-4, 1e-4]
    path = tmp_path / "sky.reg"
    path.write_text('# Region file format: DS9\nicrs\ncircle(10, 20, 2")\ncircle(190, -20, 2")\n')
    with pytest.raises(io.FileFormatError, match="do not project"):
        FootprintSet.read(path, wcs=wcs)
    with pytest.warns(lr.SkippedRegionWarning, match="number 1"):
        found = FootprintSet.read(path, wcs=wcs, unprojectable="skip")
    assert (found.area > 0).tolist() == [True, False]


def test_what_is_wrong_with_a_name_or_a_document(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.fits, for a mask or an image"):
        lr.Mask((2, 2), lr.MaskSchema(["A"])).write(tmp_path / "mask.reg")
    for text in ("{}", "[]"):
        (tmp_path / "empty.json").write_text(text)
        with pytest.raises(io.FileFormatError, match="no images and annotations in it"):
            FootprintSet.read(tmp_path / "empty.json")


@pytest.mark.parametrize("format", ["ds9", "crtf", "fits"])
def test_shapes_come_back_from_mixed_lists(tmp_path, format):
    at = regions.PixCoord
    shapes = [
        regions.CirclePixelRegion(at(20, 20), 4),
        regions.EllipsePixelRegion(at(40, 20), 8, 4, 30 * u.deg),
        regions.RectanglePixelRegion(at(60, 20), 8, 4, 30 * u.deg),
        regions.CircleAnnulusPixelRegion(at(80, 20), 3, 6),
        regions.RegularPolygonPixelRegion(at(20, 50), 6, 5),
        regions.LinePixelRegion(at(40, 50), at(45, 57)),
        regions.PointPixelRegion(at(60, 50)),
        regions.TextPixelRegion(at(80, 50), "a star"),
    ]
    items = [lr.Footprint(SpanSet.disk(3).shift(100, 50)), *shapes]
    path = tmp_path / {"ds9": "x.reg", "crtf": "x.crtf", "fits": "x.fits"}[format]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        lr.write_regions(items, path, format=format)
    assert all(issubclass(warning.category, lr.LossWarning) for warning in told)
    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always")
        found = FootprintSet.read(path)
    texts = [warning for warning in (*told, *left_out) if "texts" in str(warning.message)]
    assert texts
    assert found == FootprintSet.from_regions([item for item in items if not isinstance(item, type(shapes[-1]))])
