"""A file's bytes, and which encoding turns them into text."""

from __future__ import annotations

import codecs
import io
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

from expense_lib.domain.errors import FieldError, InvalidInput, NotAStatement

_PART_BYTES = 1024 * 1024
_SAMPLE_BYTES = 64 * 1024
_WHOLE_FOR_DAMAGED = (
    2  # it is UTF-8 with damage if more than so many characters are whole for each that is not
)
_IN_MEMORY_BYTES = 16 * 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What may stand behind bytes that are not UTF-8, beside cp1252, which is what most of them are.
_OTHERS = [
    "cp1250",
    "cp1251",
    "koi8_r",
    "iso8859_7",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp932",
    "gb18030",
]
_OTHERS += ["big5", "euc_kr", "mac_roman", "cp850"]


def open_source(source: str | Path | bytes | IO[bytes]) -> tuple[BinaryIO, str]:
    """A file to read from its beginning as often as needed, and its name, if it has one.

    Raises:
        NotAStatement: it can't be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source), ""
    try:
        if isinstance(source, str | Path):
            path = Path(source).expanduser()
            file = path.open("rb")
            if file.seekable():
                return file, path.name
            with file:
                return io.BytesIO(file.read()), path.name
        if not hasattr(source, "read"):
            raise NotAStatement("A statement is given as a path, as bytes or as an open file.")
        copy = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        shutil.copyfileobj(source, copy)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is no file"
        raise NotAStatement(f"The statement can't be read: {reason}.") from None
    except TypeError:
        raise NotAStatement("The statement must be opened in binary mode.") from None
    name = getattr(source, "name", "")
    return copy, Path(name).name if isinstance(name, str) else ""  # type: ignore[return-value]


def encoding_of(file: BinaryIO) -> str:
    """The encoding that a file is most likely in: by its mark, else UTF-8 if it is that, else by its letters.

    Raises:
        NotAStatement: it is empty, or no text.
    """
    file.seek(0)
    head = file.read(_SAMPLE_BYTES)
    if not head.strip():
        raise NotAStatement("The file is empty.")
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return _wide(head)
    sample = b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    part = head
    while part:
        try:
            decoder.decode(part)
        except UnicodeDecodeError:
            sample = _foreign_lines(part)
            break
        part = file.read(_PART_BYTES)
    else:
        with suppress(UnicodeDecodeError):
            decoder.decode(b"", final=True)
            return "utf-8"
        sample = _foreign_lines(head)
    return _by_letters(sample)


def check_encoding(file: BinaryIO, encoding: str) -> None:
    """Refuse an encoding that the file is not in.

    Raises:
        InvalidInput: there is no such encoding, or the file is in another.
    """
    file.seek(0)
    try:
        if not "text".encode(encoding):
            raise LookupError
        codecs.getincrementaldecoder(encoding)("replace").decode(b"text")  # as the file is read
        decoder = codecs.getincrementaldecoder(encoding)()
        while part := file.read(_PART_BYTES):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except (LookupError, TypeError, AttributeError):
        raise InvalidInput([FieldError("encoding", "must be one that Python knows, as cp1252")]) from None
    except ValueError:
        raise InvalidInput(
            [FieldError("encoding", "must be that of the file, which is in another")]
        ) from None


def as_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The file as text from its beginning, with its line ends as they are."""
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of an ASCII text is 0."""
    if not any(head[0::2].strip(b"\0")) or (
        head[0::2].count(0) > len(head) * 0.3 and not head[1::2].count(0)
    ):
        return "utf-16-be"
    if head[1::2].count(0) > len(head) * 0.3 and not head[0::2].count(0):
        return "utf-16-le"
    raise NotAStatement("The file is no text: a statement is a CSV, OFX, QFX or QIF file.")


def _foreign_lines(part: bytes) -> bytes:
    """The lines that have more than ASCII, at most some of them."""
    lines = [line for line in re.split(rb"[\r\n]+", part) if not line.isascii()]
    return b"\n".join(lines)[:_SAMPLE_BYTES]


def _by_letters(sample: bytes) -> str:
    """The encoding in which the letters make sense, cp1252 as long as they do in it."""
    if re.search(rb"[\x00-\x08\x0e-\x1f]", sample):
        raise NotAStatement("The file is no text: a statement is a CSV, OFX, QFX or QIF file.")
    damaged = sample.decode("utf-8", errors="replace")
    bad = damaged.count("\ufffd")
    if sum(not character.isascii() for character in damaged) - bad > _WHOLE_FOR_DAMAGED * bad:
        return "utf-8"  # with a byte that was cut off
    if _is_western(sample):
        return "cp1252"
    from charset_normalizer import from_bytes  # noqa: PLC0415 - most files are UTF-8

    best = from_bytes(sample, cp_isolation=_OTHERS).best()
    return best.encoding if best else "cp1252" if _decodes(sample, "cp1252") else "latin-1"


def _is_western(sample: bytes) -> bool:
    """In cp1252 its words are ASCII letters and a few others, without signs within them."""
    if not _decodes(sample, "cp1252"):
        return False
    text = sample.decode("cp1252")
    words = [word for word in re.findall(r"[^\W\d_]{3,}", text) if not word.isascii()]
    letters = sum(map(len, words))
    foreign = sum(not letter.isascii() for word in words for letter in word)
    return (
        foreign * 2 <= letters
        and re.search("[a-z][\u00b9\u00b3\u00bf\u00a3]|[\u00b9\u00b3\u00bf][a-z]", text) is None
    )


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def whole_text(file: BinaryIO, encoding: str) -> str:
    """All of the file as text, with its line ends as they are."""
    text = as_text(file, encoding)
    try:
        return text.read()
    finally:
        text.detach()
