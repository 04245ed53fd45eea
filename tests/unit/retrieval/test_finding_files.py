import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from retrieval.sources.files import find_files
from retrieval.sources.items import SkippedFile, SourceItem, UnreadableFile


def found(path: Path) -> list[str]:
    return [item.name for item in find_files(path) if isinstance(item, SourceItem)]


def skipped(path: Path) -> list[str]:
    return [item.reason for item in find_files(path) if isinstance(item, SkippedFile)]


def test_a_folder_gives_its_files_in_the_order_of_their_names_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.md", "a/.hidden.md", ".git/config", "c.txt", "a/b/x.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert found(tmp_path) == ["a/b/x.md", "a/z.md", "b.md", "c.txt"]
    assert skipped(tmp_path) == []


def test_an_item_gives_its_bytes_its_address_and_its_date(tmp_path: Path) -> None:
    path = tmp_path / "plan 1.md"
    path.write_bytes(b"# Plan")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (item,) = find_files(path)
    assert isinstance(item, SourceItem)
    assert (item.name, item.uri, item.load()) == ("plan 1.md", path.resolve().as_uri(), b"# Plan")
    assert item.modified.isoformat() == "2023-11-14T22:13:20+00:00"


def test_links_that_lead_out_are_reported_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "a.md").write_text("a")
    (folder / "inside.md").symlink_to("a.md")
    (folder / "loop").symlink_to(".", target_is_directory=True)
    (folder / "file.md").symlink_to("../secret.md")
    (folder / "out").symlink_to("..", target_is_directory=True)
    (folder / "dangling").symlink_to("nowhere")
    assert found(folder) == ["a.md"]
    assert skipped(folder) == [
        "dangling is a link that leads out of the folder.",
        "file.md is a link that leads out of the folder.",
        "out is a link that leads out of the folder.",
    ]


def test_a_file_exchanged_for_a_link_after_it_was_found_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    path = tmp_path / "shared" / "a.md"
    path.parent.mkdir()
    path.write_text("a")
    (item,) = find_files(path.parent)
    path.unlink()
    path.symlink_to("../secret.md")
    assert isinstance(item, SourceItem)
    with pytest.raises(UnreadableFile, match=r"a\.md could not be read"):
        item.load()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert skipped(tmp_path) == ["pipe is not a file that can be read."]


def test_what_is_missing_is_reported(tmp_path: Path) -> None:
    assert skipped(tmp_path / "gone.md") == ["gone.md could not be read: no such file or directory."]


def test_a_file_of_a_terabyte_is_reported_and_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(2**40)
    assert skipped(tmp_path) == ["huge.md is 1048576 MB, too large for a document."]


def test_folders_may_nest_deeper_than_python_recurses(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        assert found(tmp_path) == []
    finally:
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)  # pytest's own cleaning recurses


def packed(path: Path, members: dict[str, bytes], cut: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    return path


def test_an_archive_gives_the_files_in_it(tmp_path: Path) -> None:
    inside = {"b/plan 1.md": b"# Plan", "a.txt": b"a", ".hidden": b"x", "__MACOSX/a.txt": b"x", "b/": b""}
    path = packed(tmp_path / "all.zip", inside)
    items = list(find_files(tmp_path))
    assert [(i.name, i.load()) for i in items if isinstance(i, SourceItem)] == [
        ("all.zip/a.txt", b"a"),
        ("all.zip/b/plan 1.md", b"# Plan"),
    ]
    assert items[1].uri == f"{path.resolve().as_uri()}#b/plan%201.md"


def test_a_document_that_is_packed_is_no_archive(tmp_path: Path) -> None:
    packed(tmp_path / "a.zip", {"word/document.xml": b"<w/>", "[Content_Types].xml": b"<t/>"})
    packed(tmp_path / "b.docx", {"x.txt": b"x"})
    assert found(tmp_path) == ["a.zip", "b.docx"]


def test_an_archive_that_is_a_trap_or_damaged_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    packed(tmp_path / "bomb.zip", {"zeros": bytes(40 * 2**20)})
    packed(tmp_path / "cut.zip", {"a.txt": b"a" * 100}, cut=30)
    (tmp_path / "z.md").write_text("z")
    assert found(tmp_path)[-1] == "z.md"
    assert skipped(tmp_path) == [
        "bomb.zip unpacks to 40 MB in 1 files, which is more than is read. Split it.",
        "cut.zip is damaged: it cannot be unpacked. Save it anew and send it.",
    ]
