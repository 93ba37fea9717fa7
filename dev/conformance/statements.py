"""`@statement("MQTT-3.1.2-24")` says which normative statements of the standard a test shows; its pytest id then carries them."""

from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent / "statements"


def statement(*ids: str) -> Callable:
    """Marks a test with the statements that it shows. One in MQTT 5's folder means MQTT 5's statement, else 3.1.1's."""
    return pytest.mark.statement(*ids)


def shown_by(item) -> list[str]:
    """The statements that a collected test or its definition is marked with, each once, nearest mark first."""
    found = [name for mark in item.iter_markers("statement") for name in mark.args]
    return list(dict.fromkeys(found))


def case(name: str, *values: object, shows: str | tuple[str, ...] = ()):
    """One row of a table: its name, its values, and the statements that it shows, which stand in its id."""
    shown = (shows,) if isinstance(shows, str) else shows
    return pytest.param(*values, id=" ".join((name, *shown)), marks=[statement(*shown)] if shown else [])
