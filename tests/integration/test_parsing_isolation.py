"""One hostile file costs one sentence: not the next file, not this process, not its secrets."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval.parsing import ParsedDocument, UnreadableDocument, parse
from retrieval.parsing import isolated as isolated_module
from retrieval.parsing.confinement import can_confine
from retrieval.parsing.isolated import MIB, ParseLimits, ParserProcess

PAGE = b"# Leave\n\nDated 3 May 2026.\n\n| A | B |\n|---|---|\n| 1 | 2 |\n"
NEVER_ENDS = b"<!doctype html>" + b"<div>" * 400_000 + b"x"


async def read(data: bytes, name: str, limits: ParseLimits | None = None) -> ParsedDocument:
    async with ParserProcess(limits) as process:
        return await process.parse(data, name)


async def refusal(data: bytes, limits: ParseLimits, name: str = "plan.md") -> str:
    with pytest.raises(UnreadableDocument) as refused:
        await read(data, name, limits)
    return str(refused.value)


async def test_a_document_arrives_as_it_was_read() -> None:
    assert await read(PAGE, "plan.md") == parse(PAGE, "plan.md")


async def test_one_worker_reads_one_document_after_another() -> None:
    async with ParserProcess() as process:
        pages = [f"# Page {at}\n\nText {at}.".encode() for at in range(30)]
        documents = [await process.parse(page, "a.md") for page in pages]
    assert [document.title for document in documents] == [f"Page {at}" for at in range(30)]


async def test_documents_sent_at_once_do_not_get_each_others_answers() -> None:
    async with ParserProcess() as process:
        titles = [f"Page {at}" for at in range(12)]
        documents = await asyncio.gather(
            *(process.parse(f"# {title}\n\nx".encode(), "a.md") for title in titles)
        )
    assert [document.title for document in documents] == titles


async def test_a_document_that_works_for_ever_is_stopped_by_its_work() -> None:
    limits = ParseLimits(cpu_seconds=1)
    assert await refusal(NEVER_ENDS, limits) == (
        "plan.md took more than 1 s of work to read and was given up. Split it, or save it anew, and send it again."
    )


async def test_a_document_that_takes_for_ever_is_stopped_by_the_clock() -> None:
    limits = ParseLimits(wall_seconds=0.5)
    began = time.monotonic()
    assert await refusal(NEVER_ENDS, limits) == (
        "plan.md took longer than 0.5 s to read and was given up. Split it, or save it anew, and send it again."
    )
    assert time.monotonic() - began < 12  # the worker's own clock; the asker's would give it 15 s more


async def test_a_document_that_swells_is_stopped_by_its_memory() -> None:
    limits = ParseLimits(memory_bytes=400 * MIB)
    assert await refusal(b"a. " * 6_000_000, limits) == (
        "plan.md needs more than 400 MB of memory to read. Split it, or save it anew, and send it again."
    )


async def test_a_document_of_too_much_text_is_stopped_by_its_size() -> None:
    assert "holds more than 1 MB of text" in await refusal(b"word " * 400_000, ParseLimits(output_bytes=MIB))


async def test_a_file_over_the_limit_is_not_even_sent() -> None:
    limits = ParseLimits(input_bytes=50 * MIB)
    assert await refusal(bytes(50 * MIB + 1), limits) == (
        "plan.md is 51 MB; the limit is 50 MB. Split it and send the parts."
    )


async def test_a_refusal_of_the_reader_comes_through() -> None:
    assert await refusal(b"", ParseLimits()) == "plan.md is empty."


async def test_after_a_hostile_document_the_next_one_is_read() -> None:
    async with ParserProcess(ParseLimits(cpu_seconds=1)) as process:
        with pytest.raises(UnreadableDocument):
            await process.parse(NEVER_ENDS, "bad.html")
        assert (await process.parse(PAGE, "good.md")).title == "Leave"


def worker_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str) -> None:
    """Workers started from here on read documents by running `does`, which finds `data` and `name`."""
    code = "\n".join(
        (
            "import os, signal, sys, time",
            f"sys.path.insert(0, {str(isolated_module._HOME)!r})",
            "from retrieval.parsing import worker",
            "def read(data, name):",
            *(f"    {line}" for line in does.splitlines()),
            "worker.parse = read",
            "worker.main()",
        )
    )
    script = tmp_path / "worker.py"
    script.write_text(code)
    real = asyncio.create_subprocess_exec

    async def start(*_: str, **options: object) -> asyncio.subprocess.Process:
        return await real(sys.executable, str(script), **options)  # type: ignore[arg-type]

    monkeypatch.setattr(isolated_module.asyncio, "create_subprocess_exec", start)


@pytest.mark.parametrize(
    "does",
    [
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "os.abort()",
        "os._exit(0)",
        "os._exit(7)",
        "os.closerange(3, 20); time.sleep(60)",
        "os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)",
    ],
)
async def test_a_reader_that_breaks_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str
) -> None:
    worker_that(monkeypatch, tmp_path, does)
    async with ParserProcess() as process:
        for _ in range(2):
            with pytest.raises(UnreadableDocument, match=r"plan\.md is damaged or too large"):
                await process.parse(PAGE, "plan.md")


async def test_an_error_nobody_foresaw_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worker_that(monkeypatch, tmp_path, "raise ZeroDivisionError('secret detail')")
    sentence = await refusal(PAGE, ParseLimits())
    assert sentence.startswith(
        "plan.md is damaged, or made in a way that its format does not allow (ZeroDivisionError)"
    )
    assert "secret" not in sentence


async def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, expression: str) -> str:
    """What the expression is worth inside the process that reads documents."""
    worker_that(monkeypatch, tmp_path, f"raise worker.UnreadableDocument(repr({expression}))")
    return await refusal(PAGE, ParseLimits())


async def test_the_reader_sees_no_secret_of_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    assert "secret" not in await told(monkeypatch, tmp_path, "dict(os.environ)")


async def test_the_reader_can_write_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "written"
    signal_ignored = "(signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    sentence = await told(
        monkeypatch, tmp_path, f"{signal_ignored}, open({str(target)!r}, 'wb', buffering=0).write(b'x'))"
    )
    assert "OSError" in sentence
    assert target.stat().st_size == 0


confined = pytest.mark.skipif(
    not can_confine(), reason="This system or processor has no filter that takes the network away."
)


@confined
@pytest.mark.parametrize(
    "attempt",
    [
        "__import__('socket').socket()",
        "__import__('socket').socket(__import__('socket').AF_UNIX)",
        "__import__('socket').create_connection(('127.0.0.1', 9), 1)",
        "__import__('subprocess').run(['/bin/true'])",
        "os.execv('/bin/true', ['true'])",
    ],
)
async def test_the_reader_reaches_no_network_and_starts_no_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, attempt: str
) -> None:
    assert "(PermissionError)" in await told(monkeypatch, tmp_path, attempt)


@confined
async def test_the_reader_cannot_undo_its_confinement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A second filter is allowed by the kernel and can only refuse more."""
    worker_that(monkeypatch, tmp_path, "worker.confine()\nimport socket\nsocket.socket()")
    assert "(PermissionError)" in await refusal(PAGE, ParseLimits())


