"""The reference page of the directives in prompts."""

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.outcome import WrittenOutcome
from mock_server.rules_page import member_metas
from mock_server.settings import Settings
from tests.pages.reference.markdown import GENERATED, table

_HEAD = f"""\
# Directives

Steer one task with text in its prompt. The client needs no change, and the mock does not draw the text.

`a fox [[mock fail=CONTENT_VIOLATION message="no foxes"]] in the snow`

Write members as `name=value`. Put a value with spaces in quotes. A prompt can have several directives; if a member is repeated, the last
one counts. An invalid directive is rejected with 400, and the error names it. With `--strict` directives are ignored.

{GENERATED}
## Members

"""  # noqa: E501  # prose
_PRECEDENCE = """
If several members decide when a task ends, `hold` takes precedence over `polls`, and `polls` over the durations. Directives,
rules, reference images and moderation can all let a task fail: the first of them, in this order, decides.

## Fail codes

"""  # noqa: E501  # prose


def directives_page() -> str:
    """Return the page as Markdown."""
    members = [
        (f"`{_written(name, (meta.examples or [''])[0])}`", meta.description or "")
        for name, meta in member_metas(WrittenOutcome).items()
    ]
    codes = load_catalogue(Settings()).fail_messages
    return "".join(
        [
            _HEAD,
            table(("member", "meaning"), members),
            _PRECEDENCE,
            table(("code", "default message"), ((f"`{code}`", codes[code]) for code in codes)),
        ]
    )


def _written(name: str, example: object) -> str:
    """Return the member as a prompt contains it."""
    if example is True:
        return name
    text = str(example)
    return f'{name}="{text}"' if " " in text else f"{name}={text}"
