"""A package says in `__all__` what may be imported from it; where it is empty, its modules are imported directly."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [path.parent for path in sorted((ROOT / "app").rglob("__init__.py")) if "migrations" not in path.parts]
IDS = [path.relative_to(ROOT).as_posix().replace("/", ".") for path in PACKAGES]


def body(package: Path) -> list[ast.stmt]:
    return ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body


def exported(package: Path) -> list[str]:
    """The names in `__all__`."""
    for node in body(package):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    pytest.fail(f"{package.relative_to(ROOT)}/__init__.py has no __all__")


def bound(package: Path) -> Iterator[str]:
    """The names that the package defines or imports."""
    for node in body(package):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                yield from (alias.asname or alias.name for alias in names)


@cache
def imports() -> list[tuple[str, str, str]]:
    """Every `from package import name` of this project: the package, the name, the file."""
    old = ROOT / "tests/compatibility/make_dump.py"  # is run by the code of 0.1.0
    paths = [*(ROOT / "app").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    return [
        (node.module, alias.name, str(path.relative_to(ROOT)))
        for path in paths
        if path != old
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        for alias in node.names
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=IDS)
def test_a_package_has_every_name_that_it_exports_once(package: Path) -> None:
    names = exported(package)
    assert len(names) == len(set(names))
    assert set(names) <= set(bound(package))


@pytest.mark.parametrize(("package", "name"), [*zip(PACKAGES, IDS, strict=True)], ids=IDS)
def test_nobody_imports_from_a_package_what_it_does_not_export(package: Path, name: str) -> None:
    allowed = set(exported(package)) | {path.stem for path in package.iterdir()}  # or one of its modules
    wrong = [(wanted, where) for source, wanted, where in imports() if source == name and wanted not in allowed]
    assert not wrong


def test_the_types_of_the_package_are_published() -> None:
    assert (ROOT / "app/py.typed").exists()
