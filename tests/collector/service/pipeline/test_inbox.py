"""The inbox: batches by size and age, bounded, patient but in an outage."""

from __future__ import annotations

import threading
import time

from collector.service.pipeline.inbox import Inbox, Message


def note(number: int, size: int = 1) -> Message:
    return Message(str(number), bytes(size), 0)


def put(inbox: Inbox, *messages: Message) -> int:
    return inbox.put_all(messages)


def test_a_batch_is_cut_by_size_and_by_age() -> None:
    inbox = Inbox()
    for number in range(5):
        put(inbox, note(number))
    assert [m.topic for m in inbox.take(3, age=60, idle=60)] == ["0", "1", "2"]
    assert [m.topic for m in inbox.take(3, age=0.01, idle=60)] == ["3", "4"]
    assert inbox.take(3, age=60, idle=0.01) == []


def test_a_batch_waits_for_its_size() -> None:
    inbox, taken = Inbox(), []
    worker = threading.Thread(target=lambda: taken.extend(inbox.take(3, age=60, idle=60)))
    worker.start()
    for number in range(3):
        put(inbox, note(number))
    worker.join(120)
    assert len(taken) == 3


def test_a_full_inbox_turns_away_in_an_outage_and_waits_else() -> None:
    for inbox in (Inbox(limit=2), Inbox(limit=99, limit_bytes=10)):
        inbox.set_put_timeout(0)
        assert put(inbox, note(1, 5))
        assert put(inbox, note(2, 5))
        assert not put(inbox, note(3, 5))
        inbox.set_put_timeout(60)
        emptier = threading.Timer(0.05, lambda: inbox.take(1, 0, 0))  # noqa: B023
        emptier.start()
        assert put(inbox, note(4, 5)), "room came while it waited"
        emptier.join()


def test_a_list_is_taken_as_far_as_there_is_room() -> None:
    for inbox in (Inbox(limit=3), Inbox(limit=99, limit_bytes=15)):
        inbox.set_put_timeout(0)
        assert put(inbox, *(note(n, 5) for n in range(5))) == 3
        assert [m.topic for m in inbox.take(9, age=0, idle=0)] == ["0", "1", "2"]


def test_a_list_longer_than_the_inbox_goes_through_it_in_order() -> None:
    inbox, heard = Inbox(limit=3), []
    inbox.set_put_timeout(60)

    def take() -> None:
        while len(heard) < 99:
            heard.extend(m.topic for m in inbox.take(3, age=60, idle=60))

    taker = threading.Thread(target=take)
    taker.start()
    assert put(inbox, *(note(n) for n in range(99))) == 99
    taker.join(120)
    assert heard == [str(n) for n in range(99)]


def test_an_outage_frees_who_waits() -> None:
    inbox, answers = Inbox(limit=1), []
    inbox.set_put_timeout(60)
    put(inbox, note(1))
    waiter = threading.Thread(target=lambda: answers.append(put(inbox, note(2))))
    waiter.start()
    time.sleep(0.02)
    inbox.set_put_timeout(0)
    waiter.join(120)
    assert answers == [0]


def test_a_closed_inbox_gives_out_what_it_has() -> None:
    inbox = Inbox()
    put(inbox, note(1))
    inbox.close()
    assert not put(inbox, note(2))
    assert [m.topic for m in inbox.take(9, age=60, idle=60)] == ["1"]
    assert inbox.take(9, age=60, idle=60) == []
