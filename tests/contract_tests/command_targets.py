"""Two servers that the command tests: a correct one, and one that breaks a clause."""

from mock_server.settings import Settings
from tests.contract_tests.mutants.harness import Asked, Mutant, Told, answers

TRUE = Mutant(name="true", clause="SUB-1", settings=Settings(clock="manual", seed=7))


def _taking_three(asked: Asked, told: Told) -> Told:
    if asked.is_submit and b'"num_images": 3' in asked.body.replace(b'":3', b'": 3'):
        envelope = {"code": 200, "message": "success", "data": {"taskId": "task_1"}}
        return Told(status=200, headers=told.headers, body=b"").with_json(envelope)
    return told


TAKES_THREE = Mutant(name="takes three images", clause="SUB-11", make=answers(_taking_three))
