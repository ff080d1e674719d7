"""Bring the page's catalogs (serve/gateway/locale/*.po) up to date with its templates and scripts.

``python scripts/catalogs.py`` collects the texts and merges them into every catalog; a text without a
translation stays empty there, for a translator. ``--check`` changes nothing and exits 1 where one is missing.
"""

from __future__ import annotations

import sys
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from smallhours.serve.gateway.interface import CATALOGS, FALLBACK, LANGUAGES

GATEWAY = CATALOGS.parent
METHODS = [
    ("templates/sw.js", "ignore"),
    ("templates/**.html", "jinja2.ext:babel_extract"),
    ("static/js/**.js", "javascript"),
    ("**.py", "python"),
]
HEADER = """msgid ""
msgstr ""
"Language: {}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
KEYWORDS = {"_": None, "filled": None, "N_": None}


def collected() -> Catalog:
    """Every text that the page shows, with the files in which it stands."""
    catalog = Catalog(project="smallhours", charset="utf-8")
    found = extract_from_dir(str(GATEWAY), METHODS, keywords=KEYWORDS, strip_comment_tags=False)
    for file, _line, message, _comments, _context in sorted(found, key=lambda one: one[0]):
        catalog.add(message, locations=[(file, None)])
    return catalog


def merged(code: str, template: Catalog) -> Catalog:
    """The catalog of a language with the texts of ``template``, no more and no fewer."""
    path = CATALOGS / f"{code}.po"
    known = read_po(BytesIO(path.read_bytes() if path.is_file() else b""), locale=code)
    catalog = Catalog(locale=code, project="smallhours", charset="utf-8")
    for message in template:
        if message.id:
            had = known.get(message.id)
            catalog.add(message.id, had.string if had else "", locations=sorted(set(message.locations)))
    return catalog


def missing(catalog: Catalog) -> list[str]:
    """The texts without a translation."""
    return [str(message.id) for message in catalog if message.id and not message.string]


def text_of(catalog: Catalog) -> bytes:
    """The catalog as a file; no dates in it, so that the same texts give the same bytes."""
    buffer = BytesIO()
    write_po(buffer, catalog, width=0, omit_header=True, include_lineno=False, sort_by_file=True)
    return HEADER.format(catalog.locale).encode() + buffer.getvalue()


def main() -> int:
    """Merge, or with ``--check`` look only."""
    template = collected()
    lacking = 0
    for code in LANGUAGES:
        if code == FALLBACK:
            continue
        catalog, path = merged(code, template), CATALOGS / f"{code}.po"
        gaps = missing(catalog)
        lacking += len(gaps)
        for text in gaps:
            print(f"{path.name}: no translation of {text!r}", file=sys.stderr)
        if "--check" in sys.argv:
            if not path.is_file() or path.read_bytes() != text_of(catalog):
                print(f"{path.name}: out of date; run scripts/catalogs.py", file=sys.stderr)
                lacking += 1
        else:
            CATALOGS.mkdir(exist_ok=True)
            path.write_bytes(text_of(catalog))
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
