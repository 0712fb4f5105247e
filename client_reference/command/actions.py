"""What each command does, given a client; errors are left to the caller.

A batch is the exception: the error of one prompt is told and the others go on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from client_reference.answers import generation_of
from client_reference.batch import BatchResult
from client_reference.command.exits import Exit, exit_of
from client_reference.command.inputs import Prompt
from client_reference.command.output import Output, Summary
from client_reference.command.sentences import is_worth_going_on
from client_reference.command.threads import let_end
from client_reference.command.under_way import UnderWay
from client_reference.errors import ApixoError
from client_reference.sync_client import Client
from client_reference.task import Task

_LAST_ANSWERS_S = 1.0  # how long an interrupt waits for the ids of tasks that are being submitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of a generation."""

    aspect_ratio: str
    num_images: int
    image_urls: tuple[str, ...]
    provider: str
    timeout: float
    directory: Path | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Who does the work, who tells of it, and who remembers what is under way."""

    client: Client
    output: Output
    under_way: UnderWay


def status(desk: Desk, task_id: str) -> Exit:
    desk.output.status(desk.client.status(task_id))
    return Exit.SUCCESS


def balance(desk: Desk) -> Exit:
    desk.output.balance(desk.client.balance())
    return Exit.SUCCESS


def wait(desk: Desk, task_id: str, timeout: float, directory: Path | None) -> Exit:
    desk.under_way.follow(task_id)
    with desk.output.following():
        task = desk.client.wait(task_id, timeout=timeout, on_update=desk.under_way.update)
        generation = generation_of(task)
        desk.output.waited(generation)
        if directory is not None:
            desk.output.downloaded(generation, desk.client.download(generation, directory))
    return Exit.SUCCESS


def generate(desk: Desk, prompt: str, wishes: Wishes) -> Exit:
    desk.under_way.submitting()
    with desk.output.following():
        generation = desk.client.generate(
            prompt,
            aspect_ratio=wishes.aspect_ratio,
            num_images=wishes.num_images,
            image_urls=wishes.image_urls,
            provider=wishes.provider,
            timeout=wishes.timeout,
            on_update=desk.under_way.update,
        )
        desk.output.succeeded(generation)
        if wishes.directory is not None:
            files = desk.client.download(generation, wishes.directory)
            desk.output.downloaded(generation, files)
    return Exit.SUCCESS


class _Unheard(BaseException):
    """Nothing can be told any more; generate_many would keep an Exception to the end."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(reason)
        self.reason = reason


def batch(desk: Desk, prompts: Sequence[Prompt], wishes: Wishes, concurrency: int) -> Exit:
    def tell(task: Task) -> None:
        try:
            desk.under_way.update(task)
        except OSError as error:
            raise _Unheard(error) from error

    results = desk.client.generate_many(
        _begun(prompts, desk.under_way),
        concurrency=concurrency,
        aspect_ratio=wishes.aspect_ratio,
        num_images=wishes.num_images,
        image_urls=wishes.image_urls,
        provider=wishes.provider,
        timeout=wishes.timeout,
        on_update=tell,
    )
    with desk.output.following(len(prompts)), closing(results):
        try:
            ends = [
                _told(desk, result, prompts[result.index], wishes.directory) for result in results
            ]
        except KeyboardInterrupt:
            results.close()
            let_end(_LAST_ANSWERS_S)  # so that the tasks of answered submits are known
            raise
        except _Unheard as end:
            raise end.reason from None
    counts = Counter(ends)
    done, failed = counts[Exit.SUCCESS], counts[Exit.FAILED]
    others = [end for end in ends if end not in {Exit.SUCCESS, Exit.FAILED}]
    desk.output.summary(Summary(succeeded=done, failed=failed, other_errors=len(others)))
    if failed:
        return Exit.FAILED
    return others[0] if others else Exit.SUCCESS


def _begun(prompts: Sequence[Prompt], under_way: UnderWay) -> Iterator[str]:
    for prompt in prompts:
        under_way.submitting()
        yield prompt.text


def _told(desk: Desk, result: BatchResult, prompt: Prompt, directory: Path | None) -> Exit:
    if result.generation is None:
        assert result.error is not None, "a result has a generation or an error"
        return _told_error(desk, result.error, prompt)
    desk.output.succeeded(result.generation, prompt)
    if directory is not None:
        try:
            files = desk.client.download(result.generation, directory)
        except (ApixoError, OSError) as error:
            return _told_error(desk, error, prompt, result.generation.task)
        desk.output.downloaded(result.generation, files, prompt)
    desk.under_way.settled(result.generation.task.id)
    return Exit.SUCCESS


def _told_error(desk: Desk, error: Exception, prompt: Prompt, task: Task | None = None) -> Exit:
    if isinstance(error, ApixoError):
        task = error.task or task
    desk.output.error(error, [task.id] if task and is_worth_going_on(error) else [], prompt)
    if task is None:
        desk.under_way.refused()
    else:
        desk.under_way.settled(task.id)
    return exit_of(error)
