import json
import os
import subprocess
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.io import ascii as text_tables
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.wcs import WCS

import lsstregions as lr
from lsstregions import Box2I, FootprintSet, Mask, MaskedImage, MaskSchema, SpanSet, cli, io
from lsstregions.datasets import simulate_field


@pytest.fixture
def run(capsys):
    """Return a function that runs the command and returns its exit code, standard output and errors."""

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """Return the path of a simulated image that begins at the pixel (1000, 500), and where its sources are."""
    image, truth = simulate_field((256, 300), n_stars=30, n_galaxies=8, xy0=(1000, 500))
    path = tmp_path_factory.mktemp("field") / "image.fits"
    image.write(path)
    return path, truth


def test_simulated_field():
    image, truth = simulate_field((100, 120), n_stars=5, n_galaxies=2, xy0=(7, 9))
    assert (image.shape, image.xy0, len(truth)) == ((100, 120), (7, 9), 7)
    assert image.mask.count()["BAD"] == 67
    again, _ = simulate_field((100, 120), n_stars=5, n_galaxies=2, xy0=(7, 9))
    assert np.array_equal(again.data, image.data)
    other, _ = simulate_field((100, 120), n_stars=5, n_galaxies=2, seed=1)
    assert not np.array_equal(other.data, image.data)
    assert abs(np.median(image.data)) < 3
    with pytest.raises(ValueError, match="shape"):
        simulate_field((0, 5))


def test_detect_writes_everything(run, field, tmp_path):
    path, truth = field
    names = ["f.fits", "m.fits", "c.ecsv", "r.reg", "p.png"]
    options = [
        part
        for option, name in zip(("--footprints", "--mask", "--catalog", "--regions", "--picture"), names, strict=True)
        for part in (option, tmp_path / name)
    ]
    code, out, err = run("detect", path, "--smooth", 1.8, "-n", 5, "--grow", 2, "--json", *options)
    assert (code, err) == (0, "")
    report = json.loads(out)
    found = io.read(FootprintSet, tmp_path / "f.fits")
    assert report["footprints"] == len(found) > 20
    assert len(report["table"]) == 10
    assert report["pixels"] == found.area.sum()
    bright = truth["flux"] > 3000
    assert (found.at(truth["x"], truth["y"])[bright] >= 0).all()
    mask = Mask.read(tmp_path / "m.fits")
    assert mask.spans("DETECTED") == found.union()
    assert mask.count()["BAD"] > 0
    table = QTable.read(tmp_path / "c.ecsv")
    assert np.array_equal(table["area"].value, found.area)
    assert "sky_centroid" in table.colnames
    # Region files count from the first pixel of the image, as DS9 does.
    assert io.read(SpanSet, tmp_path / "r.reg") == found.union().shift(-1000, -500)
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(os.listdir(tmp_path)) == sorted(names)
    # Nothing is replaced, and nothing else is written, without --overwrite.
    before = (tmp_path / "f.fits").stat().st_mtime_ns
    code, out, err = run("detect", path, "--footprints", tmp_path / "f.fits", "--catalog", tmp_path / "new.ecsv")
    assert (code, out) == (1, "")
    assert err == f"lsstregions: {tmp_path / 'f.fits'} exists; --overwrite replaces it\n"
    assert (tmp_path / "f.fits").stat().st_mtime_ns == before
    assert not (tmp_path / "new.ecsv").exists()
    code, out, _ = run("detect", path, "--footprints", tmp_path / "f.fits", "--overwrite")
    assert code == 0
    assert "footprints:" in out
    assert "areas:" in out


def test_detection_is_that_of_the_library(run, field, tmp_path):
    path, _ = field
    image = MaskedImage.read(path)
    for options, arguments in [
        ({"threshold": lr.Threshold(5, "pixel_stdev")}, []),
        ({"threshold": 80.0, "polarity": "both"}, ["-t", 80, "--kind", "value", "--polarity", "both"]),
        ({"threshold": lr.Threshold(4, "stdev"), "n_pixels": 3}, ["-t", 4, "--kind", "stdev", "-n", 3]),
    ]:
        code, _, _ = run("detect", path, *arguments, "--footprints", tmp_path / "x.fits", "--overwrite")
        assert code == 0
        expected = lr.detect_footprints(
            image.data, mask=image.mask.to_bool(), variance=image.variance, xy0=image.xy0, **options
        )
        assert io.read(FootprintSet, tmp_path / "x.fits") == expected


