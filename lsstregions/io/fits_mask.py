"""Masks and masked images in FITS files: LSST's, those with DQ arrays, CCDData's, and our own.

An image of ours is a primary HDU with the metadata and the extensions IMAGE, MASK and VARIANCE, as LSST writes them (or
UNCERT, as CCDData does, with UTYPE for the kind). Planes are named by cards (see `MaskSchema.from_header`), the first
pixel by ``LTV1``, ``LTV2`` and a linear WCS called A. A mask beyond 64 bits takes several extensions MASK, told apart
by EXTVER.
"""

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from astropy import units
from astropy.io import fits, registry
from astropy.io.fits.connect import is_fits
from astropy.nddata import InverseVariance, NDUncertainty, StdDevUncertainty, UnknownUncertainty, VarianceUncertainty
from astropy.wcs import WCS, FITSFixedWarning
from numpy.typing import NDArray

from .._validate import as_pair, native
from .._wcs import has_tables
from ..masks import MASKED, Mask, MaskSchema
from ..masks._schema import bit_of
from ..nddata import MaskedImage
from ._checked import FileFormatError, name_of, reading, warn_of
from ._files import replacing

IMAGE_NAMES = ("IMAGE", "SCI")
MASK_NAMES = ("MASK", "DQ")
# The names of uncertainties, and what they are where no card UTYPE says it.
UNCERTAINTY_NAMES = {
    "VARIANCE": VarianceUncertainty,
    "VAR": VarianceUncertainty,
    "UNCERT": StdDevUncertainty,
    "ERR": StdDevUncertainty,
}
UNCERTAINTY_KINDS = {
    kind.__name__: kind for kind in (StdDevUncertainty, VarianceUncertainty, InverseVariance, UnknownUncertainty)
}
COMPRESSIONS = ("RICE_1", "GZIP_1", "GZIP_2")

# The date is metadata; wcslib adds the form of it that is missing.
_DATE_CARDS = {"DATE-OBS", "MJD-OBS"}
_WCS_CARD = re.compile(r"(CD|PC|PV)\d_\d+|[AB]P?_(ORDER|DMAX|\d_\d)|(CRPIX|CRVAL|CTYPE|CUNIT|CDELT|CROTA)\d")
_STRUCTURE_CARD = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|[PG]COUNT|BSCALE|BZERO|BLANK|EXTNAME|EXTVER|EXTTYPE|INHERIT|CHECKSUM|DATASUM"
    r"|BUNIT|UTYPE|WCSAXES|LTV\d|LTM\d_\d|(CRPIX|CRVAL|CTYPE|CUNIT|CDELT)\dA"
)


def read_mask(
    path: Any,
    *,
    hdu: int | str | tuple[str, int] | None = None,
    schema: MaskSchema | Any = None,
    xy0: tuple[int, int] | None = None,
) -> Mask:
    """Read a mask from a FITS file.

    Parameters
    ----------
    path : path-like, file-like or `~astropy.io.fits.HDUList`
        The file.
    hdu : int, str or (str, int), optional
        Number, name, or name and EXTVER of the HDU. By default the one that is called MASK or DQ, by EXTNAME or
        EXTTYPE, or else the one whose header names planes.
    schema : MaskSchema, `~astropy.nddata.bitmask.BitFlagNameMap` or mapping of names to flags, optional
        What the bits mean, for files that do not say it, as those of JWST and HST.
    xy0 : (int, int), optional
        Coordinates of the first pixel, in place of those in the header.

    Returns
    -------
    Mask
        A mask of zeros and ones whose planes nobody names has the one plane ``MASKED``, which is bad.

    Raises
    ------
    OSError
        If the file cannot be opened.
    FileFormatError, ValueError
        If it cannot be read as FITS, there is no mask, nothing says what its bits mean, or cards are corrupt or
        contradict each other.
    KeyError
        If there is no HDU of that name.
    """
    with _opened(path) as hdus:
        first = _mask_hdu(hdus) if hdu is None else _chosen(hdus, hdu)
        if first is None and schema is not None:
            integers = [image for image in hdus if _is_image(image) and image.header["BITPIX"] > 0]
            first = integers[0] if len(integers) == 1 else None
        if first is None:
            raise ValueError(f"no HDU holds a mask; they are {_names(hdus)}. Say which by hdu=")
        # A number or EXTVER means this HDU alone.
        return _mask_of([first] if isinstance(hdu, int | tuple) else _words_of(hdus, first), schema, xy0)


