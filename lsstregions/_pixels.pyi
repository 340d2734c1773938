import numpy as np
from numpy.typing import NDArray

_Runs = NDArray[np.int32]
_Bytes = NDArray[np.uint8]

def paint(image: _Bytes, runs: _Runs, x0: int, y0: int, value: _Bytes) -> None: ...
def gather(image: _Bytes, runs: _Runs, x0: int, y0: int, size: int, values: _Bytes) -> None: ...
def add(
    image: NDArray[np.floating],
    runs: _Runs,
    x0: int,
    y0: int,
    values: NDArray[np.floating],
    sign: float,
) -> None: ...
def scatter(image: _Bytes, runs: _Runs, x0: int, y0: int, size: int, values: _Bytes) -> None: ...
