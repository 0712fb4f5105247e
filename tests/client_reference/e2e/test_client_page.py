"""Each Python block of docs/client.md runs as it stands there.

Only time is another: sleeping moves the mock's clock, so that nobody waits twenty seconds.
"""

import re
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import anyio.to_thread
import pytest

import client_reference
from tests.client_reference.e2e.conftest import MockTime
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock

PAGE = Path(__file__).parents[3] / "docs" / "client.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
TREE = re.search(r"```\n(ApixoError.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def page(
    mock: RunningMock, api: Api, time: MockTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make the world of a reader: the environment, a folder, and a library with quick time."""
    api.go_real(speed=200)  # so that a callback comes to who only waits for it

    async def sleep(seconds: float) -> None:
        await anyio.to_thread.run_sync(time.sleep, seconds)

    quick = ModuleType("client_reference")
    quick.__dict__.update(vars(client_reference))
    quick.__dict__["Client"] = partial(client_reference.Client, clock=time.clock, sleep=time.sleep)
    quick.__dict__["AsyncClient"] = partial(
        client_reference.AsyncClient, clock=time.clock, sleep=sleep
    )
    monkeypatch.setitem(sys.modules, "client_reference", quick)
    monkeypatch.setenv("APIXO_API_KEY", api.key)
    monkeypatch.setenv("APIXO_BASE_URL", mock.url)
    monkeypatch.chdir(tmp_path)


EXPECTED = [
    r"\('http://.*', 'http://.*'\)\n\d+\.\d+\n",
    r"",
    r"task_\w+\npending False\n(processing\n)*success\nsuccess \('http://.*',\) None\n",
    r"(?s)(?=.*^0 \('http)(?=.*^1 \('http)(?=.*^2 \('http)(?=.*^3 failed: prompt: must be)",
    r"\('http://.*',\)\nsuccess\n",
    r"change the prompt: Content violates safety guidelines\n",
    r"74.87\n",
]


@pytest.mark.parametrize(
    ("block", "expected"),
    list(zip(BLOCKS, EXPECTED, strict=True)),
    ids=["picture", "asyncio", "step by step", "many", "callbacks", "errors", "tests"],
)
@pytest.mark.usefixtures("page")
def test_a_block_of_the_page_runs(
    block: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(block, str(PAGE), "exec"), {"__name__": "__main__"})

    assert re.match(expected, capsys.readouterr().out, re.MULTILINE)


def test_the_page_draws_the_whole_tree_of_errors() -> None:
    assert TREE is not None
    drawn = set(re.findall(r"^[│├└─ ]*([A-Z]\w+)", TREE[1], re.MULTILINE))

    assert drawn == {
        name
        for name, value in vars(client_reference).items()
        if isinstance(value, type) and issubclass(value, client_reference.ApixoError)
    }