def test_exclude_and_background(run, field, tmp_path):
    path, _ = field
    code, out, _ = run("detect", path, "--exclude", "SAT,DETECTED", "--polarity", "negative", "--json")
    assert code == 0
    # The bad column is far below the sky.
    assert json.loads(out)["footprints"] >= 1
    code, _, err = run("detect", path, "--exclude", "NOPE")
    assert code == 1
    assert "NOPE" in err
    pytest.importorskip("photutils")
    code, out, _ = run("detect", path, "--background", "--smooth", 1, "--json")
    assert code == 0
    assert json.loads(out)["footprints"] > 5


def test_mask(run, field, tmp_path):
    path, _ = field
    (tmp_path / "r.reg").write_text('image\ncircle(101, 51, 5.2)\nfk5\ncircle(150.1, 2.2, 1.0")\n')
    code, out, _ = run(
        "mask", path, "--regions", tmp_path / "r.reg", "--plane", "MINE", "-o", tmp_path / "m.fits", "--json"
    )
    assert code == 0
    mask = Mask.read(tmp_path / "m.fits")
    spans = mask.spans("MINE")
    # 0.2 arcsec a pixel; the first circle is at (100, 50) in the array, the second in its middle.
    assert spans.contains(1100, 550)
    assert spans.contains(1149.5, 627.5)
    assert spans.area == json.loads(out)["pixels after"] == pytest.approx(np.pi * (5.2**2 + 25), abs=12)
    code, _, _ = run(
        "mask", path, "--regions", tmp_path / "r.reg", "--plane", "BAD", "--clear", "--image", "-o", tmp_path / "i.fits"
    )
    assert code == 0
    assert MaskedImage.read(tmp_path / "i.fits").mask.count()["BAD"] <= MaskedImage.read(path).mask.count()["BAD"]


