"""The search finds a key in every form, so a test with it can fail."""

import pytest

from tests.secrecy.key_search import KEYS, PLAIN_KEY, forms_of, found_in

OTHER = "sk-live-0aaaaaaaaaaaaaaaaaaa"


@pytest.mark.parametrize("form", forms_of(PLAIN_KEY))
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_each_form_of_a_key_is_found_within_other_text(key: str, form: str) -> None:
    output = f'{{"a": "a fox {forms_of(key)[form]} in the snow"}}'.encode()

    assert found_in(output, key) is not None
    assert found_in(output, OTHER) is None
