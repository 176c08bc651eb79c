"""What every frontier does, whichever it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fullshot.core.errors import UserError
from fullshot.core.settings import CrawlSettings
from fullshot.crawler.database import Database
from fullshot.crawler.frontier import (
    FRONTIERS,
    LISTING,
    PAGE,
    PICTURE,
    Frontier,
    RequestState,
    Task,
    open_frontier,
)

SHOP, IMAGES = "shop.test:443", "images.test:443"
PAGES = [f"https://shop.test/{number}" for number in range(4)]
PICTURES = [f"https://images.test/{number}.jpg" for number in range(3)]
Open = Callable[[], Frontier]


@pytest.fixture(params=FRONTIERS.names())
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the frontier of one workspace, each time as another process would."""
    databases: list[Database] = []
    opened: list[Frontier] = []

    def open_again() -> Frontier:
        databases.append(Database(tmp_path / "crawl.db"))
        opened.append(open_frontier(CrawlSettings(frontier=request.param), databases[-1]))
        return opened[-1]

    yield open_again
    opened[-1].clear()
    for frontier in opened:
        frontier.close()
    for database in databases:
        database.close()


@pytest.fixture
def frontier(reopen: Open) -> Frontier:
    made = reopen()
    made.recover()
    return made


def take(frontier: Frontier, host: str = SHOP, last_rank: int = LISTING) -> Task:
    task = frontier.take(host, last_rank)
    assert task is not None
    return task


def taken(frontier: Frontier, host: str = SHOP, last_rank: int = LISTING) -> list[str]:
    """The addresses that a host has yet, in the order in which they are handed out."""
    return [task.url for task in iter(lambda: frontier.take(host, last_rank), None)]


def test_a_new_frontier_holds_nothing(frontier: Frontier) -> None:
    assert frontier.take(SHOP, LISTING) is None
    assert frontier.find(PAGES[0]) is None
    assert list(frontier.tasks(*RequestState)) == []
    assert not any(frontier.queued.values())
    assert not any(frontier.counts().values())


def test_lower_ranks_come_first_and_within_a_rank_what_was_added_first(frontier: Frontier) -> None:
    frontier.add([PAGES[3], PAGES[0]], LISTING)
    frontier.add([PAGES[2], PAGES[1]], PAGE)
    assert taken(frontier) == [PAGES[2], PAGES[1], PAGES[3], PAGES[0]]


def test_no_rank_beyond_the_last_is_handed_out(frontier: Frontier) -> None:
    frontier.add(PAGES[:1], LISTING)
    frontier.add(PAGES[1:2], PAGE)
    assert taken(frontier, last_rank=PICTURE) == []
    assert taken(frontier, last_rank=PAGE) == PAGES[1:2]
    assert taken(frontier) == PAGES[:1]


def test_each_host_has_a_queue_of_its_own(frontier: Frontier) -> None:
    frontier.add([PAGES[0], PICTURES[0], PAGES[1]], PAGE)
    assert frontier.queued[SHOP, PAGE] == 2
    assert frontier.queued[IMAGES, PAGE] == 1
    assert taken(frontier, IMAGES) == PICTURES[:1]
    assert taken(frontier) == PAGES[:2]
    assert not any(frontier.queued.values())


def test_a_task_says_what_was_added(frontier: Frontier) -> None:
    frontier.add(PAGES[:1], LISTING, start=True)
    frontier.add(PICTURES[:1], PICTURE, page=PAGES[1])
    listing, picture = take(frontier), take(frontier, IMAGES)
    assert (listing.url, listing.host, listing.rank, listing.start) == (PAGES[0], SHOP, LISTING, True)
    assert (listing.page, listing.renderer, listing.tries) == (None, None, 1)
    assert (picture.rank, picture.start, picture.page) == (PICTURE, False, PAGES[1])
    assert frontier.find(PAGES[0]) == listing


def test_an_address_is_held_once(frontier: Frontier) -> None:
    frontier.add([PAGES[0], PAGES[0]], LISTING)
    frontier.add(PAGES[:1], PAGE)
    assert frontier.queued[SHOP, LISTING] == 1
    frontier.done(take(frontier))
    frontier.add(PAGES[:1], LISTING)
    frontier.skip(PAGES[:1], LISTING)
    assert taken(frontier) == []
    assert frontier.counts()[SHOP, LISTING, RequestState.DONE] == 1


def test_what_is_skipped_is_not_handed_out(frontier: Frontier) -> None:
    frontier.skip(PAGES[:2], PAGE)
    frontier.add(PAGES[:3], PAGE)
    assert frontier.queued[SHOP, PAGE] == 1
    assert taken(frontier) == PAGES[2:3]
    assert [task.url for task in frontier.tasks(RequestState.SKIPPED)] == PAGES[:2]


