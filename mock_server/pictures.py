"""Draw the pictures of tasks (RES-2)."""

from mock_server.domain.catalogue import Catalogue
from mock_server.domain.directives import without_directives
from mock_server.domain.task import Task
from mock_server.images.gallery import Gallery
from mock_server.images.picture import Picture
from mock_server.web.result_addresses import result_token


class TaskPictures:
    """Draws the pictures of tasks. The n-th picture of a task is always the same.

    Its random seed is the secret token in its URL.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._models = catalogue.models
        self._gallery = Gallery()

    async def png(self, task: Task, number: int, seed: int) -> bytes:
        """Return the n-th picture of a task as a PNG; it is drawn when first requested.

        `seed` is that of the sandbox that holds the task.
        """
        return await self._gallery.png(self._picture(task, number, seed))

    async def aclose(self) -> None:
        self._gallery.close()

    def _picture(self, task: Task, number: int, seed: int) -> Picture:
        order = task.order
        ratio = self._models[order.model_id].ratio(order.ratio)
        return Picture(
            prompt=without_directives(task.prompt) if order.has_directives else task.prompt,
            width=ratio.width,
            height=ratio.height,
            ratio=ratio.name,
            number=number,
            count=order.num_images,
            seed=bytes.fromhex(result_token(task, number, seed)),
        )