def write_mask(
    mask: Mask, path: Any, *, overwrite: bool = False, extname: str = "MASK", compression: str | None = None
) -> None:
    """Write a mask to a FITS file as an extension behind an empty primary HDU.

    Parameters
    ----------
    mask : Mask
        What to write.
    path : path-like or file-like
        The file.
    overwrite : bool, optional
        Whether a file of that name may be replaced. It is left as it is if writing fails.
    extname : str, optional
        Name of the extension.
    compression : {"RICE_1", "GZIP_1", "GZIP_2"}, optional
        How to compress the pixels; without loss in any case. RICE_1 takes up to 32 bits a pixel.

    Raises
    ------
    OSError
        If the file exists and may not be replaced.
    """
    _write([fits.PrimaryHDU(), *mask_hdus(mask, extname=extname, compression=compression)], path, overwrite)


def mask_hdus(
    mask: Mask, *, extname: str = "MASK", compression: str | None = None
) -> "list[fits.ImageHDU | fits.CompImageHDU]":
    """Return the HDUs of a mask, one for every 64 bits, to go into a file of your own; see `write_mask`.

    Raises
    ------
    ValueError
        If the planes need more than FITS can hold, or `compression` is unknown or not for pixels this wide.
    """
    hdus = []
    for k, word in enumerate(mask._words):
        header = fits.Header([("EXTTYPE", "MASK")])
        _put_origin(header, mask.xy0)
        planes = [replace(plane, bit=bit_of(plane) % 64) for plane in mask.schema if bit_of(plane) // 64 == k]
        MaskSchema(planes).update_header(header)
        hdus.append(_image_hdu(word, header, extname, compression))
        hdus[-1].ver = k + 1
    return hdus


def read_image(
    path: Any,
    *,
    hdu: int | str | tuple[str, int] | None = None,
    schema: MaskSchema | Any = None,
    xy0: tuple[int, int] | None = None,
    unit: Any = None,
) -> MaskedImage:
    """Read a masked image from a FITS file.

    Parameters
    ----------
    path : path-like, file-like or `~astropy.io.fits.HDUList`
        The file. Understood are exposures of LSST, images of ``lsst.images``, of JWST and HST (SCI, DQ and ERR, with a
        `schema`), those that `~astropy.nddata.CCDData` writes, and any file with one image.
    hdu : int, str or (str, int), optional
        The HDU of the pixels. By default the one that is called IMAGE or SCI, or else the first image. Mask and
        uncertainty are those of the same EXTVER.
    schema : MaskSchema, `~astropy.nddata.bitmask.BitFlagNameMap` or mapping, optional
        What the bits of the mask mean, as for `read_mask`.
    xy0 : (int, int), optional
        As for `read_mask`.
    unit : unit-like, optional
        The unit of the pixels, in place of that in the header.

    Returns
    -------
    MaskedImage
        Its metadata is the primary header, with what the header of the pixels adds.

    Raises
    ------
    OSError
        If the file cannot be opened.
    FileFormatError, ValueError
        If it cannot be read as FITS, there is no image, or cards are corrupt or contradict each other.
    KeyError
        If there is no HDU of that name.
    """
    with _opened(path) as hdus:
        image = _named(hdus, IMAGE_NAMES) or _first(hdus, _is_image) if hdu is None else _chosen(hdus, hdu)
        if image is None:
            raise ValueError(f"no HDU holds an image; they are {_names(hdus)}")
        if xy0 is None:
            xy0 = _origin(image.header)
        mask = _mask_hdu(hdus, image.ver)
        wcs = _wcs_of(image.header, hdus)
        return MaskedImage(
            _pixels(image),
            mask=None if mask is None or mask is image else _mask_of(_words_of(hdus, mask), schema, xy0),
            uncertainty=_uncertainty_of(_named(hdus, UNCERTAINTY_NAMES, image.ver), image.shape),
            xy0=xy0,
            wcs=wcs,
            unit=_unit_of(image.header) if unit is None else unit,
            meta=_meta_of(hdus, image, wcs),
        )


def write_image(image: MaskedImage, path: Any, *, overwrite: bool = False, compression: str | None = None) -> None:
    """Write a masked image to a FITS file.

    Parameters
    ----------
    image : MaskedImage
        What to write. Its metadata must be cards of a FITS header, or a mapping of names to values.
    path : path-like
    overwrite : bool, optional
        As for `write_mask`.
    compression : {"RICE_1", "GZIP_1", "GZIP_2"}, optional
        As for `write_mask`; pixels that are not integers take GZIP_2, so that nothing is lost.

    Warns
    -----
    LossWarning
        If the image has a PSF, which is not kept.

    Raises
    ------
    ValueError
        If the metadata or the WCS cannot be kept in FITS.
    OSError
        If the file exists and may not be replaced.
    """
    if image.data.ndim != 2:
        raise ValueError(f"an image to be written must be 2-D, not of shape {image.data.shape}")
    if image.psf is not None:
        warn_of({"the PSF"}, "FITS image")
    header = fits.Header()
    _put_origin(header, image.xy0)
    if image.wcs is not None:
        header.update(_wcs_header(image.wcs))
    extensions = [
        _image_hdu(image.data, _with(header, EXTTYPE="IMAGE", BUNIT=_unit_text(image.unit)), "IMAGE", compression)
    ]
    if image.mask is not None:
        masks = mask_hdus(image.mask, compression=compression)
        for mask in masks:
            mask.header.extend(header, unique=True)
        extensions.extend(masks)
    uncertainty = image.uncertainty
    if uncertainty is not None:
        name = "VARIANCE" if isinstance(uncertainty, VarianceUncertainty) else "UNCERT"
        cards = _with(header, EXTTYPE=name, UTYPE=type(uncertainty).__name__, BUNIT=_unit_text(uncertainty.unit))
        extensions.append(_image_hdu(np.asarray(uncertainty.array), cards, name, compression))
    _write([fits.PrimaryHDU(header=_meta_header(image.meta)), *extensions], path, overwrite)


# Finding HDUs


@contextmanager
def _opened(path: Any) -> Iterator[fits.HDUList]:
    if isinstance(path, fits.HDUList):
        yield path
        return
    with reading(path):
        hdus = fits.open(path, memmap=False, lazy_load_hdus=False)
    try:
        yield hdus
    except ValueError as error:
        raise FileFormatError(f"{name_of(path)}: {error}") from error
    finally:
        # Whoever opened a file closes it.
        hdus.close(closed=isinstance(path, str | os.PathLike))


def _is_image(hdu: Any) -> bool:
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU) and hdu.header.get("NAXIS") == 2


