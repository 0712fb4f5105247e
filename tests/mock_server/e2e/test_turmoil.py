"""Many clients and a tester at once: every callback task is delivered once, in its final state."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Answer, Receiver

CLIENTS = 6
STEPS = 25


def act(api: Api, receiver: Receiver, client: int) -> list[str]:
    """Submit callback tasks, and meanwhile poll, finish, advance and change the clock."""
    dice = Random(client)
    tasks: list[str] = []
    for _ in range(STEPS):
        prompt = dice.choice(
            [
                "a fox",
                "gore",
                "[[mock hold]]",
                "[[mock polls=2]]",
                "[[mock pending=0 processing=0]]",
            ]
        )
        tasks.append(api.submit(prompt, callback_url=receiver.url()))
        match dice.randrange(5):
            case 0:
                api.advance(dice.choice([0.001, 5, 60]))
            case 1:
                api.control("POST", f"tasks/{dice.choice(tasks)}/finish", {"state": "failed"})
            case 2:
                api.ask(dice.choice(tasks))
            case 3:
                api.told("PUT", "clock", {"mode": dice.choice(["real", "manual"]), "speed": 50})
    return tasks


@pytest.mark.parametrize("attempts", [1, 2], ids=["good-receiver", "second-time-lucky"])
def test_every_task_is_delivered_once(api: Api, receiver: Receiver, attempts: int) -> None:
    sent: Counter[bytes] = Counter()

    def refuse_first(body: bytes) -> Answer:
        sent[body] += 1
        return Answer(status=200 if sent[body] == attempts else 500)

    receiver.choose = refuse_first
    with ThreadPoolExecutor(CLIENTS) as clients:
        parts = clients.map(lambda client: act(api, receiver, client), range(CLIENTS))
    tasks = [task_id for part in parts for task_id in part]
    api.told("PUT", "clock", {"mode": "manual"})
    for task_id in tasks:
        api.control("POST", f"tasks/{task_id}/finish", {"state": "success"})
    api.advance("1d")

    assert sent == Counter({api.ask(task_id).content: attempts for task_id in tasks})
    assert {each["state"] for each in api.deliveries()} == {"delivered"}
    assert api.counters()["live_tasks"] == 0
