"""Drives a WebSocket API with websockets. websocket_test.go runs it, with the
URL in the environment."""
import asyncio
import os

import websockets

URL = os.environ["URL"]


async def ask(socket, text):
    await socket.send(text)
    return await socket.recv()


async def refused(coroutine, kind, check):
    try:
        await coroutine
    except kind as e:
        assert check(e), e
    else:
        raise AssertionError("it wasn't refused")


async def main():
    async with websockets.connect(URL) as socket:
        assert socket.extensions == [], socket.extensions
        assert socket.subprotocol is None
        assert await ask(socket, "Hello") == "Hello"
        assert await ask(socket, "häß 你好 😀") == "häß 你好 😀"
        # An iterable is sent in fragments.
        quarter = "x" * 32 * 1024
        assert await ask(socket, [quarter] * 4) == quarter * 4
        await asyncio.wait_for(await socket.ping(b"\x00\xff"), 10)

        async with websockets.connect(URL, subprotocols=["chat", "superchat"]) as spoken:
            assert spoken.subprotocol == "chat", spoken.subprotocol
            await spoken.close(4002, "häß")
            assert spoken.close_code == 4002, spoken.close_code

    await refused(websockets.connect(URL + "?token=wrong").__aenter__(), websockets.InvalidStatusCode, lambda e: e.status_code == 401)
    for message, code in ((b"\x00", 1003), ("x" * (32 * 1024 + 1), 1009)):
        async with websockets.connect(URL) as socket:
            await refused(ask(socket, message), websockets.ConnectionClosedError, lambda e: e.rcvd.code == code)


asyncio.run(asyncio.wait_for(main(), 60))
