"""The actions of the commands; `execution` handles their errors.

A batch handles errors itself: it reports the error of one prompt and continues with the others.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from client_reference.answers import generation_of
from client_reference.batch import BatchResult
from client_reference.command.execution import PendingTasks, Session, join_threads
from client_reference.command.interrupts import INTERRUPTS
from client_reference.command.messages import can_continue
from client_reference.command.output import Exit, Prompt, Summary, exit_of
from client_reference.errors import ApixoError
from client_reference.keywords import ImageKeywords
from client_reference.task import Task

_LAST_RESPONSES_S = 1.0
"""The time that an interrupted batch waits for the responses to its submits, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateOptions:
    """The options of `generate` and `batch`."""

    images: ImageKeywords
    timeout_s: float
    directory: Path | None


def status(session: Session, task_id: str) -> Exit:
    session.output.status(session.client.status(task_id))
    return Exit.SUCCESS


def balance(session: Session) -> Exit:
    session.output.balance(session.client.balance())
    return Exit.SUCCESS


def wait(session: Session, task_id: str, timeout_s: float, directory: Path | None) -> Exit:
    session.pending.add(task_id)
    with session.output.progress():
        update = session.pending.update
        task = session.client.wait(task_id, timeout=timeout_s, on_update=update)
        generation = generation_of(task)
        session.output.waited(generation)
        if directory is not None:
            files = session.client.download(generation, directory)
            session.output.downloaded(generation, files)
    return Exit.SUCCESS


def generate(session: Session, prompt: str, options: GenerateOptions) -> Exit:
    session.pending.begin_submit()
    with session.output.progress():
        generation = session.client.generate(
            prompt,
            **options.images,
            timeout=options.timeout_s,
            on_update=session.pending.update,
        )
        session.output.succeeded(generation)
        if options.directory is not None:
            files = session.client.download(generation, options.directory)
            session.output.downloaded(generation, files)
    return Exit.SUCCESS


class _OutputClosed(BaseException):
    """The output is closed.  It is a BaseException: generate_many would delay an Exception."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(reason)
        self.reason = reason


def batch(
    session: Session, prompts: Sequence[Prompt], options: GenerateOptions, concurrency: int
) -> Exit:
    def update(task: Task) -> None:
        try:
            session.pending.update(task)
        except OSError as error:
            raise _OutputClosed(error) from error

    results = session.client.generate_many(
        _begin_each(prompts, session.pending),
        **options.images,
        concurrency=concurrency,
        timeout=options.timeout_s,
        on_update=update,
    )
    with session.output.progress(len(prompts)), closing(results):
        try:
            exits = [
                _report(session, result, prompts[result.index], options.directory)
                for result in results
            ]
        except KeyboardInterrupt:
            INTERRUPTS.acknowledge()
            results.close()
            join_threads(_LAST_RESPONSES_S)  # Then the tasks of these submits are known.
            raise
        except _OutputClosed as end:
            raise end.reason from None
    counts = Counter(exits)
    succeeded, failed = counts[Exit.SUCCESS], counts[Exit.FAILED]
    others = [each for each in exits if each not in {Exit.SUCCESS, Exit.FAILED}]
    session.output.summary(Summary(succeeded=succeeded, failed=failed, other_errors=len(others)))
    if failed:
        return Exit.FAILED
    return others[0] if others else Exit.SUCCESS


def _begin_each(prompts: Sequence[Prompt], pending: PendingTasks) -> Iterator[str]:
    for prompt in prompts:
        pending.begin_submit()
        yield prompt.text


def _report(session: Session, result: BatchResult, prompt: Prompt, directory: Path | None) -> Exit:
    if result.generation is None:
        assert result.error is not None, "a result has a generation or an error"
        return _report_error(session, result.error, prompt)
    session.output.succeeded(result.generation, prompt)
    if directory is not None:
        try:
            files = session.client.download(result.generation, directory)
        except (ApixoError, OSError) as error:
            return _report_error(session, error, prompt, result.generation.task)
        session.output.downloaded(result.generation, files, prompt)
    session.pending.remove(result.generation.task.id)
    return Exit.SUCCESS


def _report_error(
    session: Session, error: Exception, prompt: Prompt, task: Task | None = None
) -> Exit:
    if isinstance(error, ApixoError):
        task = error.task or task
    session.output.error(error, [task.id] if task and can_continue(error) else [], prompt)
    if task is None:
        session.pending.end_submit()
    else:
        session.pending.remove(task.id)
    return exit_of(error)