def test_what_is_put_back_comes_where_it_was_with_its_renderer(frontier: Frontier) -> None:
    frontier.add(PAGES[:3], PAGE)
    first = take(frontier)
    frontier.put_back(first, "selenium")
    assert frontier.queued[SHOP, PAGE] == 3
    again = take(frontier)
    assert (again.id, again.url, again.renderer, again.tries) == (first.id, PAGES[0], "selenium", 2)
    frontier.put_back(again)
    assert take(frontier).renderer is None
    assert taken(frontier) == PAGES[1:3]


def test_pages_in_flight_are_counted_until_they_end(frontier: Frontier) -> None:
    frontier.add(PAGES[:3], PAGE)
    frontier.add(PICTURES[:1], PICTURE)
    take(frontier, IMAGES)
    assert frontier.pages_in_flight == 0
    first, second, third = (take(frontier) for _ in range(3))
    assert frontier.pages_in_flight == 3
    frontier.done(first)
    frontier.failed(second)
    frontier.put_back(third)
    assert frontier.pages_in_flight == 0


def test_requests_are_counted_and_told_apart_by_their_state(frontier: Frontier) -> None:
    frontier.add(PAGES, PAGE)
    frontier.add(PICTURES[:1], PICTURE)
    frontier.done(take(frontier))
    frontier.failed(take(frontier))
    take(frontier)
    counts = {key: count for key, count in frontier.counts().items() if count}
    assert counts == {
        (SHOP, PAGE, RequestState.DONE): 1,
        (SHOP, PAGE, RequestState.FAILED): 1,
        (SHOP, PAGE, RequestState.IN_FLIGHT): 1,
        (SHOP, PAGE, RequestState.QUEUED): 1,
        (IMAGES, PICTURE, RequestState.QUEUED): 1,
    }
    pending = frontier.tasks(RequestState.QUEUED, RequestState.IN_FLIGHT)
    assert [task.url for task in pending] == [PAGES[2], PAGES[3], PICTURES[0]]


def test_a_killed_crawl_goes_on_with_what_was_in_flight_and_what_failed(reopen: Open) -> None:
    killed = reopen()
    killed.recover()
    killed.add(PAGES, PAGE)
    killed.done(take(killed))
    killed.failed(take(killed))
    killed.put_back(take(killed), "playwright")
    take(killed)
    # Nothing is closed: the process is not there any more.
    frontier = reopen()
    frontier.recover()
    assert frontier.queued[SHOP, PAGE] == 3
    assert frontier.pages_in_flight == 0
    tasks = [take(frontier) for _ in range(3)]
    assert [task.url for task in tasks] == PAGES[1:]
    assert [task.tries for task in tasks] == [1, 1, 1]
    assert tasks[1].renderer == "playwright"
    assert frontier.take(SHOP, LISTING) is None


def test_another_process_sees_how_far_the_crawl_is(reopen: Open) -> None:
    crawl, parent = reopen(), reopen()
    crawl.recover()
    crawl.add(PAGES, PAGE)
    crawl.done(take(crawl))
    assert parent.counts()[SHOP, PAGE, RequestState.DONE] == 1
    assert [task.url for task in parent.tasks(RequestState.DONE)] == PAGES[:1]


def test_changes_happen_together_or_not_at_all(reopen: Open) -> None:
    frontier = reopen()
    frontier.recover()
    frontier.add(PAGES[:1], LISTING)
    task = take(frontier)

    def stop_in_the_middle() -> None:
        with frontier.atomic():
            frontier.add(PAGES[1:], PAGE)
            frontier.done(task)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_in_the_middle()
    after = reopen()
    after.recover()
    assert taken(after) == PAGES[:1]
    with after.atomic():
        after.add(PAGES[1:], PAGE)
        after.done(task)
    assert taken(after) == PAGES[1:]


def test_nothing_is_left_of_a_frontier_that_is_cleared(frontier: Frontier) -> None:
    frontier.add(PAGES, PAGE)
    take(frontier)
    frontier.clear()
    assert frontier.take(SHOP, LISTING) is None
    assert (frontier.pages_in_flight, sum(frontier.queued.values())) == (0, 0)
    frontier.add(PAGES[:1], PAGE)
    assert taken(frontier) == PAGES[:1]


def test_an_unknown_frontier_is_answered_with_those_there_are(tmp_path: Path) -> None:
    database = Database(tmp_path / "crawl.db")
    with pytest.raises(UserError, match=r"expected the frontier to be one of sqlite.*, got 'paper'"):
        open_frontier(CrawlSettings(frontier="paper"), database)
    database.close()
