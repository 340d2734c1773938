"""Linear and affine maps of the pixel plane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import as_any_pair, as_finite, as_numbers, as_radians
from .._values import Value, cos_sin
from ._points import EXTENTS, POINTS, Extent, Extent2D, Point, Point2D

if TYPE_CHECKING:
    from astropy.modeling.models import AffineTransformation2D
    from astropy.units import Quantity

Angle: TypeAlias = "float | Quantity"


class LinearTransform(Value):
    """A linear map of the plane.

    Call it with a point, an extent, or two arrays ``x, y``; ``t2 @ t1`` is the map that applies t1 first, and
    ``t1 + t2`` and ``t1 - t2`` those whose results are the sum and the difference of the two.

    Parameters
    ----------
    matrix : array_like, shape (2, 2)
        ``[[xx, xy], [yx, yy]]``, finite; the identity if not given.

    Raises
    ------
    TypeError
        If `matrix` is not of numbers.
    ValueError
        If `matrix` is of another shape or not finite.
    """

    __slots__ = ("_rows",)
    _rows: tuple[tuple[float, float], tuple[float, float]]

    def __init__(self, matrix: ArrayLike = ((1.0, 0.0), (0.0, 1.0))):
        (xx, xy), (yx, yy) = _as_matrix(matrix, (2, 2)).tolist()
        self._set(_rows=((xx, xy), (yx, yy)))

    @classmethod
    def scaling(cls, x: float, y: float | None = None) -> Self:
        """Return the map that multiplies x and y by their factors; one factor is for both."""
        return cls([[x, 0.0], [0.0, x if y is None else y]])

    @classmethod
    def rotation(cls, angle: Angle) -> Self:
        """Return the anticlockwise rotation by an angle, a number in radians or a Quantity.

        Right angles are exact: they map pixel centres to pixel centres.

        Raises
        ------
        TypeError
            If `angle` is no number or Quantity.
        ValueError
            If `angle` is not finite.
        """
        cosine, sine = cos_sin(as_radians(angle))
        return cls([[cosine, -sine], [sine, cosine]])

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (2, 2) matrix, read-only."""
        return _read_only(self._rows)

    @property
    def determinant(self) -> float:
        """Signed factor by which areas grow."""
        (xx, xy), (yx, yy) = self._rows
        return xx * yy - xy * yx

    def inverse(self) -> Self:
        """Return the inverse map.

        Raises
        ------
        ValueError
            If the matrix is singular.
        """
        return type(self)(_inverse(self._rows))

    @overload
    def __call__(self, x: Point, /) -> Point2D: ...
    @overload
    def __call__(self, x: Extent, /) -> Extent2D: ...
    @overload
    def __call__(self, x: ArrayLike, y: ArrayLike, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def __call__(self, x: Any, y: Any = None, /) -> Any:
        """Map a point, an extent, or arrays of x and y.

        Parameters
        ----------
        x : Point2I, Point2D, Extent2I, Extent2D, or array_like
            What to map; an array needs `y`.
        y : array_like, optional
            Broadcast against `x`.

        Returns
        -------
        Point2D, Extent2D, or (x, y)
            Of the kind that was given; arrays are float64, of the broadcast shape.
        """
        if y is None:
            if isinstance(x, POINTS):
                return Point2D(*self._apply(*x))
            if isinstance(x, EXTENTS):
                return Extent2D(*self._apply(*x))
            raise TypeError(f"x must be a point or an extent if y is not given, not {x!r}")
        return self._apply(as_numbers(x, "x"), as_numbers(y, "y"))

    def _apply(self, x: Any, y: Any) -> tuple[Any, Any]:
        (xx, xy), (yx, yy) = self._rows
        return xx * x + xy * y, yx * x + yy * y

    @overload
    def __matmul__(self, other: LinearTransform) -> LinearTransform: ...
    @overload
    def __matmul__(self, other: AffineTransform) -> AffineTransform: ...
    def __matmul__(self, other: Any) -> LinearTransform | AffineTransform:
        if isinstance(other, LinearTransform):
            return LinearTransform(self.matrix @ other.matrix)
        if isinstance(other, AffineTransform):
            return AffineTransform(self @ other.linear, self(other.translation))
        return NotImplemented

    @overload
    def __add__(self, other: LinearTransform) -> LinearTransform: ...
    @overload
    def __add__(self, other: AffineTransform) -> AffineTransform: ...
    def __add__(self, other: Any) -> LinearTransform | AffineTransform:
        if isinstance(other, LinearTransform):
            return LinearTransform(self.matrix + other.matrix)
        return AffineTransform(self) + other if isinstance(other, AffineTransform) else NotImplemented

    @overload
    def __sub__(self, other: LinearTransform) -> LinearTransform: ...
    @overload
    def __sub__(self, other: AffineTransform) -> AffineTransform: ...
    def __sub__(self, other: Any) -> LinearTransform | AffineTransform:
        return self + -other if isinstance(other, (LinearTransform, AffineTransform)) else NotImplemented

    def __neg__(self) -> LinearTransform:
        return LinearTransform(-self.matrix)

    def parameter_jacobian(self, point: Point | Extent) -> NDArray[np.float64]:
        """Return the derivative of a mapped point or extent with respect to the matrix of this map.

        Returns
        -------
        ndarray, shape (2, 4)
            Rows x and y of what is mapped; columns xx, xy, yx, yy, the elements of the matrix row by row.

        Raises
        ------
        TypeError
            If `point` is no point or extent.
        """
        if not isinstance(point, (*POINTS, *EXTENTS)):
            raise TypeError(f"point must be a point or an extent, not {point!r}")
        x, y = point
        return np.array([[x, y, 0.0, 0.0], [0.0, 0.0, x, y]], dtype=float)

    def __repr__(self) -> str:
        return f"LinearTransform({[list(row) for row in self._rows]})"


class AffineTransform(Value):
    """A linear map followed by a translation.

    Call it with a point, an extent, or two arrays ``x, y``; an extent is a difference, so it is not
    translated. ``t2 @ t1`` is the map that applies t1 first, ``t1 + t2`` and ``t1 - t2`` add and subtract the
    matrices and translations; either may be a `LinearTransform`.

    Parameters
    ----------
    linear : LinearTransform or array_like of shape (2, 2)
        The linear part; the identity if not given.
    translation : Extent2D, Extent2I or pair of float
        Added after it; finite.

    Raises
    ------
    TypeError
        If `linear` is not of numbers, or `translation` no pair of them.
    ValueError
        If `linear` is of another shape, or a number is not finite.
    """

    __slots__ = ("linear", "translation")
    linear: LinearTransform
    translation: Extent2D

    def __init__(
        self,
        linear: LinearTransform | ArrayLike = ((1.0, 0.0), (0.0, 1.0)),
        translation: Extent | tuple[float, float] = (0.0, 0.0),
    ):
        if not isinstance(linear, LinearTransform):
            linear = LinearTransform(linear)
        x, y = as_any_pair(translation, "translation")
        x, y = as_finite(x, "translation[0]"), as_finite(y, "translation[1]")
        self._set(linear=linear, translation=Extent2D(x, y))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> Self:
        """Return the map of a homogeneous matrix, of shape (2, 3), or (3, 3) with last row ``[0, 0, 1]``.

        Raises
        ------
        TypeError
            If `matrix` is not of numbers.
        ValueError
            If `matrix` is of another shape, not finite, or its last row another one.
        """
        array = _as_matrix(matrix, (2, 3), (3, 3))
        if len(array) == 3 and array[2].tolist() != [0, 0, 1]:
            raise ValueError(f"the last row of matrix must be [0, 0, 1], not {array[2].tolist()}")
        return cls(array[:2, :2], (array[0, 2], array[1, 2]))

    @classmethod
    def from_point_pairs(
        cls, sources: Iterable[Point | tuple[float, float]], targets: Iterable[Point | tuple[float, float]]
    ) -> Self:
        """Return the map that takes three points to three others.

        Parameters
        ----------
        sources, targets : three points, pairs, or an array of shape (3, 2)
            Where the points are and where they go.

        Raises
        ------
        TypeError
            If a point is no pair.
        ValueError
            If there are not three of each, one is not finite, or the sources are on one line.
        """
        start = _as_matrix([as_any_pair(point, "sources") for point in sources], (3, 2), name="sources")
        end = _as_matrix([as_any_pair(point, "targets") for point in targets], (3, 2), name="targets")
        try:
            inverse = _inverse((start[1:] - start[0]).T.tolist())
        except ValueError:
            raise ValueError(f"sources must not be on one line, not {start.tolist()}") from None
        linear = (end[1:] - end[0]).T @ inverse
        return cls(linear, tuple(end[0] - linear @ start[0]))

    @classmethod
    def scaling(cls, x: float, y: float | None = None) -> Self:
        """Return the map that multiplies x and y by their factors; one factor is for both."""
        return cls(LinearTransform.scaling(x, y))

    @classmethod
    def rotation(cls, angle: Angle) -> Self:
        """Return the anticlockwise rotation about the origin by an angle in radians or a Quantity."""
        return cls(LinearTransform.rotation(angle))

    @classmethod
    def shift(cls, x: float, y: float) -> Self:
        """Return the map that adds (x, y)."""
        return cls(translation=(x, y))

    @classmethod
    def from_model(cls, model: AffineTransformation2D) -> Self:
        """Return an `astropy.modeling` AffineTransformation2D, without units or in pixels, as a map.

        Raises
        ------
        ValueError
            If a parameter has a unit that is not pixels.
        """
        for parameter in (model.matrix, model.translation):
            if str(parameter.unit or "") not in ("", "pix"):
                raise ValueError(f"{parameter.name} must have no unit or be in pixels, not in {parameter.unit}")
        return cls(model.matrix.value, tuple(np.ravel(model.translation.value)))

    def to_model(self) -> AffineTransformation2D:
        """Return this map as an `astropy.modeling.models.AffineTransformation2D`."""
        from astropy.modeling.models import AffineTransformation2D

        return AffineTransformation2D(matrix=self.linear.matrix, translation=list(self.translation))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The homogeneous (3, 3) matrix, read-only."""
        (xx, xy), (yx, yy) = self.linear._rows
        return _read_only(((xx, xy, self.translation.x), (yx, yy, self.translation.y), (0.0, 0.0, 1.0)))

    @property
    def determinant(self) -> float:
        """Signed factor by which areas grow."""
        return self.linear.determinant

    def inverse(self) -> Self:
        """Return the inverse map; ValueError if the linear part is singular."""
        inverse = self.linear.inverse()
        return type(self)(inverse, -inverse(self.translation))

    @overload
    def __call__(self, x: Point, /) -> Point2D: ...
    @overload
    def __call__(self, x: Extent, /) -> Extent2D: ...
    @overload
    def __call__(self, x: ArrayLike, y: ArrayLike, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def __call__(self, x: Any, y: Any = None, /) -> Any:
        """Map a point, an extent (without the translation), or arrays of x and y; see `LinearTransform`."""
        if y is not None:
            u, v = self.linear(x, y)
            return u + self.translation.x, v + self.translation.y
        mapped = self.linear(x)
        return mapped + self.translation if isinstance(mapped, Point2D) else mapped

    def __matmul__(self, other: LinearTransform | AffineTransform) -> AffineTransform:
        if isinstance(other, LinearTransform):
            return AffineTransform(self.linear @ other, self.translation)
        if isinstance(other, AffineTransform):
            return AffineTransform(self.linear @ other.linear, self.linear(other.translation) + self.translation)
        return NotImplemented

    def __add__(self, other: LinearTransform | AffineTransform) -> AffineTransform:
        if isinstance(other, LinearTransform):
            return AffineTransform(self.linear + other, self.translation)
        if isinstance(other, AffineTransform):
            return AffineTransform(self.linear + other.linear, self.translation + other.translation)
        return NotImplemented

    def __sub__(self, other: LinearTransform | AffineTransform) -> AffineTransform:
        return self + -other if isinstance(other, (LinearTransform, AffineTransform)) else NotImplemented

    def __neg__(self) -> AffineTransform:
        return AffineTransform(-self.linear, -self.translation)

    def parameter_jacobian(self, point: Point | Extent) -> NDArray[np.float64]:
        """Return the derivative of a mapped point or extent with respect to the matrix and translation.

        Returns
        -------
        ndarray, shape (2, 6)
            Rows x and y of what is mapped; columns xx, xy, yx, yy, the elements of the matrix row by row, then
            x and y of the translation, which does not move an extent.
        """
        moved = np.eye(2) if isinstance(point, POINTS) else np.zeros((2, 2))
        return np.hstack([self.linear.parameter_jacobian(point), moved])

    def __repr__(self) -> str:
        rows = [list(row) for row in self.linear._rows]
        return f"AffineTransform({rows}, {[*self.translation]})"


def _inverse(rows: Any) -> list[list[float]]:
    (xx, xy), (yx, yy) = rows
    # Scaled to 1, so that the determinant of a matrix of tiny or huge numbers neither vanishes nor overflows.
    scale = max(map(abs, (xx, xy, yx, yy)))
    xx, xy, yx, yy = (element / scale if scale else 0.0 for element in (xx, xy, yx, yy))
    determinant = (xx * yy - xy * yx) * scale
    if determinant == 0:
        raise ValueError(f"the transform is singular: {rows}")
    return [[yy / determinant, -xy / determinant], [-yx / determinant, xx / determinant]]


def _as_matrix(matrix: Any, *shapes: tuple[int, int], name: str = "matrix") -> NDArray[np.float64]:
    array = as_numbers(matrix, name)
    if array.shape not in shapes:
        raise ValueError(f"{name} must have shape {' or '.join(map(str, shapes))}, not {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array.tolist()}")
    return array


def _read_only(rows: Any) -> NDArray[np.float64]:
    array = np.array(rows)
    array.flags.writeable = False
    return array
