"""Packets between processes: here between several posts of one, and once over a real fork."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from exporters.sockets import mailboxes as module
from exporters.sockets.mailboxes import Mailboxes, Post


@pytest.fixture
def boxes() -> Iterator[Mailboxes]:
    boxes = Mailboxes(3)
    yield boxes
    boxes.close()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - the kernel sets no event here
            await asyncio.sleep(0)


def drained(box: socket.socket) -> int:
    """Read all that there is, and give how many octets it was."""
    size = 0
    with suppress(BlockingIOError):
        while packet := box.recv(100_000):
            size += len(packet)
    return size


def nobody(packet: bytes) -> None:
    raise AssertionError(f"{packet[:20]!r} was posted to nobody")


async def test_packets_arrive_whole_and_in_their_order(boxes):
    heard: list[bytes] = []
    sent = [bytes([number]) * (number * 997 % 90_000 + 1) for number in range(100)]
    post = Post(boxes, 0, nobody)
    with Post(boxes, 1, heard.append).open():
        for packet in sent:
            assert post.post(1, packet)
        await eventually(lambda: len(heard) == len(sent))
    assert heard == sent
    assert post.waiting_bytes == 0


async def test_what_finds_no_room_waits_and_arrives_in_its_order(boxes):
    heard: list[bytes] = []
    post = Post(boxes, 0, nobody)
    sent = [number.to_bytes(4, "big") * 5000 for number in range(600)]
    assert all(post.post(1, packet) for packet in sent)  # 12 MB, more than a box holds
    assert post.waiting_bytes > 0
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: len(heard) == len(sent))
    assert heard == sent
    assert post.waiting_bytes == 0


async def test_what_is_posted_while_others_wait_waits_behind_them(boxes):
    heard: list[bytes] = []
    post = Post(boxes, 0, nobody)
    sent = [number.to_bytes(4, "big") * 5000 for number in range(600)]
    for packet in sent[:-1]:
        assert post.post(1, packet)
    box = boxes.boxes[1][0]
    heard += [box.recv(100_000) for _ in range(10)]  # and there is room again
    assert post.post(1, sent[-1])
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: len(heard) == len(sent))
    assert heard == sent


async def test_end_takes_all_that_has_come_and_not_only_a_turns_worth(boxes):
    heard: list[bytes] = []
    with Post(boxes, 1, heard.append).open():
        sender = Post(boxes, 0, nobody)
        assert all(sender.post(1, bytes(90_000)) for _ in range(20))
    assert len(heard) == 20


async def test_box_is_strained_while_much_waits_for_it_and_then_eased(boxes):
    heard: list[bytes] = []
    eased: list[bool] = []
    post = Post(boxes, 0, nobody, lambda: eased.append(post.is_strained(1)))
    sent = [bytes(20_000)] * 700
    assert all(post.post(1, packet) for packet in sent)
    assert post.is_strained(1)
    assert not post.is_strained(2)
    assert eased == []
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: len(heard) == len(sent))
    assert eased == [False]
    assert not post.is_strained(1)


async def test_ease_is_told_when_no_box_is_strained_any_more(boxes):
    heard: list[bytes] = []
    eased: list[int] = []
    post = Post(boxes, 0, nobody, lambda: eased.append(len(heard)))
    sent = [bytes(20_000)] * 700
    assert all(post.post(to, packet) for to in (1, 2) for packet in sent)
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: len(heard) == len(sent))
        assert eased == []
        with Post(boxes, 2, heard.append).open():
            await eventually(lambda: len(heard) == 2 * len(sent))
    assert len(eased) == 1


async def test_box_for_which_little_waits_is_not_strained(boxes, monkeypatch):
    monkeypatch.setattr(module, "_STRAINED_BYTES", 16 * 1024 * 1024)
    heard: list[bytes] = []
    eased: list[bool] = []
    post = Post(boxes, 0, nobody, lambda: eased.append(True))
    sent = [bytes(20_000)] * 700
    assert all(post.post(1, packet) for packet in sent)
    assert post.waiting_bytes > 0
    assert not post.is_strained(1)
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: len(heard) == len(sent))
    assert eased == []


async def test_what_is_more_than_may_wait_is_refused_and_nothing_else(boxes, monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING_BYTES", 100_000)
    heard: list[bytes] = []
    post = Post(boxes, 0, nobody)
    taken = [packet for n in range(2000) if post.post(1, packet := n.to_bytes(4, "big") * 2500)]
    assert 0 < len(taken) < 2000
    assert post.post(2, b"another box has room")
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: len(heard) == len(taken))
        assert post.post(1, b"again")
        await eventually(lambda: heard[-1:] == [b"again"])
    assert heard[:-1] == taken


async def test_packet_that_is_too_long_is_refused(boxes):
    heard: list[bytes] = []
    post = Post(boxes, 0, nobody)
    assert not post.post(1, bytes(module.MOST_PACKET_BYTES + 1))
    with Post(boxes, 1, heard.append).open():
        assert post.post(1, b"short")
        await eventually(lambda: heard == [b"short"])


async def test_what_was_posted_to_a_process_that_ended_waits_for_its_successor(boxes):
    heard: list[bytes] = []
    post = Post(boxes, 0, nobody)
    with Post(boxes, 1, nobody).open():
        pass
    assert post.post(1, b"while nobody reads")
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: heard == [b"while nobody reads"])


async def test_end_posts_what_waits_and_takes_what_has_come(boxes):
    heard: list[bytes] = []
    ending = Post(boxes, 0, heard.append)
    sent = [bytes(20_000)] * 600
    with ending.open():
        for packet in sent:
            assert ending.post(1, packet)
        assert Post(boxes, 2, nobody).post(0, b"late")
        before = drained(boxes.boxes[1][0])
        waited = ending.waiting_bytes
    assert heard == [b"late"]
    after = drained(boxes.boxes[1][0])
    assert before
    assert after == waited - ending.waiting_bytes > 0


async def test_forks_post_to_each_other(boxes):
    heard: list[bytes] = []
    if (pid := os.fork()) == 0:
        status = 1
        with suppress(BaseException):
            boxes.boxes[1][1].send(b"of another process")
            status = 0
        os._exit(status)
    with Post(boxes, 1, heard.append).open():
        await eventually(lambda: heard == [b"of another process"])
    assert (await asyncio.to_thread(os.waitpid, pid, 0))[1] == 0
