"""Without a control plane, the player waits for tasks in real time, but not longer than it must."""

import json
from itertools import count

from contract_tests.contract.provider import GENERATE
from contract_tests.server.events import Request, Response
from contract_tests.server.probe import Probe
from contract_tests.server.traffic import steps
from contract_tests.server.traffic.bodies import simple_body
from contract_tests.server.traffic.player import Player
from contract_tests.server.traffic.setup import Setup
from tests.contract_tests.fakes import FakeWorld, a_target

TASKS = ("one", "two", "three")
LONGEST_S = 300


class World(FakeWorld):
    """Accepts each submit, answers each status request with these members, counts the seconds."""

    def __init__(self, **data: object) -> None:
        super().__init__(self._told)
        self.waited_s = 0.0
        self._data = data
        self._numbers = count()

    def pause(self, seconds: float) -> None:
        self.waited_s += seconds

    def _told(self, request: Request) -> Response:
        data: dict[str, object] = {"taskId": dict(request.query).get("taskId"), **self._data}
        if request.path == GENERATE:
            data = {"taskId": f"task-{next(self._numbers)}"}
        envelope = {"code": 200, "message": "success", "data": data}
        return Response(status=200, body=json.dumps(envelope).encode())


def play(world: World) -> Player:
    """Submit three tasks and wait for the end of each."""
    player = Player(Probe(world, a_target(), seed=1), Setup(), prefix="")
    player.play(steps.Submit(task=name, body=simple_body()) for name in TASKS)
    player.play(steps.PassToEnd(task=name) for name in TASKS)
    return player


def test_tasks_that_never_end_are_waited_for_together() -> None:
    world = World(createTime=1_700_000_000_000)

    player = play(world)

    assert world.waited_s == LONGEST_S
    assert "TIM-1" in player.failures


def test_a_task_that_has_ended_is_not_waited_for() -> None:
    world = World(state="failed", failCode="NSFW", failMsg="no", createTime=1, completeTime=2)

    play(world)

    assert world.waited_s == 0
