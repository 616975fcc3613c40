"""Natural text of this machine, in four languages: what people write, read from Debian's packages.

Each function gives different texts, each once, or None where no such package is installed. What is
judged is prose and what stands within it: options, calls, file names and code spans in the midst of
a sentence stay. Left out is what the page itself sets apart as code and no person would send as a
sentence: displays (`.nf`, `.EX`, `.Vb`, `.Bd`, `<pre>`), the synopsis, tables, and lines behind a
shell's prompt. Lists of names ("SEE ALSO") and options stay in.
"""

import gettext
import gzip
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path

PACKAGES = Path("/var/lib/dpkg/info")
MANUAL = Path("/usr/share/man")
DOCUMENTS = Path("/usr/share/doc")
MESSAGES = Path("/usr/share/locale")
FORTUNES = {"English": "fortunes", "German": "fortunes-de", "Italian": "fortunes-it"}
CODES = {"English": "en", "German": "de", "Italian": "it", "French": "fr"}
MIN_WORDS = 8  # less is a heading, an option or a file
MIN_MESSAGE = 3  # words of a program's message


def decoded(raw: bytes) -> str:
    with suppress(UnicodeDecodeError):
        return raw.decode("utf-8")
    return raw.decode("latin-1")


def _different(texts: Iterable[str], words: int = 1) -> list[str] | None:
    """In the order in which they came; None where there is none."""
    return list(dict.fromkeys(text for text in texts if len(text.split()) >= words)) or None


def fortunes(language: str) -> list[str] | None:
    """Every fortune of a Debian package, with its signature."""
    listed = PACKAGES / f"{FORTUNES.get(language, 'none')}.list"
    if not listed.is_file():
        return None
    paths = {Path(line) for line in listed.read_text().splitlines() if "/fortunes/" in line}
    paths = {p for p in paths if not p.suffix and p.is_file() and not p.is_symlink()}
    return _different(
        part.strip() for path in sorted(paths) for part in decoded(path.read_bytes()).split("\n%\n")
    )


# -- manual pages: groff_man(7), groff_char(7), mdoc(7), pod2man's strings --------------------------

_ESCAPES = (
    (re.compile(r"\\f(?:\[[^]]*\]|\(..|.)|\\s(?:\[[^]]*\]|[-+]?\d)|\\c"), ""),
    (re.compile(r"\\\*\(C['`]"), '"'),  # pod2man: what stands in another font is quoted
    (re.compile(r"\\(?:\*\([LR]\"|\*\([lr]q|\([lr]q|\[[lr]q\]|\(dq|\[dq\])"), '"'),
    (re.compile(r"\\(?:\*\(Aq|\(aq|\[aq\])"), "'"),
    (re.compile(r"\\\*\(--|\\\(em|\\\[em\]"), "\N{EM DASH}"),
    (re.compile(r"\\(?:\(ga|\[ga\])"), "`"),
    (re.compile(r"\\(?:\(cq|\[cq\])"), "\N{RIGHT SINGLE QUOTATION MARK}"),
    (re.compile(r"\\(?:\(oq|\[oq\])"), "\N{LEFT SINGLE QUOTATION MARK}"),
    (re.compile(r"\\(?:\(ti|\[ti\])"), "~"),
    (re.compile(r"\\(?:\(ha|\[ha\])"), "^"),
    (re.compile(r"\\(?:\*\(..|\*\[[^]]*\]|\*.|\[[^]]*\]|\([^ ].|[&|^/,%:)])"), ""),
    (re.compile(r"\\-"), "-"),
    (re.compile(r"\\[ ~0]"), " "),
    (re.compile(r"\\(?:e|\\|\(rs|\[rs\])"), r"\\"),
    (re.compile(r"\\(['`.])"), r"\1"),
)  # fmt: skip
_EXAMPLES = re.compile(r"\.(?:nf|EX|Vb|TS|Bd)\b")
_PROSE = re.compile(r"\.(?:fi|EE|Ve|TE|Ed)\b")
_SECTION = re.compile(r"\.S[Hh] *\"?([^\"]*)")
_SYNOPSIS = re.compile(r"SYNOPSIS|ÜBERSICHT|SYNTAX|SINTASSI|SINOSSI|RIEPILOGO", re.IGNORECASE)
_FONTS = re.compile(r"\.(?:BR?|I[BR]?|R[BI]|BI) ")
_WITHIN = re.compile(r"\.RS \d")  # some generators leave macros within a line; an example follows
_PROMPT = re.compile(r"\s*[$#%>] ")


