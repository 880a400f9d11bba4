"""Neutral printing for the programs here: true/false/nil, lists as [a, b], bytes as text.

Each trace was recorded with CPython: python3 x_NAME.py > ../expected/x_NAME.txt
"""


def fmt(v):
    if v is None:
        return "nil"
    if v is True:
        return "true"
    if v is False:
        return "false"
    if isinstance(v, (bytes, bytearray)):
        return bytes(v).decode("latin-1")
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(fmt(x) for x in v) + "]"
    return str(v)


def say(*args):
    print(*(fmt(a) for a in args), flush=True)
