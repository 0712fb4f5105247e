"""SUB-13: which reference images are accepted, as `data:` URLs or fetched."""

from base64 import b64encode
from typing import Final

from contract_tests.contract.data import FIXTURES
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.interruptions import CaseSkipped
from contract_tests.server.probe import Probe
from contract_tests.server.world import RECEIVER

_SAMPLES: Final = (
    ("fox.png", "image/png", "success"),
    ("fox.jpg", "image/jpeg", "success"),
    ("fox.webp", "image/webp", "success"),
    ("fox.gif", "image/gif", "failed"),
)
_NOTHING: Final = "nothing.png"
LARGEST: Final = 10 * 1024 * 1024  # Bytes.


def data_url(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{b64encode(content).decode()}"


def sample(name: str) -> bytes:
    return (FIXTURES / "images" / name).read_bytes()


def ends(probe: Probe, address: str) -> tuple[object, Answer]:
    """Return the state in which a task with this reference image ends."""
    answer = probe.poll_until_final(probe.submit_task(image_urls=[address]))
    return (answer.data.get("state") if isinstance(answer.data, dict) else None), answer


def _formats(probe: Probe) -> None:
    for name, media_type, expected in _SAMPLES:
        state, answer = ends(probe, data_url(sample(name), media_type))
        probe.check(
            "SUB-13",
            state == expected,
            expected=f"{name} ends in {expected}",
            seen=answer,
            is_choice=True,  # No page documents data URLs.
        )


def _fetched(probe: Probe) -> None:
    if probe.target.has_control:
        probe.change_settings(image_urls="fetch")
    # The receiver has no such image, so its request is recorded.
    for name, _, expected in ((_NOTHING, "", "failed"), *_SAMPLES):
        state, answer = ends(probe, f"{RECEIVER}/images/{name}")
        is_judged_unseen = name == _NOTHING and state == "success" and not probe.target.is_live
        if is_judged_unseen and not probe.deliveries(f"images/{name}", 1, within_s=0):
            raise CaseSkipped("the server does not fetch reference images")
        probe.check("SUB-13", state == expected, expected=f"{name} ends in {expected}", seen=answer)


def _sizes(probe: Probe) -> None:
    png = sample("fox.png")
    for size, expected in ((LARGEST, "success"), (LARGEST + 1, "failed")):
        state, answer = ends(probe, data_url(png.ljust(size, b"\0"), "image/png"))
        probe.check(
            "SUB-13",
            state == expected,
            expected=f"an image of {size} bytes ends in {expected}",
            seen=answer,
            is_choice=True,
        )


_UNDOCUMENTED: Final = "sends images as data URLs, which no page documents"

CASES = (
    Case(
        id="S-SUB-089",
        title="JPG, PNG and WebP are accepted as fetched images, others are not",
        clauses=("SUB-13",),
        sends="tasks with URLs of the kit: an image of each format, and a text",
        expects="success for PNG, JPG and WebP; failed for GIF and for the text",
        run=_fetched,
        images=3,
        worst_images=5,
        time=Time.ONE_GENERATION,
        needs_receiver=True,
    ),
    Case(
        id="S-SUB-090",
        title="JPG, PNG and WebP are accepted as reference images, others are not",
        clauses=("SUB-13",),
        sends="four tasks, each with an image of another format",
        expects="success for PNG, JPG and WebP; failed for GIF",
        run=_formats,
        images=3,
        worst_images=4,
        time=Time.ONE_GENERATION,
        loopback_only=_UNDOCUMENTED,
    ),
    Case(
        id="S-SUB-091",
        title="a reference image may have at most 10 MB",
        clauses=("SUB-13",),
        sends="tasks with an image of 10 MB, and of one byte more",
        expects="success, then failed",
        run=_sizes,
        images=1,
        worst_images=2,
        time=Time.ONE_GENERATION,
        loopback_only=_UNDOCUMENTED,
    ),
)
