"""Every fault, in the order of the table."""

from faults.cases import clocks, cluster, database, disks, partners, pools, processes, redis, standby
from faults.rounds import Case

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        *redis.CASES,
        *cluster.CASES,
        *pools.CASES,
        *processes.CASES,
        *partners.CASES,
        *disks.CASES,
        *clocks.CASES,
        *database.CASES,
        *standby.CASES,
    )
}
