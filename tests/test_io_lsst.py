"""Files that LSST's pipelines wrote; what they hold is counted here in their own tables, one row after the other."""

import numpy as np
import pytest
from astropy.io import fits

from lsstregions import FootprintSet, Mask, MaskedImage, SpanSet, io
from lsstregions.io.lsst import read_lsst


def expected(path):
    """Return the spans (inclusive), peaks and pixel values of each footprint, by id, from the tables of an archive."""
    with fits.open(path) as hdus:
        index = next(
            i for i, hdu in enumerate(hdus) if "cat.archive" in getattr(getattr(hdu, "columns", None), "names", ())
        )
        tables = {hdu.header["AR_CATN"]: hdu.data for hdu in hdus[index + 1 :]}
        parts = {}
        for row in hdus[index].data:
            rows = tables[row["cat.archive"]][row["row0"] : row["row0"] + row["nrows"]]
            parts.setdefault(row["id"], {})[row["cat.persistable"]] = rows
        found = {}
        for key, part in parts.items():
            if 1 in part:
                spans = part[0] if "x0" in part[0].names else parts[part[0]["id"][0]][0]
                pixels = [np.array(part[2][name][0]) for name in ("image", "variance")] if 2 in part else []
                found[key] = (
                    [(r["y"], r["x0"], r["x1"]) for r in spans],
                    [(r["id"], r["i_x"], r["i_y"]) for r in part[1]],
                    pixels,
                )
        return [found[key] for key in sorted(found)]


@pytest.mark.parametrize(
    ("name", "count", "spans", "areas", "peaks"),
    [
        (
            "lsst_source_catalog",
            10,
            316,
            [238, 173, 176, 396, 69, 2361, 1543, 333, 188, 2530],
            [1, 1, 1, 1, 1, 6, 6, 1, 2, 11],
        ),
        ("lsst_heavy_footprint", 1, 30, [552], [1]),
        ("lsst_footprint_old_layout", 1, 303, [15738], [48]),
    ],
)
def test_archive(shared, tmp_path, name, count, spans, areas, peaks):
    path = shared / "data" / f"{name}.fits"
    footprints = io.read(FootprintSet, path)
    assert len(footprints) == count
    assert len(footprints.spans) == spans
    assert footprints.area.tolist() == areas
    assert np.diff(footprints.peak_offsets).tolist() == peaks
    rows = expected(path)
    assert len(rows) == count
    for one, (their_spans, their_peaks, their_pixels) in zip(footprints, rows, strict=True):
        assert one.spans == SpanSet([(y, x0, x1 + 1) for y, x0, x1 in their_spans])
        assert one.area == sum(x1 + 1 - x0 for _, x0, x1 in their_spans)
        assert [tuple(peak) for peak in one.peaks["id", "x_peak", "y_peak"].iterrows()] == their_peaks
        for plane, values in zip(("image", "variance"), their_pixels, strict=False):
            assert np.array_equal(getattr(one, plane), values)
    io.write(footprints, tmp_path / "x.fits")
    assert io.read(FootprintSet, tmp_path / "x.fits") == footprints
    io.write(footprints, tmp_path / "x.parquet")
    assert io.read(FootprintSet, tmp_path / "x.parquet") == footprints


def test_peaks_of_a_catalogue(shared):
    peaks = read_lsst(shared / "data" / "lsst_source_catalog.fits").peaks
    assert len(peaks) == 31
    assert peaks["id"][0] == 53013
    assert (peaks["x_peak"][0], peaks["y_peak"][0], peaks["x"][0]) == (16399, 21932, 16399.0)
    assert peaks["peak_value"][0] == pytest.approx(0.08362076, rel=1e-6)
    assert peaks["merge_peak_sky"].dtype == bool
    with fits.open(shared / "data" / "lsst_source_catalog.fits") as hdus:
        flags = np.array(hdus[5].data["flags"])
        names = [hdus[5].header[f"TFLAG{i + 1}"] for i in range(flags.shape[1])]
    assert np.array_equal(np.column_stack([peaks[name] for name in names]), flags)


def test_heavy_footprint(shared):
    heavy = read_lsst(shared / "data" / "lsst_heavy_footprint.fits")[0]
    assert heavy.image.dtype == np.float32
    # Their DETECTED plane is bit 5.
    assert heavy.mask.dtype == np.int32
    assert set(np.unique(heavy.mask).tolist()) == {32}
    assert heavy.image.max() == pytest.approx(heavy.extract(fill=0).max())


def test_exposure(shared):
    path = shared / "data" / "lsst_hsc_exposure.fits"
    mask = Mask.read(path)
    assert mask.xy0 == (100, 100)
    assert mask.count()["DETECTED"] == 5390
    assert MaskedImage.read(path).bbox == mask.bbox
    with pytest.raises(io.FileFormatError, match="it holds a mask"):
        io.read(FootprintSet, path)
    with pytest.raises(io.FileFormatError, match="holds no footprints"):
        read_lsst(path)


def archive(tmp_path, path, change):
    """Write an archive with tables that were changed."""
    with fits.open(path) as hdus:
        hdus = fits.HDUList([hdu.copy() for hdu in hdus])
        change(hdus)
        hdus.writeto(tmp_path / "x.fits", overwrite=True)
    return tmp_path / "x.fits"


@pytest.mark.parametrize(
    ("hdu", "column", "row", "value", "message"),
    [
        (2, "row0", 0, 400, "beyond"),
        (2, "row0", 0, -1, "beyond"),
        (2, "nrows", 0, 2**31 - 1, "beyond"),
        (2, "nrows", 1, 2, "beyond|one SpanSet"),
        (2, "cat.archive", 0, 9, "table"),
        (2, "id", 0, 77, "lacks"),
        (3, "id", 0, 99, "lacks"),
        (4, "x1", 0, -5, "end before"),
        (4, "x1", 0, 2**31 - 1, "int32"),
        (1, "footprint", 0, 1000, "lacks"),
    ],
)
def test_corrupt_archive(shared, tmp_path, hdu, column, row, value, message):
    def change(hdus):
        hdus[hdu].data[column][row] = value

    path = archive(tmp_path, shared / "data" / "lsst_source_catalog.fits", change)
    with pytest.raises(io.FileFormatError, match=f"(?s)x.fits.*({message})"):
        io.read(FootprintSet, path)


def test_source_without_a_footprint(shared, tmp_path):
    def change(hdus):
        hdus[1].data["footprint"][3] = 0

    whole = read_lsst(shared / "data" / "lsst_source_catalog.fits")
    read = read_lsst(archive(tmp_path, shared / "data" / "lsst_source_catalog.fits", change))
    assert len(read) == 10
    assert read[3].area == 0
    assert read[4:] == whole[4:]
    assert np.diff(read.peak_offsets).tolist() == [1, 1, 1, 0, 1, 6, 6, 1, 2, 11]


def test_adjacent_spans_are_joined(shared, tmp_path):
    def change(hdus):
        # Cut the second span into one that ends where the first of the next row begins.
        table = hdus[2].data
        assert (table["y"][1], table["x0"][1], table["x1"][1]) == (27388, 32780, 32783)
        table["y"][0], table["x0"][0], table["x1"][0] = 27388, 32776, 32779

    read = read_lsst(archive(tmp_path, shared / "data" / "lsst_footprint_old_layout.fits", change))
    assert len(read.spans) == 302
    assert read.spans[0].tolist() == [27388, 32776, 32784]