def _names_planes(hdu: Any) -> bool:
    return _is_image(hdu) and any(re.match(r"MP_|MSK[NM]\d{4}$", key) for key in hdu.header)


def _first(hdus: fits.HDUList, wanted: Any) -> Any:
    return next((hdu for hdu in hdus if wanted(hdu)), None)


def _chosen(hdus: fits.HDUList, key: int | str | tuple[str, int]) -> Any:
    """Return the HDU that a user asks for."""
    try:
        hdu = hdus[key]
    except (KeyError, IndexError):
        # What is called by EXTTYPE is so in messages too.
        hdu = _first(hdus, lambda hdu: not hdu.name and _text(hdu, "EXTTYPE") == str(key).upper() != "")
        if hdu is None:
            raise KeyError(f"no HDU {key!r}; they are {_names(hdus)}") from None
    if not _is_image(hdu):
        raise ValueError(f"HDU {key!r} holds no 2-D image")
    return hdu


def _named(hdus: fits.HDUList, names: Iterable[str], ver: int = 1) -> Any:
    """Return the image of one of the names, the first that there is; of several the one with that EXTVER, or None."""
    images = [hdu for hdu in hdus if _is_image(hdu)]
    for name in names:
        for card in ("EXTNAME", "EXTTYPE"):
            called = [hdu for hdu in images if _text(hdu, card) == name]
            if called:
                return next((hdu for hdu in called if hdu.ver == ver), called[0] if ver == 1 else None)
    return None


