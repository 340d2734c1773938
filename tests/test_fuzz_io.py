"""Files with bytes changed, cut out, doubled or cut off: each reads as checked footprints, or raises the one error."""

import os
import warnings

import numpy as np
import pytest

import lsstregions as lr
from lsstregions import FootprintSet, io
from lsstregions.io._checked import checked_columns
from lsstregions.io._formats import FORMATS

COUNT = int(os.environ.get("LSSTREGIONS_FUZZ", "150"))
NUMBERS = [b"-1", b"0", b"1e9", b"1e999", b"9" * 20, b"2147483648", b"NaN", b"null", b"[]", b"{}", b'"', b"[" * 20_000]


def written(folder, name, suffix, **options):
    image = np.random.default_rng(1).normal(size=(12, 16)).astype(np.float32)
    footprints = lr.detect_footprints(image, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in ("fits", "parquet"):
            footprints = footprints.make_heavy(image)
        io.write(footprints, folder / f"x{suffix}", format=name, **options)
    return (folder / f"x{suffix}").read_bytes()


def mutated(data: bytes, rng: np.random.Generator, text: bool) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        size = len(changed)
        # As often in the headers and footers as between them.
        place = int(
            rng.choice(
                [rng.integers(0, size), rng.integers(0, min(size, 600)), size - 1 - rng.integers(0, min(size, 600))]
            )
        )
        kind = rng.integers(0, 7)
        if kind == 0:
            changed[place] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            changed[place] = int(rng.integers(0, 256))
        elif kind == 2:
            value = int(rng.choice([0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1]))
            changed[place : place + 8] = value.to_bytes(8, "big" if rng.integers(0, 2) else "little")
        elif kind == 3:
            del changed[place : place + int(rng.integers(1, 90))]
        elif kind == 4:
            changed[place:place] = changed[place : place + int(rng.integers(1, 90))]
        elif kind == 5:
            del changed[place:]
        else:
            digits = [i for i in range(place, min(place + 200, size)) if chr(changed[i]).isdigit()]
            if digits and text:
                changed[digits[0] : digits[0] + 1] = NUMBERS[rng.integers(0, len(NUMBERS))]
            elif digits:
                changed[digits[0]] = 48 + int(rng.integers(0, 10))
        if not changed:
            break
    return bytes(changed)


def check(path, name):
    """Read a file as whatever it is; return whether it could be read."""
    try:
        read = FORMATS[name].read(path)
    except io.FileFormatError as error:
        return str(path) not in str(error) and pytest.fail(f"the message does not name the file: {error}")
    runs, offsets = checked_columns(read.spans, read.offsets)
    assert isinstance(read, FootprintSet)
    assert len(runs) == offsets[-1]
    return True


@pytest.mark.parametrize(
    ("name", "suffix", "options"),
    [
        ("fits", ".fits", {}),
        ("labels", ".fits", {}),
        ("labels", ".fits", {"compression": None}),
        ("parquet", ".parquet", {}),
        ("geojson", ".geojson", {}),
        ("coco", ".json", {}),
        ("coco", ".json", {"segmentation": "polygon"}),
        ("wkt", ".wkt", {}),
    ],
)
def test_mutated(tmp_path, name, suffix, options):
    data = written(tmp_path, name, suffix, **options)
    rng = np.random.default_rng(len(data))
    path = tmp_path / f"y{suffix}"
    outcomes = set()
    for _ in range(COUNT):
        path.write_bytes(mutated(data, rng, suffix not in (".fits", ".parquet")))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcomes.add(check(path, "fits" if suffix == ".fits" else name))
    assert False in outcomes


@pytest.mark.parametrize("name", ["lsst_source_catalog", "lsst_heavy_footprint", "lsst_footprint_old_layout"])
def test_mutated_archive(shared, tmp_path, name):
    data = (shared / "data" / f"{name}.fits").read_bytes()
    rng = np.random.default_rng(5)
    path = tmp_path / "y.fits"
    for i in range(COUNT // 3):
        changed = bytearray(mutated(data, rng, False))
        # In the tables of the archive, which are small against the headers.
        for _ in range(i % 4 if changed else 0):
            place = int(rng.integers(len(changed) // 2, len(changed)))
            changed[place] = int(rng.integers(0, 256))
        path.write_bytes(changed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(path, "fits")


def test_numbers_beyond_reason(tmp_path):
    """A few bytes must not ask for gigabytes."""
    image = '{"id": 1, "height": 2147483647, "width": 2147483647}'
    texts = {
        "coco": [
            f'{{"images": [{image}], "annotations": [{{"image_id": 1, "segmentation": {segment}}}]}}'
            for segment in (
                '{"size": [2147483647, 2147483647], "counts": [0, 4611686014132420609]}',
                "[[0, 0, 2e9, 0, 2e9, 2e9]]",
                '{"size": [2147483647, 2147483647], "counts": "oooooooooo"}',
            )
        ],
        "wkt": ["POLYGON ((0 0, 2e9 0, 2e9 2e9, 0 0))", "POLYGON ((0 0, 1e300 0, 1e300 1e300, 0 0))", "POINT (1 1)"],
        "geojson": [
            '{"type": "Polygon", "coordinates": [[[0, 0], [2e9, 0], [2e9, 2e9], [0, 0]]]}',
            '{"type": "Polygon", "coordinates": [[[0, 0], [1e999, 0], [2e9, 2e9], [0, 0]]]}',
        ],
        "ds9": ["image\ncircle(1,1,1e9)\n", "image\ncircle(1,1,1e30)\n"],
    }
    for name, documents in texts.items():
        for document in documents:
            (tmp_path / "x").write_text(document)
            with pytest.raises(io.FileFormatError):
                FORMATS[name].read(tmp_path / "x")
