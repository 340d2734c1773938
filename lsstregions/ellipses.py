"""Ellipses, and the ways to write down their size, shape and direction.

A core is an ellipse without its centre: `Axes` (semi-axes and angle), `Quadrupole` (second moments), or
`Separable` (an ellipticity times a radius). Angles are in radians anticlockwise from +x. All are immutable
values, and each converts into each other; what one cannot hold is a ValueError (a line has no ln(a / b)).

With semi-axes a >= b at the angle t, the conventions are those of Bernstein & Jarvis (2002, AJ 123, 583):
distortion (a^2 - b^2) / (a^2 + b^2), reduced shear (a - b) / (a + b), conformal shear ln(a / b), each times
(cos 2t, sin 2t); determinant radius sqrt(a b), trace radius sqrt((a^2 + b^2) / 2).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._validate import as_any_pair, as_finite, as_numbers, as_radians
from ._values import Value, cos_sin, scalar_or_array
from .geom import AffineTransform, Box2D, Extent2D, LinearTransform, Point2D
from .geom._points import Point
from .geom._transforms import Angle

if TYPE_CHECKING:
    from regions import CirclePixelRegion, EllipsePixelRegion

__all__ = [
    "Axes",
    "ConformalShear",
    "DeterminantRadius",
    "Distortion",
    "Ellipse",
    "LogDeterminantRadius",
    "LogTraceRadius",
    "Quadrupole",
    "ReducedShear",
    "Separable",
    "TraceRadius",
]

# What rounding may do to xx * yy - xy**2 of a line, relative to xx * yy.
_ROUNDING = 16 * float(np.finfo(float).eps)
_UNDERFLOW = float(np.finfo(float).tiny)
# The semi-axes of ellipses whose derivatives neither overflow nor vanish.
_DIFFERENTIABLE = (1e-50, 1e50)


class _Shape(NamedTuple):
    """What all cores convert through: semi-axes (either may be the longer), ln(a / b) and the angle.

    The logarithm says what the two axes cannot: their ratio, when it is nearly 1.
    """

    a: float
    b: float
    eta: float
    theta: float

    @classmethod
    def from_axes(cls, a: float, b: float, theta: float) -> _Shape:
        if a == b:
            eta = 0.0
        elif a == 0 or b == 0:
            eta = math.copysign(math.inf, a - b)
        else:
            eta = math.log1p((a - b) / b) if a > b else -math.log1p((b - a) / a)
        return cls(a, b, eta, theta)

    @classmethod
    def from_moments(cls, xx: float, yy: float, xy: float, product: float) -> _Shape:
        """Return the shape of second moments; `product` is a times b, the root of their determinant."""
        total, difference = xx + yy, math.hypot(xx - yy, 2 * xy)
        if total == 0:
            return cls(0.0, 0.0, 0.0, 0.0)
        a = math.sqrt(0.5 * (total + difference))
        # Not from total - difference, which cancels for a thin ellipse.
        b = min(product / a, a)
        # Each form is exact where the other cancels.
        if difference < 0.5 * total:
            eta = math.atanh(difference / total)
        else:
            eta = math.log(a / b) if b else math.inf
        return cls(a, b, eta, 0.5 * math.atan2(2 * xy, xx - yy))

    @property
    def normalized(self) -> _Shape:
        """The same with a >= b and the angle in (-pi/2, pi/2]."""
        a, b, eta, theta = self
        if a < b:
            a, b, eta, theta = b, a, -eta, theta + math.pi / 2
        theta = math.remainder(theta, math.pi)
        return _Shape(a, b, eta, math.pi / 2 if theta == -math.pi / 2 else theta)

    @property
    def determinant_radius(self) -> float:
        return math.sqrt(self.a) * math.sqrt(self.b)

    @property
    def trace_radius(self) -> float:
        return math.hypot(self.a, self.b) / math.sqrt(2)

    @property
    def moments(self) -> tuple[float, float, float]:
        aa, bb = self.a * self.a, self.b * self.b
        if aa == bb:
            return aa, bb, 0.0
        cosine, sine = cos_sin(self.theta)
        # a^2 - b^2 by way of the logarithm, which does not cancel for a nearly round ellipse.
        xy = (aa + bb) * math.tanh(self.eta) * cosine * sine
        return aa * cosine**2 + bb * sine**2, aa * sine**2 + bb * cosine**2, xy

    @property
    def root(self) -> NDArray[np.float64]:
        """The (2, 2) matrix that takes the unit circle to the ellipse; its columns are the semi-axes."""
        cosine, sine = cos_sin(self.theta)
        return np.array([[self.a * cosine, -self.b * sine], [self.a * sine, self.b * cosine]])

    def transformed(self, linear: LinearTransform) -> _Shape:
        a, b, _, theta = self
        cosine, sine = cos_sin(theta)
        # The images of the semi-axes, whose outer products sum to the second moments.
        (ux, uy), (vx, vy) = linear._apply(a * cosine, a * sine), linear._apply(-b * sine, b * cosine)
        product = abs(linear.determinant) * a * b
        return _Shape.from_moments(ux * ux + vx * vx, uy * uy + vy * vy, ux * uy + vx * vy, product)


# Derivatives
#
# With M the matrix of second moments and A its `root`, M = A A^T, a small change of an ellipse is written as the
# symmetric matrix X in dM = A X A^T, by (xx, yy, xy): the change seen where the ellipse is the unit circle. It is
# the hub of the chain rule, as it does not cancel for a thin ellipse, and a linear map only turns or mirrors it.


def _congruence(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return the (3, 3) matrix that takes a symmetric S, by (xx, yy, xy), to ``matrix @ S @ matrix.T``."""
    (a, b), (c, d) = np.asarray(matrix).tolist()
    return np.array([[a * a, b * b, 2 * a * b], [c * c, d * d, 2 * c * d], [a * c, b * d, a * d + b * c]])


