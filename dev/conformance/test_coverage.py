"""Every normative statement has a test or a reason why not; no test and no reason names one that does not exist."""

import importlib.util
import sys
from functools import cache
from pathlib import Path

import pytest
from statements import FOLDER

HERE = Path(__file__).resolve().parent
VERSIONS = ("v311", "v5")


def listed(version: str) -> set[str]:
    """The statements of a standard, as its own appendix lists them."""
    lines = (FOLDER / f"{version}.txt").read_text().splitlines()
    return {line.split(" | ")[0] for line in lines if line and not line.startswith("#")}


def reasons(version: str) -> dict[str, str]:
    """Statements that no test shows, and why."""
    found: dict[str, str] = {}
    for line in (FOLDER / "untested.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, reason = line.split(" | ", 1)
        of_version, name = name.split(" ")
        assert of_version in VERSIONS, line
        if of_version == version:
            assert name not in found, f"{version} {name} has two reasons"
            found[name] = reason.strip()
    return found


def version_of(path: Path) -> str:
    """Both standards have statements of the same numbers: a file's place says which of them it means."""
    return "v5" if "v5" in path.relative_to(HERE).parts or path.stem.endswith("_v5") else "v311"


def load(path: Path):
    """The module of a test file, apart from pytest's own copy."""
    name = "coverage_of_" + "_".join(path.relative_to(HERE).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def marked(marks) -> set[str]:
    """The statements in these marks, and in the rows of the tables among them."""
    found: set[str] = set()
    for mark in marks:
        if mark.name == "statement":
            found |= set(mark.args)
        if mark.name == "parametrize":
            for row in mark.args[1]:
                found |= marked(getattr(row, "marks", ()))
    return found


@cache
def shown(version: str) -> dict[str, str]:
    """The statements that tests show, with a test for each."""
    found: dict[str, str] = {}
    for path in sorted(HERE.rglob("test_*.py")):
        if path == Path(__file__).resolve() or version_of(path) != version:
            continue
        module = load(path)
        of_file = marked(pytestmark if isinstance(pytestmark := getattr(module, "pytestmark", []), list) else [pytestmark])
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value):
                for statement in of_file | marked(getattr(value, "pytestmark", [])):
                    found.setdefault(statement, f"{path.relative_to(HERE)}::{name}")
    return found


@pytest.mark.parametrize(("version", "count"), [("v311", 141), ("v5", 251)])
def test_the_list_is_whole(version, count):
    """Appendix B of 3.1.1 and of 5."""
    assert len(listed(version)) == count


@pytest.mark.parametrize("version", VERSIONS)
def test_every_statement_has_a_test_or_a_reason(version):
    missing = listed(version) - shown(version).keys() - reasons(version).keys()
    assert not missing, f"neither test nor reason: {sorted(missing)}"


@pytest.mark.parametrize("version", VERSIONS)
def test_no_test_shows_what_does_not_exist(version):
    unknown = {name: test for name, test in shown(version).items() if name not in listed(version)}
    assert not unknown


@pytest.mark.parametrize("version", VERSIONS)
def test_no_reason_stands_for_a_tested_statement_or_for_none(version):
    given = reasons(version)
    assert given.keys() <= listed(version), sorted(given.keys() - listed(version))
    assert not given.keys() & shown(version).keys(), "these have a test by now"
    assert all(len(reason) > 10 for reason in given.values())
