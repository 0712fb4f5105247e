"""RES: the results of tasks and their download."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.cases.pictures import SIZES, fits, required, size_of
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.reading import result_urls

_VALID_S: Final = 15 * 24 * 3600
_LATER_S: Final = 2 * 3600
_GONE: Final = frozenset({403, 404, 410})


def _urls(probe: Probe, *, ratio: str = "1:1", count: int = 1) -> list[str]:
    probe.require_results()
    answer = probe.poll_until_final(probe.submit_task(aspect_ratio=ratio, num_images=count))
    urls = result_urls(answer)
    if not urls:
        raise PreconditionNotMet(f"the task has no results: {answer.shown}")
    return urls


def _download(probe: Probe, url: str) -> Answer:
    return probe.send("GET", url, key="none")


def _shown(answer: Answer) -> str:
    kind = answer.response.header("Content-Type")
    size = size_of(answer.response.body)
    return f"HTTP {answer.status}, {kind}, {len(answer.response.body)} bytes, pixels {size}"


def _ratio(ratio: str) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        count = 1 if probe.target.is_live else 4
        contents, urls = set(), set(_urls(probe, ratio=ratio, count=count))
        for url in sorted(urls):
            answer = _download(probe, url)
            kind = (answer.response.header("Content-Type") or "").partition(";")[0]
            contents.add(answer.response.body)
            probe.check(
                "RES-2",
                answer.status == 200
                and kind.lower().startswith("image/")
                and fits(probe.target, size_of(answer.response.body), ratio),
                expected=required(probe.target, ratio),
                seen=_shown(answer),
                at=answer,
            )
        probe.check(
            "RES-2",
            len(contents) == len(urls),
            expected=f"{len(urls)} images, all different",
            seen=f"{len(contents)} different ones",
        )

    return run


def _without_key(probe: Probe) -> None:
    url = _urls(probe)[0]
    headers: list[dict[str, str]] = [{}]
    if not probe.target.is_live:  # A storage service may reject the header with a signed URL.
        headers.append({"Authorization": "Bearer a-key-of-nobody"})
    for each in headers:
        answer = probe.send("GET", url, headers=each, key="none")
        probe.check(
            "RES-3",
            answer.status == 200 and size_of(answer.response.body) is not None,
            expected="the image, without a key",
            seen=_shown(answer),
            at=answer,
            is_choice=True,
        )


def _unguessable(probe: Probe) -> None:
    urls = _urls(probe)
    wrong = [_with_another_end(urls[0])]
    if not probe.target.is_live:
        urls += _urls(probe)
        wrong.append(_mixed(urls[0], urls[-1]))
    for url in wrong:
        if url in urls:
            continue
        answer = _download(probe, url)
        probe.check(
            "RES-3",
            answer.status in _GONE,
            expected="not found: no key is required, so URLs must be unguessable",
            seen=_shown(answer),
            at=answer,
            is_choice=True,
        )


def _with_another_end(url: str) -> str:
    """Return the URL with another last character before the extension and the query."""
    parts = urlsplit(url)
    folder, slash, name = parts.path.rpartition("/")
    stem, dot, extension = name.partition(".")
    changed = f"{stem[:-1]}{'1' if stem.endswith('0') else '0'}"
    return urlunsplit(parts._replace(path=f"{folder}{slash}{changed}{dot}{extension}"))


def _mixed(of_one: str, of_another: str) -> str:
    """Return a URL with the start of one task's URL and the end of another's."""
    parts = urlsplit(of_one)
    folder, slash, _ = parts.path.rpartition("/")
    name = urlsplit(of_another).path.rpartition("/")[2]
    return urlunsplit(parts._replace(path=f"{folder}{slash}{name}"))


def _expiry(probe: Probe) -> None:
    valid_s = (probe.target.info or {}).get("result_ttl", _VALID_S)
    near_s, later_s = min(600, valid_s / 4), min(_LATER_S, valid_s / 4)
    # The second task is like the first one, so that a server could take one for the other.
    urls = [*_urls(probe, count=4), *_urls(probe, count=2)]
    first = {url: _download(probe, url).response.body for url in urls}
    for waits_s in (later_s, valid_s - later_s - near_s):
        probe.pass_time(waits_s)
        for url in urls:
            answer = _download(probe, url)
            is_there = probe.check(
                "RES-1",
                answer.status == 200,
                expected=f"the image, until {valid_s:g} s have passed",
                seen=_shown(answer),
                at=answer,
            )
            probe.check(
                "RES-2",
                not is_there or answer.response.body == first[url],
                expected="the same image as at first",
                seen=_shown(answer),
                at=answer,
            )
    probe.pass_time(2 * near_s)
    for url in urls:
        after = _download(probe, url)
        probe.check(
            "RES-1",
            after.status in _GONE,
            expected=f"not available, shortly after {valid_s:g} s have passed",
            seen=_shown(after),
            at=after,
        )


def _there_at_first(probe: Probe) -> None:
    url = _urls(probe)[0]
    answer = _download(probe, url)
    probe.check("RES-1", answer.status == 200, expected="the image", seen=_shown(answer), at=answer)
    if probe.target.has_control:  # S-RES-002 tests the expiry of a mock exactly.
        return
    probe.pass_time(60)
    later = _download(probe, url)
    probe.check(
        "RES-1",
        later.status == 200 and later.response.body == answer.response.body,
        expected="the same image a minute later",
        seen=_shown(later),
        at=later,
    )


CASES = (
    Case(
        id="S-RES-001", title="a result can be downloaded once the task has ended",
        clauses=("RES-1",), sends="a task, then its result is fetched; in real time, twice",
        expects="HTTP 200; the same image a minute later",
        run=_there_at_first, images=1, worst_images=1, time=Time.ONE_GENERATION, is_smoke=True,
    ),
    Case(
        id="S-RES-002", title="a result is available for 15 days",
        clauses=("RES-1", "RES-2"),
        sends="downloads of two tasks: at once, two hours later, shortly before and after 15 days",
        expects="200 with the same image each time, then not found", run=_expiry, images=6,
        worst_images=6, time=Time.LONG,
        needs_control=True,
    ),
    *(
        Case(
            id=f"S-RES-{number:03}", title=f"results of {ratio} are images of that ratio",
            clauses=("RES-2",), sends=f"a task with aspect_ratio {ratio}, and downloads",
            expects=f"images of {ratio}; from a mock, of {SIZES[ratio]} pixels",
            run=_ratio(ratio), images=1, worst_images=1, time=Time.ONE_GENERATION,
            is_smoke=ratio == "3:2",
        )
        for number, ratio in enumerate(SIZES, 3)
    ),
    Case(
        id="S-RES-006", title="a result requires no key", clauses=("RES-3",),
        sends="a download without a key, and one with an unknown key", expects="the image",
        run=_without_key, images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-RES-007", title="the URL of a result cannot be guessed", clauses=("RES-3",),
        sends="downloads from a URL with one changed character, and from mixed URLs of two tasks",
        expects="not found", run=_unguessable, images=1, worst_images=1,
        time=Time.ONE_GENERATION, provokes=(403,),
    ),
)  # fmt: skip