def _rotation(angle: float) -> NDArray[np.float64]:
    return LinearTransform.rotation(angle).matrix


def _turn(shape: _Shape, linear: LinearTransform, image: _Shape) -> NDArray[np.float64]:
    """Return the orthogonal W in ``linear @ shape.root = image.root @ W``; X of `shape` is W X W^T of `image`."""
    p, q = np.array(cos_sin(image.theta)) @ linear.matrix @ shape.root / image.a
    # The second row would cancel for a thin ellipse.
    p, q = np.array([p, q]) / math.hypot(p, q)
    sign = math.copysign(1.0, linear.determinant)
    return np.array([[p, q], [-sign * q, sign * p]])


# Cores


class _Core(Value):
    """What every core can do."""

    __slots__ = ()

    def _shape(self) -> _Shape:
        raise NotImplementedError

    def _like(self, shape: _Shape) -> Self:
        """Return a core of this one's parameters that has another shape."""
        raise NotImplementedError

    def _factors(self, shape: _Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (3, 3) matrices whose product is dX / d(parameters) at this core, of the given shape.

        Each is well-conditioned but for the scale of the columns, so that inverting it is exact.
        """
        raise NotImplementedError

    def _change_by_parameters(self, shape: _Shape) -> NDArray[np.float64]:
        local, turn = self._factors(_differentiable(shape))
        return local @ turn

    def _parameters_by_change(self, shape: _Shape) -> NDArray[np.float64]:
        local, turn = self._factors(_differentiable(shape))
        try:
            return np.linalg.inv(turn) @ np.linalg.inv(local)
        except np.linalg.LinAlgError:
            raise ValueError("the angle of a circle has no derivative") from None

    def to_axes(self) -> Axes:
        """Return the semi-axes, a >= b, and the angle of the longer one in (-pi/2, pi/2]."""
        a, b, _, theta = self._shape().normalized
        return Axes(a, b, theta)

    def to_quadrupole(self) -> Quadrupole:
        """Return the second moments."""
        return Quadrupole(*self._shape().moments)

    def to_separable(
        self, ellipticity: type[Ellipticity] | None = None, radius: type[Radius] | None = None
    ) -> Separable:
        """Return an ellipticity times a radius of the given classes.

        Parameters
        ----------
        ellipticity : class, optional
            `Distortion`, `ReducedShear` or `ConformalShear` (the default).
        radius : class, optional
            `DeterminantRadius` (the default) or `TraceRadius`, in pixels, or their natural logarithms,
            `LogDeterminantRadius` or `LogTraceRadius`.

        Raises
        ------
        TypeError
            If `ellipticity` or `radius` is none of these.
        ValueError
            If these parameters cannot hold the ellipse: a conformal shear or a determinant radius a line, a
            logarithmic radius one of size zero.
        """
        return Separable._from_shape(ellipticity or ConformalShear, radius or DeterminantRadius, self._shape())

    def jacobian(
        self,
        to: type[Core],
        *,
        ellipticity: type[Ellipticity] | None = None,
        radius: type[Radius] | None = None,
    ) -> NDArray[np.float64]:
        """Return the derivative of the parameters of another kind of core with respect to this one's.

        Parameters are in the order of the constructors: a, b, theta (pixels and radians) of `Axes`; xx, yy, xy
        of `Quadrupole`; e1, e2 and the radius of `Separable`.

        Parameters
        ----------
        to : class
            `Axes` (as by `to_axes`), `Quadrupole` or `Separable`.
        ellipticity, radius : class, optional
            Of the `Separable`, as in `to_separable`; radii in pixels.

        Returns
        -------
        ndarray, shape (3, 3)
            At ``[i, j]`` the derivative of parameter i of `to` by parameter j of this core.

        Raises
        ------
        TypeError
            If `to` is none of these.
        ValueError
            If a semi-axis is not between 1e-50 and 1e50 pixels, so for flat ellipses; or if `to` is `Axes` and
            the ellipse a circle, whose angle has no derivative. That of any other core is defined there.

        Notes
        -----
        By the chain rule, from the differentials of the definitions: with moments M = A A^T, where A has the
        semi-axes as columns, and dM = A X A^T, it is ``X = [[2 da / a, s dt], [s dt, 2 db / b]]`` with
        ``s = a / b - b / a``.
        """
        if to is not Separable and (ellipticity or radius):
            raise ValueError(f"ellipticity and radius are only for Separable, not for {to!r}")
        target: _Core
        if to is Axes:
            target = self.to_axes()
        elif to is Quadrupole:
            target = self.to_quadrupole()
        elif to is Separable:
            target = self.to_separable(ellipticity, radius)
        else:
            raise TypeError(f"to must be Axes, Quadrupole or Separable, not {to!r}")
        shape = self._shape()
        change = self._change_by_parameters(shape)
        turn = _turn(shape, LinearTransform(), shape.normalized)
        return target._parameters_by_change(shape.normalized) @ _congruence(turn) @ change

    @property
    def area(self) -> float:
        """Area in square pixels, pi a b."""
        shape = self._shape()
        return math.pi * shape.a * shape.b

    @property
    def determinant_radius(self) -> float:
        """Radius of the circle of the same area, sqrt(a b)."""
        return self._shape().determinant_radius

    @property
    def trace_radius(self) -> float:
        """Root of half the trace of the second moments, sqrt((a^2 + b^2) / 2)."""
        return self._shape().trace_radius

    @property
    def determinant(self) -> float:
        """Determinant of the second moments, (a b)^2."""
        shape = self._shape()
        return (shape.a * shape.b) ** 2

    @property
    def dimensions(self) -> Extent2D:
        """Full width and height of the box around the ellipse; finite and not negative also for a line."""
        a, b, _, theta = self._shape()
        cosine, sine = cos_sin(theta)
        return Extent2D(2 * math.hypot(a * cosine, b * sine), 2 * math.hypot(a * sine, b * cosine))

    def normalized(self) -> Self:
        """Return the same ellipse and parameters in their standard form (only `Axes` has others)."""
        return self

    def grown(self, buffer: float) -> Self:
        """Return the core with `buffer`, in pixels, added to both semi-axes.

        Raises
        ------
        TypeError
            If `buffer` is no number.
        ValueError
            If `buffer` is not finite, or a semi-axis becomes negative.
        """
        a, b, _, theta = self._shape()
        buffer = as_finite(buffer, "buffer")
        if min(a, b) + buffer < 0:
            raise ValueError(f"buffer must not be below {-min(a, b)}, the shorter semi-axis, not {buffer}")
        return self._like(_Shape.from_axes(a + buffer, b + buffer, theta))

    def scaled(self, factor: float) -> Self:
        """Return the core with both semi-axes multiplied by `factor`.

        Raises
        ------
        TypeError
            If `factor` is no number.
        ValueError
            If `factor` is negative or not finite.
        """
        factor = _not_negative(factor, "factor")
        a, b, eta, theta = self._shape()
        return self._like(_Shape(a * factor, b * factor, eta, theta))

    def transformed(self, transform: LinearTransform | AffineTransform) -> Self:
        """Return the core under the linear part of a map.

        Raises
        ------
        TypeError
            If `transform` is no LinearTransform or AffineTransform.
        """
        return self._like(self._shape().transformed(_linear_part(transform)))

    def transformed_jacobians(
        self, transform: LinearTransform | AffineTransform
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the derivatives of the parameters of ``transformed(transform)``.

        Parameters
        ----------
        transform : LinearTransform or AffineTransform
            The map; only its linear part counts.

        Returns
        -------
        by_core : ndarray, shape (3, 3)
            At ``[i, j]`` the derivative of new parameter i by parameter j of this core; see `jacobian`.
        by_transform : ndarray, shape (3, 4)
            The derivative by the elements xx, xy, yx, yy of the matrix of the map, L.

        Raises
        ------
        TypeError
            If `transform` is no LinearTransform or AffineTransform.
        ValueError
            As by `jacobian`, for this ellipse or for its image; so if the map is singular.

        Notes
        -----
        It is the differential of M' = L M L^T, the second moments of the image.
        """
        shape, linear = self._shape(), _linear_part(transform)
        change = self._change_by_parameters(shape)
        image = shape.transformed(linear)
        parameters = self._like(image)._parameters_by_change(image)
        turn = _turn(shape, linear, image)
        # With A' the root of the image, and L A = A' W: X' = (A'^-1 dL A W^T) and its transpose.
        half = np.einsum("pi,jq->pqij", np.linalg.inv(image.root), shape.root @ turn.T).reshape(2, 2, 4)
        change_by_transform = np.stack([2 * half[0, 0], 2 * half[1, 1], half[0, 1] + half[1, 0]])
        return parameters @ _congruence(turn) @ change, parameters @ change_by_transform

    def convolved(self, other: Core) -> Self:
        """Return the core whose second moments are the sum of the two.

        Raises
        ------
        TypeError
            If `other` is no core.
        """
        if not isinstance(other, _Core):
            raise TypeError(f"other must be an ellipse core, not {other!r}")
        mine, others = self.to_quadrupole(), other.to_quadrupole()
        return self._like(Quadrupole(mine.xx + others.xx, mine.yy + others.yy, mine.xy + others.xy)._shape())

    def grid_transform(self) -> LinearTransform:
        """Return the symmetric map that takes this ellipse to the unit circle.

        It is the inverse of the symmetric square root of the matrix of second moments.

        Raises
        ------
        ValueError
            If a semi-axis is zero.
        """
        a, b, _, theta = self._shape()
        if a == 0 or b == 0:
            raise ValueError("an ellipse of area zero cannot be mapped to the unit circle")
        cosine, sine = cos_sin(theta)
        off_diagonal = (1 / a - 1 / b) * cosine * sine
        return LinearTransform(
            [
                [cosine**2 / a + sine**2 / b, off_diagonal],
                [off_diagonal, sine**2 / a + cosine**2 / b],
            ]
        )

    def grid_transform_jacobian(self) -> NDArray[np.float64]:
        """Return the derivative of `grid_transform` with respect to the parameters of this core.

        Returns
        -------
        ndarray, shape (4, 3)
            At ``[i, j]`` the derivative of element i of the matrix, by xx, xy, yx, yy, by parameter j.

        Raises
        ------
        ValueError
            If a semi-axis is not between 1e-50 and 1e50 pixels.

        Notes
        -----
        With G the matrix, it is the differential of G M G = 1: along the semi-axes, s_i and s_j,
        ``dG_ij = -dM_ij / (s_i s_j (s_i + s_j))``.
        """
        shape = self._shape()
        change = self._change_by_parameters(shape)
        a, b, _, theta = shape
        xx, yy, xy = _congruence(_rotation(theta)) @ (-change / np.array([[2 * a], [2 * b], [a + b]]))
        return np.stack([xx, xy, xy, yy])


class Axes(_Core):
    """Semi-axes and position angle.

    Parameters
    ----------
    a, b : float
        Semi-axes in pixels, not negative; zero is allowed, and so is a < b.
    theta : float or Quantity
        Angle of the axis `a` from +x, anticlockwise; a plain number is in radians.

    Raises
    ------
    TypeError
        If a semi-axis or the angle is no number.
    ValueError
        If one is not finite, or a semi-axis negative.
    """

    __slots__ = ("a", "b", "theta")
    a: float
    b: float
    theta: float

    def __init__(self, a: float, b: float, theta: Angle = 0.0):
        self._set(a=_not_negative(a, "a"), b=_not_negative(b, "b"), theta=as_radians(theta, "theta"))

    def _shape(self) -> _Shape:
        return _Shape.from_axes(self.a, self.b, self.theta)

    def _like(self, shape: _Shape) -> Self:
        return type(self)(shape.a, shape.b, shape.theta)

    def _factors(self, shape: _Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.diag([2 / shape.a, 2 / shape.b, 2 * math.sinh(shape.eta)]), np.eye(3)

    def normalized(self) -> Self:
        """Return the same ellipse with a >= b and theta in (-pi/2, pi/2]."""
        return self._like(self._shape().normalized)

    def __repr__(self) -> str:
        return f"Axes(a={self.a!r}, b={self.b!r}, theta={self.theta!r})"


class Quadrupole(_Core):
    """Second moments: those of the Gaussian whose 1-sigma contour is the ellipse.

    With semi-axes a, b at the angle t: ``xx = a^2 cos^2 t + b^2 sin^2 t``, ``yy = a^2 sin^2 t + b^2 cos^2 t``
    and ``xy = (a^2 - b^2) cos t sin t``.

    Parameters
    ----------
    xx, yy, xy : float
        Moments in square pixels, of a matrix without negative eigenvalues (but for rounding: that is flat).

    Raises
    ------
    TypeError
        If a moment is no number.
    ValueError
        If one is not finite, `xx` or `yy` negative, or `xy` larger than their geometric mean.
    """

    __slots__ = ("xx", "yy", "xy")
    xx: float
    yy: float
    xy: float

    def __init__(self, xx: float, yy: float, xy: float = 0.0):
        xx, yy, xy = _not_negative(xx, "xx"), _not_negative(yy, "yy"), as_finite(xy, "xy")
        # Each moment of a line may have been rounded, or have underflowed.
        limit = math.sqrt(max(xx, _UNDERFLOW)) * math.sqrt(max(yy, _UNDERFLOW)) * (1 + _ROUNDING)
        if abs(xy) > limit:
            raise ValueError(f"xy must not exceed sqrt(xx yy), not xx={xx}, yy={yy}, xy={xy}")
        self._set(xx=xx, yy=yy, xy=xy)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The symmetric (2, 2) matrix of the moments, ``[[xx, xy], [xy, yy]]``."""
        return np.array([[self.xx, self.xy], [self.xy, self.yy]])

    @property
    def determinant(self) -> float:
        """Determinant of the second moments, (a b)^2, correctly rounded and never negative."""
        # In integers, for the difference of the products cancels where the ellipse is thin.
        (xx, xx_unit), (yy, yy_unit), (xy, xy_unit) = (part.as_integer_ratio() for part in self._parts())
        numerator = xx * yy * xy_unit**2 - xy**2 * xx_unit * yy_unit
        return max(numerator / (xx_unit * yy_unit * xy_unit**2), 0.0)

    def _shape(self) -> _Shape:
        return _Shape.from_moments(self.xx, self.yy, self.xy, math.sqrt(self.determinant))

    def _like(self, shape: _Shape) -> Self:
        return type(self)(*shape.moments)

    def _factors(self, shape: _Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        a, b, _, theta = shape
        return np.diag([1 / (a * a), 1 / (b * b), 1 / (a * b)]), _congruence(_rotation(-theta))

    def __repr__(self) -> str:
        return f"Quadrupole(xx={self.xx!r}, yy={self.yy!r}, xy={self.xy!r})"


class Ellipticity(Value):
    """Axis ratio and direction as two components, ``magnitude * (cos 2t, sin 2t)``.

    Parameters
    ----------
    e1, e2 : float
        Components; a magnitude above `limit` is a ValueError.
    """

    __slots__ = ("e1", "e2")
    e1: float
    e2: float
    limit: ClassVar[float] = 1.0

    def __init__(self, e1: float, e2: float):
        e1, e2 = as_finite(e1, "e1"), as_finite(e2, "e2")
        if math.hypot(e1, e2) > self.limit * (1 + _ROUNDING):
            raise ValueError(f"the magnitude of (e1, e2) must not exceed {self.limit}, not ({e1}, {e2})")
        self._set(e1=e1, e2=e2)

    @property
    def magnitude(self) -> float:
        """Length of (e1, e2)."""
        return min(math.hypot(self.e1, self.e2), self.limit)

    @property
    def theta(self) -> float:
        """Angle of the longer axis, radians in (-pi/2, pi/2]."""
        return 0.5 * math.atan2(self.e2, self.e1)

    @property
    def axis_ratio(self) -> float:
        """Shorter axis divided by the longer one."""
        return math.exp(-self._eta())

    def to(self, kind: type[Ellipticity]) -> Ellipticity:
        """Return the same ellipticity as `Distortion`, `ReducedShear` or `ConformalShear`.

        Raises
        ------
        TypeError
            If `kind` is none of these.
        ValueError
            If the ellipse is of width zero, and `kind` cannot tell.
        """
        _require_kind(kind, (Distortion, ReducedShear, ConformalShear), "kind")
        return kind._from_eta(self._eta(), self.theta)

    def _eta(self) -> float:
        """Return ln(a / b), not negative."""
        raise NotImplementedError

    @staticmethod
    def _magnitude(eta: float) -> float:
        raise NotImplementedError

    @staticmethod
    def _slopes(eta: float) -> tuple[float, float]:
        """Return the derivative of the magnitude by ln(a / b), and the magnitude divided by sinh(ln(a / b))."""
        raise NotImplementedError

    @classmethod
    def _from_eta(cls, eta: float, theta: float) -> Self:
        magnitude = cls._magnitude(eta)
        if math.isinf(magnitude):
            raise ValueError(f"the {cls.__name__} of an ellipse of width zero is infinite")
        # Adding zero makes the components of a circle +0, so that its angle is 0 and not a right one.
        return cls(magnitude * math.cos(2 * theta) + 0.0, magnitude * math.sin(2 * theta) + 0.0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(e1={self.e1!r}, e2={self.e2!r})"


class Distortion(Ellipticity):
    """Ellipticity of magnitude (a^2 - b^2) / (a^2 + b^2), at most 1."""

    __slots__ = ()

    def _eta(self) -> float:
        return math.atanh(self.magnitude) if self.magnitude < 1 else math.inf

    @staticmethod
    def _magnitude(eta: float) -> float:
        return math.tanh(eta)

    @staticmethod
    def _slopes(eta: float) -> tuple[float, float]:
        sech = 1 / math.cosh(eta)
        return sech * sech, sech


class ReducedShear(Ellipticity):
    """Ellipticity of magnitude (a - b) / (a + b), at most 1."""

    __slots__ = ()

    def _eta(self) -> float:
        return 2 * math.atanh(self.magnitude) if self.magnitude < 1 else math.inf

    @staticmethod
    def _magnitude(eta: float) -> float:
        return math.tanh(0.5 * eta)

    @staticmethod
    def _slopes(eta: float) -> tuple[float, float]:
        slope = 0.5 / math.cosh(0.5 * eta) ** 2
        return slope, slope


class ConformalShear(Ellipticity):
    """Ellipticity of magnitude ln(a / b), unlimited."""

    __slots__ = ()
    limit = math.inf

    def _eta(self) -> float:
        return self.magnitude

    @staticmethod
    def _magnitude(eta: float) -> float:
        return eta

    @staticmethod
    def _slopes(eta: float) -> tuple[float, float]:
        return 1.0, eta / math.sinh(eta) if eta else 1.0


class Radius(Value):
    """The size of an ellipse in one number.

    Parameters
    ----------
    value : float
        A radius in pixels, not negative, or its natural logarithm.
    """

    __slots__ = ("value",)
    value: float

    def __init__(self, value: float):
        self._set(value=_not_negative(value, "value"))

    @property
    def radius(self) -> float:
        """The radius in pixels, of this kind but not its logarithm."""
        return self.value

    def _long_axis(self, eta: float) -> float:
        """Return the longer semi-axis of an ellipse of this radius and ln(a / b)."""
        raise NotImplementedError

    @staticmethod
    def _of(shape: _Shape) -> float:
        """Return the radius of an ellipse in pixels."""
        raise NotImplementedError

    @staticmethod
    def _change_by_eta(eta: float) -> tuple[float, float]:
        """Return the derivatives of 2 ln a and 2 ln b by ln(a / b) at this radius."""
        raise NotImplementedError

    @property
    def _log_slope(self) -> float:
        """Derivative of the logarithm of the radius by `value`."""
        return 1 / self.value

    @classmethod
    def _from_shape(cls, shape: _Shape) -> Self:
        return cls(cls._of(shape))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class DeterminantRadius(Radius):
    """Radius of the circle of the same area, sqrt(a b)."""

    __slots__ = ()

    def _long_axis(self, eta: float) -> float:
        if math.isinf(eta):
            raise ValueError("an ellipse of width zero has no size that its determinant radius could tell")
        return self.radius * math.exp(0.5 * eta)

    @staticmethod
    def _of(shape: _Shape) -> float:
        if math.isinf(shape.eta):
            raise ValueError("an ellipse of width zero has no size that its determinant radius could tell")
        return shape.determinant_radius

    @staticmethod
    def _change_by_eta(eta: float) -> tuple[float, float]:
        return 1.0, -1.0


class TraceRadius(Radius):
    """Root of half the trace of the second moments, sqrt((a^2 + b^2) / 2)."""

    __slots__ = ()

    def _long_axis(self, eta: float) -> float:
        return self.radius * math.sqrt(2 / (1 + math.exp(-2 * eta)))

    @staticmethod
    def _of(shape: _Shape) -> float:
        return shape.trace_radius

    @staticmethod
    def _change_by_eta(eta: float) -> tuple[float, float]:
        # 1 - tanh(eta) and -1 - tanh(eta), without cancellation.
        return 2 / (1 + math.exp(2 * eta)), -2 / (1 + math.exp(-2 * eta))


class _LogRadius(Radius):
    __slots__ = ()

    def __init__(self, value: float):
        value = as_finite(value, "value")
        if value > math.log(np.finfo(float).max):
            raise ValueError(f"value must be the logarithm of a finite radius, not {value}")
        self._set(value=value)

    @property
    def radius(self) -> float:
        """The radius in pixels, of this kind but not its logarithm."""
        return math.exp(self.value)

    @property
    def _log_slope(self) -> float:
        return 1.0

    @classmethod
    def _from_shape(cls, shape: _Shape) -> Self:
        radius = cls._of(shape)
        if radius == 0:
            raise ValueError("an ellipse of size zero has no logarithmic radius")
        return cls(math.log(radius))


class LogDeterminantRadius(_LogRadius, DeterminantRadius):
    """Natural logarithm of the determinant radius in pixels."""

    __slots__ = ()


class LogTraceRadius(_LogRadius, TraceRadius):
    """Natural logarithm of the trace radius in pixels."""

    __slots__ = ()


class Separable(_Core):
    """An ellipticity times a radius.

    Parameters
    ----------
    ellipticity : Distortion, ReducedShear or ConformalShear
        Axis ratio and direction.
    radius : DeterminantRadius, TraceRadius, LogDeterminantRadius or LogTraceRadius
        Size: a radius in pixels or its natural logarithm.

    Raises
    ------
    TypeError
        If an argument is of another class.
    ValueError
        If the ellipticity is that of a line, and the radius a determinant radius, which cannot tell its size.
    """

    __slots__ = ("ellipticity", "radius")
    ellipticity: Ellipticity
    radius: Radius

    def __init__(self, ellipticity: Ellipticity, radius: Radius):
        if not isinstance(ellipticity, (Distortion, ReducedShear, ConformalShear)):
            raise TypeError(f"ellipticity must be a Distortion, ReducedShear or ConformalShear, not {ellipticity!r}")
        if not isinstance(radius, (DeterminantRadius, TraceRadius)):
            raise TypeError(f"radius must be a (Log)DeterminantRadius or (Log)TraceRadius, not {radius!r}")
        radius._long_axis(ellipticity._eta())
        self._set(ellipticity=ellipticity, radius=radius)

    def _shape(self) -> _Shape:
        eta = self.ellipticity._eta()
        a = self.radius._long_axis(eta)
        return _Shape(a, a * math.exp(-eta), eta, self.ellipticity.theta)

    def _like(self, shape: _Shape) -> Self:
        return self._from_shape(type(self.ellipticity), type(self.radius), shape)

    def _factors(self, shape: _Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        along, across = self.ellipticity._slopes(shape.eta)
        long, short = self.radius._change_by_eta(shape.eta)
        size = 2 * self.radius._log_slope
        local = np.array([[long / along, 0, size], [short / along, 0, size], [0, 1 / across, 0]])
        turn = np.eye(3)
        turn[:2, :2] = _rotation(-2 * shape.theta)
        return local, turn

    @classmethod
    def _from_shape(cls, ellipticity: type[Ellipticity], radius: type[Radius], shape: _Shape) -> Self:
        _require_kind(ellipticity, (Distortion, ReducedShear, ConformalShear), "ellipticity")
        _require_kind(radius, (DeterminantRadius, TraceRadius), "radius")
        return cls(ellipticity._from_eta(shape.eta, shape.theta), radius._from_shape(shape))


def _require_kind(kind: Any, kinds: tuple[type, ...], name: str) -> None:
    if not (isinstance(kind, type) and issubclass(kind, kinds)):
        raise TypeError(f"{name} must be a class, {' or '.join(one.__name__ for one in kinds)}, not {kind!r}")


Core: TypeAlias = Axes | Quadrupole | Separable


# The ellipse


class Ellipse(Value):
    """An ellipse: a core and a centre.

    Methods that return an ellipse keep the kind of core.

    Parameters
    ----------
    core : Axes, Quadrupole or Separable
        Size, shape and direction.
    center : Point2D, Point2I or pair of float
        Centre ``(x, y)``, finite.

    Raises
    ------
    TypeError
        If `core` is no core, or `center` no point or pair of numbers.
    ValueError
        If `center` is not finite.
    """

    __slots__ = ("core", "center")
    core: Core
    center: Point2D

    def __init__(self, core: Core, center: Point | tuple[float, float] = (0.0, 0.0)):
        if not isinstance(core, _Core):
            raise TypeError(f"core must be Axes, Quadrupole or Separable, not {core!r}")
        x, y = as_any_pair(center, "center")
        self._set(core=core, center=Point2D(as_finite(x, "center.x"), as_finite(y, "center.y")))

    def _repr_svg_(self) -> str:
        from ._reprs import ellipse_svg

        return ellipse_svg(self)

    @classmethod
    def from_region(cls, region: EllipsePixelRegion | CirclePixelRegion) -> Self:
        """Return a `regions` ellipse (full widths, a Quantity for the angle) or circle, with `Axes`.

        Raises
        ------
        TypeError
            If `region` is neither.
        """
        from regions import CirclePixelRegion, EllipsePixelRegion

        if not isinstance(region, CirclePixelRegion | EllipsePixelRegion):
            raise TypeError(f"region must be an EllipsePixelRegion or a CirclePixelRegion, not {region!r}")
        center = Point2D.from_pixcoord(region.center)
        if isinstance(region, CirclePixelRegion):
            return cls(Axes(region.radius, region.radius), center)
        return cls(Axes(region.width / 2, region.height / 2, region.angle), center)

    def to_region(self) -> EllipsePixelRegion:
        """Return this ellipse as a `regions.EllipsePixelRegion`.

        Raises
        ------
        ValueError
            If the ellipse has no area.
        """
        from astropy.units import Quantity
        from regions import EllipsePixelRegion

        axes = self.core if isinstance(self.core, Axes) else self.core.to_axes()
        if axes.a == 0 or axes.b == 0:
            raise ValueError(f"an ellipse of area zero cannot be a region: {self!r}")
        angle = Quantity(axes.theta, "rad")
        return EllipsePixelRegion(self.center.to_pixcoord(), 2 * axes.a, 2 * axes.b, angle=angle)

    @property
    def area(self) -> float:
        """Area in square pixels, pi a b."""
        return self.core.area

    @property
    def determinant_radius(self) -> float:
        """Radius of the circle of the same area, sqrt(a b)."""
        return self.core.determinant_radius

    @property
    def trace_radius(self) -> float:
        """Root of half the trace of the second moments, sqrt((a^2 + b^2) / 2)."""
        return self.core.trace_radius

    @property
    def bbox(self) -> Box2D:
        """The box around the ellipse; empty for a line along an axis, as every box without area."""
        return Box2D.from_center_size(self.center, self.core.dimensions)

    def normalized(self) -> Self:
        """Return the same ellipse with its core in standard form; see `Axes.normalized`."""
        return type(self)(self.core.normalized(), self.center)

    def grown(self, buffer: float) -> Self:
        """Return the ellipse with `buffer`, in pixels, added to both semi-axes; errors are those of `Axes.grown`."""
        return type(self)(self.core.grown(buffer), self.center)

    def scaled(self, factor: float) -> Self:
        """Return the ellipse with both semi-axes multiplied by `factor`, about its own centre."""
        return type(self)(self.core.scaled(factor), self.center)

    def shifted(self, dx: float, dy: float) -> Self:
        """Return the ellipse moved by (`dx`, `dy`) pixels."""
        return type(self)(self.core, self.center + Extent2D(dx, dy))

    def transformed(self, transform: LinearTransform | AffineTransform) -> Self:
        """Return the image of the ellipse under a linear or affine map.

        The derivatives of its core are those of ``core.transformed_jacobians(transform)``; those of its centre,
        the matrix of the map and ``transform.parameter_jacobian(center)``.
        """
        return type(self)(self.core.transformed(transform), transform(self.center))

    def convolved(self, other: Ellipse) -> Self:
        """Return the ellipse of two Gaussians convolved: second moments add, and so do centres.

        Raises
        ------
        TypeError
            If `other` is no Ellipse.
        """
        if not isinstance(other, Ellipse):
            raise TypeError(f"other must be an Ellipse, not {other!r}")
        return type(self)(self.core.convolved(other.core), self.center + other.center.to_extent())

    def grid_transform(self) -> AffineTransform:
        """Return the map of this ellipse to the unit circle at the origin; see `Axes.grid_transform`."""
        linear = self.core.grid_transform()
        return AffineTransform(linear, -linear(self.center.to_extent()))

    def parametric(self, t: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the points ``(x, y)`` of the outline at ``t`` radians, centre + a cos t + b sin t.

        Both are of the shape of `t`.
        """
        axes = self.core if isinstance(self.core, Axes) else self.core.to_axes()
        along, across = axes.a * np.cos(t), axes.b * np.sin(t)
        cosine, sine = cos_sin(axes.theta)
        return (
            self.center.x + cosine * along - sine * across,
            self.center.y + sine * along + cosine * across,
        )

    def contains(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return whether points lie inside the ellipse or on its edge.

        A row at ``dy`` from the centre is cut at ``p dy +- sqrt(r - t dy^2)``, with ``p = xy / yy``,
        ``r = xx - xy p`` and ``t = r / yy`` of the second moments; that is exact on the edge where these are.

        Parameters
        ----------
        x, y : array_like
            Coordinates in pixels, of shapes that broadcast against each other.

        Returns
        -------
        bool or ndarray of bool
            One answer a point; NaN is in nothing.

        Raises
        ------
        TypeError
            If `x` or `y` is not of numbers, or of a unit that is not pixels.
        ValueError
            If one is masked, or shapes do not broadcast.
        """
        x, y = as_numbers(x, "x"), as_numbers(y, "y")
        left, right = self._chords(y)
        height = math.sqrt(self.core.to_quadrupole().yy)
        within = (y >= self.center.y - height) & (y <= self.center.y + height)
        return scalar_or_array(within & (x >= left) & (x <= right))

    def _chords(self, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of the chords at `y`, of its shape; beyond the ellipse they mean nothing."""
        core = self.core.to_quadrupole()
        dy = y - self.center.y
        slope, square, shrink = 0.0, core.xx, 0.0
        if core.yy > np.finfo(float).eps * core.xx:
            # By way of the determinant: xx - xy slope cancels for a thin ellipse.
            slope, square = core.xy / core.yy, core.determinant / core.yy
            shrink = square / core.yy
        half, middle = np.sqrt(np.maximum(square - shrink * dy * dy, 0)), self.center.x + slope * dy
        return middle - half, middle + half


def _not_negative(value: Any, name: str) -> float:
    number = as_finite(value, name)
    if number < 0:
        raise ValueError(f"{name} must not be negative, not {number}")
    return number


def _linear_part(transform: Any) -> LinearTransform:
    linear = transform.linear if isinstance(transform, AffineTransform) else transform
    if not isinstance(linear, LinearTransform):
        raise TypeError(f"transform must be a LinearTransform or an AffineTransform, not {transform!r}")
    return linear


def _differentiable(shape: _Shape) -> _Shape:
    low, high = _DIFFERENTIABLE
    if not (low <= min(shape.a, shape.b) and max(shape.a, shape.b) <= high):
        raise ValueError(
            f"an ellipse has derivatives if its semi-axes are from {low} to {high} pixels, not {shape.a}, {shape.b}"
        )
    return shape
