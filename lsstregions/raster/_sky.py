"""Sky coordinates of many regions to pixels, in a few calls of the WCS for all of them.

How a shape's size and angle on the sky become pixels follows `regions`: from one-pixel steps at the shape's centre.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord, UnitSphericalRepresentation
from numpy.typing import NDArray

from .._ragged import offsets_of
from .._wcs import as_celestial
from ._dispatch import needed, unprojectable_error
from ._shapes import Doubles, Offsets

_ARCSEC = np.degrees(1) * 3600

# In degrees: much more than iterations and fits miss where they do converge, much less than where they do not.
_ASTRAY = 10 / 3600


def gathered(quantities: Sequence[Any], unit: str) -> Doubles:
    """Return the values of many scalar or array quantities, one after another, in one unit."""
    if any(hasattr(kind, "unmasked") for kind in set(map(type, quantities))):
        # What is masked is not known.
        quantities = [u.Quantity(np.where(getattr(q, "mask", False), np.nan, q.value), q.unit) for q in quantities]
    factors: dict[Any, float] = {}
    units = [quantity.unit for quantity in quantities]
    for other in units:
        if id(other) not in factors:
            factors[id(other)] = other.to(unit)
    sizes = [quantity.size for quantity in quantities]
    if max(sizes, default=1) == 1 == min(sizes, default=1):
        values = np.array([np.ndarray.item(quantity) for quantity in quantities], dtype=np.float64)
    else:
        values = np.concatenate([np.ravel(quantity.value) for quantity in quantities])
    if len(factors) == 1:
        return values * next(iter(factors.values()))
    return values * np.repeat([factors[id(other)] for other in units], sizes)


class Projection:
    """Where one coordinate attribute of many regions falls, and how the sky is laid out there.

    Parameters
    ----------
    regions : sequence
        Sky regions of one class.
    name : str
        Their attribute: a `~astropy.coordinates.SkyCoord`, scalar or an array.
    wcs : object
        A celestial WCS of the shared interface (APE 14).

    Raises
    ------
    TypeError
        If `wcs` is no WCS.
    ValueError
        If there is no WCS, if it is not celestial or not of two dimensions, or if a point does not project: the error
        names its region.
    """

    __slots__ = ("offsets", "regions", "skies", "wcs", "x", "y")

    regions: Sequence[Any]
    x: Doubles
    y: Doubles
    offsets: Offsets  # of the coordinates of each region
    skies: list[tuple[Any, SkyCoord]]  # the coordinates of each frame, and their places among all

    def __init__(self, regions: Sequence[Any], name: str, wcs: Any):
        self.regions = regions
        self.wcs = as_celestial(needed(wcs, regions[0]), "wcs")
        coords = [getattr(region, name) for region in regions]
        self.offsets = offsets_of([coord.size for coord in coords])
        self.x, self.y = np.empty((2, self.offsets[-1]))
        self.skies = _by_frame(coords, self.offsets)
        for places, sky in self.skies:
            self.x[places], self.y[places] = self.wcs.world_to_pixel(sky)
        lost = ~(np.isfinite(self.x) & np.isfinite(self.y))
        if getattr(self.wcs, "has_distortion", True):
            lost |= self._are_astray()
        if lost.any():
            which = np.unique(np.searchsorted(self.offsets, np.flatnonzero(lost), side="right") - 1)
            raise unprojectable_error(regions, which.tolist())

    def _are_astray(self) -> NDArray[np.bool_]:
        """Return which points lead elsewhere on the sky: far off an image, distortions cannot be inverted."""
        astray = np.zeros(self.x.size, bool)
        back = self.wcs.pixel_to_world(self.x, self.y)
        for places, sky in self.skies:
            astray[places] = sky.separation(back[places]).deg > _ASTRAY
        return astray

    def _steps(self) -> tuple[Doubles, Doubles]:
        """Return how far on the sky, in arcsec, and in which direction one pixel further in x and in y is, (2, n).

        Where the sky ends it is a pixel back, the other way round.
        """
        sky = self.wcs.pixel_to_world(self.x + np.array([[0], [1], [0]]), self.y + np.array([[0], [0], [1]]))
        lengths, directions = _from_to(sky[0], sky[1:])
        lost = ~np.isfinite(lengths)
        if lost.any():
            some = lost.any(axis=0)
            back = self.wcs.pixel_to_world(self.x[some] - np.array([[1], [0]]), self.y[some] - np.array([[0], [1]]))
            back_lengths, back_directions = _from_to(sky[0][some], back)
            lengths[:, some] = np.where(lost[:, some], back_lengths, lengths[:, some])
            directions[:, some] = np.where(lost[:, some], back_directions + np.pi, directions[:, some])
        nowhere = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)).all(axis=0))
        if nowhere.size:
            raise unprojectable_error(self.regions, nowhere.tolist())
        return lengths, directions

    def north(self) -> Doubles:
        """Return the position angle, radians in the frame of the WCS, of the north of each point's own frame."""
        angle = np.zeros(self.x.size)
        frame = self.wcs.pixel_to_world(self.x[:1], self.y[:1]).frame
        for places, sky in self.skies:
            if not sky.is_equivalent_frame(frame):
                further = sky.directional_offset_by(0 * u.deg, 1 * u.arcsec)
                angle[places] = sky.transform_to(frame).position_angle(further.transform_to(frame)).rad
        return angle

    def scale(self) -> Doubles:
        """Return the pixels per arcsec at each point, the same in all directions."""
        if getattr(self.wcs, "has_distortion", True):
            return np.asarray(np.linalg.svd(self.jacobian(), compute_uv=False).mean(axis=-1), np.float64)
        lengths, _ = self._steps()
        return np.asarray(1 / np.sqrt(lengths[0] * lengths[1]), np.float64)

    def jacobian(self) -> Doubles:
        """Return the matrices d(pixel)/d(sky), in pixels per arcsec, of shape (n, 2, 2); the sky is (east, north)."""
        lengths, directions = self._steps()
        forward = np.empty((self.x.size, 2, 2))
        forward[:, 0] = (lengths * np.sin(directions)).T
        forward[:, 1] = (lengths * np.cos(directions)).T
        return np.asarray(np.linalg.inv(forward), np.float64)


