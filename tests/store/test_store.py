"""The store: whole turns or nothing, one owner, old and damaged files."""

import asyncio
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from krs.core.model import Event, Instant, Job, JobId, Name, World
from krs.core.vocabulary import EventKind, JobState
from krs.store import KnownHook, Store, StoreError, StoreFull, StoreLocked, StoreUnwritable, Turn
from tests.core.build import at, created, job, swept, told, turn


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "deep" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """An open store."""
    opened = Store.open(path)
    yield opened
    opened.close()


def event(message: str, seconds: float = 0.0, kind: EventKind = EventKind.WARNING, runner: str | None = None) -> Event:
    """A journal row."""
    return Event(kind=kind, at=at(seconds), message=message, runner=Name(runner) if runner else None)


def written(before: World, after: World, *processed: int) -> Turn:
    """A turn from one world to the next."""
    return Turn(before=before, after=after, processed=processed, counters={"x": 1}, now=at(0))


async def test_a_world_comes_back_as_it_was(path: Path) -> None:
    """Jobs, runners, pools, creates, the pause and the counters survive; news are numbered."""
    world, _ = turn(swept(), job(1), job(2, labels=("koyeb-fra-small", "linux")))
    world = replace(world, paused=True)
    store = Store.open(path)
    events = await store.commit(written(World(), world))
    assert [one.seq for one in events] == list(range(1, len(world.news) + 1))
    store.close()
    store = Store.open(path)
    saved = store.load()
    assert (saved.world.jobs, saved.world.runners, saved.world.pools) == (world.jobs, world.runners, world.pools)
    assert (saved.world.creates, saved.world.paused, saved.counters) == (world.creates, True, {"x": 1})
    assert saved.last_seq == events[-1].seq
    store.close()


async def test_only_what_changed_is_written_and_what_is_gone_is_dropped(store: Store, path: Path) -> None:
    """A second turn rewrites its own rows alone."""
    first, _ = turn(swept(), job(1), job(2))
    await store.commit(written(World(), first))
    second = replace(first, jobs={key: row for key, row in first.jobs.items() if key != 1}, news=())
    with sqlite3.connect(path) as other:
        other.execute("UPDATE job SET data = json_set(data, '$.name', 'untouched')")
    await store.commit(written(first, second))
    other = sqlite3.connect(path)
    assert other.execute("SELECT key, json_extract(data, '$.name') FROM job").fetchall() == [(2, "untouched")]
    other.close()


async def test_deliveries_wait_until_a_turn_has_absorbed_them(path: Path) -> None:
    """What was received and not processed is there after a restart, in order; what was processed is not."""
    store = Store.open(path)
    numbers = [await store.receive(f"guid-{n}", job(n), at(0)) for n in (1, 2, 3)]
    await store.commit(written(World(), World(), numbers[1]))
    store.close()
    store = Store.open(path)
    assert [row.fact.id for row in store.unprocessed()] == [1, 3]
    assert await store.receive("guid-4", job(4), at(0)) > numbers[2]
    assert await store.depth() == 3
    store.close()


async def test_a_burst_shares_commits_and_each_is_on_disk(store: Store, path: Path) -> None:
    """Hundreds of deliveries at once all return, and a reader of the file sees them all."""
    await asyncio.gather(*(store.receive(f"guid-{n}", job(n), at(0)) for n in range(300)))
    other = sqlite3.connect(path)
    assert other.execute("SELECT count(*), count(DISTINCT guid) FROM delivery").fetchone() == (300, 300)
    other.close()


async def test_a_turn_that_fails_leaves_nothing_and_others_of_its_batch_go_through(store: Store) -> None:
    """A row that cannot be written takes its own turn back, not the delivery beside it."""
    bad = World(jobs={JobId(2**70): Job(id=JobId(2**70), repo="r", labels=(), state=JobState.QUEUED)})
    good = store.receive("guid", job(1), at(0))
    failed, seq = await asyncio.gather(
        store.commit(written(World(), replace(bad, news=(event("never"),)))), good, return_exceptions=True
    )
    assert isinstance(failed, Exception)
    assert isinstance(seq, int)
    assert (await store.events(0, frozenset(), 10)).events == ()
    assert await store.depth() == 1


async def test_the_journal_is_read_in_slices_by_kind_and_runner(store: Store) -> None:
    """Cursor, kinds, runner and limit choose rows; `next` leads on to the end."""
    rows = tuple(event(f"n{n}", runner="r1" if n % 2 else None) for n in range(5))
    rows = (*rows, event("other", kind=EventKind.JOB_QUEUED))
    await store.commit(written(World(), World(news=rows)))
    page = await store.events(0, frozenset(), 4)
    assert ([one.message for one in page.events], page.more, page.next, page.oldest) == (
        ["n0", "n1", "n2", "n3"],
        True,
        4,
        1,
    )
    rest = await store.events(page.next, frozenset(), 4)
    assert ([one.message for one in rest.events], rest.more, rest.next) == (["n4", "other"], False, 6)
    by_kind = await store.events(0, frozenset({EventKind.JOB_QUEUED}), 4)
    assert [one.message for one in by_kind.events] == ["other"]
    by_runner = await store.events(0, frozenset(), 9, runner=Name("r1"))
    assert [one.message for one in by_runner.events] == ["n1", "n3"]