def _mask_hdu(hdus: fits.HDUList, ver: int = 1) -> Any:
    return _named(hdus, MASK_NAMES, ver) or _first(hdus, _names_planes)


def _text(hdu: Any, keyword: str) -> str:
    return str(_card(hdu.header, keyword, "")).strip().upper()


def _card(header: fits.Header, keyword: str, default: Any = None) -> Any:
    try:
        return header.get(keyword, default)
    except fits.VerifyError as error:
        raise ValueError(f"card {keyword} cannot be read: {error}") from error


def _pixels(hdu: Any) -> NDArray:
    loaded = "data" in vars(hdu)
    try:
        pixels = native(hdu.data)
    except Exception as error:
        raise ValueError(
            f"the pixels of HDU {hdu.name!r} cannot be read (cards BITPIX, NAXIS1, NAXIS2, BSCALE, BZERO): {error}"
        ) from error
    if not loaded and "data" in vars(hdu) and pixels is not hdu.data:
        # What it read for this would stay as long as the file is open, beside the copy.
        del hdu.data
    return pixels


def _names(hdus: fits.HDUList) -> str:
    return ", ".join(f"{i} {hdu.name or hdu.header.get('EXTTYPE', '')}".rstrip() for i, hdu in enumerate(hdus))


# Masks


def _mask_of(words: list[Any], schema: Any, xy0: tuple[int, int] | None) -> Mask:
    if len(words) == 1 or schema is not None:
        return _one_mask(words[0], schema, xy0)
    masks = [_one_mask(hdu, None if _names_planes(hdu) else MaskSchema(), xy0) for hdu in words]
    planes = []
    start = 0
    for mask, hdu in zip(masks, words, strict=True):
        planes += [replace(plane, bit=bit_of(plane) + start) for plane in mask.schema]
        # lsst.images fills signed integers but for the sign.
        start += 8 * hdu.data.dtype.itemsize - (hdu.data.dtype.kind == "i")
    whole = Mask(masks[0].shape, MaskSchema(planes), xy0=masks[0].xy0)
    for mask in masks:
        whole.update(mask)
    return whole


def _words_of(hdus: fits.HDUList, first: Any) -> list[Any]:
    """Return the HDUs that hold the words of one mask."""
    # Two DQ arrays without these cards are those of two detectors.
    if not any(key.startswith("MSKN") for key in first.header):
        return [first]
    return [hdu for hdu in hdus if _is_image(hdu) and hdu.name == first.name and hdu.shape == first.shape]


def _one_mask(hdu: Any, schema: Any, xy0: tuple[int, int] | None) -> Mask:
    bits = _pixels(hdu)
    if bits.dtype.kind not in "iu":
        raise ValueError(f"HDU {hdu.name!r} holds no mask: its pixels are {bits.dtype} (cards BITPIX, BSCALE, BZERO)")
    width = 8 * bits.dtype.itemsize
    if schema is None:
        schema = _schema_of(hdu)
        for plane in schema:
            if bit_of(plane) >= width:
                raise ValueError(
                    f"a card gives plane {plane.name!r} bit {plane.bit}, pixels have {width} bits (BITPIX)"
                )
    elif not isinstance(schema, MaskSchema):
        schema = MaskSchema.from_bit_flag_map(schema)
    if width < schema.n_bits <= 64:
        # The map has flags for which this file has no bits.
        bits = bits.view(f"u{bits.dtype.itemsize}").astype(schema.dtype)
    origin = _origin(hdu.header) if xy0 is None else as_pair(xy0, "xy0")
    try:
        return Mask(bits, schema, xy0=origin)
    except ValueError as error:
        raise ValueError(f"HDU {hdu.name!r}: {error}") from None