def _from_to(here: SkyCoord, there: SkyCoord) -> tuple[Doubles, Doubles]:
    """Return the distances in arcsec and the position angles in radians from points to others, (2, n)."""
    distance, direction = here.separation(there).rad * _ARCSEC, here.position_angle(there).rad
    return np.array(distance, np.float64), np.array(direction, np.float64)


def axes_on_image(
    jacobian: Doubles, width: Doubles, height: Doubles, angle: Doubles
) -> tuple[Doubles, Doubles, Doubles]:
    """Return the full width, height (pixels) and angle (radians) of shapes from those on the sky (arcsec, radians).

    Angles on the sky are from east, on the image from +x. The shape's axes are those of the ellipse that the
    local, linear map makes of it.
    """
    # From the longitude axis to a position angle from north.
    angle = angle - np.pi / 2
    sin, cos = np.sin(angle), np.cos(angle)
    on_sky = np.array([[width * sin, height * cos], [width * cos, -height * sin]]).transpose(2, 0, 1) / 2
    on_image = jacobian @ on_sky
    directions, lengths, _ = np.linalg.svd(on_image)
    along = on_image[:, :, 0]
    # Which of the principal axes is the width: the one that points more its way.
    turned = np.abs(_dot(directions[:, :, 0], along)) < np.abs(_dot(directions[:, :, 1], along))
    major = np.where(turned[:, None], directions[:, :, 1], directions[:, :, 0])
    major *= np.where(_dot(major, along) < 0, -1, 1)[:, None]
    # A round shape has no principal axis: its width stays where it is.
    major = np.where(np.isclose(width, height)[:, None], along, major)
    new_width, new_height = np.where(turned, lengths.T[::-1], lengths.T) * 2
    return new_width, new_height, np.arctan2(major[:, 1], major[:, 0])


def _dot(a: Doubles, b: Doubles) -> Doubles:
    return (a * b).sum(axis=-1)


def _by_frame(coords: Sequence[SkyCoord], offsets: Offsets) -> list[tuple[Any, SkyCoord]]:
    """Join the coordinates of each frame: pairs of their places among all and the joined coordinate."""
    kinds: list[tuple[Any, list[int]]] = []
    frames = [coord.frame for coord in coords]
    for i, frame in enumerate(frames):
        for other, members in kinds:
            if frame is other or (type(frame) is type(other) and frame.is_equivalent_frame(other)):
                members.append(i)
                break
        else:
            kinds.append((frame, [i]))
    joined = []
    for frame, members in kinds:
        data = [frames[i].data for i in members]
        data = [part if hasattr(part, "lon") else part.represent_as(UnitSphericalRepresentation) for part in data]
        lon, lat = (gathered([getattr(part, name) for part in data], "deg") for name in ("lon", "lat"))
        sky = SkyCoord(lon * u.deg, lat * u.deg, frame=frame.replicate_without_data())
        places = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in members]) if len(kinds) > 1 else ...
        joined.append((places, sky))
    return joined
