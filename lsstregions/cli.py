"""The command ``lsstregions``: images to footprints, masks, tables, region files and pictures.

Exit codes: 0 if all is well, 1 if something is wrong with files or data, 2 if the command was not understood, 130 if
it was interrupted. Errors are one line on the standard error.
"""

import argparse
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io.registry import IORegistryError
from astropy.utils.console import ProgressBar

from . import __version__, io
from ._pipeline import catalog, detect, less_background, marked
from .footprints import FootprintSet
from .geom import Box2I
from .io._checked import reading
from .io._files import replacing
from .io._formats import FORMATS, kind_of_fits
from .io.fits_footprints import open_checked
from .masks import Mask, MaskPlane, MaskSchema
from .masks._schema import with_known_meaning
from .nddata import MaskedImage

# Files that DS9 and its kin read count pixels from the first one of the image, wherever that is.
_OF_THE_ARRAY = ("ds9", "crtf", "fits-regions")
_FAULTS = (OSError, ValueError, TypeError, KeyError, OverflowError, ImportError, MemoryError, IORegistryError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        What follows the name of the command, by default that of the process.
    """
    options = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning
        try:
            _check_outputs(options)
            report = options.run(options)
        except KeyboardInterrupt:
            _say("interrupted")
            return 130
        except _FAULTS as error:
            if options.debug:
                raise
            _say(_one_line(error))
            return 1
    try:
        print(json.dumps(_plain(report), allow_nan=False) if options.json else _text(report), flush=True)
    except BrokenPipeError:
        # Whoever read us has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _say(f"nothing can be printed: {_one_line(error)}")
        return 1
    return 0


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Says what an option is by default, where it is something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lsstregions", description="Pixel regions: footprints, masks, outlines.")
    parser.add_argument("--version", action="version", version=f"lsstregions {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON for scripts, not tables")
    common.add_argument("--debug", action="store_true", help="show where an error comes from")
    writing = argparse.ArgumentParser(add_help=False)
    writing.add_argument("--overwrite", action="store_true", help="replace files that exist")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[Any], dict], description: str, *, writes: bool = True
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            parents=[common, writing] if writes else [common],
            help=description,
            description=description,
            formatter_class=_Help,
        )
        added.set_defaults(run=run)
        return added

    sub = command("detect", _detect, "find footprints in an image")
    _add_image(sub)
    _add_detection(sub)
    _add_outputs(sub)

    sub = command("mask", _mask, "set or clear planes of a mask under regions")
    _add_image(sub)
    sub.add_argument("--regions", required=True, metavar="FILE", help="DS9, CRTF, FITS or other regions or footprints")
    sub.add_argument("--plane", required=True, help="the plane; it is added where there is none of that name")
    sub.add_argument("--clear", action="store_true", help="clear the plane in place of setting it")
    sub.add_argument(
        "--not-bad",
        action="store_true",
        help="a plane that is added does not make pixels bad; by default it does, but for those of LSST that do not",
    )
    sub.add_argument("-o", "--output", required=True, metavar="FITS", help="the mask, or with --image all")
    sub.add_argument("--image", action="store_true", help="write the image with its mask")

    sub = command("measure", _measure, "measure an image under footprints")
    sub.add_argument("input", metavar="FOOTPRINTS", help="footprints in any format")
    _add_image(sub, name="image")
    sub.add_argument("-o", "--catalog", metavar="FILE", help="the table: .ecsv, .fits, .csv, .parquet, ...")
    sub.add_argument("--columns", type=_names, help="only these, separated by commas")
    _add_background(sub)
    sub.add_argument("--rows", type=int, default=10, help="how many rows are printed")

    sub = command("convert", _convert, "convert footprints between formats")
    sub.add_argument("input", metavar="IN")
    sub.add_argument("output", metavar="OUT")
    sub.add_argument("--from", dest="from_format", choices=_formats("read"), help="the format of IN")
    sub.add_argument("--to", dest="to_format", choices=_formats("write"), help="the format of OUT")
    sub.add_argument("--plane", help="IN is a mask: take the footprints of this plane")
    sub.add_argument("--wcs", metavar="IMAGE", help="the image of region files: its WCS, and where its first pixel is")

    sub = command("show", _show, "draw footprints over an image")
    _add_image(sub)
    sub.add_argument("--footprints", dest="footprints_from", metavar="FILE", help="footprints in any format")
    sub.add_argument("--plane", help="draw the footprints of this plane of the mask")
    sub.add_argument("-o", "--picture", required=True, metavar="FILE", help=".png, .svg or .pdf")

    sub = command("info", _info, "say what is in a file", writes=False)
    sub.add_argument("input", metavar="FILE")
    sub.add_argument("--wcs", metavar="IMAGE", help="the image of region files: its WCS, and where its first pixel is")

    sub = command("demo", _demo, "simulate a field, detect what is in it, and write every kind of file")
    sub.add_argument("folder", nargs="?", default="demo", help="where the files go")
    sub.add_argument("--size", type=int, default=1024, help="side of the image in pixels")
    sub.add_argument("--seed", type=int, default=2016, help="of the simulation")
    return parser


def _add_image(parser: argparse.ArgumentParser, name: str = "input") -> None:
    parser.add_argument(name, metavar="IMAGE", help="FITS image, with mask and variance or without")
    parser.add_argument("--hdu", help="number or name of the HDU of the pixels")


def _add_background(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--background", type=int, nargs="?", const=64, metavar="MESH", help="subtract a background found in meshes"
    )


def _add_detection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-t", "--threshold", type=float, default=5.0, help="in units of --kind")
    parser.add_argument(
        "--kind",
        choices=["value", "stdev", "variance", "pixel_stdev"],
        help="what the threshold counts in; by default the noise of each pixel if there is a variance, otherwise that"
        " of the background or of the image",
    )
    parser.add_argument("--polarity", choices=["positive", "negative", "both"], default="positive", help="what to find")
    parser.add_argument("-n", "--n-pixels", type=int, default=1, help="footprints of fewer pixels are left out")
    parser.add_argument("--connectivity", type=int, choices=[4, 8], default=8, help="4: corners do not connect")
    parser.add_argument(
        "--inclusive", action="store_true", help="pixels equal to the threshold are detected, as in LSST"
    )
    parser.add_argument("--smooth", type=float, default=0.0, metavar="SIGMA", help="smooth by a PSF of so many pixels")
    _add_background(parser)
    parser.add_argument("--grow", type=float, default=0.0, metavar="PIXELS", help="grow the footprints by a disk")
    parser.add_argument(
        "--exclude", type=_names, metavar="PLANES", help="not these planes, separated by commas; default: bad ones"
    )
    parser.add_argument("--threads", type=int, default=1, help="how many threads detect")


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--footprints", metavar="FILE", help="footprints in any format")
    parser.add_argument("--mask", metavar="FITS", help="the mask with DETECTED and DETECTED_NEGATIVE")
    parser.add_argument("--catalog", metavar="FILE", help="the table: .ecsv, .fits, .csv, .parquet, ...")
    parser.add_argument(
        "--regions", dest="regions_file", metavar="FILE", help="outlines for DS9 (.reg) or CARTA (.crtf)"
    )
    parser.add_argument("--picture", metavar="FILE", help="an overlay: .png, .svg or .pdf")
    parser.add_argument("--rows", type=int, default=10, help="how many rows of the table are printed")


# The commands: each returns what is to be said


def _detect(options: Any) -> dict:
    image = _read_image(options.input, options.hdu)
    outputs = [options.footprints, options.mask, options.catalog, options.regions_file, options.picture]
    with _Steps(2 + sum(output is not None for output in outputs), options) as step:
        found, data = detect(
            image,
            threshold=options.threshold,
            kind=options.kind,
            polarity=options.polarity,
            n_pixels=options.n_pixels,
            connectivity=options.connectivity,
            inclusive=options.inclusive,
            smooth=options.smooth,
            mesh=options.background,
            grow=options.grow,
            exclude=options.exclude,
            n_threads=options.threads,
        )
        step()
        if options.background is None and 2 * found.union().area > data.size:
            _say("warning: more than half of the image is above the threshold: does it need --background?")
        table = catalog(image, data, found)
        step()
        return _write_all(image, data, found, table, options, step) | _summary(found) | _head(table, options.rows)


def _write_all(image: MaskedImage, data: Any, found: FootprintSet, table: Any, options: Any, step: Callable) -> dict:
    written = []

    def write(path: str | None, how: Callable[[str], None]) -> None:
        if path is not None:
            how(path)
            written.append(path)
            step()

    overwrite = options.overwrite
    write(options.footprints, lambda path: io.write(found, path, overwrite=overwrite))
    write(options.mask, lambda path: marked(image, found).write(path, overwrite=overwrite))
    write(options.catalog, lambda path: _write_table(table, path, overwrite))
    write(options.regions_file, lambda path: _write_outlines(found, image, path, overwrite))
    write(options.picture, lambda path: _draw(data, image, found, path, overwrite))
    return {"written": written}


def _mask(options: Any) -> dict:
    image = _read_image(options.input, options.hdu)
    region = _read_regions(options.regions, image)
    mask = image.mask
    if mask is None:
        mask = Mask(image.data.shape, MaskSchema(), xy0=image.xy0)
    if options.plane not in mask.schema:
        plane = with_known_meaning(MaskPlane(options.plane, bad=True))
        mask = mask.add_planes(replace(plane, bad=False) if options.not_bad else plane)
    before = mask.count()[options.plane]
    (mask.clear if options.clear else mask.set)(options.plane, region.union())
    if options.image:
        image.mask = mask
        image.write(options.output, overwrite=options.overwrite)
    else:
        mask.write(options.output, overwrite=options.overwrite)
    return {
        "plane": options.plane,
        "bad": mask.schema[options.plane].bad,
        "regions": len(region),
        "pixels before": before,
        "pixels after": mask.count()[options.plane],
        "written": [options.output],
    }


def _measure(options: Any) -> dict:
    image = _read_image(options.image, options.hdu)
    footprints = _read_regions(options.input, image)
    data = image.data if options.background is None else less_background(image, options.background)[0]
    table = catalog(image, data, footprints, options.columns)
    written = []
    if options.catalog:
        _write_table(table, options.catalog, options.overwrite)
        written.append(options.catalog)
    return {"written": written} | _summary(footprints) | _head(table, options.rows, options.columns)


def _convert(options: Any) -> dict:
    image: Any = None if options.wcs is None else _read_image(options.wcs)
    if options.plane is not None:
        image = Mask.read(options.input)
        footprints = image.footprints(options.plane)
    else:
        footprints = _read_regions(options.input, image, format=options.from_format)
    _write_regions(footprints, image, options.output, format=options.to_format, overwrite=options.overwrite)
    return {"written": [options.output], "bytes": os.path.getsize(options.output)} | _summary(footprints)


def _show(options: Any) -> dict:
    image = _read_image(options.input, options.hdu)
    if options.plane is not None:
        if image.mask is None:
            raise ValueError(f"{options.input} has no mask")
        footprints = image.mask.footprints(options.plane)
    else:
        footprints = _read_regions(options.footprints_from, image) if options.footprints_from else FootprintSet()
    _draw(image.data, image, footprints, options.picture, options.overwrite)
    return {"footprints": len(footprints), "written": [options.picture]}


def _info(options: Any) -> dict:
    path = options.input
    try:
        footprints = _read_regions(path, None if options.wcs is None else _read_image(options.wcs))
        is_image = path.lower().endswith(FORMATS["fits"].suffixes) and kind_of_fits(open_checked(path)) == "labels"
        holds = {"holds": "an image of integers, whose values are taken for labels"} if is_image else {}
        return {"file": path} | holds | _summary(footprints)
    except io.FileFormatError:
        mask, image = (_or_none(read, path) for read in (Mask.read, _read_image))
        if mask is None and image is None:
            raise
        first = image if mask is None else mask
        report = {"file": path, "shape": list(first.shape), "xy0": list(first.xy0)}
        # Of a file with nothing but a mask that would be the image.
        if mask is None or image.mask is not None:
            report |= {"dtype": str(image.data.dtype), "variance": image.variance is not None}
            report |= {"wcs": image.wcs is not None}
        if mask is not None:
            report |= {"planes": mask.count(), "bad planes": list(mask.schema.bad)}
        return report


def _or_none(read: Callable[..., Any], path: str) -> Any:
    try:
        return read(path)
    except _FAULTS:
        return None


def _demo(options: Any) -> dict:
    from .datasets import simulate_field

    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = [
        "image.fits",
        "footprints.fits",
        "footprints.parquet",
        "mask.fits",
        "regions.reg",
        "catalog.ecsv",
        "overlay.png",
    ]
    paths = {name: str(folder / name) for name in names}
    for path in paths.values():
        _check_free(path, options.overwrite)
    count = (options.size / 1024) ** 2
    image, truth = simulate_field(
        (options.size, options.size), n_stars=int(250 * count), n_galaxies=int(120 * count), seed=options.seed
    )
    image.write(paths["image.fits"], overwrite=options.overwrite)
    options.footprints, options.mask, options.catalog = (
        paths[n] for n in ("footprints.fits", "mask.fits", "catalog.ecsv")
    )
    options.regions_file, options.picture = paths["regions.reg"], paths["overlay.png"]
    options.rows = 8
    with _Steps(7, options) as step:
        found, data = detect(image, threshold=5.0, smooth=1.8, n_pixels=5, grow=2)
        step()
        table = catalog(image, data, found)
        written = _write_all(image, data, found, table, options, step)["written"]
        try:
            io.write(found, paths["footprints.parquet"], overwrite=options.overwrite)
            written.append(paths["footprints.parquet"])
        except ImportError as error:
            _say(_one_line(error))
        step()
    inside = found.at(truth["x"], truth["y"]) >= 0
    report = {"simulated sources": len(truth), "in a footprint": int(inside.sum())}
    return report | _summary(found) | _head(table, options.rows) | {"written": [paths["image.fits"], *written]}


# Files


def _read_image(path: str, hdu: str | None = None) -> MaskedImage:
    key = int(hdu) if hdu is not None and hdu.isdigit() else hdu
    _check_there(path)
    try:
        return MaskedImage.read(path, format="fits", hdu=key)
    except io.FileFormatError as error:
        try:
            # Many headers have a BUNIT of their own making, which nothing here depends on.
            return MaskedImage.read(path, format="fits", hdu=key, unit="")
        except Exception:
            raise error from None


def _read_regions(path: str, image: MaskedImage | None, *, format: str | None = None) -> FootprintSet:
    """Read regions that go with an image: those for DS9 count from its first pixel."""
    _check_there(path)
    name = _format_of(path) if image is not None and format is None else format
    if image is None or name not in _OF_THE_ARRAY:
        return FootprintSet.read(path, format)
    box = Box2I.from_shape(image.data.shape)
    # A catalogue of regions is of more than one image.
    return FootprintSet.read(path, name, wcs=image.wcs, within=box, unprojectable="skip").shift(*image.xy0)


def _format_of(path: str) -> str | None:
    """Return the format of region files; others are found by their content."""
    for name in ("ds9", "crtf"):
        if path.lower().endswith(FORMATS[name].suffixes):
            return name
    if path.lower().endswith(FORMATS["fits"].suffixes):
        from .io.outlines import is_region_table

        with reading(path):
            if any(map(is_region_table, open_checked(path))):
                return "fits-regions"
    return None


def _write_outlines(footprints: FootprintSet, image: MaskedImage, path: str, overwrite: bool) -> None:
    with warnings.catch_warnings():
        # Who asks for outlines knows that there are no peaks in them.
        warnings.simplefilter("ignore", io.LossWarning)
        _write_regions(footprints, image, path, overwrite=overwrite)


def _write_regions(
    footprints: FootprintSet,
    image: MaskedImage | Mask | None,
    path: str,
    *,
    format: str | None = None,
    overwrite: bool,
) -> None:
    """Write footprints, perhaps of an image or a mask: those for DS9 count from its first pixel."""
    suffixes = tuple(suffix for name in ("ds9", "crtf") for suffix in FORMATS[name].suffixes)
    of_the_array = format in _OF_THE_ARRAY if format is not None else path.lower().endswith(suffixes)
    if image is not None and of_the_array:
        x0, y0 = image.xy0
        footprints = footprints.shift(-x0, -y0)
    io.write(footprints, path, format=format, overwrite=overwrite)


def _write_table(table: Any, path: str, overwrite: bool) -> None:
    # Quantities and positions are columns of numbers in .csv.
    kind = {".ecsv": "ascii.ecsv", ".csv": "ascii.csv"}.get(Path(path).suffix.lower())
    try:
        with replacing(path, overwrite) as new:
            table.write(str(new), format=kind)
    except IORegistryError:
        raise ValueError(f"{path}: the name of a table must end in .ecsv, .csv, .fits or .parquet") from None


def _draw(data: Any, image: MaskedImage, footprints: FootprintSet, path: str, overwrite: bool) -> None:
    try:
        from ._overlay import draw
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install lsstregions[plot]") from error
    with replacing(path, overwrite) as new:
        draw(data, footprints, new, xy0=image.xy0, wcs=image.wcs)


def _check_outputs(options: Any) -> None:
    """Refuse before any work is done what could not be written after it."""
    names = ("output", "footprints", "mask", "catalog", "regions_file", "picture")
    paths = {name: path for name in names if isinstance(path := getattr(options, name, None), str)}
    for path in paths.values():
        _check_free(path, options.overwrite)
    if len({os.path.realpath(path) for path in paths.values()}) < len(paths):
        raise ValueError(f"each output needs a file of its own, not {', '.join(paths.values())}")
    if "picture" in paths and Path(paths["picture"]).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"{paths['picture']}: the name of a picture must end in .png, .svg or .pdf")


def _check_there(path: str) -> None:
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")


def _check_free(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(f"{path} exists; --overwrite replaces it")


# What is said


def _summary(footprints: FootprintSet) -> dict:
    area = footprints.area
    report: dict[str, Any] = {
        "footprints": len(footprints),
        "spans": len(footprints.spans),
        "pixels": int(area.sum()),
        "peaks": len(footprints._peaks),
        "heavy": footprints.is_heavy,
    }
    if footprints.region is not None:
        box = footprints.region
        report["region"] = {"x": [box.x.start, box.x.stop], "y": [box.y.start, box.y.stop]}
    if len(area):
        edges = [0, *(2**k for k in range(int(area.max()).bit_length() + 1))]
        counts, _ = np.histogram(area, edges)
        report["areas"] = {
            f"{low} to {high - 1}" if high - low > 1 else str(low): int(count)
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
            if count
        }
    return report


_SHOWN = (
    "label",
    "area",
    "x_centroid",
    "y_centroid",
    "semimajor_axis",
    "segment_flux",
    "segment_flux_err",
    "max_value",
)


def _head(table: Any, rows: int, columns: list[str] | None = None) -> dict:
    """Return the first rows of a table, and of its columns those that fit, or those that were asked for."""
    names = columns or [name for name in _SHOWN if name in table.colnames]
    return {"table": [dict(zip(names, row, strict=True)) for row in table[names][: max(rows, 0)].iterrows()]}


def _text(report: dict) -> str:
    lines = []
    for name, value in report.items():
        if name == "table":
            lines += _table_lines(value)
        elif name in ("areas", "planes"):
            lines.append(f"{name}:")
            width = max((len(str(key)) for key in value), default=0)
            most = max(value.values(), default=0) or 1
            lines += [f"  {key:>{width}}  {count:>9}  {'#' * -(-40 * count // most)}" for key, count in value.items()]
        elif name == "region":
            # As slices are written, which do not hold their stop either.
            lines.append(f"{name}: {', '.join(f'{axis} {start}:{stop}' for axis, (start, stop) in value.items())}")
        elif isinstance(value, list):
            lines += [f"{name}: {', '.join(map(str, value))}"] if value else []
        elif isinstance(value, dict):
            lines.append(f"{name}: {', '.join(f'{key} {entry}' for key, entry in value.items())}")
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _table_lines(rows: list[dict]) -> list[str]:
    if not rows:
        return []
    texts = [[_cell(value) for value in row.values()] for row in rows]
    header = list(rows[0])
    widths = [max(len(name), *(len(line[i]) for line in texts)) for i, name in enumerate(header)]
    return [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)) for line in (header, *texts)
    ]


def _cell(value: Any) -> str:
    if hasattr(value, "spherical"):
        return " ".join(f"{angle:.6f}" for angle in _degrees(value))
    number = getattr(value, "value", value)
    if not isinstance(number, float | np.floating):
        return str(number)
    return str(int(number)) if float(number).is_integer() else f"{float(number):.2f}"


def _degrees(position: Any) -> list[float]:
    """Return longitude and latitude of a position on the sky."""
    return [position.spherical.lon.deg, position.spherical.lat.deg]


def _plain(value: Any) -> Any:
    """Return what JSON knows in place of numbers of NumPy's and Quantities; it knows no NaN."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    value = _degrees(value) if hasattr(value, "spherical") else getattr(value, "value", value)
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str | list | type(None)) else str(value)


def _formats(what: str) -> list[str]:
    """Return the names of the formats that can be read, or written."""
    return sorted(name for name, form in FORMATS.items() if getattr(form, what) is not None)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _say(text: str) -> None:
    print(f"lsstregions: {text}", file=sys.stderr)


def _one_line(error: BaseException) -> str:
    # A KeyError shows its message in quotes.
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__


def _show_warning(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
    _say(f"warning: {' '.join(str(message).split())}")


class _Steps:
    """A progress bar of the steps of long work, where somebody looks at it."""

    def __init__(self, total: int, options: Any):
        self.bar = ProgressBar(total, file=sys.stderr) if sys.stderr.isatty() and not options.json else None

    def __enter__(self) -> Callable[[], None]:
        return self.step

    def step(self) -> None:
        if self.bar is not None:
            self.bar.update()

    def __exit__(self, *exception: Any) -> None:
        if self.bar is not None:
            print(file=sys.stderr)
