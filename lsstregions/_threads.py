"""Calls shared by several threads."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_all(calls: Sequence[Callable[[], Any]], n_threads: int) -> list[Any]:
    """Return what each call returns; this thread is one of those that share them."""
    n_threads = min(n_threads, len(calls))
    if n_threads < 2:
        return [call() for call in calls]
    results: dict[int, Any] = {}
    left = deque(enumerate(calls))

    def work() -> None:
        while True:
            try:
                i, call = left.popleft()
            except IndexError:
                return
            results[i] = call()

    # New threads begin with new memory, the touch of which is dear: as few of them as possible.
    with ThreadPoolExecutor(n_threads - 1) as pool:
        helpers = [pool.submit(work) for _ in range(n_threads - 1)]
        work()
    for helper in helpers:
        helper.result()
    return [results[i] for i in range(len(calls))]
