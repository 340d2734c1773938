import numpy as np
from numpy.typing import NDArray

_Bytes = NDArray[np.uint8]

def scan(
    image: _Bytes,
    dtype: np.dtype,
    threshold: _Bytes,
    mask: _Bytes | None,
    beyond: bool,
    negative: bool,
    peaks: bool,
    connectivity: int,
    start: int,
    stop: int,
    x0: int,
    y0: int,
    level: int = 2,
) -> tuple[_Bytes, _Bytes, _Bytes, _Bytes]: ...
def join(
    below: NDArray[np.int32], above: NDArray[np.int32], first: int, parent: NDArray[np.int32], connectivity: int
) -> None: ...
def number(parent: NDArray[np.int32]) -> int: ...