@pytest.mark.skipif(
    sys.platform != "linux", reason="Open files are looked up under /proc, which this system lacks."
)
async def test_the_reader_holds_no_line_but_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Over its worker's it could answer for the next document."""
    lines = (
        "[line for line in (os.readlink('/proc/self/fd/' + number) for number in os.listdir('/proc/self/fd')"
        " if os.path.lexists('/proc/self/fd/' + number)) if line.startswith(('pipe:', 'socket:'))]"
    )
    held = await told(monkeypatch, tmp_path, lines)
    assert held.count("pipe:") == 1
    assert "socket:" not in held


async def test_the_reader_leaves_no_core_and_opens_few_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limits = "(worker.resource.getrlimit(worker.resource.RLIMIT_CORE), worker.resource.getrlimit(worker.resource.RLIMIT_NOFILE))"
    assert await told(monkeypatch, tmp_path, limits) == "((0, 0), (64, 64))"


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux ends a process with its parent.")
async def test_the_reader_ends_with_its_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = (
        "worker.ctypes.CDLL(None).prctl(2, worker.ctypes.byref(number)) or number.value"  # PR_GET_PDEATHSIG
    )
    told_by = f"(lambda number: {asked})(worker.ctypes.c_int())"
    assert await told(monkeypatch, tmp_path, told_by) == str(int(signal.SIGKILL))


async def test_the_reader_cannot_take_its_limits_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limits = ParseLimits()
    sentence = await told(
        monkeypatch,
        tmp_path,
        "(worker.resource.getrlimit(worker.resource.RLIMIT_AS)[1],"
        " worker.resource.getrlimit(worker.resource.RLIMIT_CPU)[1])",
    )
    assert sentence == str((limits.memory_bytes, limits.cpu_seconds + 1))


async def test_what_a_library_prints_garbles_no_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    worker_that(monkeypatch, tmp_path, "print('noise', flush=True); os.write(1, b'noise'); raise ValueError")
    assert "(ValueError)" in await refusal(PAGE, ParseLimits())


@pytest.mark.parametrize(
    "forged",
    [
        b"[]",
        b'{"document": {}}',
        b'{"document": {"title": 1, "blocks": [], "media_type": "a", "dated": null, "author": null}}',
        b'{"document": {"title": "a", "blocks": [{"text": "a", "heading_path": [], "page": "1", "kind": "list"}],'
        b' "media_type": "a", "dated": null, "author": null}}',
        b"\x80\x04pickle",
        b"not json",
    ],
)
async def test_an_answer_of_the_wrong_shape_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, forged: bytes
) -> None:
    written = f"type('Forged', (), {{'encode': lambda *_: {forged!r}}})()"
    worker_that(
        monkeypatch, tmp_path, f"worker.wire.json.dumps = lambda *_, **__: {written}\nraise ValueError"
    )
    assert "is damaged or too large" in await refusal(PAGE, ParseLimits())


def running_children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if is_running(int(child))]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(500):
        if happened():
            return
        await asyncio.sleep(0.02)
    pytest.fail("It did not happen within ten seconds.")


@pytest.mark.skipif(
    sys.platform != "linux", reason="Processes are looked up under /proc, which this system lacks."
)
@pytest.mark.parametrize("end", ["the question", "the worker", "the asker"])
async def test_a_reader_given_up_on_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    worker_that(monkeypatch, tmp_path, "time.sleep(600)")
    process = ParserProcess()
    asking = asyncio.create_task(process.parse(PAGE, "plan.md"))
    await until(lambda: process._process is not None)
    assert process._process is not None
    worker = process._process.pid
    await until(lambda: bool(running_children(worker)))
    children = running_children(worker)
    if end == "the question":
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    elif end == "the asker":  # all that its death leaves behind is a pipe without a writer
        assert process._process.stdin is not None
        process._process.stdin.close()
        await until(lambda: not any(is_running(pid) for pid in children))
        with pytest.raises(UnreadableDocument):
            await asking
        await process.close()
    else:
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(UnreadableDocument):
            await asking
    await until(lambda: not any(is_running(pid) for pid in [worker, *children]))
