"""The colours of mask planes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .masks import MaskSchema

#: The customary colours of LSST's displays, by plane.
LSST_COLORS = {
    "BAD": "#ff0000",
    "SAT": "#00ff00",
    "SATURATED": "#00ff00",
    "INTRP": "#008000",
    "INTERPOLATED": "#008000",
    "CR": "#ff00ff",
    "COSMIC_RAY": "#ff00ff",
    "EDGE": "#ffff00",
    "DETECTION_EDGE": "#ffff00",
    "DETECTED": "#0000ff",
    "DETECTED_NEGATIVE": "#00ffff",
    "SUSPECT": "#ffd700",
    "NO_DATA": "#ffa500",
    "VIGNETTED": "#d2b48c",
    "STREAK": "#9400d3",
    "CROSSTALK": "#808000",
    "UNMASKEDNAN": "#ff1493",
    "UNMASKED_NAN": "#ff1493",
    "MASKED": "#ff0000",
}

#: Ten colours that colour-blind people can tell apart (M. A. Petroff 2021, arXiv:2107.02270).
COLORBLIND_COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)


def _color(i: int) -> str:
    """Return the colour of the i-th of many planes."""
    rounds, which = divmod(i, len(COLORBLIND_COLORS))
    red, green, blue = (int(int(COLORBLIND_COLORS[which][k : k + 2], 16) * 0.6**rounds) for k in (1, 3, 5))
    return f"#{red:02x}{green:02x}{blue:02x}"


def plane_colors(schema: "MaskSchema", colors: str | Mapping[str, Any] = "lsst") -> dict[str, Any]:
    """Return a colour for each plane of a schema.

    Parameters
    ----------
    schema : MaskSchema
    colors : {"lsst", "colorblind"} or dict, optional
        LSST's customary colours, and the others for planes of other names; ten colours that colour-blind people can
        tell apart, in the order of the planes, then darker ones of these; or colours by plane, and LSST's for those
        not given.

    Returns
    -------
    dict
        From the name of a plane to a colour, as matplotlib and CSS take it.

    Raises
    ------
    KeyError
        If a colour is given for a plane that is not there.
    ValueError
        If `colors` is another string.
    """
    if isinstance(colors, Mapping):
        unknown = [name for name in colors if name not in schema]
        if unknown:
            raise KeyError(f"no plane {unknown[0]!r}; the planes are {', '.join(schema.names)}")
        return plane_colors(schema) | dict(colors)
    in_order = {name: _color(i) for i, name in enumerate(schema.names)}
    if colors == "colorblind":
        return in_order
    if colors != "lsst":
        raise ValueError(f"colors must be 'lsst', 'colorblind' or a dict, not {colors!r}")
    return {name: LSST_COLORS.get(name, color) for name, color in in_order.items()}
