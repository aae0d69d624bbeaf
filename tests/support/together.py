"""What shares a running system, a browser or a province is done by one process of a run, which starts it once.

pytest-xdist's own groups have no effect with pytest 9.2: findings/xdist_loadgroup.sh.
"""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "browser/test_console": "console in a browser",
    "browser/test_screens": "",  # looks at files
    # half of the rest: a system of its own
    "browser/test_a": "pages in a browser",
    "browser/test_p": "pages in a browser",
    "browser/": "browser",
    "test_run": "run",
    "test_bench": "bench",
    "test_worker_faults": "worker faults",
    "test_faults": "faults",
    "test_attack": "attack",
}


class Together(LoadScopeScheduling):
    """Gives out the groups first, the largest before the others, and then one test after the other."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.removeprefix("tests/")
        return next((group for start, group in TOGETHER.items() if path.startswith(start)), "") or nodeid
