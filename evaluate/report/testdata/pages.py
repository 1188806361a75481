#!/usr/bin/env python3
"""Opens pages in headless Chromium and looks for what only a browser can see.

    pages.py [--shots DIR] PAGE.html ...

Every page is laid out 1280 and 390 pixels wide, light and dark, with its tables closed and
open, laid out as on paper, and printed to PDF. A page fails where it scrolls sideways, where
something sticks out of the page, of its drawing or of a box that does not scroll, where a
table is cut off at 1280 pixels or on paper, where two texts of a drawing overlap, where a
text has less than 4.5 : 1 of contrast, where the console has something to say, or where the
PDF is empty.
Python's standard library and Chromium (the Debian package, version 100 or later) are all it
needs; the browser is spoken to by its debugging pipe. Exit 1 if a page fails, 3 where there
is no browser.
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"]
WIDTHS = (1280, 390)
THEMES = ("light", "dark")
PAPER = 718  # pixels of A4 within margins of 1 cm
PIECE = 1600  # pixels of height of a screenshot

# What a browser knows of a page, as a list of complaints.
LOOK = r"""
(WHOLE => {
  const out = [], root = document.documentElement, wide = root.clientWidth;
  const say = (what, e) => out.push(what + ": " + (e.tagName || "").toLowerCase() + " “" +
    (e.textContent || "").trim().replace(/\s+/g, " ").slice(0, 50) + "”");
  if (root.scrollWidth > wide) out.push("the page scrolls sideways: " + root.scrollWidth + " px");
  const scrolls = e => { for (; e; e = e.parentElement) if (/auto|scroll/.test(getComputedStyle(e).overflowX)) return true; };
  const shown = e => e.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true, opacityProperty: true});
  const color = s => { const m = s.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = c => { const f = c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const ratio = (a, b) => { const x = light(a) + .05, y = light(b) + .05; return x > y ? x / y : y / x; };
  const paper = e => { for (; e; e = e.parentElement) { const c = color(getComputedStyle(e).backgroundColor);
    if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const weak = new Set(), stuck = new Set();
  for (const e of document.querySelectorAll("body *")) {
    if (!shown(e)) continue;
    const svg = e.closest("svg"), r = e.getBoundingClientRect(), style = getComputedStyle(e);
    const beyond = r.width && (r.right > wide + 1 || r.left < -1);
    if (beyond && !svg && !scrolls(e) && !stuck.has(e.parentElement)) say("sticks out of the page", e);
    if (beyond) stuck.add(e);
    const cut = WHOLE ? /auto|scroll|hidden/ : /hidden/;
    if (!svg && e.scrollWidth > e.clientWidth + 1 && cut.test(style.overflowX)) say("is cut off", e);
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (own && !/^(style|title)$/i.test(e.tagName)) {
      const ink = color(svg && e !== svg ? style.fill : style.color), back = paper(e), c = ratio(ink, back);
      const key = ink.join() + "|" + back.join();
      if (c < 4.5 && !weak.has(key)) { weak.add(key); say("contrast " + c.toFixed(2), e); }
    }
  }
  for (const svg of document.querySelectorAll("svg")) {
    if (!shown(svg)) continue;
    const box = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll("text")].filter(shown)
      .map(e => [e, e.getBoundingClientRect()]);
    for (const e of svg.querySelectorAll("*")) {
      const r = e.getBoundingClientRect();
      if (r.left < box.left - 2 || r.right > box.right + 2 || r.top < box.top - 2 || r.bottom > box.bottom + 2)
        say("sticks out of its drawing", e);
    }
    texts.forEach(([e, a], i) => texts.slice(i + 1).forEach(([f, b]) => {
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 1 && h > 3) say("overlaps “" + f.textContent + "”", e);
    }));
    if (box.width > 60 && svg.getAttribute("role") !== "img") say("has no role", svg);
  }
  return out;
})(%s)
"""


class Browser:
    """A headless Chromium with one tab."""

    def __init__(self, path, profile):
        down, self.to = os.pipe()
        self.of, up = os.pipe()
        wires = [os.dup(down), os.dup(up)]

        def wire():
            os.dup2(wires[0], 3)
            os.dup2(wires[1], 4)

        self.process = subprocess.Popen([path, *FLAGS, "--user-data-dir=" + profile], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=wire, pass_fds=(3, 4))
        for end in (down, up, *wires):
            os.close(end)
        self.number, self.session, self.events, self.rest = 0, None, [], b""
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self(domain + ".enable")

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.of, 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def __call__(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        self.events.clear()
        self("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.read())

    def complaints(self):
        """What the console and the security policy say."""
        for e in self.events:
            if e.get("method") == "Log.entryAdded":
                yield "the console says: " + e["params"]["entry"]["text"]
            if e.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                yield "a script ran"

    def look(self, whole):
        """What a look at the page complains of; whole: nothing may need scrolling."""
        seen = self("Runtime.evaluate", expression=LOOK.replace("(%s)", "(true)" if whole else "(false)"), returnByValue=True)["result"]
        return seen.get("value", ["the look failed: " + str(seen)])

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def look(browser, page, shots):
    """Returns what is wrong with a page, after what was seen at which width and theme."""
    wrong, name = [], page.stem
    for theme in THEMES:
        browser("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": theme}])
        for wide in WIDTHS:
            where = f"{wide} px, {theme}"
            browser("Emulation.setDeviceMetricsOverride", width=wide, height=900, deviceScaleFactor=1, mobile=False)
            browser.open(page.resolve().as_uri())
            for opened in (False, True):
                if opened:
                    browser("Runtime.evaluate", expression="document.querySelectorAll('details').forEach(d => d.open = true)")
                wrong += [f"{where}{', tables open' * opened}: {w}" for w in browser.look(whole=wide > 1000 and not opened)]
                if shots and not opened:
                    tall = browser("Page.getLayoutMetrics")["cssContentSize"]["height"]
                    for k, top in enumerate(range(0, int(tall), PIECE)):
                        clip = {"x": 0, "y": top, "width": wide, "height": min(PIECE, tall - top), "scale": 1}
                        picture = browser("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]
                        (shots / f"{name}-{wide}-{theme}-{k + 1}.png").write_bytes(base64.b64decode(picture))
            wrong += [f"{where}: {w}" for w in browser.complaints()]
    browser("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "light"}])
    browser("Emulation.setDeviceMetricsOverride", width=PAPER, height=1000, deviceScaleFactor=1, mobile=False)
    browser.open(page.resolve().as_uri())
    wrong += [f"on paper: {w}" for w in browser.look(whole=True)]
    browser("Emulation.setEmulatedMedia", media="", features=[])
    browser("Emulation.clearDeviceMetricsOverride")
    pdf = base64.b64decode(browser("Page.printToPDF", preferCSSPageSize=True)["data"])
    if not pdf.startswith(b"%PDF") or len(pdf) < 5000:
        wrong.append(f"the PDF has {len(pdf)} bytes")
    if shots:
        (shots / f"{name}.pdf").write_bytes(pdf)
    return wrong


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--shots", type=pathlib.Path, help="folder for screenshots and PDFs")
    args.add_argument("pages", type=pathlib.Path, nargs="+")
    args = args.parse_args()
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        print("there is no Chromium: install the Debian package chromium", file=sys.stderr)
        return 3
    if args.shots:
        args.shots.mkdir(parents=True, exist_ok=True)
    bad = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(path, profile)
        try:
            for page in args.pages:
                wrong = look(browser, page, args.shots)
                bad += bool(wrong)
                print(("FAIL " if wrong else "ok   ") + str(page))
                for w in wrong:
                    print("     " + w)
        finally:
            browser.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
