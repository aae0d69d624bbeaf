"""What shares a running system, a browser or a province is done by one process of a run, which starts it once.

Such a group waits for most of its time, so that a machine is half idle while all processes have one. Therefore one of
them, and two of five or six, do all other tests meanwhile.
pytest-xdist's own groups have no effect with pytest 9.2: findings/xdist_loadgroup.sh.
"""

from collections.abc import Iterator
from itertools import chain

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# the group of each test, by the first beginning of its name that fits
TOGETHER = {
    "test_run.py::test_ctrl_c": "runs of their own",
    "test_run.py::test_the_end_of_the_service": "runs of their own",
    "test_run.py::test_two_provinces": "runs of their own",
    "test_run": "run",
    "browser/test_accessibility": "console and pages",
    "browser/test_console": "console and pages",
    "browser/test_pages": "console and pages",
    "browser/test_screens": "",  # looks at files
    "browser/": "browser",
    "test_worker_faults": "worker faults",
    "test_broken_and_attacked": "broken and attacked",
    "test_bench": "bench",
    "cluster/": "cluster",
}
# in the order in which they are begun: what takes longest comes first
GROUPS = (
    "run", "browser", "console and pages", "runs of their own", "worker faults", "broken and attacked", "bench",
    "cluster",
)  # fmt: skip

# What waits for nothing is done by so many processes in the end, each on a core of its own (tests/support/pinning.py):
# on two cores more of them need more of the processor for the same tests.
ENOUGH = 3

# waits for nothing, but reads all of the project's modules once in each process
BY_MODULE = ("test_packages", "test_glossary", "test_log_events", "core/test_texts")


class Together(LoadScopeScheduling):
    """Gives out the groups, never all processes to them, and beside them one test after the other."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.removeprefix("tests/")
        group = next((group for start, group in TOGETHER.items() if path.startswith(start)), "")
        return group or (nodeid.partition("::")[0] if path.startswith(BY_MODULE) else nodeid)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Forget a scope that is done: all that a process was given are counted after each test."""
        super().mark_test_complete(node, item_index, duration)
        mine = self.assigned_work[node]
        scope = self._split_scope(self.registered_collections[node][item_index])
        if all(mine[scope].values()):
            del mine[scope]

    def _reschedule(self, node: WorkerController) -> None:
        """End a process that nothing but tests without waiting is left for, while others do them: see `ENOUGH`."""
        others = sum(not other.shutting_down for other in self.nodes if other is not node)
        if others >= ENOUGH and not any(group in self.workqueue for group in GROUPS) and not self._is_in_group(node):
            node.shutdown()
        else:
            super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(self._next(node), last=False)
        super()._assign_work_unit(node)

    def _next(self, node: WorkerController) -> str:
        """A group, unless too few processes would do the rest; then another test, and a group when none is left."""
        others = sum(self._is_in_group(other) for other in self.nodes if other is not node)
        most = max(1, len(self.nodes) - max(1, len(self.nodes) * 2 // 5))
        groups = (group for group in GROUPS if group in self.workqueue)
        tests = (scope for scope in self.workqueue if scope not in GROUPS)
        choices: Iterator[str] = chain(groups, tests) if others < most else chain(tests, groups)
        return next(choices)

    def _is_in_group(self, node: WorkerController) -> bool:
        mine = self.assigned_work[node]
        return any(not all(mine[group].values()) for group in GROUPS if group in mine)
