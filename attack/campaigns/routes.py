"""Every route with every caller and method, plainly and in some of the variants: `who_may.toml` alone says who may."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from app.api.authorization import ROUTE_ROLES
from attack.callers import Caller, gather, still_in
from attack.campaigns.targets import NOT_THERE, Targets, make_targets
from attack.campaigns.variants import BODIES, HEADERS, PATHS, PLAIN, Variant
from attack.sending import Line, Request
from attack.tally import Tally
from attack.trying import Try, send_all
from attack.world import World

_TABLE: Final = Path(__file__).parents[1] / "who_may.toml"
METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "JIXIANG")
_EXTRA: Final = ("/console", "/openapi/openapi.json", "/openapi", "/static/x", "/api/v1", "/api/v1/none", "/.env", "/")
_ENDINGS: Final = ("logout",)  # what ends the caller's own session is tried by `sessions`
_SEED: Final = 20200317
_VARIANTS: Final = 4  # of each caller, method and path, beside the plain request; others in turn


class Rule(NamedTuple):
    """Who may use a route, and whether only within their district."""

    may: frozenset[str]
    is_scoped: bool


def read_table() -> dict[tuple[str, str], Rule]:
    """The rule of each route, by method and path."""
    rules = {}
    for group in tomllib.loads(_TABLE.read_text(encoding="utf-8"))["routes"]:
        for route in group["open"]:
            method, _, path = route.partition(" ")
            rules[method, path] = Rule(frozenset(group["may"]), group.get("scoped", False))
    return rules


def run(world: World, tally: Tally) -> None:
    """Try everything, in an order that is random and the same each time. Raises Failed."""
    rules, callers = read_table(), gather(world)
    for route in sorted(ROUTE_ROLES.keys() ^ rules.keys()):
        tally.miss(f"{' '.join(route)} is not in who_may.toml, or no longer a route")
    served = _served(world)
    for path in sorted(served - {path for _, path in rules}):
        tally.miss(f"{path} is in the API document and not in who_may.toml")
    targets = make_targets(world, tally)
    for path in sorted({path.partition("<int:")[0] for _, path in rules if "<int:" in path}):
        if path not in targets.numbers and path not in NOT_THERE:
            tally.miss(f"there is nothing at {path} that could be reached")
    tries = list(make_tries(rules, callers, targets))
    Random(_SEED).shuffle(tries)
    tries.sort(key=lambda one: not one.is_plain)
    send_all(world, tally, tries)
    for caller in callers:
        if caller.roles and not still_in(world, caller):
            tally.miss(f"the session of {caller.name} ended on the way")


def _served(world: World) -> set[str]:
    """The paths of the API document, as the table writes them."""
    document = Line(world.hosts[0]).send(Request("GET", "/openapi/openapi.json")).json
    return set(document.get("paths", {}))


def make_tries(rules: Mapping[tuple[str, str], Rule], callers: Iterable[Caller], targets: Targets) -> Iterator[Try]:
    """Every caller, method and route, each plainly and in every variant that fits the method."""
    paths = sorted({path for _, path in (*rules, *ROUTE_ROLES)} | set(_EXTRA))
    for caller in callers:
        for path in paths:
            for method in METHODS:
                yield from _tries_of(caller, method, path, (rules.get((_as_get(method), path)), targets))


def _as_get(method: str) -> str:
    return "GET" if method == "HEAD" else method


def _tries_of(caller: Caller, method: str, path: str, known: tuple[Rule | None, Targets]) -> Iterator[Try]:
    rule, targets = known
    is_open = rule is not None and "anyone" in rule.may
    may = None if is_open or method == "OPTIONS" or path in _EXTRA else _may(caller, rule)
    if may and path.endswith(_ENDINGS):
        return
    is_changing = method not in ("GET", "HEAD", "OPTIONS")
    request = targets.request(method, path, caller, harmless=may is not False and is_changing)
    if may and is_changing and targets.is_missing(path):
        may = None  # there is nothing of this number
    for variant in (PLAIN, *_some_variants(caller, method, path)):
        allowed = may if variant.keeps_right or not may else None
        words = f"{caller.name}, {method} {path}, {variant.name}"
        yield Try(variant.change(request), allowed, words, variant is PLAIN)


def _some_variants(caller: Caller, method: str, path: str) -> list[Variant]:
    """The same each time, and others for each caller, method and path."""
    fitting = [*HEADERS, *PATHS, *(BODIES if method in ("POST", "PUT", "PATCH") else ())]
    return Random(f"{caller.name} {method} {path}").sample(fitting, _VARIANTS)


def _may(caller: Caller, rule: Rule | None) -> bool:
    if rule is None or not caller.roles & rule.may:
        return False
    return caller.is_here or not rule.is_scoped
