"""The page for officers under overload: in both languages, because it is sent before the language is known.

It is made once and sent before Flask runs (`web/server/load_shedding.py`). Its style sheet may be shed too: the page
reads well without it.
"""

from app.console.pages import console_headers
from app.core.texts import text
from app.web.server.load_shedding import BusyPage

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title_zh} · {title_en}</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/console/static/console.css">
</head>
<body>
<header class="head">
  <div class="head-line"><span class="name">{name_zh} <span lang="en">{name_en}</span></span></div>
</header>
<main id="content" class="narrow">
  <section class="panel">
    <h1>{title_zh}</h1>
    <p>{hint_zh}</p>
  </section>
  <section class="panel" lang="en">
    <h2>{title_en}</h2>
    <p>{hint_en}</p>
  </section>
</main>
</body>
</html>
"""


def make_busy_page(environment: str) -> BusyPage:
    """Make the page, with the headers of every answer of the console."""
    words = {
        f"{name}_{language}": text(section, slug, language)
        for name, (section, slug) in {
            "name": ("console", "title"),
            "title": ("problems", "busy"),
            "hint": ("refusal", "busy-hint"),
        }.items()
        for language in ("zh", "en")
    }
    headers = [("Content-Type", "text/html; charset=utf-8"), *console_headers(environment).items()]
    return BusyPage("/console/", headers, _PAGE.format(**words).encode())
