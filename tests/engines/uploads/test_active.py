"""Scripts where none belongs, and none seen where there is none."""

import random
import zlib

import pytest

from troth.engines.uploads import Held
from troth.engines.uploads.active import in_pdf, in_picture, in_svg, server_script
from troth.engines.uploads.content import PIECE

NOISE = random.Random(4).randbytes(3_000_000)


@pytest.mark.parametrize(
    "script",
    [
        b"<?php system($_GET[0]); ?>",
        b"<?= $_GET[0] ?>",
        b"<?=`id`?>",
        b"<%@ page import='x' %>",
        b"<script>alert(1)</script>",
        b"<SCRIPT SRC=//x>",
        b"<svg onload=alert(1)>",
        b"<img src=x onerror=alert(1)>",
        b"<!DOCTYPE html>",
    ],
)
@pytest.mark.parametrize("at", [8, PIECE - 5])
def test_in_a_picture(script: bytes, at: int):
    picture = b"\x89PNG\r\n\x1a\n" + b"\1" * (at - 8) + script + b"\1" * 100

    assert in_picture(Held(picture))


def test_noise_is_no_script():
    assert in_picture(Held(NOISE)) == ""
    assert in_pdf(Held(NOISE)) == ""
    assert server_script(Held(NOISE)) == ""


def test_sentences_are_no_script():
    text = b'I <3 PHP. if (a <b && c> d) {} <?xml version="1.0"?> 5 <% of it, "<p>hello</p>"'

    assert server_script(Held(text)) == ""


@pytest.mark.parametrize(
    "svg",
    [
        b"<svg onload='x'/>",
        b"<svg><script/></svg>",
        b"<svg><s:script>x</s:script></svg>",
        b"<svg><a href='javascript:x'/></svg>",
        b"<svg><foreignObject/></svg>",
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>",
        "<svg onload='x'/>".encode("utf-16"),
        b"<svg>" + b" " * 1024 * 1024 + b"</svg>",
    ],
    ids=range(8),
)
def test_what_runs_in_an_svg(svg: bytes):
    assert in_svg(Held(svg))


def test_an_honest_svg():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><a href="#b"><path d="M0 0"/></a></svg>'

    assert in_svg(Held(svg)) == ""


@pytest.mark.parametrize("action", [b"/JavaScript", b"/J#61vaScript", b"/Launch", b"/XFA [1 0 R]"])
def test_what_acts_in_a_pdf(action: bytes):
    assert in_pdf(Held(b"%PDF-1.4\n1 0 obj << /S " + action + b" >> endobj"))
    packed = zlib.compress(b"<< /S " + action + b" >>")
    stream = b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\r\n" + packed + b"\nendstream"
    assert in_pdf(Held(b"%PDF-1.5\n1 0 obj " + stream))


def test_an_honest_pdf():
    stream = b"<< /Filter /FlateDecode >>\nstream\n" + zlib.compress(NOISE[:5000])

    assert in_pdf(Held(b"%PDF-1.4\n1 0 obj " + stream + b"\nendstream /OpenAction [3 0 R]")) == ""
