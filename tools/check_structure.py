"""Check the structure of the code: no package knots, no crowded folder, no duplicate class name, no long signature.

Run by `make check`. Prints one line for each fault and exits 1 when there is any. The limits and the few exceptions are
in `[tool.structure]` of pyproject.toml.
"""

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["structure"]


class Module(NamedTuple):
    """One module: its path below the root, its dotted name and its syntax tree."""

    path: Path
    name: str
    tree: ast.Module


def modules(folder: str) -> list[Module]:
    """Return every module below a folder, but for the generated and dated ones."""
    found = []
    for file in sorted((ROOT / folder).rglob("*.py")):
        path = file.relative_to(ROOT)
        if "versions" not in path.parts:
            name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
            found.append(Module(path, name, ast.parse(file.read_text(encoding="utf-8"))))
    return found


def imports(module: Module) -> Iterator[str]:
    """Yield the dotted names that a module imports, also those for type checkers alone and those within functions."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def knots(found: Iterable[Module]) -> Iterator[str]:
    """Yield a line for the first circle of packages that import each other."""
    graph: dict[str, set[str]] = defaultdict(set)
    for module in found:
        package = _package(module.name)
        if package in ("app", "app.__main__"):  # the assembly and the entry point stand above all packages
            continue
        graph[package] |= {_package(name) for name in imports(module) if name.startswith("app.")} - {package, "app"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"packages import each other in a circle: {' -> '.join(reversed(error.args[1]))}"


def _package(name: str) -> str:
    return ".".join(name.split(".")[:2])


def crowded_folders(found: Iterable[Module]) -> Iterator[str]:
    """Yield a line for each folder with more modules than the limit."""
    folders: dict[Path, int] = defaultdict(int)
    for module in found:
        folders[module.path.parent] += module.path.name != "__init__.py"
    most = SETTINGS["modules_in_a_folder"]
    yield from (f"{folder}: {number} modules, at most {most}" for folder, number in folders.items() if number > most)


def duplicate_classes(found: Iterable[Module]) -> Iterator[str]:
    """Yield a line for each public class name that two packages define, or two modules where it is one of the API.

    The document of the API has one schema of a name: a second model would be described by the first.
    """
    homes: dict[str, set[str]] = defaultdict(set)
    for module in found:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(module.name)
    for name, names in sorted(homes.items()):
        places = names if name.endswith("Out") else {_package(home) for home in names}
        if len(places) > 1:
            yield f"class {name} is defined in {' and '.join(sorted(names))}"


def long_signatures(found: Iterable[Module]) -> Iterator[str]:
    """Yield a line for each function with more parameters than the limit, but for those in the list of exceptions."""
    most, exceptions = SETTINGS["parameters_of_a_function"], set(SETTINGS["long_signatures"])
    for module in found:
        for name, function in _functions(module.tree):
            number = sum(1 for _ in _parameters(function))
            full = f"{module.name}:{name}"
            if number > most and full not in exceptions:
                yield f"{module.path}:{function.lineno}: {name} has {number} parameters, at most {most}"
            elif number <= most and full in exceptions:
                yield f"pyproject.toml: {full} needs no exception any more"


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            yield from _functions(node, f"{prefix}{node.name}.")
        else:
            yield from _functions(node, prefix)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the parameters of a function that is called from code; a command's options come from a command line."""
    if any("option" in ast.unparse(line) or "command" in ast.unparse(line) for line in function.decorator_list):
        return
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    yield from (argument.arg for argument in named if argument.arg not in ("self", "cls"))


def main() -> int:
    """Print every fault; return 1 when there is one."""
    app = modules("app")
    faults = [*knots(app), *crowded_folders(app), *duplicate_classes(app), *long_signatures(app)]
    for folder in SETTINGS["also_crowded"]:
        faults += crowded_folders(modules(folder))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
