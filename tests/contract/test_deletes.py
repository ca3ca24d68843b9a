"""What a store deletes, and what others see while it is used."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from collector.store.base import MisconfiguredError, Point, Store
from contract_points import ALL, NOON, OTHER, PC, SCHOOL, agent, read


@pytest.fixture
def deletes(store: Store) -> None:
    if not store.limits.deletes:
        pytest.skip("this store says that it cannot delete")


deleting = pytest.mark.usefixtures("deletes")


def test_a_store_that_cannot_delete_says_so_and_keeps_all(store: Store) -> None:
    if store.limits.deletes:
        pytest.skip("this store deletes")
    store.write([agent()])
    with pytest.raises(MisconfiguredError, match=r"delete|删除"):
        store.delete("agent", *ALL, {"school": SCHOOL})
    assert read(store) == [agent()]


@deleting
def test_deletes_by_time_and_tags_and_nothing_else(store: Store) -> None:
    points = [agent(NOON + n, school=s, number=n) for n in range(5) for s in (SCHOOL, OTHER)]
    store.write(points)
    store.delete("agent", NOON + 1, NOON + 3, {"school": SCHOOL})
    left = [p for p in points if p.tags["school"] == OTHER or p.time not in (NOON + 1, NOON + 2)]
    assert read(store) == left
    store.delete("agent", NOON + 1, NOON + 3, {"school": SCHOOL})  # again: nothing is there
    store.delete("agent", NOON + 3, NOON + 3, {"school": SCHOOL})
    store.delete("host", *ALL, {"school": SCHOOL})
    assert read(store) == left
    store.delete("agent", *ALL, {"school": SCHOOL, "machine": PC})
    assert read(store) == [p for p in points if p.tags["school"] == OTHER]
    store.write(points)
    assert read(store) == points, "what was deleted can be stored again"


@deleting
def test_deletes_many(store: Store) -> None:
    points = [agent(NOON + n // 3, machine=f"{n:032x}") for n in range(12_001)]
    store.write(points)
    store.delete("agent", NOON, NOON + 4000, {"school": SCHOOL})
    assert read(store) == points[12_000:]


@deleting
@pytest.mark.parametrize("line", ["主线", "a'b", 'x"y', "p=q, r", "a\\b"])
def test_deletes_by_any_name(store: Store, line: str) -> None:
    def test(name: str) -> Point:
        tags = {"school": SCHOOL, "machine": PC, "line": name}
        return Point("line_test", tags, {"outcome": "ok"}, NOON)

    store.write([test(line), test("其他")])
    store.delete("line_test", *ALL, {"school": SCHOOL, "line": line})
    assert read(store, "line_test") == [test("其他")]


@deleting
def test_deletes_a_row_without_a_tag_and_leaves_the_one_with_it(store: Store) -> None:
    def day(room: str, machine: str) -> Point:
        tags = {"school": SCHOOL, "district": "630102", "machine": machine}
        return Point("machine_day", tags | ({"room": room} if room else {}), {"seen": True}, NOON)

    bare, other, roomed = day("", PC), day("", "c" * 32), day("6-1", "d" * 32)
    store.write([bare, other, roomed])
    store.delete("machine_day", NOON, NOON + 1, {**bare.tags, "room": ""})
    assert read(store, "machine_day") == sorted([other, roomed], key=lambda p: p.tags["machine"])


@deleting
def test_deleting_by_what_the_schema_lacks(store: Store) -> None:
    with pytest.raises(KeyError):
        store.delete("agent", *ALL, {"color": "red"})
    with pytest.raises(KeyError):
        store.delete("nothing", *ALL, {})


def test_another_handle_sees_what_was_written(store: Store, reopen: Callable[[], Store]) -> None:
    store.write([agent()])
    other = reopen()
    assert read(other) == [agent()]
    other.write([agent(NOON + 1)])
    assert len(read(store)) == 2


def test_several_threads_write_and_read(store: Store) -> None:
    failed: list[BaseException] = []

    def work(n: int) -> None:
        try:
            for step in range(10):
                time = NOON + n * 1000 + step
                store.write([agent(time, machine=f"{n:032x}", number=step)])
                assert len(read(store, tags={"machine": f"{n:032x}"})) == step + 1
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(read(store)) == 40


def test_writing_while_a_read_is_half_done(store: Store) -> None:
    store.write([agent(NOON + n, number=n) for n in range(2000)])
    rows = store.read("agent", *ALL)
    first = next(rows)
    store.write([agent(NOON - 1, number=-1)])
    assert first.fields["number"] == 0
    assert sum(1 for _ in rows) >= 1999


def test_a_large_batch(store: Store) -> None:
    points = [
        agent(NOON + n, machine=f"{n % 97:032x}", number=n, version="x" * 60) for n in range(12_000)
    ]
    store.write(points)
    assert read(store) == points
