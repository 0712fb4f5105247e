"""Runs the reference client under audit: `reference.py PROMPT OUT_DIR [CALLBACK_PORT]`."""

import sys

from client_reference import CallbackReceiver, Client


def main(prompt: str, out_dir: str, port: str = "") -> None:
    with Client() as client:
        if port:
            with CallbackReceiver(port=int(port)) as receiver:
                generation = client.generate(prompt, via="callback", receiver=receiver, timeout=90)
        else:
            generation = client.generate(prompt, timeout=90)
        for file in client.download(generation, out_dir):
            sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
