"""What shares a running system, a browser or a province is done by one process of a run, which starts it once.

Such a group waits for most of its time, so that a machine is half idle while all processes have one. Therefore one of
them does all other tests meanwhile.
pytest-xdist's own groups have no effect with pytest 9.2: findings/xdist_loadgroup.sh.
"""

from collections.abc import Iterator
from itertools import chain

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# in the order in which they are begun: what takes longest comes first
TOGETHER = {
    "test_run": "run",
    "browser/test_console": "console in a browser",
    "browser/test_screens": "",  # looks at files
    "browser/": "browser",
    "test_worker_faults": "worker faults",
    "test_faults": "faults",
    "test_attack": "attack",
    "test_bench": "bench",
}


class Together(LoadScopeScheduling):
    """Gives out the groups, never the last process to one, and beside them one test after the other."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.removeprefix("tests/")
        return next((group for start, group in TOGETHER.items() if path.startswith(start)), "") or nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(self._next(node), last=False)
        super()._assign_work_unit(node)

    def _next(self, node: WorkerController) -> str:
        """A group, unless it would be the last process; then another test, and a group when none is left."""
        others = sum(self._is_in_group(other) for other in self.nodes if other is not node)
        groups = (group for group in TOGETHER.values() if group in self.workqueue)
        tests = (scope for scope in self.workqueue if scope not in TOGETHER.values())
        choices: Iterator[str] = chain(groups, tests) if others < max(1, len(self.nodes) - 1) else chain(tests, groups)
        return next(choices)

    def _is_in_group(self, node: WorkerController) -> bool:
        mine = self.assigned_work[node]
        return any(not all(mine[group].values()) for group in TOGETHER.values() if group in mine)
