"""A Chromium without a window, told what to do over its DevTools protocol.

Keys are pressed as a keyboard presses them, so that what a test reaches, a person without a mouse
reaches too.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

PATIENCE_SECONDS = 30.0

_KEYS = {
    "ArrowDown": 40, "ArrowUp": 38, "Enter": 13, "Tab": 9, "Backspace": 8, "Escape": 27,
}  # fmt: skip

CONTRAST = """
(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let worst = 21;
  const all = "h1, h2, a, p, li, td, th, label, code, button";
  for (const element of document.querySelectorAll(all)) {
    if (!element.textContent.trim() || !element.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
    worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return worst;
})()
"""
"""The least contrast of all text on a page (WCAG 2, s1.4.3)."""


class Page:
    """One tab."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loads: asyncio.Queue[None] = asyncio.Queue()
        self.complaints: list[str] = []
        """What the page wrote to its console, exceptions and refusals among them."""

    async def listen(self) -> None:
        """Read what the browser says, until it says no more."""
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                return
            told = json.loads(message.data)
            if "id" in told:
                self._waiting.pop(told["id"]).set_result(told)
            elif told["method"] == "Page.loadEventFired":
                self._loads.put_nowait(None)
            elif told["method"] in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(told["params"]))

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return what it results in."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_SECONDS):
            told = await self._waiting[number]
        assert "error" not in told, told
        return told["result"]

    async def open(self, url: str) -> None:
        """Go to an address and wait until the page is loaded."""
        await self.send("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        """Wait until the next page is loaded."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._loads.get()

    async def evaluate(self, expression: str) -> Any:
        """Give the value of a JavaScript expression."""
        result = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until an expression is true, and give its value."""
        return await self.evaluate(
            "new Promise(resolve => { const look = () => { const value = "
            f"({expression}); value ? resolve(value) : requestAnimationFrame(look); }}; look(); }})"
        )

    async def type(self, text: str) -> None:
        """Type text where the focus is."""
        for character in text:
            await self.send("Input.dispatchKeyEvent", type="char", text=character)

    async def press(self, key: str) -> None:
        """Press a key that writes nothing."""
        event = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    async def prefer(self, scheme: str) -> None:
        """Have the system prefer "light" or "dark"."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.send("Emulation.setEmulatedMedia", features=[feature])


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Page]:
    """Start a browser with an empty profile, and give its one tab."""
    program = shutil.which("chromium")
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        port = await _port(process)
        async with ClientSession() as session, _tab(session, port) as page:
            yield page
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _port(process: asyncio.subprocess.Process) -> int:
    """The port that the browser says it listens on."""
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while line := (await process.stderr.readline()).decode(errors="replace"):
            if "DevTools listening on" in line:
                return int(line.rpartition(":")[2].partition("/")[0])
    raise AssertionError("chromium ended before it listened")


@asynccontextmanager
async def _tab(session: ClientSession, port: int) -> AsyncIterator[Page]:
    async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
        tabs = [tab for tab in await response.json() if tab["type"] == "page"]
    async with session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
        page = Page(socket)
        listening = asyncio.create_task(page.listen())
        for domain in ("Page", "Runtime", "Log"):
            await page.send(f"{domain}.enable")
        yield page
        await socket.close()
        await listening
