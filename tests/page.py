"""Checks the report page as a browser has built it.

    chromium --headless --dump-dom file:///…/report.html > dom.html
    python3 tests/page.py report.html dom.html attainment.json

It reads the page's text only: that every part is there, that the scoreboard and the breakdown by prefecture say of each
status and each commitment what attainment.json says, that both languages are complete, and that nothing points to a
network or runs a script. How the page looks it cannot tell.
"""

import collections
import html.parser
import json
import pathlib
import re
import sys

CATALOGUE = pathlib.Path(__file__).resolve().parent.parent / "analytics" / "catalogue" / "data"
COMMITMENTS = sum(path.read_text(encoding="utf-8").count("\n[[commitment]]\n") for path in CATALOGUE.glob("*.toml"))
ARTICLES = 10
PREFECTURES = 7
# Stands on the page for a figure that could point to a person.
WITHHELD = "※"
# Reasons for which a commitment says nothing about an area: its cell stays empty.
SAYS_NOTHING = {"out_of_scope", "not_measured_at_level"}
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
        self.tiles = {}  # count by status, in the page's order
        self.tile = None  # the status of the tile that the reader stands in
        self.tables = []  # of the breakdown by prefecture: rows of cells
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
        status = next((name[2:] for name in classes if name.startswith("s-")), None)
        if "tile" in classes:
            self.tile = status
            self.tiles[status] = ""
        if self.section() == "areas":
            if tag == "table":
                self.tables.append([])
            elif tag == "tr":
                self.tables[-1].append([])
            elif tag in ("td", "th"):
                self.tables[-1][-1].append({"status": status, "link": "", "zh": "", "en": "", "text": ""})
            elif tag == "a" and self.tables[-1:]:
                self.tables[-1][-1][-1]["link"] = (attributes.get("href") or "").removeprefix("#")
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
            self.tiles[self.tile] += text.strip()
        language = next((c for _, classes, _ in reversed(self.open) for c in classes if c in ("zh", "en")), None)
        if language:
            self.in_language[language] += 1
            if "h3" in tags:
                item = next((name for tag, _, name in reversed(self.open) if tag == "article"), None)
                self.headings[item][language] += text.strip()
        if self.section() == "areas" and ("td" in tags or "th" in tags):
            self.tables[-1][-1][-1][language or "text"] += text.strip()

    def section(self):
        """Names the section that the reader stands in."""
        return next((name for tag, _, name in reversed(self.open) if tag == "section" and name), None)


def code(entry):
    """Gives the name of an entry's status in the page's classes."""
    return entry["status"].replace("_", "-")


def check_prefectures(page, items, entries, require):
    """Holds the two tables by prefecture to attainment.json: how many of each status, and every cell."""
    names = {entry["area"]: entry for entry in entries if entry["level"] == "prefecture"}
    areas = sorted(names)
    require(len(areas) == PREFECTURES, f"attainment.json has {len(areas)} prefectures instead of {PREFECTURES}")
    if len(page.tables) != 2:
        return require(False, f"{len(page.tables)} tables by prefecture instead of 2")
    by_place = {(entry["id"], entry["area"]): entry for entry in entries}
    tallies, matrix = page.tables

    require([row[0]["zh"] for row in tallies[1:]] == [names[area]["area_name_zh"] for area in areas], "the prefectures' rows")
    require([row[0]["en"] for row in tallies[1:]] == [names[area]["area_name_en"] for area in areas], "the prefectures' English rows")
    for area, row in zip(areas, tallies[1:]):
        own = [entry for entry in entries if entry["area"] == area and entry["reason"] not in SAYS_NOTHING]
        counts = collections.Counter(code(entry) for entry in own)
        told = {status: int(cell["text"]) for status, cell in zip(page.tiles, row[1:], strict=True)}
        require(told == {status: counts[status] for status in page.tiles}, f"{area}: the page counts {told}, attainment.json {dict(counts)}")
        for status, cell in zip(page.tiles, row[1:], strict=True):
            require(cell["status"] in (status, None), f"{area}: {status} is drawn as {cell['status']}")

    require([cell["zh"] for cell in matrix[0][2:]] == [names[area]["area_name_zh"] for area in areas], "the prefectures' columns")
    require([row[0]["link"] for row in matrix[1:]] == items, "not each commitment has its row by prefecture, in the page's order")
    region = next(entry["area"] for entry in entries if entry["level"] == "region")
    for row in matrix[1:]:
        name = row[0]["link"]
        if len(row) != 2 + PREFECTURES:
            require(False, f"{name} has {len(row)} cells")
            continue
        for area, cell in zip([region, *areas], row[1:]):
            entry = by_place.get((name, area))
            silent = entry is None or entry["reason"] in SAYS_NOTHING
            status = "none" if silent else code(entry)
            require(cell["status"] == status, f"{name} in {area} is {cell['status']} on the page, {status} in attainment.json")
            if silent:
                require(not cell["text"], f"{name} in {area} says {cell['text']} of nothing")
            else:
                require((WITHHELD in cell["text"]) == entry["suppressed"], f"{name} in {area}: {cell['text']}, withheld: {entry['suppressed']}")


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
    tiles = {status: int(count) for status, count in page.tiles.items()}
    require(sum(tiles.values()) == COMMITMENTS, f"the scoreboard {tiles} adds up to {sum(tiles.values())} instead of {COMMITMENTS}")
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

    entries = attainment["commitments"]
    region = [entry for entry in entries if entry["level"] == "region"]
    require(sorted(entry["id"] for entry in region) == sorted(items), "the page and attainment.json name other commitments")
    counts = collections.Counter(code(entry) for entry in region)
    require({status: count for status, count in tiles.items() if count} == dict(counts), f"the page counts {tiles}, attainment.json {dict(counts)}")
    check_prefectures(page, items, entries, require)
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
