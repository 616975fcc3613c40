"""One file: what it is, claims and holds decides."""

import os

import pytest

from troth.engines.uploads.eicar import TEST

PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(2000).replace(b"<", b"")
DOCX = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        (b"a.png", PNG, b"image/png"),
        (b"a.jpg", PNG, b"image/jpeg"),  # browsers and people mistake pictures for each other
        (b"a.bin", os.urandom(500), b""),
        (b"a.csv", b"a;b\n1;2\n", b"application/vnd.ms-excel"),
        (b"a.txt", b"hello, world\n", b"text/plain"),
        (b"a.pdf", b"%PDF-1.4\n1 0 obj", b"application/pdf"),
        (b"a.svg", b"<svg xmlns='x'/>", b"image/svg+xml"),
        (b"", b"", b""),
    ],
    ids=range(8),
)
def test_what_people_send_passes(files, name, content, kind):
    assert files.code(name, content, kind) == ""


@pytest.mark.parametrize(
    ("code", "name", "content", "kind"),
    [
        ("malware", b"a.txt", TEST, b"text/plain"),
        ("name", b"a.php.jpg", PNG, b"image/jpeg"),
        ("name", "a\u202egpj.exe".encode(), PNG, b"image/png"),
        ("kind", b"a.bin", b"\x7fELF" + b"\1" * 90, b""),
        ("kind", b"a.jpg", b"#!/bin/sh\nid\n", b"image/jpeg"),
        ("kind", b"a.png", b"<html><p>hello", b"image/png"),
        ("kind", b"a.html", b"hello", b"text/html"),
        ("pretends", b"a.png", b"hello, world", b"image/png"),
        ("pretends", b"a.pdf", PNG, b"application/pdf"),
        ("script", b"a.png", PNG + b"<?php eval($x);", b"image/png"),
        ("script", b"a.txt", b"hello <?php eval($x);", b"text/plain"),
        ("script", b"a.svg", b"<svg onload='x'/>", b"image/svg+xml"),
        ("active-pdf", b"a.pdf", b"%PDF-1.4 /S /JavaScript", b"application/pdf"),
    ],
)
def test_what_nobody_should_get(files, code, name, content, kind):
    assert files.code(name, content, kind) == code


def test_a_document_with_macros(files):
    made = files.zipped(("[Content_Types].xml", b"<x/>"), ("word/vbaProject.bin", b"x"))

    assert files.code(b"a.docx", made, DOCX) == "macros"
    assert files.code(b"a.docx", made, DOCX, refuses_macros=False) == ""


def test_a_route_takes_what_it_says(files):
    pictures = {"kinds": frozenset({"image"})}

    assert files.code(b"a.png", PNG, b"image/png", **pictures) == ""
    assert files.code(b"a.pdf", b"%PDF-1.4", b"application/pdf", **pictures) == "kind"
    programs = {"kinds": frozenset({"program"})}
    assert files.code(b"a.exe", b"MZ\0\0" * 99, b"", **programs) == ""


def test_a_scanner_is_shown_all_of_it_and_its_word_counts(files):
    shown = []

    def scan(content):
        shown.append(content.read(0, content.size))
        return "Bad.Thing" if b"bad" in shown[-1] else ""

    found = files.looked(files.form(b"a.txt", b"very bad", b"text/plain"), scan=scan).fault

    assert (found.code, found.status, found.place) == ("malware", 403, "FILES:f")
    assert "Bad.Thing" in found.message
    assert found.value == b"a.txt"
    assert shown == [b"very bad"]