async def test_old_rows_go_and_numbers_are_never_used_again(path: Path) -> None:
    """Pruning drops what is older than `keep` and processed; the journal goes on counting after a restart."""
    store = Store.open(path)
    seq = await store.receive("old", job(1), at(0))
    await store.receive("waiting", job(2), at(0))
    await store.commit(written(World(), World(news=(event("a"), event("b"))), seq))
    await store.prune(at(1000), 500.0)
    assert await store.depth() == 1
    page = await store.events(0, frozenset(), 10)
    assert (page.events, page.next) == ((), 2)
    store.close()
    store = Store.open(path)
    assert store.load().last_seq == 2
    (again,) = await store.commit(written(World(), World(news=(event("c"),))))
    assert again.seq == 3
    store.close()


def test_a_second_daemon_is_refused_in_one_line(store: Store, path: Path) -> None:
    """The file has one owner, whose process is named; the lock goes with it."""
    with pytest.raises(StoreLocked, match=r"in use by another daemon \(process \d+\)") as refusal:
        Store.open(path)
    assert "\n" not in str(refusal.value)
    store.close()
    Store.open(path).close()


def test_the_file_is_for_its_owner_alone(store: Store, path: Path) -> None:
    """Nobody else may read who ran what."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("prepare", "kind", "words"),
    [
        (lambda path: path.mkdir(parents=True), StoreUnwritable, "is a folder"),
        (lambda path: path.parent.write_text("a file"), StoreUnwritable, "set state.path"),
    ],
)
def test_an_unusable_path_is_one_clear_line(path: Path, prepare: object, kind: type[StoreError], words: str) -> None:
    """A folder, a missing folder that cannot be made: what, where, what to do."""
    prepare(path)  # type: ignore[operator]
    with pytest.raises(kind, match=words) as refusal:
        Store.open(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


async def test_a_row_that_cannot_be_read_is_set_aside(store: Store, path: Path) -> None:
    """One damaged row does not stop a start, and is not lost either."""
    world, _ = turn(swept(), job(1), job(2))
    await store.commit(written(World(), world))
    store.close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE job SET data = '{' WHERE key = 1")
    other.close()
    again = Store.open(path)
    saved = again.load()
    assert (set(saved.world.jobs), saved.damaged) == ({2}, 1)
    again.close()


async def test_a_field_added_later_reads_from_older_rows(store: Store, path: Path) -> None:
    """Rows written before a field existed get its default, and a field of the future is ignored."""
    world, _ = turn(swept(), job(1))
    world, _ = turn(world, created("runner-fra-small-1"))
    await store.commit(written(World(), told(world)))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE runner SET data = json_set(json_remove(data, '$.misses'), '$.future', 1)")
    other.close()
    assert next(iter(store.load().world.runners.values())).misses == 0


async def test_a_full_disk_is_said_and_recovers(store: Store) -> None:
    """A delivery that cannot be written raises StoreFull; when there is room again the next one is taken."""
    await store._writer.do(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchall())
    big = tuple(event("x" * 5000) for _ in range(50))
    with pytest.raises(StoreFull, match="make room"):
        await store.commit(written(World(), World(news=big)))
    await store._writer.do(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchall())
    assert len(await store.commit(written(World(), World(news=big)))) == 50


async def test_after_closing_nothing_is_taken(store: Store) -> None:
    """A late delivery is refused, never lost in a queue that nobody reads."""
    store.close()
    with pytest.raises(StoreUnwritable):
        await store.receive("late", job(1), Instant(0.0))


async def test_hooks_and_orders_survive_and_are_forgotten_in_time(path: Path) -> None:
    """An order counts once GitHub took it; the hook of last month and the order of last week go with the prune."""
    store = Store.open(path)
    month, week = at(-31 * 86_400), at(-7 * 86_400)
    for hook in (KnownHook(id=1, scope="acme/api", seen_at=at(0)), KnownHook(id=2, scope="acme", seen_at=month)):
        await store.keep_hook(hook)
    await store.mark_redelivery("begun", at(0), done=False)
    for guid, when in (("taken", at(0)), ("old", week)):
        await store.mark_redelivery(guid, when, done=False)
        await store.mark_redelivery(guid, when, done=True)
    store.close()
    store = Store.open(path)
    assert {hook.id for hook in store.hooks()} == {1, 2}
    assert await store.redelivered() == {"taken", "old"}
    await store.prune(at(0), 86_400.0)
    assert [(hook.id, hook.scope) for hook in store.hooks()] == [(1, "acme/api")]
    assert await store.redelivered() == {"taken"}
    assert store.load().world == World()
    store.close()


async def test_a_mistake_in_one_task_is_its_callers(store: Store) -> None:
    """Whatever it is: the thread that owns the connection takes the next task."""

    def broken(_: sqlite3.Connection) -> None:
        raise RuntimeError("nobody foresaw this")

    with pytest.raises(RuntimeError):
        await store._writer.do(broken)
    assert await store.depth() == 0
