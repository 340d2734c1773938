"""Immutable values, which most classes are, and what those of the pixel plane share."""

import math
from typing import Any, ClassVar

import numpy as np


class Value:
    """An immutable value that is made of its slots; its constructor takes them in that order."""

    __slots__: tuple[str, ...] = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    # NumPy scalars and arrays leave operators to our classes in place of taking a point for an array.
    __array_ufunc__: ClassVar[None] = None

    def _set(self, **parts: Any) -> None:
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    def __init_subclass__(cls) -> None:
        # The parameters of the constructor, in their order; those of the base where a class adds none.
        cls._fields = cls.__dict__.get("__slots__") or cls._fields

    def _parts(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._fields)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((type(self), *self._parts()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._parts()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(evaluable, self._parts()))})"


def evaluable(part: Any) -> str:
    """Return a repr that `eval` takes back, NaN and infinities included."""
    if isinstance(part, float) and not math.isfinite(part):
        return f"float('{part}')"
    return repr(part)


def pixel_at(coordinate: float) -> int:
    """Return the pixel that covers a coordinate, the floor of coordinate + 0.5 without its rounding error."""
    below = math.floor(coordinate)
    return below + 1 if coordinate - below >= 0.5 else below


def cos_sin(angle: float) -> tuple[float, float]:
    """Return cosine and sine; exact for what is the nearest float to a multiple of a right angle."""
    quarters = angle / (math.pi / 2)
    if quarters.is_integer() and abs(quarters) < 1e6:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
    return math.cos(angle), math.sin(angle)


def scalar_or_array(inside: Any) -> Any:
    """Return a 0-d truth as a bool, an array as it is."""
    return inside if np.ndim(inside) else bool(inside)


def counted(count: int, thing: str) -> str:
    """Return how many things there are, in words."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
