"""Generate images for many prompts with the same options, with one result per prompt."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from client_reference.conversations import Api, OnUpdate
from client_reference.errors import ApixoError, AuthenticationError, RateLimited
from client_reference.limiter import Limiter
from client_reference.steps import Flow
from client_reference.submission import ImageOptions, Submission
from client_reference.task import Generation, Task
from client_reference.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """The result of one prompt: either a generation or an error.

    The error is a ValueError if the prompt itself is invalid.
    """

    index: int
    prompt: str
    generation: Generation | None = None
    error: ApixoError | ValueError | None = None

    def __post_init__(self) -> None:
        if (self.generation is None) == (self.error is None):
            raise ValueError("a result has either a generation or an error")


class BatchInput:
    """The caller's prompts and `on_update`, and the first error that either of them raised.

    Tasks in progress are already paid for.  Therefore the error is raised only after their
    results; until then, prompts and `on_update` are not used again.
    """

    def __init__(self, prompts: Iterable[str], on_update: OnUpdate | None) -> None:
        if isinstance(prompts, str | bytes) or not isinstance(prompts, Iterable):
            raise ValueError("prompts: must be a list of prompts")  # noqa: TRY004  # as for all
        self._prompts = prompts
        self._on_update = on_update
        self._error: Exception | None = None

    def numbered_prompts(self) -> Iterator[tuple[int, str]]:
        """Yield each prompt with its index; stop at the first error."""
        left = enumerate(self._prompts)
        while self._error is None:
            try:
                numbered = next(left)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001  # raise_error raises it.
                self._error = error
                return
            yield numbered

    def update(self, task: Task) -> None:
        """Call `on_update`, unless an error has occurred."""
        if self._on_update is None or self._error is not None:
            return
        try:
            self._on_update(task)
        except Exception as error:  # noqa: BLE001  # raise_error raises it.
            self._error = error

    def raise_error(self) -> None:
        """Raise the error of the caller's own code, if there was one."""
        if self._error is not None:
            raise self._error


class Batch:
    """The flows of a `generate_many`, one for each prompt."""

    def __init__(
        self,
        api: Api,
        given: BatchInput,
        *,
        images: ImageOptions,
        limiter: Limiter,
        timeout_s: float,
    ) -> None:
        self.given = given
        self.concurrency = limiter.concurrency
        self._limiter = limiter
        self._api = replace(api, pace=limiter.pace)
        self._images = images
        self._timeout_s = timeout_s

    def stop(self) -> None:
        """Prevent further requests."""
        self._limiter.stop()

    def result(self, index: int, prompt: str) -> Flow[BatchResult]:
        """Submit a prompt when the limits allow it, and return the result of its task."""
        try:
            submission = Submission(prompt=prompt, images=self._images)
            generation = yield from self._generate(submission)
        except (ApixoError, ValueError) as error:
            return BatchResult(index=index, prompt=prompt, error=error)
        return BatchResult(index=index, prompt=prompt, generation=generation)

    def _generate(self, submission: Submission) -> Flow[Generation]:
        timeline = self._api.timeline()
        task = yield from self._submit(submission, timeline)
        try:
            deadline_s = timeline.now_s() + self._timeout_s
            wanted = submission.images.num_images
            update = self.given.update
            return (yield from self._api.follow(task, wanted, timeline, deadline_s, update))
        finally:
            self._limiter.release()

    def _submit(self, submission: Submission, timeline: Timeline) -> Flow[Task]:
        rejections = 0
        while True:
            while (pause_s := self._limiter.acquire(timeline.now_s())) > 0:
                yield from timeline.sleep(pause_s)
            try:
                return (yield from self._api.submit(submission, timeline, retry_rate_limited=False))
            except RateLimited as error:
                rejections += 1
                others_will_end = self._limiter.release_after_429(timeline.now_s(), error)
                if not others_will_end and rejections > self._api.max_retries:
                    raise
            except BaseException as error:
                self._limiter.release()
                if isinstance(error, AuthenticationError):
                    self._limiter.close(error)  # The same key would be rejected for every prompt.
                raise