def _schema_of(hdu: Any) -> MaskSchema:
    if _names_planes(hdu):
        return MaskSchema.from_header(hdu.header)
    if hdu.data.size and (hdu.data.min() < 0 or hdu.data.max() > 1):
        raise ValueError(
            f"no card of HDU {hdu.name!r} names the planes: say by schema= what the bits mean, "
            "by a MaskSchema or a map of flags"
        )
    return MASKED


# Places


def _origin(header: fits.Header) -> tuple[int, int]:
    """Return the coordinates of the first pixel."""
    return _origin_along(header, 1), _origin_along(header, 2)


def _origin_along(header: fits.Header, axis: int) -> int:
    said = {}
    ltv, ltm = f"LTV{axis}", f"LTM{axis}_{axis}"
    if ltv in header:
        if _number(header, ltm, 1.0) != 1:
            raise ValueError(f"card {ltm} says that pixels are binned: say by xy0= where the first pixel is")
        said[ltv] = -_number(header, ltv)
    crval, crpix = f"CRVAL{axis}A", f"CRPIX{axis}A"
    if _card(header, f"CTYPE{axis}A") == "LINEAR" and crval in header:
        said[crval] = _number(header, crval) + 1 - _number(header, crpix, 1.0)
    for keyword, start in said.items():
        if not start.is_integer():
            raise ValueError(f"card {keyword} puts the first pixel at {start}: say by xy0= where it is")
    if len(set(said.values())) > 1:
        raise ValueError(f"cards {ltv} and {crval} contradict each other: {said[ltv]} and {said[crval]}")
    return int(next(iter(said.values()), 0))


def _number(header: fits.Header, keyword: str, default: float | None = None) -> float:
    value = _card(header, keyword, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"card {keyword} must be a number, not {value!r}")
    return float(value)


def _put_origin(header: fits.Header, xy0: tuple[int, int]) -> None:
    for axis, start in enumerate(xy0, 1):
        header[f"LTV{axis}"] = -start
        header[f"CTYPE{axis}A"] = "LINEAR"
        header[f"CUNIT{axis}A"] = "pixel"
        header[f"CRPIX{axis}A"] = 1
        header[f"CRVAL{axis}A"] = start


def _wcs_of(header: fits.Header, hdus: fits.HDUList) -> WCS | None:
    if not str(_card(header, "CTYPE1", "")).strip():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            return WCS(header, hdus)
        except Exception as error:
            raise ValueError(f"the WCS cards cannot be understood: {error}") from error


def _wcs_header(wcs: Any) -> fits.Header:
    if not isinstance(wcs, WCS):
        raise ValueError(f"a WCS of class {type(wcs).__name__} cannot be kept in FITS: write the image without it")
    if has_tables(wcs):
        raise ValueError("a WCS with tables of distortion cannot be kept in one header: write the image without it")
    header = wcs.to_header(relax=True)
    for keyword in _DATE_CARDS:
        header.remove(keyword, ignore_missing=True)
    return header


# Metadata, units, uncertainty


def _meta_of(hdus: fits.HDUList, image: Any, wcs: WCS | None) -> fits.Header:
    """Return the primary header and what the image's adds to it, without structure, place and WCS."""
    wcs_cards: set[str] = set()
    if wcs is not None:
        wcs_cards = {*filter(_WCS_CARD.fullmatch, image.header), *wcs.to_header(relax=True)} - _DATE_CARDS
    meta = _without(hdus[0].header, wcs_cards if image is hdus[0] else set())
    if image is not hdus[0]:
        meta.extend(_without(image.header, wcs_cards), unique=True)
    return meta


