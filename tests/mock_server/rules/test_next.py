"""Rules that are queued for the next requests can be listed and cancelled."""

from tests.mock_server.e2e.api import Api, Json

CLOSE: Json = {"apply": {"refuse": {"status": 503}}}


def queued(api: Api) -> list[str]:
    return [each["id"] for each in api.told("GET", "next")["next"]]


def test_one_queued_rule_is_cancelled_and_the_others_stay(api: Api) -> None:
    for _ in range(3):
        api.told("POST", "next", CLOSE)
    first, second, third = queued(api)

    told = api.told("DELETE", f"next?id={second}")

    assert [each["id"] for each in told["next"]] == queued(api) == [first, third]


def test_all_queued_rules_are_cancelled_without_an_id(api: Api) -> None:
    for _ in range(2):
        api.told("POST", "next", CLOSE)

    assert api.told("DELETE", "next") == {"next": []}
    assert api.try_submit({"input": {"prompt": "a fox"}}).status_code == 200
    assert api.told("DELETE", "next") == {"next": []}


def test_cancelling_an_unknown_queued_rule_is_404(api: Api) -> None:
    api.told("POST", "next", CLOSE)

    answer = api.control("DELETE", "next?id=next-99")

    assert answer.status_code == 404
    assert answer.json()["data"]["error"] == 'id: no queued rule has the id "next-99"'
    assert len(queued(api)) == 1


def test_response_to_a_queued_rule_has_this_rule_only(api: Api) -> None:
    """Otherwise, a client that queues thousands of rules gets all of them each time."""
    told = [api.told("POST", "next", CLOSE | {"count": count})["next"] for count in (1, 2)]

    assert [[each["count"] for each in next_] for next_ in told] == [[1], [2]]
    assert [each["id"] for [each] in told] == queued(api)


def test_queue_is_full_when_its_rules_need_too_much_memory(api: Api) -> None:
    """Before, 10,000 rules of 1 MB each could be queued."""
    headers = {f"X-{number}": "y" * 4000 for number in range(20)}
    large = {"match": {"operation": "submit", "header": headers}, "apply": CLOSE["apply"]}
    for _ in range(101):
        api.told("POST", "next", large)

    answer = api.control("POST", "next", large)

    assert answer.status_code == 400
    assert (
        "next: must use at most 32 MiB of memory in all; use fewer or shorter rules"
        in answer.json()["data"]["error"]
    )
    assert api.told("DELETE", "next") == {"next": []}
    api.told("POST", "next", large)
