"""Checks the report page as a browser has built it.

    chromium --headless --dump-dom file:///…/report.html > dom.html
    python3 tests/page.py report.html dom.html attainment.json

It reads the page's text only: that every part is there, that the scoreboard adds up and agrees with the figures beside
it, that both languages are complete, and that nothing points to a network or runs a script.
"""

import collections
import html.parser
import json
import re
import sys

COMMITMENTS = 92
ARTICLES = 10
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Attributes that make a browser fetch something. A namespace is a name, not an address.
FETCHING = {"src", "href", "srcset", "action", "data", "poster", "background", "formaction", "xlink:href"}


class Page(html.parser.HTMLParser):
    """Collects what the checks ask for."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []  # (tag, classes, id) from the root to the current element
        self.ids = collections.Counter()
        self.links = []
        self.fetched = []
        self.scripts = 0
        self.handlers = []
        self.items = collections.defaultdict(list)  # commitments by article
        self.tiles = []
        self.in_language = collections.Counter()
        self.headings = collections.defaultdict(lambda: collections.defaultdict(str))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        classes = (attributes.get("class") or "").split()
        name = attributes.get("id")
        if name:
            self.ids[name] += 1
        self.scripts += tag == "script"
        self.handlers += [key for key in attributes if key.startswith("on")]
        for key in FETCHING & attributes.keys():
            value = attributes[key] or ""
            (self.links if value.startswith("#") else self.fetched).append(value)
        if tag == "article" and "item" in classes:
            self.items[self.section()].append(name)
        if "tile" in classes:
            self.tiles.append("")
        if tag not in VOID:
            self.open.append((tag, classes, name))

    def handle_endtag(self, tag):
        while self.open:
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, text):
        if not text.strip():
            return
        tags = [tag for tag, *_ in self.open]
        if tags[-1:] == ["b"] and any("tile" in classes for _, classes, _ in self.open):
            self.tiles[-1] += text.strip()
        language = next((c for _, classes, _ in reversed(self.open) for c in classes if c in ("zh", "en")), None)
        if language:
            self.in_language[language] += 1
            if "h3" in tags:
                item = next((name for tag, _, name in reversed(self.open) if tag == "article"), None)
                self.headings[item][language] += text.strip()

    def section(self):
        """Names the section that the reader stands in."""
        return next((name for tag, _, name in reversed(self.open) if tag == "section" and name), None)


def check(source, dom, attainment):
    """Returns what is wrong, one line each."""
    page = Page()
    page.feed(dom)
    wrong = []

    def require(condition, problem):
        if not condition:
            wrong.append(problem)

    articles = [f"article-{number}" for number in range(1, ARTICLES + 1)]
    require(all(page.ids[name] == 1 for name in articles), f"the ten articles' sections: {sorted(page.ids & collections.Counter(articles))}")
    require(all(page.items[name] for name in articles), "an article has no commitment")
    items = [name for name in articles for name in page.items[name]]
    require(len(items) == COMMITMENTS, f"{len(items)} commitments on the page instead of {COMMITMENTS}")
    tiles = [int(text) for text in page.tiles]
    require(sum(tiles) == COMMITMENTS, f"the scoreboard {tiles} adds up to {sum(tiles)} instead of {COMMITMENTS}")
    require(all(count == 1 for count in page.ids.values()), "an id stands twice")
    require(all(link[1:] in page.ids for link in page.links), "a link within the page leads nowhere")

    require(page.in_language["zh"] > 500 and page.in_language["en"] > 500, f"texts by language: {dict(page.in_language)}")
    for name in items:
        titles = page.headings[name]
        require(re.search(r"[\u4e00-\u9fff]", titles["zh"]), f"{name} has no Chinese title")
        require(re.search(r"[A-Za-z]{3}", titles["en"]), f"{name} has no English title")

    require(not page.scripts, "there is a script")
    require(not page.handlers, f"there are event handlers: {set(page.handlers)}")
    require(not page.fetched, f"the page would fetch {page.fetched[:3]}")
    # Style sheets and inline pictures too; the names of XML namespaces are the only addresses allowed.
    for text in (source, dom):
        addresses = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"'<>)]*", text, re.IGNORECASE))
        addresses -= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        require(not addresses, f"addresses in the page: {sorted(addresses)[:3]}")
        require(not re.search(r"@import|url\((?!['\"]?(?:#|data:))", text), "a style sheet fetches something")

    region = [entry for entry in attainment["commitments"] if entry["area"].endswith("0000")]
    require(sorted(entry["id"] for entry in region) == sorted(items), "the page and attainment.json name other commitments")
    counts = collections.Counter(entry["status"] for entry in region)
    require(sorted(counts.values()) == sorted(count for count in tiles if count), f"the page counts {tiles}, attainment.json {dict(counts)}")
    return wrong


def main():
    """Checks the files named on the command line."""
    source, dom, attainment = (open(path, encoding="utf-8") for path in sys.argv[1:4])
    wrong = check(source.read(), dom.read(), json.load(attainment))
    for problem in wrong:
        print(f"page: {problem}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
