"""A server that sends the API key back, in every form, wherever a response has room for it."""

from tests.contract_tests.mutants.harness import Asked, Serve, Told
from tests.secrecy.key_search import forms_of


async def echo_key(asked: Asked, serve: Serve) -> Told:
    """Add the key in every form to the headers and the body of a response."""
    key = asked.header(b"authorization").decode().partition(" ")[2]
    told = await serve(asked)
    if not key or (told.status == 200 and asked.is_result):
        return told
    forms = [*forms_of(key).values(), key.lower(), key.upper()]
    message = f"not allowed: {' or '.join(forms)}"
    told = told.with_json(told.json | {"message": message, "forms": forms, key: key})
    name = b"x-" + "".join(filter(str.isalnum, key)).encode()
    echoed = [(b"x-form", form.encode()) for form in forms]
    if forms[0].replace("-", "").isalnum():
        echoed.append((b"x-" + key.encode(), b"1"))
    return Told(status=told.status, headers=(*told.headers, *echoed, (name, b"1")), body=told.body)
