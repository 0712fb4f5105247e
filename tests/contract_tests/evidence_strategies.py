"""Generated evidence: whatever a journal can contain, however strange or hostile."""

import json

from hypothesis import strategies as st

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit, HttpExchange, TaskRecord
from contract_tests.client.stored_files import StoredFile
from contract_tests.contract.provider import GENERATE, STATUS
from tests.contract_tests.evidence import PICTURE, RESULT_URL, numbered

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"'`&amp; | a\n| b |"
_STATES = ("pending", "processing", "success", "failed")
_TASK_IDS = st.sampled_from(("", "task_1", "task_2+=&?#%2F"))
_INSTANTS_MS = st.integers(0, 10**13)
_DATES = (
    "Tue, 24 Nov 2026 10:00:00 GMT",
    "Tue, 24 Nov 2026 10:00:07 -0000",
    "Tue, 24 Nov 99999 10:00:00 GMT",
    "Tue, 24 Nov 2026 10:00:00 +99999999999999999999",
)

texts = st.text(st.characters(codec=None), max_size=60) | st.just(HOSTILE)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts
    | st.sampled_from((*_STATES, "CONTENT_VIOLATION", "callback")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_inputs = st.fixed_dictionaries(
    {}, optional={"mode": _values, "prompt": _values, "num_images": _values, "nVariants": _values}
) | st.dictionaries(texts, _values, max_size=3)
_submits = st.fixed_dictionaries(
    {}, optional={"request_type": _values, "input": _values | _inputs, "webhook": _values}
)
_payloads = st.fixed_dictionaries(
    {},
    optional={
        "state": _values | st.sampled_from((*_STATES, "dreaming")),
        "failCode": _values,
        "error": _values,
    },
)
_responses = st.fixed_dictionaries({}, optional={"data": _values | _payloads})
_bodies = st.one_of(
    (_submits | _responses | _values).map(json.dumps),
    texts,
    st.sampled_from(("", "<html>", "{", "9" * 5_000)),
    st.integers(0, 2_000).map(lambda depth: f'{{"input":{"[" * depth}{"]" * depth}}}'),
)
_headers = st.lists(
    st.tuples(
        st.sampled_from(
            ("Retry-After", "Date", "Authorization", "User-Agent", "Content-Type", "X-API-Key")
        ),
        st.sampled_from((*_DATES, "5", "٣", "²", "-1", "1e9", "9" * 400, "soon", "")) | texts,
    ),
    max_size=4,
).map(tuple)
_faults = st.sampled_from(
    ("wire close", "wire html-error", "refuse 429", "latency", "meaning unknown-members",
     "meaning unknown-state", "meaning result-truncated", "callback drop", "callback delay",
     "callback garbage", "callback forged-id")
)  # fmt: skip
_paths = st.one_of(
    st.sampled_from(("/", "//[?taskId=task_1", "/x?taskId=task_1", "?taskId=%ff&taskId", "")),
    st.builds("{}?taskId={}".format, st.sampled_from((GENERATE, STATUS)), _TASK_IDS | texts),
)
_exchanges = st.builds(
    HttpExchange,
    number=st.just(0),
    at_ms=_INSTANTS_MS,
    operation=st.sampled_from(("submit", "status", "balance", "result", "callback")) | texts,
    task_id=_TASK_IDS,
    status=st.sampled_from((0, 200, 206, 304, 400, 401, 404, 410, 429, 500, 503)),
    duration_ms=st.floats(0, 10**9),
    injected=st.frozensets(_faults | texts, max_size=2),
    is_injected_rejection=st.booleans(),
    error=texts,
    method=st.sampled_from(("GET", "POST", "HEAD")) | texts,
    path=_paths,
    headers=_headers,
    body=_bodies,
    response_headers=_headers,
    response_body=_bodies,
)
_tasks = st.builds(
    TaskRecord,
    id=_TASK_IDS,
    num_images=st.integers(0, 4),
    created_ms=_INSTANTS_MS,
    state=st.sampled_from(_STATES),
    ended_ms=st.none() | _INSTANTS_MS,
    fail_code=st.none() | texts,
    result_urls=st.lists(texts | st.just(RESULT_URL), max_size=2).map(tuple),
)
_contents = st.binary(max_size=30) | texts.map(lambda text: text.encode(errors="replace"))
_files = st.builds(
    StoredFile,
    name=texts | st.sampled_from(("1.png", "a/2.JPG", "3.part", "4")),
    content=_contents | st.sampled_from((PICTURE, PICTURE[:20])),
    has_key=st.booleans(),
)
_exits = st.builds(
    ClientExit,
    exit_status=st.integers(-15, 255),
    output=texts,
    timed_out=st.booleans(),
    after_s=st.floats(0, 10**6),
    has_printed_key=st.booleans(),
    files=st.none() | st.lists(_files, max_size=3).map(tuple),
)
evidence = st.builds(
    Evidence,
    exchanges=st.lists(_exchanges, max_size=8).map(numbered),
    tasks=st.lists(_tasks, max_size=3, unique_by=lambda task: task.id).map(tuple),
    client_exit=st.none() | _exits,
    dropped=st.integers(0, 2),
    is_manual=st.booleans(),
    unauthorized=st.integers(0, 2),
    pictures=st.dictionaries(st.just(RESULT_URL) | texts, st.just(PICTURE) | _contents, max_size=2),
)
