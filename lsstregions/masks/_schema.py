"""MaskPlane and MaskSchema: which bit means what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from .._validate import as_int
from .._values import Value

# The string of a card, in which a quote is doubled.
_STRING = re.compile(r"(?:[^=']*=|CONTINUE) *'((?:[^']|'')*)' *(?:/.*)?$")
# The cards that name a plane have four digits for its bit.
MAX_BITS = 1024


@dataclass(frozen=True)
class MaskPlane:
    """A named bit.

    Parameters
    ----------
    name : str
        Printable ASCII without blanks at its ends, as FITS can keep it.
    bit : int, optional
        From 0 to 1023. Without it the schema takes the bit that follows that of the plane before.
    description : str, optional
        One sentence for people, ASCII if it is to go into FITS. Blanks at its ends are dropped.
    bad : bool, optional
        Whether a pixel of this plane is bad: not to be used for measurements. Planes that say what a pixel
        shows, such as DETECTED, are not bad.

    Raises
    ------
    TypeError, ValueError
        If a field is of the wrong kind or out of range.
    """

    name: str
    bit: int | None = None
    description: str = ""
    bad: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a string, not {self.name!r}")
        if not self.name or self.name != self.name.strip() or not (self.name.isascii() and self.name.isprintable()):
            raise ValueError(f"name must be printable ASCII without blanks at its ends, not {self.name!r}")
        if not isinstance(self.description, str):
            raise TypeError(f"description must be a string, not {self.description!r}")
        object.__setattr__(self, "description", self.description.strip())
        if not isinstance(self.bad, bool | np.bool):
            raise TypeError(f"bad must be True or False, not {self.bad!r}")
        object.__setattr__(self, "bad", bool(self.bad))
        if self.bit is not None:
            bit = as_int(self.bit, "bit")
            if not 0 <= bit < MAX_BITS:
                raise ValueError(f"bit of plane {self.name!r} must be from 0 to {MAX_BITS - 1}, not {bit}")
            object.__setattr__(self, "bit", bit)


class MaskSchema(Value):
    """An immutable set of mask planes in the order of their bits.

    Parameters
    ----------
    planes : iterable of MaskPlane, str or None, or mapping of str to int
        A string is a plane of that name that is not bad, None a placeholder that skips a bit. A plane without a bit
        gets the one that follows its predecessor's. A mapping has the bits of names, as LSST's mask plane dicts.

    Raises
    ------
    TypeError
        If `planes` is one string, or a plane is none of these.
    ValueError
        If two planes have the same name or the same bit, or a bit is too high.

    Examples
    --------
    >>> schema = MaskSchema([MaskPlane("SAT", bad=True), None, "DETECTED"])
    >>> schema["DETECTED"].bit
    2
    >>> schema.interpret(5)
    ('SAT', 'DETECTED')
    """

    __slots__ = ("_by_name", "_planes")

    _by_name: dict[str, MaskPlane]
    _planes: tuple[MaskPlane, ...]

    def __init__(self, planes: Iterable[MaskPlane | str | None] | Mapping[str, int] = ()):
        if isinstance(planes, str):
            raise TypeError(f"planes must be a list of planes, not the string {planes!r}")
        if not isinstance(planes, Iterable):
            raise TypeError(f"planes must be a list of planes, not {planes!r}")
        if isinstance(planes, Mapping):
            planes = [MaskPlane(name, bit) for name, bit in planes.items()]
        numbered: list[MaskPlane] = []
        next_bit = 0
        for plane in planes:
            if plane is not None:
                plane = _as_plane(plane)
                if plane.bit is None:
                    plane = replace(plane, bit=next_bit)
                numbered.append(plane)
                next_bit = bit_of(plane)
            next_bit += 1
        ordered = tuple(sorted(numbered, key=bit_of))
        _check_unique(ordered)
        self._set(_planes=ordered, _by_name={plane.name: plane for plane in ordered})

    @classmethod
    def lsst(cls) -> Self:
        """Return LSST's default planes, with the bits that ``lsst.afw.image.Mask`` gives them."""
        return cls(LSST_PLANES)

    @classmethod
    def from_bit_flag_map(cls, flags: Any, *, bad: Iterable[str] | None = None) -> Self:
        """Return the schema of a map of bit flags.

        Parameters
        ----------
        flags : `~astropy.nddata.bitmask.BitFlagNameMap`, mapping of str to int or `enum.IntFlag`
            Values are powers of two; a name of value 0 (such as JWST's ``GOOD``) is no plane and is left out.
        bad : iterable of str, optional
            The flags that make a pixel bad. All of them by default, as for
            `~astropy.nddata.bitmask.bitfield_to_boolean_mask`.

        Raises
        ------
        TypeError
            If `flags` is no such map, a value no integer, or a name in `bad` no string.
        ValueError
            If a value is not a power of two, or two names have the same one.
        KeyError
            If `bad` names a flag that does not exist.
        """
        planes = []
        for name, flag in _flag_items(flags):
            value = as_int(flag, f"flag {name!r}")
            if value == 0:
                continue
            if value < 0 or value.bit_count() != 1:
                raise ValueError(f"flag {name!r} must be a power of two, not {value}")
            doc = getattr(flag, "__doc__", None)
            planes.append(MaskPlane(name, value.bit_length() - 1, "" if doc == type(flag).__doc__ else doc or "", True))
        schema = cls(planes)
        if bad is None:
            return schema
        marked = {plane.name for plane in schema._select(bad)}
        return cls(replace(plane, bad=plane.name in marked) for plane in schema)

    def to_bit_flag_map(self, name: str = "MaskPlanes") -> Any:
        """Return the planes as a new `~astropy.nddata.bitmask.BitFlagNameMap` class called `name`.

        Raises
        ------
        ValueError
            If a bit is beyond 63, names differ only in case, or one begins with an underscore.
        """
        from astropy.nddata.bitmask import BitFlagNameMap, extend_bit_flag_map

        folded: set[str] = set()
        for plane in self:
            if bit_of(plane) > 63:
                raise ValueError(f"a bit flag map has 64 bits; plane {plane.name!r} has bit {plane.bit}")
            if plane.name.startswith("_") or plane.name.lower() in folded:
                raise ValueError(f"a bit flag map cannot tell plane {plane.name!r} from another or hides it")
            folded.add(plane.name.lower())
        flags = {plane.name: (1 << bit_of(plane), plane.description or plane.name) for plane in self}
        return extend_bit_flag_map(name, BitFlagNameMap, **flags)

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> Self:
        """Return the planes that the cards of a FITS header name.

        Understood are the cards of ``lsst.images`` (``MSKNnnnn`` name, ``MSKMnnnn`` bit mask, ``MSKDnnnn``
        description), to which this package adds ``MSKBnnnn`` (bad or not), and those of ``lsst.afw``
        (``MP_<NAME>`` bit). Planes of LSST's names that come without a description or a word on whether they
        are bad get LSST's.

        Raises
        ------
        ValueError
            If no card names a plane, or cards are corrupt or contradict each other; the error names the card.
        """
        numbered = _planes_from_msk_cards(header)
        legacy = _bits_from_mp_cards(header)
        if not numbered and not legacy:
            raise ValueError("the header names no mask planes: it has neither MSKN0000... nor MP_... cards")
        if not numbered:
            return cls(with_known_meaning(MaskPlane(name, bit)) for name, bit in legacy.items())
        by_name = {plane.name: plane for plane in numbered}
        for name, bit in legacy.items():
            if name not in by_name:
                raise ValueError(f"card MP_{name} names a plane that no MSKN card names")
            if by_name[name].bit != bit:
                raise ValueError(f"card MP_{name} says bit {bit}, the MSK cards say {by_name[name].bit}")
        return cls(numbered)

    def update_header(self, header: MutableMapping[str, Any]) -> None:
        """Write the planes to a FITS header, as `from_header` reads them.

        Cards of planes that are there already are replaced. ``MP_`` cards, for LSST's older tools, are
        written for names in capitals, digits, ``-`` and ``_``.

        Raises
        ------
        ValueError
            If a bit is beyond 63, for an image has no wider pixels, or a long description ends in ``&``.
        """
        if self.n_bits > 64:
            raise ValueError(f"a FITS image has at most 64 bits a pixel, the schema has {self.n_bits}")
        for plane in self:
            # At the end of a card that says that the text goes on in the next one.
            if plane.description.endswith("&") and len(plane.description.replace("'", "''")) > 65:
                raise ValueError(f"the description of plane {plane.name!r} cannot be kept in FITS: it ends in '&'")
        for keyword in [key for key in header if re.fullmatch(r"MSK[NMDB]\d{4}|MP_.+", key)]:
            del header[keyword]
        for plane in self:
            bit = bit_of(plane)
            if re.fullmatch(r"[A-Z0-9_-]{1,60}", plane.name):
                keyword = f"MP_{plane.name}"
                header[keyword if len(keyword) <= 8 else f"HIERARCH {keyword}"] = bit
            header[f"MSKN{bit:04d}"] = plane.name
            header[f"MSKM{bit:04d}"] = 1 << bit
            header[f"MSKD{bit:04d}"] = plane.description
            header[f"MSKB{bit:04d}"] = plane.bad

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the planes, in the order of their bits."""
        return tuple(self._by_name)

    @property
    def bad(self) -> tuple[str, ...]:
        """Names of the planes that make a pixel bad."""
        return tuple(plane.name for plane in self._planes if plane.bad)

    @property
    def n_bits(self) -> int:
        """Number of bits a pixel needs: the highest bit and one more."""
        return bit_of(self._planes[-1]) + 1 if self._planes else 0

    @property
    def n_words(self) -> int:
        """Number of words a pixel needs: 1 up to 64 bits."""
        return max(1, -(-self.n_bits // 64))

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned integers that hold the planes; several words of uint64 beyond 64 bits."""
        for width in (8, 16, 32):
            if self.n_bits <= width:
                return np.dtype(f"uint{width}")
        return np.dtype(np.uint64)

    def bitmask(self, planes: str | Iterable[str] | None = None) -> int:
        """Return the integer with the bits of one plane, of several, or of all (None) set.

        Raises
        ------
        TypeError
            If a name is no string.
        KeyError
            If there is no such plane.
        """
        selected = self._planes if planes is None else self._select(planes)
        return sum({1 << bit_of(plane) for plane in selected})

    def interpret(self, value: int) -> tuple[str, ...]:
        """Return the names of the planes whose bits are set in `value`, in the order of the bits.

        Raises
        ------
        TypeError
            If `value` is no integer.
        ValueError
            If a bit is set that no plane has.
        """
        value = as_int(value, "value")
        unknown = value & ~self.bitmask() if value >= 0 else value
        if unknown:
            raise ValueError(f"value {value} has bits that no plane has: {bit_numbers(unknown)}")
        return tuple(plane.name for plane in self._planes if value >> bit_of(plane) & 1)

    def add(self, *planes: MaskPlane | str) -> Self:
        """Return the schema with planes added; one without a bit gets the next after the highest in use.

        Raises
        ------
        ValueError
            If a name or a bit is taken.
        """
        added = list(self._planes)
        next_bit = self.n_bits
        for plane in map(_as_plane, planes):
            if plane.bit is None:
                plane = replace(plane, bit=next_bit)
            added.append(plane)
            next_bit = max(next_bit, bit_of(plane) + 1)
        return type(self)(added)

    def remove(self, *names: str) -> Self:
        """Return the schema without some planes; the others keep their bits.

        Raises
        ------
        TypeError
            If a name is no string.
        KeyError
            If there is no such plane.
        """
        gone = {plane.name for plane in self._select(names)}
        return type(self)(plane for plane in self._planes if plane.name not in gone)

    def rename(self, names: Mapping[str, str]) -> Self:
        """Return the schema with other names, a mapping from old to new, for some planes.

        Raises
        ------
        TypeError
            If a name is no string.
        KeyError
            If there is no plane of an old name.
        ValueError
            If a new name is taken.
        """
        self._select(names)
        return type(self)(replace(plane, name=names.get(plane.name, plane.name)) for plane in self._planes)

    def merge(self, other: MaskSchema) -> Self:
        """Return the planes of both; the same as ``self | other``.

        Planes of this schema keep their bits. A new one keeps its bit where that is free, and gets the next
        after the highest otherwise. Of two descriptions this schema's is kept.

        Raises
        ------
        ValueError
            If a plane is bad in one and not in the other.
        """
        new = []
        for plane in other:
            mine = self._by_name.get(plane.name)
            if mine is None:
                new.append(plane)
            elif mine.bad != plane.bad:
                raise ValueError(
                    f"plane {plane.name!r} is {_bad_or_not(mine)} in one schema and {_bad_or_not(plane)} in the other"
                )
        taken = {plane.bit for plane in self}
        staying = [plane for plane in new if plane.bit not in taken]
        moving = [replace(plane, bit=None) for plane in new if plane.bit in taken]
        return self.add(*staying).add(*moving) if new else self

    def __or__(self, other: object) -> Self:
        return self.merge(other) if isinstance(other, MaskSchema) else NotImplemented

    def __getitem__(self, name: str) -> MaskPlane:
        return self._select(name)[0]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[MaskPlane]:
        return iter(self._planes)

    def __len__(self) -> int:
        return len(self._planes)

    def _parts(self) -> tuple[Any, ...]:
        return (self._planes,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._planes)!r})"

    def __str__(self) -> str:
        return self.table()

    def table(self, counts: Mapping[str, int] | None = None) -> str:
        """Return the planes as text, one a line; with `counts`, a number of pixels for each."""
        header = ["bit", "name", "bad", "description"]
        rows = [[str(p.bit), p.name, "bad" if p.bad else "", p.description] for p in self]
        if counts is not None:
            header.insert(3, "pixels")
            for row in rows:
                row.insert(3, str(counts[row[1]]))
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines = []
        for row in [header, *rows]:
            cells = [
                cell.rjust(width) if title in ("bit", "pixels") else cell.ljust(width)
                for title, cell, width in zip(header, row, widths, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    def _select(self, names: str | Iterable[str]) -> list[MaskPlane]:
        """Return the planes of one name or several."""
        selected = []
        if not isinstance(names, Iterable):
            raise TypeError(f"planes must be the name of a plane or several names, not {names!r}")
        for name in [names] if isinstance(names, str) else names:
            if not isinstance(name, str):
                raise TypeError(f"a plane is named by a string, not by {name!r}")
            if name not in self._by_name:
                raise KeyError(f"no plane {name!r}; the planes are {', '.join(self._by_name) or 'none'}")
            selected.append(self._by_name[name])
        return selected


def bit_of(plane: MaskPlane) -> int:
    """Return the bit of a plane of a schema, which has one."""
    assert plane.bit is not None
    return plane.bit


def bit_numbers(bits: int) -> str:
    """Return the numbers of the set bits as text."""
    if bits < 0:
        return "the sign"
    return ", ".join(str(bit) for bit in range(bits.bit_length()) if bits >> bit & 1)


def _bad_or_not(plane: MaskPlane) -> str:
    return "bad" if plane.bad else "not bad"


def _as_plane(plane: MaskPlane | str) -> MaskPlane:
    if isinstance(plane, str):
        return MaskPlane(plane)
    if not isinstance(plane, MaskPlane):
        raise TypeError(f"a plane must be a MaskPlane or a name, not {plane!r}")
    return plane


def _check_unique(planes: tuple[MaskPlane, ...]) -> None:
    names: set[str] = set()
    bits: dict[int, str] = {}
    for plane in planes:
        if plane.name in names:
            raise ValueError(f"two planes are called {plane.name!r}")
        if bit_of(plane) in bits:
            raise ValueError(f"planes {bits[bit_of(plane)]!r} and {plane.name!r} have the same bit, {plane.bit}")
        if bit_of(plane) >= MAX_BITS:
            raise ValueError(f"plane {plane.name!r} would have bit {plane.bit}, beyond {MAX_BITS - 1}")
        names.add(plane.name)
        bits[bit_of(plane)] = plane.name


def _flag_items(flags: Any) -> Iterator[tuple[str, Any]]:
    flags = getattr(flags, "__members__", flags)
    if isinstance(flags, Mapping):
        yield from flags.items()
    elif isinstance(flags, type):
        # Iterating over a BitFlagNameMap fails; its names stand in the classes it is made of.
        for base in reversed(flags.__mro__[:-1]):
            yield from ((name, flag) for name, flag in vars(base).items() if not name.startswith("_"))
    else:
        raise TypeError(f"flags must be a BitFlagNameMap or a mapping of names to values, not {flags!r}")


def _card_int(header: Mapping[str, Any], keyword: str) -> int:
    value = _card(header, keyword)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"card {keyword} must be an integer, not {value!r}")
    return value


def _card(header: Mapping[str, Any], keyword: str) -> Any:
    try:
        value = header[keyword]
    except KeyError:
        raise ValueError(f"card {keyword} is missing") from None
    except Exception as error:
        raise ValueError(f"card {keyword} cannot be read: {error}") from error
    # astropy ends a string early where a quote in it comes before a slash.
    if isinstance(value, str) and "'" in value and hasattr(header, "cards"):
        return _text_of(header.cards[keyword].image) or value
    return value


def _text_of(image: str) -> str | None:
    """Return the string of a card and its CONTINUE cards, or None where it is none."""
    parts = [_STRING.match(image[start : start + 80]) for start in range(0, len(image), 80)]
    texts = [part[1] for part in parts if part is not None]
    if len(texts) < len(parts):
        return None
    return "".join([*(text.removesuffix("&") for text in texts[:-1]), texts[-1]]).replace("''", "'").rstrip()


def _bits_from_mp_cards(header: Mapping[str, Any]) -> dict[str, int]:
    """Return name to bit of the cards MP_<NAME>."""
    bits: dict[str, int] = {}
    for keyword in header:
        if not keyword.startswith("MP_") or keyword == "MP_":
            continue
        name = keyword.removeprefix("MP_")
        bit = _card_int(header, keyword)
        if not 0 <= bit < 64:
            raise ValueError(f"card {keyword} must be a bit from 0 to 63, not {bit}")
        if name in bits:
            raise ValueError(f"card {keyword} stands twice in the header")
        for other, taken in bits.items():
            if taken == bit:
                raise ValueError(f"cards MP_{other} and {keyword} have the same bit, {bit}")
        bits[name] = bit
    return bits


def _planes_from_msk_cards(header: Mapping[str, Any]) -> list[MaskPlane]:
    """Return the planes of the cards MSKNnnnn, MSKMnnnn, MSKDnnnn, MSKBnnnn."""
    numbers = [key[4:] for key in header if re.fullmatch(r"MSKN\d{4}", key)]
    for keyword in header:
        if re.fullmatch(r"MSK[MDB]\d{4}", keyword) and keyword[4:] not in numbers:
            raise ValueError(f"card {keyword} stands without MSKN{keyword[4:]}")
    planes: dict[str, MaskPlane] = {}
    owners: dict[int, str] = {}
    for number in numbers:
        value = _card_int(header, f"MSKM{number}")
        if not 0 < value < 1 << 64 or value.bit_count() != 1:
            raise ValueError(f"card MSKM{number} must be a power of two below 2**64, not {value}")
        bit = value.bit_length() - 1
        name = _card(header, f"MSKN{number}")
        try:
            plane = MaskPlane(name, bit)
        except (TypeError, ValueError) as error:
            raise ValueError(f"card MSKN{number}: {error}") from None
        if plane.name in planes:
            raise ValueError(f"card MSKN{number} has the name of another plane, {name!r}")
        if bit in owners:
            raise ValueError(f"cards MSKM{owners[bit]} and MSKM{number} have the same bit, {bit}")
        owners[bit] = number
        planes[plane.name] = _described(plane, header, number)
    return list(planes.values())


def _described(plane: MaskPlane, header: Mapping[str, Any], number: str) -> MaskPlane:
    known = with_known_meaning(plane)
    description: Any = known.description
    bad: Any = known.bad
    if f"MSKD{number}" in header:
        description = _card(header, f"MSKD{number}")
        if not isinstance(description, str):
            raise ValueError(f"card MSKD{number} must be a string, not {description!r}")
    if f"MSKB{number}" in header:
        bad = _card(header, f"MSKB{number}")
        if not isinstance(bad, bool):
            raise ValueError(f"card MSKB{number} must be T or F, not {bad!r}")
    return replace(plane, description=description, bad=bad)


def with_known_meaning(plane: MaskPlane) -> MaskPlane:
    """Return a plane as LSST describes it, if it has one of this name."""
    known = _KNOWN_PLANES.get(plane.name)
    return plane if known is None else replace(plane, description=known.description, bad=known.bad)


LSST_PLANES = (
    MaskPlane("BAD", 0, "the detector does not work here: hot, dead, or in a bad column", bad=True),
    MaskPlane("SAT", 1, "saturated, or reached by the bleed of a saturated pixel", bad=True),
    MaskPlane("INTRP", 2, "the value was interpolated from neighbours"),
    MaskPlane("CR", 3, "hit by a cosmic ray", bad=True),
    MaskPlane("EDGE", 4, "too near the edge of the image to be processed in full", bad=True),
    MaskPlane("DETECTED", 5, "part of a detected source"),
    MaskPlane("DETECTED_NEGATIVE", 6, "part of a source detected below the background"),
    MaskPlane("SUSPECT", 7, "near saturation: the correction for non-linearity may be wrong"),
    MaskPlane("NO_DATA", 8, "no input reached this pixel", bad=True),
    MaskPlane("VIGNETTED", 9, "the telescope shades this part of the field"),
    MaskPlane("STREAK", 10, "crossed by the trail of a satellite or an aeroplane"),
)

# What a bool mask, which does not say why its pixels are bad, becomes.
MASKED = MaskSchema([MaskPlane("MASKED", 0, "masked; the reason is not known", bad=True)])

_OTHER_PLANES = (
    MaskPlane("CROSSTALK", None, "affected by the crosstalk of another amplifier"),
    MaskPlane("UNMASKEDNAN", None, "the value was not a number though no other plane says why", bad=True),
)

# lsst.images spells out what afw abbreviates.
_SPELLED_OUT = {
    "SAT": "SATURATED",
    "INTRP": "INTERPOLATED",
    "CR": "COSMIC_RAY",
    "EDGE": "DETECTION_EDGE",
    "UNMASKEDNAN": "UNMASKED_NAN",
}

_KNOWN_PLANES = {
    name: plane
    for plane in (*LSST_PLANES, *_OTHER_PLANES)
    for name in (plane.name, _SPELLED_OUT.get(plane.name, plane.name))
}
