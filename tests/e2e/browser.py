#!/usr/bin/env python3
"""Drives the page of `memfs info --html` in headless Chromium, as a user would.

browser.py [--shots PREFIX] PAGE WIDTH HEIGHT light|dark

Chromium is told what to do by chromedriver over HTTP (the WebDriver protocol), with
nothing but Python's library. Says what does not hold, and exits 1 if anything does not.
"""

import base64
import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

BACKSPACE, ENTER, RIGHT = "\ue003", "\ue007", "\ue014"


class Browser:
    def __init__(self, width, height, scheme):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.server = f"http://127.0.0.1:{line.split()[-1].rstrip('.')}"
                break
        else:
            raise SystemExit("chromedriver did not start")
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        wanted = {"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = "/session/" + self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path}: {json.load(error)['value']['message'].splitlines()[0]}")

    def post(self, path, **body):
        return self.call("POST", self.session + path, body)

    def devtools(self, command, **parameters):
        return self.post("/goog/cdp/execute", cmd=command, params=parameters)

    def run(self, script, *arguments):
        return self.post("/execute/sync", script=script, args=list(arguments))

    def point(self, x, y, press=False):
        steps = [{"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}]
        if press:
            steps += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.post("/actions", actions=[{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}])

    def key(self, key):
        steps = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.post("/actions", actions=[{"type": "key", "id": "keys", "actions": steps}])

    def shot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("GET", self.session + "/screenshot")))

    def close(self):
        try:
            self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()


# What the tests ask of the page; each tile as its box, its label, and whether a directory.
TILES = """
    return Array.from(document.querySelectorAll('#map [role="button"]'), tile => {
        const box = tile.getBoundingClientRect();
        return { x: box.left, y: box.top, width: box.width, height: box.height,
                 name: tileNode.get(tile).name, value: value(tileNode.get(tile)), directory: tile.classList.contains("directory") };
    });
"""
TRAIL = 'return Array.from(document.querySelectorAll("#trail > [aria-current], #trail > button"), step => step.textContent);'
TIP = """
    const tip = document.getElementById("tip"), box = tip.getBoundingClientRect();
    return { shown: !tip.hidden, text: tip.innerText,
             inside: box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight };
"""
# The least contrast (WCAG) of a text and what is behind it, over all tiles with labels, table cells and so on.
CONTRAST = """
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const channels = colour => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return Array.from(canvas.getImageData(0, 0, 1, 1).data);
    };
    const luminance = colour => channels(colour).slice(0, 3).map(c => c / 255)
        .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (; element; element = element.parentElement)
            if (channels(getComputedStyle(element).backgroundColor)[3] === 255)
                return getComputedStyle(element).backgroundColor;
        return "white";
    };
    let least = { contrast: 99 };
    for (const element of document.querySelectorAll(".tile span, td, th, dt, dd, small, p, h1, h2, button, label, footer")) {
        const one = luminance(getComputedStyle(element).color), other = luminance(behind(element));
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (element.textContent && contrast < least.contrast)
            least = { contrast, text: element.textContent.slice(0, 40) };
    }
    return least;
"""
# Labels that reach out of their tile, or into each other.
OVERLAPS = """
    const found = [];
    for (const tile of document.querySelectorAll(".tile")) {
        const box = tile.getBoundingClientRect();
        let end = -Infinity, line = -Infinity;
        for (const span of tile.querySelectorAll(":scope > span, :scope > .label > span")) {
            const inner = span.getBoundingClientRect();
            const cut = getComputedStyle(span).overflowX !== "visible" || span.scrollWidth <= span.clientWidth;
            if (!cut || inner.right > box.right + 0.5 || inner.bottom > box.bottom + 0.5 || (inner.top < line && inner.left < end - 0.5))
                found.push(tile.textContent);
            end = inner.right;
            line = inner.bottom;
        }
    }
    return found;
"""


