"""GET /_mock/metrics: Prometheus text with few labels and no key."""

from prometheus_client.parser import text_string_to_metric_families

from mock_server.settings import Settings
from tests.mock_server.e2e.serving import running


def test_what_was_done_is_counted_by_what_came_of_it() -> None:
    with running(Settings(clock="manual", seed=1)) as mock:
        api = mock.api("a-secret-key")
        api.submit("[[mock fail=NSFW]]")
        api.submit(callback_url="http://127.0.0.1:9/")
        api.told("POST", "next", {"apply": {"refuse": {"status": 503}, "latency": 0}})
        api.send("GET", "/api/v1/apikeys/current-balance")
        mock.http.get("/api/v1/apikeys/current-balance")
        mock.api("sk-forbidden").send("GET", "/api/v1/apikeys/current-balance")
        api.advance("1h")
        answer = mock.http.get("/_mock/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "a-secret-key" not in answer.text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    expected = {
        ("apixo_mock_requests_total", "200", "submit"): 2,
        ("apixo_mock_requests_total", "503", "balance"): 1,
        ("apixo_mock_requests_total", "401", "balance"): 1,
        ("apixo_mock_requests_total", "403", "balance"): 1,
        ("apixo_mock_unauthorized_total",): 2,
        ("apixo_mock_request_duration_seconds_count", "submit"): 2,
        ("apixo_mock_tasks_submitted_total",): 2,
        ("apixo_mock_tasks_ended_total", "", "success"): 1,
        ("apixo_mock_tasks_ended_total", "NSFW", "failed"): 1,
        ("apixo_mock_callbacks_total", "unanswered"): 4,
        ("apixo_mock_faults_total", "refuse 503"): 1,
        ("apixo_mock_faults_total", "latency"): 1,
        ("apixo_mock_sandboxes",): 1,
        ("apixo_mock_live_tasks",): 0,
        ("apixo_mock_journal_trimmed_entries_total",): 0,
    }
    assert expected.items() <= samples.items()
    assert samples["apixo_mock_journal_bytes",] > 2000
