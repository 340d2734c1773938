import numpy as np
from numpy.typing import NDArray

_Runs = NDArray[np.int32]
_Offsets = NDArray[np.int64]
_Doubles = NDArray[np.float64]
_Many = tuple[_Runs, _Offsets]

def limits(columns: _Doubles) -> _Doubles: ...
def reach(columns: _Doubles, y_start: float, y_stop: float) -> tuple[float, float, float, float, float]: ...
def reach_of_points(
    x: _Doubles, y: _Doubles, offsets: _Offsets, y_start: float, y_stop: float
) -> tuple[float, float, float, float, float]: ...
def shapes(kind: int, columns: _Doubles, x_start: int, x_stop: int, y_start: int, y_stop: int) -> _Many: ...
def polygons(
    x: _Doubles,
    y: _Doubles,
    rings: _Offsets,
    parts: _Offsets,
    x_start: int,
    x_stop: int,
    y_start: int,
    y_stop: int,
) -> _Many: ...
def lines(
    x: _Doubles,
    y: _Doubles,
    x_end: _Doubles,
    y_end: _Doubles,
    x_start: int,
    x_stop: int,
    y_start: int,
    y_stop: int,
) -> _Many: ...
def subtract_each(runs: _Runs, offsets: _Offsets, cut: _Runs) -> _Many: ...