class Test:
    def __init__(self, browser, shots):
        self.browser, self.shots, self.failures, self.pictures = browser, shots, 0, 0

    def expect(self, what, holds, found=None):
        if not holds:
            self.failures += 1
            print(f"not so: {what}" + ("" if found is None else f": {found}"))

    def picture(self):
        if self.shots:
            self.pictures += 1
            self.browser.shot(f"{self.shots}-{self.pictures}.png")

    def until(self, what, script, want):
        """Waits until a script returns what is wanted: the page answers to an event by and by."""
        end = time.monotonic() + 10
        while (got := self.browser.run(script)) != want and time.monotonic() < end:
            time.sleep(0.02)
        self.expect(what, got == want, f"{got}, not {want}")

    def tiles(self):
        return self.browser.run(TILES)

    def largest_directory(self):
        return max((tile for tile in self.tiles() if tile["directory"]), key=lambda tile: tile["value"])

    def loaded(self):
        run = self.browser.run
        self.expect("nothing is fetched", run('return performance.getEntriesByType("resource").map(entry => entry.name)') == [])
        self.expect("no script but the page's own", run("return document.scripts.length") == 2)
        self.expect("no name became an element", run('return document.querySelectorAll("img, iframe, object, svg, [onerror]").length') == 0)
        self.expect("no name ran", run("return window.pwned === undefined"))
        wide = run("return document.documentElement.scrollWidth - innerWidth")
        self.expect("nothing reaches beyond the width", wide <= 0, wide)

    def look(self):
        """What holds wherever the map is."""
        least = self.browser.run(CONTRAST)
        self.expect("every text can be read", least["contrast"] >= 4.5, least)
        overlaps = self.browser.run(OVERLAPS)
        self.expect("labels fit", overlaps == [], overlaps[:5])
        tiles = self.tiles()
        for i, a in enumerate(tiles):
            for b in tiles[:i]:
                wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
                high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
                self.expect("tiles lie side by side", wide < 0.5 or high < 0.5, f"{a} {b}")

    def areas(self):
        """Tiles are as large as what they stand for."""
        width, height = self.browser.run('const map = document.getElementById("map"); return [map.clientWidth, map.clientHeight];')
        whole = self.browser.run("return sorted(here).reduce((sum, node) => sum + value(node), 0)")
        for tile in self.tiles():
            area, want = tile["width"] * tile["height"], width * height * tile["value"] / whole
            self.expect("areas are right", abs(area - want) < 0.02 * want + 4, f"{tile['name']}: {area}, not {want}")

    def hover(self):
        tile = self.largest_directory()
        self.browser.point(tile["x"] + min(20, tile["width"] / 2), tile["y"] + 6)
        tip = self.browser.run(TIP)
        self.expect("hovering shows what it is", tip["shown"] and tip["text"].startswith(tile["name"]), tip)
        self.expect("and how large", "%" in tip["text"] and "file" in tip["text"], tip)
        self.expect("inside the window", tip["inside"], tip)
        self.picture()

    def down_and_up(self):
        top = self.browser.run(TRAIL)
        tile = self.largest_directory()
        self.browser.point(tile["x"] + min(20, tile["width"] / 2), tile["y"] + 6, press=True)
        self.until("clicking goes down", TRAIL, [*top, tile["name"]])
        self.expect("the entries are its", self.browser.run('return document.querySelectorAll("#entries tr").length') > 0)
        self.look()
        self.picture()
        self.browser.run('document.querySelector("#trail button").click()')
        self.until("the trail leads up", TRAIL, top)
        self.browser.post("/back")
        self.until("the browser's way back leads down again", TRAIL, [*top, tile["name"]])
        self.browser.run('document.querySelector("#trail button").click()')
        self.until("and up", TRAIL, top)
        self.browser.run("""Array.from(document.querySelectorAll("#entries button"), button => button)
            .find(button => button.textContent === arguments[0]).click()""", tile["name"])
        self.until("the list leads down, too", TRAIL, [*top, tile["name"]])
        self.browser.run('document.querySelector("#trail button").click()')
        self.until("and up", TRAIL, top)

    def keys(self):
        top = self.browser.run(TRAIL)
        tile = self.largest_directory()
        self.browser.run("""Array.from(document.querySelectorAll('#map [role="button"]'))
            .find(tile => tileNode.get(tile).name === arguments[0]).focus()""", tile["name"])
        self.browser.key(ENTER)
        self.until("Enter goes down", TRAIL, [*top, tile["name"]])
        focused = "return document.activeElement.closest('#map') !== null && document.activeElement.getAttribute('aria-label')"
        before = self.browser.run(focused)
        self.expect("a tile has the focus", before, before)
        if self.browser.run("return neighbour(document.activeElement, 'ArrowRight') !== null"):
            self.browser.key(RIGHT)
            self.expect("arrows move it", self.browser.run(focused) not in (before, False))
        self.browser.key(BACKSPACE)
        self.until("Backspace goes up", TRAIL, top)

    def measures(self):
        before = [tile["value"] for tile in self.tiles()]
        self.browser.run('document.querySelector("#measures input[value=files]").click()')
        self.expect("areas can be numbers of files", [tile["value"] for tile in self.tiles()] != before)
        self.areas()
        self.look()
        self.browser.run('document.querySelector("#measures input").click()')
        self.expect("and sizes again", [tile["value"] for tile in self.tiles()] == before)

    def tables(self):
        for table in ("largest", "extensions", "types", "tables", "ratios"):
            self.expect(f"the table {table} has rows", self.browser.run("return document.getElementById(arguments[0]).rows.length", table) > 0)
        if self.shots:
            self.browser.run("document.querySelector('.cards').scrollIntoView()")
            self.picture()
            self.browser.run("scrollTo(0, 0)")

    def quiet(self):
        log = self.browser.post("/se/log", type="browser")
        self.expect("the console stays empty", log == [], log)


def main():
    arguments = sys.argv[1:]
    shots = None
    if arguments[:1] == ["--shots"]:
        shots, arguments = arguments[1], arguments[2:]
    page, width, height, scheme = arguments
    browser = Browser(int(width), int(height), scheme)
    try:
        began = time.monotonic()
        browser.post("/url", url=pathlib.Path(page).resolve().as_uri())
        seconds = time.monotonic() - began
        test = Test(browser, shots)
        test.expect("the page opens at once", seconds < 10, f"{seconds:.1f} s")
        test.picture()
        for step in (test.loaded, test.look, test.areas, test.hover, test.down_and_up, test.keys, test.measures, test.tables, test.quiet):
            step()
    finally:
        browser.close()
    return 1 if test.failures else 0


if __name__ == "__main__":
    sys.exit(main())
