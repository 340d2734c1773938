"""What every test shares: hypothesis profiles and the way to the recorded data."""

import json
import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile(
    "default", max_examples=100, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("thorough", parent=hypothesis.settings.get_profile("default"), max_examples=10_000)
hypothesis.settings.load_profile(os.environ.get("LSSTREGIONS_HYPOTHESIS", "default"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder that holds ``golden/`` and ``data/``; skip the test where it is absent.

    It stands beside the checkout, or where the environment variable ``LSSTREGIONS_SHARED`` says. Under CI
    its absence is an error, so that these tests cannot be lost there unseen.
    """
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("LSSTREGIONS_SHARED", beside))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the recorded data is not at {folder}")
        pytest.skip("the recorded data is not on this machine")
    return folder


class Golden:
    """One file of golden vectors: iterate for the cases, index by ``case, field`` for the arrays."""

    def __init__(self, path: Path):
        self._file = np.load(path)
        self.meta = json.loads(str(self._file["meta"]))

    def __iter__(self):
        return iter(self.meta)

    def __call__(self, case: dict, field: str) -> np.ndarray:
        return self._file[f"{case['case']}/{field}"]

    def spans(self, case: dict, field: str) -> np.ndarray:
        """Return recorded spans as half-open runs (the record has inclusive ends)."""
        return self(case, field).astype(np.int32) + np.array([0, 0, 1], np.int32)

    def has(self, case: dict, field: str) -> bool:
        return f"{case['case']}/{field}" in self._file


@pytest.fixture(scope="session")
def golden(shared):
    """Return a function that opens a file of golden vectors by its name."""
    return lambda name: Golden(shared / "golden" / f"{name}.npz")
