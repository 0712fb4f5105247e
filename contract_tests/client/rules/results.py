"""C-RES: how a client downloads its results."""

from collections import Counter
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from contract_tests.client.evidence import Evidence, exchanges_after
from contract_tests.client.records import API_OPERATIONS, Trait, is_genuine_callback, path_of
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.wording import describe_exit, describe_faults
from contract_tests.contract.text import count

_SUCCESSFUL: Final = frozenset({200, 206, 304})
_KEY_HEADERS: Final = frozenset({"authorization", "x-api-key", "api-key", "proxy-authorization"})
_AGENT: Final = frozenset({Trait.AGENT})
_REDACTED: Final = "[redacted]"
_SERVER_ERROR: Final = 500
_WRONG_TYPE: Final = "meaning result-wrong-type"
_REDIRECTED: Final = "meaning result-redirected"


def _check_result_json(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        notices = evidence.success_notices(task.id)
        if not notices:
            continue
        is_printed = evidence.has_printed_result(task)
        downloads = evidence.downloads(task.id)
        seen = count(len(downloads), "download")
        if is_printed:
            seen += ", and a result address in the output"
        holds = bool(downloads) or is_printed
        client_exit = evidence.client_exit
        has_failed = client_exit is not None and client_exit.exit_status != 0
        if has_failed:
            seen += f", and the client {describe_exit(client_exit)}"
        yield Observation(
            holds=holds,
            seen=seen,
            event=notices[0].number,
            # Without a download, a client that ended well may have used the addresses elsewhere.
            excused_by=None if has_failed else Trait.NO_DOWNLOAD,
        )


def _check_completeness(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        downloads = [each for each in evidence.downloads(task.id) if each.method == "GET"]
        addresses = {each.resource_path for each in downloads}
        notices = evidence.success_notices(task.id)
        if notices and addresses:
            seen = f"{len(addresses)} of {task.num_images} results downloaded"
            holds = len(addresses) >= task.num_images
            yield Observation(holds=holds, seen=seen, event=notices[0].number)


def _check_expiry(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("result"):
        is_expired = each.status == 410 and not each.injected
        if each.status in _SUCCESSFUL or is_expired:
            seen = f"status {each.status}"
            yield Observation(holds=not is_expired, seen=seen, event=each.number)


def _check_damaged_download(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("result"):
        is_rejected = each.is_injected_rejection and each.status >= _SERVER_ERROR
        if not each.is_spoiled and not is_rejected:
            continue
        retries = exchanges_after(evidence.downloads_like(each), each)
        client_exit = evidence.client_exit
        is_reported = client_exit is not None and client_exit.exit_status != 0
        times = f"retried {count(len(retries), 'time')}" if retries else "not retried"
        seen = f"{times} after {describe_faults(each.injected)}"
        if not retries and is_reported:
            seen += ", but the client reported a failure"
        # A retry is expected if a picture began to arrive, or if the server said that it may help.
        is_enough = is_reported and _WRONG_TYPE in each.injected
        yield Observation(
            holds=bool(retries) or is_enough,
            seen=seen,
            event=each.number,
            is_minor=is_reported,
            excused_by=Trait.NO_RETRY if is_reported else None,
        )


def _check_following(evidence: Evidence) -> Iterator[Observation]:
    """Check that a client which reports success has learned the end of every task."""
    client_exit = evidence.client_exit
    if client_exit is None or client_exit.timed_out:
        return
    purchases = Counter(each.input_key for each in evidence.accepted_submits)
    for submit in evidence.accepted_submits:
        # C-PAY judges a client that submits the same input again.
        if submit.is_broken or purchases[submit.input_key] > 1:
            continue
        # C-CB-001 judges the answer to a callback. Here it counts that one was sent.
        callbacks = filter(is_genuine_callback, evidence.callback_attempts(submit.task_id))
        is_known = bool(evidence.final_notices(submit.task_id)) or any(callbacks)
        seen = f"task {submit.task_id}: "
        if is_known:
            seen += "the client learned how it ended"
        elif client_exit.is_failure:
            seen += "the client did not learn how it ended, and reported a failure"
        else:
            seen += "the client reported success without knowing how it ended"
        holds = is_known or client_exit.is_failure
        yield Observation(holds=holds, seen=seen, event=submit.number)


def _check_missing_picture(evidence: Evidence) -> Iterator[Observation]:
    """Check what a client reports that never got one of its pictures whole."""
    client_exit = evidence.client_exit
    complete = {path_of(url) for url in evidence.complete_downloads()}
    for task in evidence.tasks:
        attempts = [each for each in evidence.downloads(task.id) if each.method == "GET"]
        last = {unquote(each.resource_path): each for each in attempts}
        for path, each in last.items():
            if path not in complete and client_exit is not None:
                seen = f"a result was never downloaded completely, and the client {_exit(evidence)}"
                yield Observation(holds=client_exit.is_failure, seen=seen, event=each.number)


def _check_redirect(evidence: Evidence) -> Iterator[Observation]:
    last = {(each.task_id, each.header("host")): each.number for each in evidence.of("result")}
    for each in evidence.of("result"):
        if _REDIRECTED in each.injected:
            host = _host_of(each.response_header("location") or "")
            is_followed = last.get((each.task_id, host), 0) > each.number
            seen = f"the redirect to {host} was {'' if is_followed else 'not '}followed"
            yield Observation(holds=is_followed, seen=seen, event=each.number)


def _host_of(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _exit(evidence: Evidence) -> str:
    return describe_exit(evidence.client_exit)


def _check_secrecy(evidence: Evidence) -> Iterator[Observation]:
    """Check the downloads from other hosts than the API's, or all if there are none.

    A client may choose by the host whether it sends its key.
    """
    api_hosts = {each.header("host") for each in evidence.of(*API_OPERATIONS)}
    downloads = evidence.of("result")
    elsewhere = [each for each in downloads if each.header("host") not in api_hosts]
    for each in elsewhere or downloads:
        sent = [f"the header {name}" for name, _ in each.headers if name.lower() in _KEY_HEADERS]
        # The mock redacts the key wherever it occurs in a request.
        if _REDACTED in each.path or any(_REDACTED in value for _, value in each.headers):
            sent.append("the API key")
        seen = f"the download request had {', '.join(dict.fromkeys(sent)) or 'no key'}"
        if sent and not elsewhere:
            seen += ", on the API's own host (the setting result_host 'other' separates them)"
        yield Observation(holds=not sent, seen=seen, event=each.number)


RULES: Final = (
    Rule(
        id="C-RES-001",
        title="Must read the result addresses from resultJson, a string that contains JSON",
        clauses=("STA-6",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="task that the client saw succeed",
        advice="resultJson is a string. Parse it as JSON, read resultUrls, and download each "
        "address.",
        check=_check_result_json,
    ),
    Rule(
        id="C-RES-002",
        title="Must download every result of a task",
        clauses=("STA-7", "BIL-1"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="download of a task that the client saw succeed",
        advice="Download every address in resultUrls. Each image is billed.",
        check=_check_completeness,
        event_needs=Trait.NO_DOWNLOAD,
    ),
    Rule(
        id="C-RES-003",
        title="Must download results before they expire",
        clauses=("RES-1",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="download",
        advice="Download results at once and keep the files. Addresses expire after 15 days, or "
        "after 24 hours according to another page.",
        check=_check_expiry,
        event_needs=Trait.NO_DOWNLOAD,
    ),
    Rule(
        id="C-RES-004",
        title="Must detect a failed or damaged download and retry it",
        clauses=("RES-2",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="failed or damaged download",
        advice="Check the status, compare the size with Content-Length and check that the image is "
        "complete. If it is not, download it again. Write to a temporary file until then.",
        check=_check_damaged_download,
        event_needs=Trait.NO_DOWNLOAD,
    ),
    Rule(
        id="C-RES-005",
        title="Must not send its API key to the result host",
        clauses=("RES-3",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="download",
        advice="Download without an Authorization header. Results are on another host and need "
        "no key.",
        check=_check_secrecy,
        event_needs=Trait.NO_DOWNLOAD,
    ),
    Rule(
        id="C-RES-006",
        title="Must follow every task that it submits",
        clauses=("STA-4", "BIL-1"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="accepted submit whose response arrived",
        advice="Keep the id of every task, and request the status of each one until it has ended. "
        "Every task is billed.",
        check=_check_following,
        needs_exit=True,
        not_for=_AGENT,
    ),
    Rule(
        id="C-RES-007",
        title="Must report a failure when it did not get a picture",
        clauses=("RES-2",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="result that could not be downloaded",
        advice="Limit the number of retries of a download. After the last one, report a failure "
        "and exit with a status other than 0.",
        check=_check_missing_picture,
        event_needs=Trait.NO_DOWNLOAD,
        needs_exit=True,
        not_for=_AGENT,
    ),
    Rule(
        id="C-RES-008",
        title="Should follow a redirect of a result address",
        clauses=("RES-3",),
        axis=Axis.OUTCOME,
        level=Level.CHOICE,
        event="redirected download",
        advice="Follow redirects when you download, without the Authorization header. The host of "
        "results is not documented and can change.",
        check=_check_redirect,
        event_needs=Trait.NO_DOWNLOAD,
    ),
)
