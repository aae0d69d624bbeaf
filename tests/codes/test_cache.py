"""The color cache: 16 bytes a code, and an older record never replaces a newer one."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import RedisError

from app.codes.cache.records import (
    NEVER,
    RECORD_SIZE,
    RECORDS_PER_KEY,
    CacheRecord,
    cache_key,
    cache_offset,
    make_record,
    pack,
    unpack,
)
from app.codes.models import Code
from app.codes.states import State
from app.runtime import Services
from tests.support.clock import START
from tests.support.codes import without_redis
from tests.support.examples import examples

WRITTEN = [state for state in State if state != State.EMPTY]
MINUTE = int(START.timestamp()) // 60

records = st.builds(
    CacheRecord,
    state=st.sampled_from(WRITTEN),
    rule=st.integers(0, 255),
    epoch=st.integers(0, 65_535),
    version=st.integers(1, 2**32 - 1),
    since_minute=st.integers(0, 2**32 - 1),
    until_minute=st.integers(0, 2**32 - 1),
)
on_one_server = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def record(version: int, state: State = State.GREEN) -> CacheRecord:
    return CacheRecord(state, rule=10, epoch=1, version=version, since_minute=MINUTE, until_minute=NEVER)


# --- the record ---------------------------------------------------------------------------------------------------


@given(records)
def test_a_record_is_16_bytes_and_comes_back_as_it_was(given_record: CacheRecord) -> None:
    data = pack(given_record)
    assert len(data) == RECORD_SIZE == 16
    assert unpack(data) == given_record


@pytest.mark.parametrize("data", [b"", bytes(16), b"\x03" * 15, b"\x63" * 16])
def test_nothing_half_a_record_and_an_unknown_state_mean_that_the_database_is_asked(data: bytes) -> None:
    found = unpack(data)
    assert found.state == State.EMPTY
    assert not found.is_fresh(START)


def test_a_record_is_believed_before_the_minute_in_which_the_clock_can_change_the_color() -> None:
    due = START + timedelta(minutes=10, seconds=30)
    code = Code(state=State.GREEN, rule="GREEN-VERIFIED", epoch=1, version=2, since=START, due_at=due)
    found = make_record(code, ("GREEN-VERIFIED",))
    assert found.is_fresh(START + timedelta(minutes=9, seconds=59))
    assert not found.is_fresh(START + timedelta(minutes=10))
    assert record(1).is_fresh(START + timedelta(days=9999)), "what no clock ends is believed until it is replaced"


# --- newer replaces older -----------------------------------------------------------------------------------------


@on_one_server
@given(st.lists(records, min_size=1, max_size=8))
def test_in_whatever_order_records_come_the_newest_stays(services: Services, some: list[CacheRecord]) -> None:
    services.cache.drop()
    newest = some[0]
    for one in some:
        written = services.cache.put([(7, one)])
        assert written == (one is some[0] or one.version > newest.version)
        newest = max(newest, one, key=lambda known: known.version)  # of two with one version, the first stays
        assert services.cache.get(7) == newest


@on_one_server
@given(st.dictionaries(st.integers(1, 3 * RECORDS_PER_KEY), records, min_size=1, max_size=30), st.data())
def test_a_record_never_touches_its_neighbors(
    services: Services, some: dict[int, CacheRecord], data: st.DataObject
) -> None:
    services.cache.drop()
    assert services.cache.put(some.items()) == len(some)
    serial = data.draw(st.sampled_from(sorted(some)))
    services.cache.put([(serial, some[serial]._replace(version=2**32 - 1, state=State.RED))])
    others = {number for known in some for number in (known, max(known - 1, 0), known + 1)} - {serial}
    for other in others:
        assert services.cache.get(other) == some.get(other, unpack(b""))
    services.cache.forget([serial])
    assert services.cache.get(serial) == unpack(b"")
    assert {known: services.cache.get(known) for known in some if known != serial} == {
        known: one for known, one in some.items() if known != serial
    }


def test_versions_are_compared_as_numbers(services: Services) -> None:
    for version in (127, 128, 255, 256, 32_768, 65_536, 2**31 - 1, 2**31, 2**32 - 1):
        assert services.cache.put([(1, record(version))]) == 1
        assert services.cache.put([(1, record(version - 1, State.RED))]) == 0
        assert services.cache.put([(1, record(version, State.RED))]) == 0, "a version says one thing only"
        assert services.cache.get(1) == record(version)


def test_from_many_threads_the_newest_record_stays_and_no_reader_sees_an_older_one_after_it(
    services: Services,
) -> None:
    serials, versions = (5, 6, RECORDS_PER_KEY - 1, RECORDS_PER_KEY), 60

    def write(seed: int) -> int:
        writes = [(serial, record(version)) for serial in serials for version in range(1, versions + 1)]
        random.Random(seed).shuffle(writes)
        return sum(services.cache.put([one]) for one in writes)

    def read(serial: int) -> list[int]:
        return [services.cache.get(serial).version for _ in range(250)]

    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(write, seed) for seed in range(6)]
        reading = [pool.submit(read, serial) for serial in serials]
    assert [services.cache.get(serial).version for serial in serials] == [versions] * 4
    assert sum(done.result() for done in writing) <= versions * len(serials), "each version is written once at most"
    for done in reading:
        assert done.result() == sorted(done.result())


# --- the strings --------------------------------------------------------------------------------------------------


def test_a_full_string_takes_16_bytes_a_code_and_next_to_nothing_more(services: Services) -> None:
    for serial in range(0, RECORDS_PER_KEY, 61):  # one after the other, as citizens register
        services.cache.put([(serial, record(1))])
    services.cache.put((serial, record(1)) for serial in range(RECORDS_PER_KEY))
    taken = services.redis.memory_usage(services.cache.key_of(0), samples=0)
    assert isinstance(taken, int)
    assert RECORDS_PER_KEY * 16 <= taken <= RECORDS_PER_KEY * 16 + 200


def test_serials_stand_one_after_the_other_in_strings_just_under_64_kib() -> None:
    assert (RECORDS_PER_KEY, cache_key(4091), cache_offset(4091)) == (4092, "jx:codes:0", 65_456)
    assert (cache_key(4092), cache_offset(4092), cache_offset(4093)) == ("jx:codes:1", 0, 16)


def test_a_block_is_one_whole_string_and_nothing_where_nothing_was_written(services: Services) -> None:
    services.cache.put([(4096, record(1)), (9000, record(3))])
    assert services.cache.blocks() == [1, 2]
    expected = bytearray(RECORDS_PER_KEY * RECORD_SIZE)
    expected[cache_offset(4096) : cache_offset(4096) + RECORD_SIZE] = pack(record(1))
    assert services.cache.block(1) == expected
    assert services.cache.block(3) == b""


@given(st.dictionaries(st.integers(0, RECORDS_PER_KEY - 1), records, max_size=30), st.data())
@on_one_server
def test_a_block_put_at_once_leaves_what_its_records_put_one_by_one_leave(
    services: Services, there: dict[int, CacheRecord], data: st.DataObject
) -> None:
    some = data.draw(
        st.dictionaries(st.integers(0, RECORDS_PER_KEY - 1) | st.sampled_from(sorted(there) or [0]), records)
    )
    block = bytearray(RECORDS_PER_KEY * RECORD_SIZE)
    for serial, one in some.items():
        block[cache_offset(serial) : cache_offset(serial) + RECORD_SIZE] = pack(one)
    left = []
    for put in (lambda: services.cache.put(some.items()), lambda: services.cache.put_block(0, bytes(block))):
        services.cache.drop()
        services.cache.put(there.items())
        left.append((put(), services.cache.block(0) or bytes(RECORDS_PER_KEY * RECORD_SIZE)))
    assert left[0] == left[1]


def test_dropping_the_cache_leaves_everything_else_in_redis(services: Services) -> None:
    services.redis.set("jx:platform-pause", 1)
    services.cache.put([(1, record(1)), (9000, record(1))])
    services.cache.drop()
    assert services.cache.blocks() == []
    keys = list(services.redis.scan_iter())
    assert isinstance(keys, list)
    assert {key for key in keys if not key.startswith(b"jx:cache:")} == {b"jx:platform-pause"}


def test_every_question_to_a_redis_that_is_away_says_so(services: Services) -> None:
    cache = without_redis(services).cache
    for ask in (
        lambda: cache.get(1),
        lambda: cache.put([(1, record(1))]),
        lambda: cache.block(0),
        cache.blocks,
        lambda: cache.forget([1]),
        cache.drop,
    ):
        with pytest.raises(RedisError):
            ask()