def paragraphs(path: Path) -> Iterator[str]:
    """Running text of one manual page: no displays, no synopsis, no lines of macros."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    words: list[str] = []
    is_prose, is_section = True, True
    for line in (*decoded(raw).splitlines(), ".PP"):
        if line.startswith((".", "'")):
            is_prose = _PROSE.match(line) is not None or (is_prose and not _EXAMPLES.match(line))
            section = _SECTION.match(line)
            if section is not None:
                is_section = _SYNOPSIS.match(section[1]) is None
            if _FONTS.match(line):  # a word in bold, within a sentence
                words.append(line.partition(" ")[2].replace('"', ""))
                continue
            text = _WITHIN.split(" ".join(words))[0]
            for pattern, instead in _ESCAPES:
                text = pattern.sub(instead, text)
            if not _PROMPT.match(text):
                yield text.strip()
            words = []
        elif is_prose and is_section:
            words.append(line.strip())


def manuals(language: str) -> list[str] | None:
    """Paragraphs of all of a language's installed pages."""
    folder = MANUAL if language == "English" else MANUAL / CODES[language]
    found = sorted({path.resolve() for path in folder.glob("man[1-8]/*") if path.is_file()})

    def texts() -> Iterator[str]:
        for path in found:
            with suppress(OSError, EOFError):
                yield from paragraphs(path)

    return _different(texts(), MIN_WORDS)


# -- handbooks, the Debian Reference, installation guides: HTML -------------------------------------

_BLOCKS = frozenset(
    {"p", "li", "dd", "dt", "td", "th", "h1", "h2", "h3", "h4", "div", "blockquote"}
)
_CODE = frozenset({"pre", "script", "style", "title"})


class _Blocks(HTMLParser):
    """The text of each block, as a reader sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.words: list[str] = []
        self.depth = 0

    def _end(self) -> None:
        self.found.append(" ".join("".join(self.words).split()))
        self.words = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.depth += tag in _CODE
        if tag in _BLOCKS or tag in _CODE:
            self._end()

    def handle_endtag(self, tag: str) -> None:
        self.depth = max(0, self.depth - (tag in _CODE))
        if tag in _BLOCKS:
            self._end()

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.words.append(data)


def books(language: str) -> list[str] | None:
    """Paragraphs of handbooks: `debian-handbook`, `debian-reference-*`, `installation-guide-*`."""
    code = CODES[language]
    found = {
        *DOCUMENTS.glob(f"debian-handbook/html/{code}-*/*.html"),
        *Path("/usr/share/debian-reference").glob(f"*.{code}.html"),
        *DOCUMENTS.glob(f"installation-guide-*/{code}/*.html"),
        *DOCUMENTS.glob(f"debian-faq*/{code}/*.html"), *DOCUMENTS.glob(f"debian-faq*/*.{code}.html"),
        *DOCUMENTS.glob(f"aptitude/html/{code}/*.html"),
    }  # fmt: skip

    def texts() -> Iterator[str]:
        for path in sorted(found):
            reader = _Blocks()
            reader.feed(decoded(path.read_bytes()))
            yield from reader.found

    return _different((text for text in texts() if not _PROMPT.match(text)), MIN_WORDS)


def messages(language: str) -> list[str] | None:
    """What programs say, translated: short, with quotes, options and `%s`; their help texts too."""

    def texts() -> Iterator[str]:
        code = "de" if language == "English" else CODES[language]
        for path in sorted((MESSAGES / code / "LC_MESSAGES").glob("*.mo")):
            with suppress(OSError, UnicodeDecodeError), path.open("rb") as file:
                catalogue: dict[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # noqa: SLF001
                for said, translated in catalogue.items():
                    if said == "":  # the catalogue's own header
                        continue
                    original = said[0] if isinstance(said, tuple) else str(said)
                    yield original if language == "English" else translated

    return _different(texts(), MIN_MESSAGE)


# -- READMEs: Markdown, as a person pastes it ------------------------------------------------------


def readmes() -> list[str] | None:
    """Paragraphs of the long descriptions of installed Python packages, code spans included.

    Fenced and indented blocks are code by their author's own mark; they are `fenced`'s.
    """
    return _different(_parts(is_code=False), MIN_WORDS)


def fenced() -> list[str] | None:
    """A paragraph and the code block behind it, as in a support ticket: reported, not promised."""
    return _different(_parts(is_code=True))


_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")


def _parts(*, is_code: bool) -> Iterator[str]:
    for package in sorted(metadata.distributions(), key=lambda each: str(each.name)):
        said = package.metadata
        text = str(said.get_payload() or said.get("Description") or "")  # type: ignore[attr-defined]
        block: list[str] = []
        before, is_fenced = "", False
        for line in (*text.splitlines(), ""):
            if _FENCE.match(line):
                if is_fenced and is_code:
                    yield "\n".join((before, "", "```", *block, "```"))
                is_fenced, block = not is_fenced, []
            elif is_fenced or line.strip():
                block.append(line)
            elif block:
                before, block = "\n".join(block), []
                if not is_code and not before.startswith(("    ", "\t", ">>>", "$ ")):
                    yield before
