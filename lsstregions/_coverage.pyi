import numpy as np
from numpy.typing import NDArray

_Doubles = NDArray[np.float64]
_Offsets = NDArray[np.int64]
_Pieces = tuple[NDArray[np.int32], _Doubles, _Offsets]

def conics(columns: _Doubles, x_start: int, x_stop: int, y_start: int, y_stop: int) -> _Pieces: ...
def polygons(
    x: _Doubles,
    y: _Doubles,
    rings: _Offsets,
    parts: _Offsets,
    holes: NDArray[np.uint8],
    origins: _Doubles,
    x_start: int,
    x_stop: int,
    y_start: int,
    y_stop: int,
) -> _Pieces: ...
def winds_once(x: _Doubles, y: _Doubles, rings: _Offsets) -> NDArray[np.uint8]: ...
def spread(spans: NDArray[np.int32], weights: _Doubles) -> tuple[NDArray[np.int32], _Doubles]: ...
def sums(
    image: NDArray[np.floating],
    variance: NDArray[np.floating],
    mask: NDArray[np.uint8],
    spans: NDArray[np.int32],
    weights: _Doubles,
    offsets: _Offsets,
    x0: int,
    y0: int,
) -> _Doubles: ...
def conic_sums(
    image: NDArray[np.floating],
    variance: NDArray[np.floating],
    mask: NDArray[np.uint8],
    columns: _Doubles,
    x0: int,
    y0: int,
) -> _Doubles: ...