def test_measure_convert_show_info(run, field, tmp_path):
    path, _ = field
    run("detect", path, "--footprints", tmp_path / "f.fits")
    found = io.read(FootprintSet, tmp_path / "f.fits")
    for name in ("c.ecsv", "c.csv", "c.fits"):
        code, out, _ = run(
            "measure", tmp_path / "f.fits", path, "-o", tmp_path / name, "--columns", "label,area", "--json"
        )
        assert code == 0
        assert [row["area"] for row in json.loads(out)["table"]] == found.area[:10].tolist()
        assert np.array_equal(np.asarray(Table.read(tmp_path / name)["area"], int), found.area)
    for name in ("x.parquet", "x.geojson", "x.json", "x.wkt", "x.reg", "x.crtf", "x.ecsv"):
        code, _, err = run("convert", tmp_path / "f.fits", tmp_path / name)
        assert code == 0, err
        assert ("do not keep" in err) == (name not in ("x.parquet", "x.geojson", "x.ecsv"))
        if name != "x.ecsv":
            assert np.array_equal(io.read(FootprintSet, tmp_path / name).spans, found.spans)
    code, _, _ = run("convert", tmp_path / "f.fits", tmp_path / "l.fits", "--to", "labels")
    assert code == 0
    code, _, _ = run("convert", path, tmp_path / "b.fits", "--plane", "BAD")
    assert io.read(SpanSet, tmp_path / "b.fits") == MaskedImage.read(path).mask.spans("BAD")
    for name in ("s.png", "s.svg", "s.pdf"):
        code, _, err = run("show", path, "--footprints", tmp_path / "f.fits", "-o", tmp_path / name)
        assert (code, err) == (0, "")
        assert (tmp_path / name).stat().st_size > 1000
    code, out, _ = run("info", tmp_path / "f.fits", "--json")
    assert json.loads(out)["footprints"] == len(found)
    assert sum(json.loads(out)["areas"].values()) == len(found)
    code, out, _ = run("info", path, "--json")
    report = json.loads(out)
    assert report["planes"] == MaskedImage.read(path).mask.count()
    assert (report["dtype"], report["variance"], report["xy0"]) == ("float32", True, [1000, 500])
    fits.PrimaryHDU(np.zeros((4, 5), np.float32)).writeto(tmp_path / "plain.fits")
    code, out, _ = run("info", tmp_path / "plain.fits", "--json")
    assert json.loads(out)["shape"] == [4, 5]
    code, out, _ = run("info", path)
    assert "DETECTED" in out
    fits.PrimaryHDU(np.arange(20, dtype=np.int16).reshape(4, 5)).writeto(tmp_path / "raw.fits")
    for name, is_image in (("raw.fits", True), ("l.fits", True), ("f.fits", False)):
        assert ("an image of integers" in run("info", tmp_path / name)[1]) == is_image


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "none.fits"], "there is no file none.fits"),
        (["detect", "none.fits"], "there is no file none.fits"),
        (["info", "text.txt"], "text.txt: it is of no format that is known"),
        (["detect", "text.txt"], "text.txt"),
        (["info", "broken.fits"], "broken.fits"),
        (["convert", "good.fits", "x.xyz"], "x.xyz: the name must end in one of"),
        (["convert", "mask.fits", "x.fits"], "it holds a mask"),
        (["detect", "image.fits", "--picture", "p.xyz"], "p.xyz: the name of a picture must end in"),
        (["mask", "image.fits", "--regions", "none.reg", "--plane", "A", "-o", "m.fits"], "there is no file none.reg"),
        (["info", "sky.reg"], "sky.reg: a wcs is needed"),
        (["convert", "good.fits", "nowhere/x.fits"], "nowhere"),
        (["detect", "image.fits", "-t", "nan"], "NaN"),
        (["detect", "image.fits", "--kind", "variance"], "variance must be given"),
        (["detect", "image.fits", "--grow", "1e300"], "int32"),
        (["measure", "good.fits", "image.fits"], "leave the image"),
        (["measure", "inside.fits", "image.fits", "--columns", "what"], "what"),
        (["show", "image.fits", "--plane", "A", "-o", "x.png"], "has no mask"),
    ],
)
def test_errors_take_one_line(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("no such thing")
    (tmp_path / "broken.fits").write_bytes(b"SIMPLE  =" + bytes(5000))
    io.write(SpanSet.disk(3), "good.fits")
    io.write(SpanSet.disk(1).shift(2, 2), "inside.fits")
    fits.PrimaryHDU(np.zeros((5, 5), np.float32)).writeto("image.fits")
    Mask((5, 5), MaskSchema(["A"])).write("mask.fits")
    (tmp_path / "sky.reg").write_text('# Region file format: DS9\nicrs\ncircle(10,20,3")\n')
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith("lsstregions: ")
    assert message in err


def test_planes_that_are_added_are_bad(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fits.PrimaryHDU(np.zeros((9, 9), np.float32)).writeto("image.fits")
    io.write(SpanSet.disk(2).shift(4, 4), "f.fits")
    for plane, options, bad in [
        ("HOT", [], True),
        ("HOT", ["--not-bad"], False),
        ("SAT", [], True),
        ("INTRP", [], False),
    ]:
        arguments = ["mask", "image.fits", "--regions", "f.fits", "--plane", plane, "-o", "m.fits", "--overwrite"]
        assert run(*arguments, *options)[0] == 0
        mask = Mask.read("m.fits")
        assert (mask.schema.bad == (plane,)) is bad
        assert np.asarray(mask).sum() == (SpanSet.disk(2).area if bad else 0)
        assert bool(mask.schema[plane].description) is (plane != "HOT")


def test_pixels_are_not_rounded(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = np.zeros((5, 6), np.int32)
    data[2, 3] = 2**24 + 1
    fits.PrimaryHDU(data).writeto("i.fits")
    code, out, _ = run("detect", "i.fits", "--kind", "value", "-t", 2**24, "--json")
    assert (code, json.loads(out)["pixels"]) == (0, 1)
    assert json.loads(out)["table"][0]["max_value"] == 2**24 + 1


def test_planes_go_to_region_files_from_their_first_pixel(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mask = Mask((20, 30), MaskSchema(["A"]), xy0=(1000, 2000))
    mask.set("A", SpanSet.disk(3).shift(1010, 2010))
    mask.write("m.fits")
    assert run("convert", "m.fits", "a.reg", "--plane", "A")[0] == 0
    assert io.read(SpanSet, "a.reg") == SpanSet.disk(3).shift(10, 10)


def test_backgrounds(run, tmp_path, monkeypatch):
    pytest.importorskip("photutils")
    monkeypatch.chdir(tmp_path)
    image, _ = simulate_field((128, 128), n_stars=9, n_galaxies=0)
    raised = MaskedImage(image.data + 1000, mask=image.mask, uncertainty=image.uncertainty)
    raised.write("raised.fits")
    code, _, err = run("detect", "raised.fits", "-t", 5)
    assert (code, err.count("\n")) == (0, 1)
    assert "does it need --background?" in err
    outputs = ["--footprints", "f.fits", "--catalog", "c.ecsv"]
    code, _, err = run("detect", "raised.fits", "-n", 5, "--background", *outputs)
    assert (code, err) == (0, "")
    code, _, err = run("measure", "f.fits", "raised.fits", "--background", "-o", "again.ecsv")
    assert (code, err) == (0, "")
    once, again = QTable.read("c.ecsv"), QTable.read("again.ecsv")
    assert once.colnames == again.colnames
    assert all(np.array_equal(once[name], again[name]) for name in ("segment_flux", "max_value", "x_centroid"))


def test_json_has_no_nan(run, tmp_path):
    fits.PrimaryHDU(np.full((5, 5), np.nan, np.float32)).writeto(tmp_path / "i.fits")
    io.write(SpanSet.disk(1).shift(2, 2), tmp_path / "f.fits")
    code, out, _ = run("measure", tmp_path / "f.fits", tmp_path / "i.fits", "--json")
    assert code == 0
    row = json.loads(out, parse_constant=pytest.fail)["table"][0]
    assert (row["area"], row["max_value"]) == (5, None)


def test_usage_and_interruption(run, field, monkeypatch, capsys):
    for arguments in ([], ["what"], ["detect"], ["detect", "x", "-t", "five"], ["convert", "x", "y", "--to", "lsst"]):
        with pytest.raises(SystemExit) as caught:
            run(*arguments)
        assert caught.value.code == 2
        capsys.readouterr()

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "detect", interrupt)
    assert run("detect", field[0])[0] == 130


def test_demo(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lsstregions", "demo", str(tmp_path / "demo"), "--size", "256"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    files = {"image.fits", "footprints.fits", "mask.fits", "regions.reg", "catalog.ecsv", "overlay.png"}
    assert files <= set(os.listdir(tmp_path / "demo"))
    assert "in a footprint" in done.stdout
    assert "Traceback" not in done.stderr


# Real data


def test_sextractor_catalogue(run, shared, tmp_path):
    """At SExtractor's threshold, 1.5 times the rms of the background, in 5 pixels or more, we find its sources."""
    code, out, _ = run(
        "detect", shared / "data" / "ccd_image.fits", "-t", 1.5, "--background", 64, "--smooth", 0.7, "-n", 5,
        "--footprints", tmp_path / "f.fits", "--json",
    )  # fmt: skip
    assert code == 0
    found = io.read(FootprintSet, tmp_path / "f.fits")
    theirs = text_tables.read(shared / "data" / "ccd_image_sextractor.cat", format="sextractor")
    x, y = theirs["X_IMAGE"] - 1, theirs["Y_IMAGE"] - 1
    inside = found.at(x, y) >= 0
    # All of theirs, each in a footprint of its own; SExtractor "cleans" 8 of ours away.
    assert (len(theirs), int(inside.sum()), len(np.unique(found.at(x, y)))) == (65, 65, 65)
    assert json.loads(out)["footprints"] == len(found) == 73


def test_exposure(run, shared, tmp_path):
    """An exposure of LSST's: planes and origin are kept, and what they detected is found again."""
    path = shared / "data" / "lsst_hsc_exposure.fits"
    code, out, _ = run(
        "detect",
        path,
        "--smooth",
        2,
        "--grow",
        4,
        "--mask",
        tmp_path / "m.fits",
        "--catalog",
        tmp_path / "c.ecsv",
        "--json",
    )
    assert code == 0
    report = json.loads(out)
    assert report["region"] == {"x": [100, 300], "y": [100, 300]}
    before, after = Mask.read(path), Mask.read(tmp_path / "m.fits")
    assert after.schema.names == before.schema.names
    assert after.count() | {"DETECTED": 0} == before.count() | {"DETECTED": 0}
    theirs = before.spans("DETECTED")
    assert theirs.area == 5390
    assert (theirs & after.spans("DETECTED")).area > 0.95 * theirs.area
    assert len(QTable.read(tmp_path / "c.ecsv")) == report["footprints"]


@pytest.fixture
def elsewhere(tmp_path):
    """Return an image whose first pixel is (100, 200), with a mask, a unit and a WCS of its own."""
    data = np.zeros((40, 50))
    data[10:14, 20:25], data[30, 5] = 60, 50
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150, 2], [25, 20]
    wcs.wcs.cdelt = [-1e-3, 1e-3]
    image = MaskedImage(data, MaskSchema.lsst(), xy0=(100, 200), wcs=wcs, unit="adu")
    image.set_mask("SAT", Box2I((120, 122), (210, 214)))
    image.write(tmp_path / "image.fits")
    return tmp_path / "image.fits", image


def test_everything_is_where_the_image_is(run, elsewhere, tmp_path):
    path, image = elsewhere
    detect = ("detect", path, "-t", 10, "--kind", "value")
    code, out, _ = run(*detect, "--footprints", tmp_path / "f.fits", "--catalog", tmp_path / "c.ecsv", "--json")
    assert code == 0
    found = io.read(FootprintSet, tmp_path / "f.fits")
    assert found.region == image.bbox
    expected = found.measure(image)
    for name in ("c.ecsv", "d.ecsv"):
        if name == "d.ecsv":
            assert run("measure", tmp_path / "f.fits", path, "-o", tmp_path / name)[0] == 0
        table = QTable.read(tmp_path / name)
        assert table["segment_flux"].unit == u.adu
        assert np.allclose(table["segment_flux"], expected["segment_flux"])
        assert (table["sky_centroid"].separation(expected["sky_centroid"]).arcsec < 1e-3).all()
    # Region files count from the first pixel of the image, whoever writes them, and our own from where it is.
    run(*detect, "--regions", tmp_path / "a.reg")
    run(*detect, "--regions", tmp_path / "b.fits")
    run("convert", tmp_path / "f.fits", tmp_path / "c.reg", "--wcs", path)
    run("convert", tmp_path / "c.reg", tmp_path / "d.geojson", "--wcs", path)
    for name in ("a.reg", "b.fits", "c.reg", "d.geojson", "f.fits"):
        options = ("--plane", "NEW", "-o", tmp_path / f"{name}.fits", "--json")
        code, out, err = run("mask", path, "--regions", tmp_path / name, *options)
        assert code == 0, err
        assert json.loads(out)["pixels after"] == found.area.sum(), name
        code, out, err = run("measure", tmp_path / name, path, "--columns", "area,perimeter", "--json")
        assert code == 0, err
        assert sorted(row["area"] for row in json.loads(out)["table"]) == sorted(found.area.tolist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--grow", -1), "grow must be finite and not negative"),
        (("--smooth", "nan"), "smooth must be finite"),
        (("--background", 0), "background must be found in meshes"),
        (("--exclude", "NOPE"), "no plane 'NOPE'"),
        (("--picture", "picture"), "the name of a picture must end in"),
        (("--catalog", "c.xyz"), "the name of a table must end in"),
        (("--footprints", "x.fits", "--mask", "./x.fits"), "each output needs a file of its own"),
    ],
)
def test_options_without_a_meaning(run, elsewhere, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("detect", elsewhere[0], *options)
    assert code == 1
    assert message in err
    assert os.listdir(tmp_path) == ["image.fits"]


def test_the_demo_replaces_nothing(run, tmp_path):
    (tmp_path / "image.fits").write_text("precious")
    code, _, err = run("demo", tmp_path, "--size", 128)
    assert (code, "image.fits exists" in err) == (1, True)
    assert os.listdir(tmp_path) == ["image.fits"]


def test_positions_on_the_sky_are_numbers(run, field, tmp_path):
    path, _ = field
    run("detect", path, "--footprints", tmp_path / "f.fits")
    options = "measure", tmp_path / "f.fits", path, "--columns", "label,sky_centroid", "--rows", 2
    code, out, _ = run(*options)
    assert code == 0
    assert "SkyCoord" not in out
    code, out, _ = run(*options, "--json")
    assert all(0 <= row["sky_centroid"][0] < 360 for row in json.loads(out)["table"])
