"""Files of footprints: how fast each format is and how large, beside label images compressed by GZIP."""

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits
from helpers import compare, parser, star_field

import lsstregions as lr
from lsstregions import FootprintSet, io
from lsstregions.io._formats import FORMATS


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--text", action="store_true", help="time the formats of text as well, which take seconds")
    options = options.parse_args()
    warnings.simplefilter("ignore", io.LossWarning)
    footprints = lr.detect_footprints(star_field(options.size), 5.0)
    labels = footprints.to_labels()
    print(f"{len(footprints)} footprints, {len(footprints.spans)} spans, {len(footprints.peaks)} peaks")
    bare = FootprintSet._from_columns(footprints.spans.copy(), footprints.offsets.copy(), footprints.region)
    with tempfile.TemporaryDirectory() as folder:
        paths = {}

        def path(name: str) -> Path:
            paths[name] = Path(folder) / name
            return paths[name]

        def both(name: str, form: str, chosen: FootprintSet) -> Callable[[], None]:
            write, read = FORMATS[form].write, FORMATS[form].read
            where = path(name)

            def run() -> None:
                write(chosen, where, overwrite=True)
                read(where)

            return run

        def image(name: str, compressed: bool) -> Callable[[], None]:
            where = path(name)

            def run() -> None:
                hdu = fits.CompImageHDU(labels, compression_type="GZIP_1") if compressed else fits.ImageHDU(labels)
                fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(where, overwrite=True)
                fits.getdata(where)

            return run

        def arrays() -> None:
            np.savez(path("arrays.npz"), spans=footprints.spans, offsets=footprints.offsets)
            with np.load(paths["arrays.npz"]) as file:
                file["spans"], file["offsets"]

        contenders: dict[str, Callable[[], object] | None] = {
            "FITS": both("footprints.fits", "fits", footprints),
            "FITS, without peaks": both("bare.fits", "fits", bare),
            "Parquet": both("footprints.parquet", "parquet", footprints) if _has_pyarrow() else None,
            "npz of spans and offsets": arrays,
            "label image, tiles by GZIP": image("tiles.fits", True),
            "label image, file by GZIP": image("labels.fits.gz", False),
        }
        if options.text:
            contenders |= {
                "COCO": both("footprints.json", "coco", footprints),
                "GeoJSON": both("footprints.geojson", "geojson", footprints),
                "WKT": both("footprints.wkt", "wkt", footprints),
                "DS9": both("footprints.reg", "ds9", footprints),
            }
        compare("write and read", contenders, options.repeats, "50 x faster than a GZIP label image")
        print("\nsizes")
        for name, where in paths.items():
            if where.exists():
                print(f"  {name:<44} {os.path.getsize(where):>10} bytes")


def _has_pyarrow() -> bool:
    try:
        import pyarrow  # noqa: F401, ICN001 Only whether it is there.
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main()
