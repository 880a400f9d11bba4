# x_context_token: set gives a token, reset takes the old value back
import asyncio
import contextvars
from say import say


var = contextvars.ContextVar("var")

async def main():
    try:
        var.get()
    except LookupError:
        say("error: no value")
    say("given default", var.get("default"))
    a = var.set(1)
    b = var.set(2)
    say(var.get())
    var.reset(b)
    say(var.get())
    try:
        var.reset(b)
    except RuntimeError:
        say("error: token used")
    var.reset(a)
    say("unset again", var.get("none"))


asyncio.run(main())