def _without(header: fits.Header, keywords: Iterable[str]) -> fits.Header:
    header = header.copy()
    for keyword in {*filter(_STRUCTURE_CARD.fullmatch, header), *keywords}:
        header.remove(keyword, ignore_missing=True, remove_all=True)
    return header


def _meta_header(meta: Any) -> fits.Header:
    if isinstance(meta, fits.Header):
        return _without(meta, ())
    header = fits.Header()
    for key, value in meta.items():
        try:
            header[key if len(key) <= 8 else f"HIERARCH {key}"] = value
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"the metadata {key!r} cannot be kept in FITS: {error}") from error
    return header


def _unit_of(header: fits.Header) -> units.UnitBase | None:
    text = str(_card(header, "BUNIT", "")).strip()
    if not text:
        return None
    for spelling in (text, text.lower()):
        try:
            return units.Unit(spelling)
        except ValueError:
            continue
    raise ValueError(f"card BUNIT is no unit, {text!r}: say by unit= which it is")


def _unit_text(unit: Any) -> str | None:
    return None if unit is None else unit.to_string()


def _uncertainty_of(hdu: Any, shape: tuple[int, int]) -> NDUncertainty | None:
    if hdu is None:
        return None
    kind = UNCERTAINTY_NAMES.get(hdu.name) or UNCERTAINTY_NAMES[_text(hdu, "EXTTYPE")]
    unit = None
    if "UTYPE" in hdu.header:
        utype = _card(hdu.header, "UTYPE")
        if utype not in UNCERTAINTY_KINDS:
            raise ValueError(f"card UTYPE must be one of {', '.join(UNCERTAINTY_KINDS)}, not {utype!r}")
        kind = UNCERTAINTY_KINDS[utype]
        unit = _unit_of(hdu.header)
    if hdu.shape != shape:
        raise ValueError(f"HDU {hdu.name!r} is of shape {hdu.shape}, the image of shape {shape}")
    return kind(_pixels(hdu), unit=unit, copy=False)


# Writing


def _with(header: fits.Header, **cards: Any) -> fits.Header:
    header = header.copy()
    header.update({keyword: value for keyword, value in cards.items() if value is not None})
    return header


def _image_hdu(
    array: NDArray, header: fits.Header, name: str, compression: str | None
) -> "fits.ImageHDU | fits.CompImageHDU":
    if array.dtype.kind not in "iuf" or array.dtype.itemsize not in (1, 2, 4, 8) or array.dtype == np.float16:
        raise ValueError(f"pixels of {array.dtype} cannot be kept in a FITS image")
    if compression is None:
        return fits.ImageHDU(array, header, name=name)
    if compression not in COMPRESSIONS:
        raise ValueError(f"compression must be one of {', '.join(COMPRESSIONS)}, not {compression!r}")
    if array.dtype.kind == "f":
        return fits.CompImageHDU(array, header, name=name, compression_type="GZIP_2", quantize_level=0)
    if compression == "RICE_1" and array.dtype.itemsize == 8:
        raise ValueError(f"RICE_1 compresses up to 32 bits a pixel, not {array.dtype}: use GZIP_2")
    return fits.CompImageHDU(array, header, name=name, compression_type=compression)


def _write(hdus: list[Any], path: Any, overwrite: bool) -> None:
    if not isinstance(path, str | os.PathLike):
        fits.HDUList(hdus).writeto(path)
        return
    with replacing(path, overwrite) as new:
        fits.HDUList(hdus).writeto(new)


for _class, _reader, _writer in ((Mask, read_mask, write_mask), (MaskedImage, read_image, write_image)):
    with registry.delay_doc_updates(_class):
        registry.register_reader("fits", _class, _reader)
        registry.register_writer("fits", _class, _writer)
        registry.register_identifier("fits", _class, is_fits)
