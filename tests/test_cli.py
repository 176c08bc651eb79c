"""The commands as a user types them: what bad input is answered with."""

import errno
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fullshot.cli import app
from fullshot.cli.options import command_class
from fullshot.core import tables
from fullshot.core.workspace import Workspace
from fullshot.demo.shop.assortment import COLLECTIONS

COMMANDS = [
    "demo",
    "crawl",
    "parse",
    "add",
    "curate",
    "report",
    "annotate",
    "boxes",
    "train",
    "evaluate",
    "index",
    "recommend",
    "trace",
    "gc",
    "doctor",
]


def run(*words: str | Path | int) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def crawled(root: Path) -> Path:
    """A workspace as a crawl that found one product leaves it."""
    workspace = Workspace(root)
    workspace.write("products", tables.frame("products", [{"product_id": "s:1", "gender": "men", "wear": "top"}]))
    workspace.write("images", tables.frame("images"))
    return root


def curated(root: Path) -> Path:
    """The same after curation."""
    Workspace(crawled(root)).write("curated", tables.frame("curated"))
    return root


def test_help_lists_the_commands() -> None:
    code, said, _ = run("--help")
    assert code == 0
    assert [command for command in COMMANDS if f" {command} " not in said] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("curate", "{none}"), "no workspace at {none}: run `fullshot add {none} FOLDER` first, or `fullshot crawl`"),
        (("curate", "{empty}"), "no images.csv in {empty}: run `fullshot add {empty} FOLDER` first, or `fullshot"),
        (("train", "detector", "{crawled}"), "no boxes.csv in {crawled}: run `fullshot boxes import {crawled}` first"),
        (("train", "embedder", "{crawled}"), "no dataset2.csv in {crawled}: run `fullshot curate {crawled}` first"),
        (("index", "build", "{crawled}"), "no curated.csv in {crawled}: run `fullshot curate {crawled}` first"),
        (("index", "build", "{curated}"), "no embedder in {curated}: run `fullshot train embedder {curated}` first"),
        (
            ("evaluate", "detector", "{curated}"),
            "no detector in {curated}: run `fullshot train detector {curated}` first",
        ),
        (("recommend", "{curated}", "{text}"), "{text} is not a picture that can be read"),
        (("recommend", "{curated}", "{none}"), "{none}"),
        (("trace", "{crawled}", "abcdef"), "abcdef"),
        (("boxes", "import", "{crawled}", "{text}"), "{text}"),
        (("boxes", "import", "{crawled}", "{text}", "--format", "pdf"), "pdf"),
        (("crawl", "{empty}", "ftp://x.test/"), "expected an address that begins with http:// or https://"),
        (
            ("crawl", "{empty}", "http://x.test/", "--shop", "none"),
            "expected the shop to be one of myntra, schema_org, got 'none'",
        ),
        (("crawl", "{empty}", "http://x.test/", "--delay", "-2"), "setting crawl.delay: "),
        (("crawl", "{text}", "http://x.test/"), "expected a workspace folder, got a file: {text}"),
        (("parse", "http://x.test/", "{none}"), "expected a saved page, got no such file: {none}"),
        (("demo", "{crawled}"), "{crawled} is there already and was not made by a demo"),
        (("demo", "{crawled}", "--fresh"), "{crawled} was not made by a demo"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    places = {
        "none": tmp_path / "none",
        "empty": tmp_path / "empty",
        "crawled": crawled(tmp_path / "crawled"),
        "curated": curated(tmp_path / "curated"),
        "text": tmp_path / "text.txt",
    }
    places["empty"].mkdir()
    places["text"].write_text("no picture, no boxes")
    before = sorted(path for path in tmp_path.rglob("*") if path.name != ".lock")
    code, out, err = run(*(word.format(**places) for word in words))
    assert message.format(**places) in err
    assert err.startswith("fullshot: ")
    assert err.count("\n") == 1
    assert (code, out) == (2, "")
    assert sorted(path for path in tmp_path.rglob("*") if path.name != ".lock") == before


def test_a_page_that_is_no_shops_is_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>Site Maintenance</html>")
    code, out, err = run("parse", "http://x.test/1/buy", tmp_path / "page.html")
    assert (code, json.loads(out)["kind"]) == (1, "none")
    assert err.startswith("fullshot: ")
    assert "no schema.org data" in err


def test_what_the_system_refuses_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    code, out, err = run("curate", crawled(tmp_path))
    assert (code, out, err) == (1, "", f"fullshot: File exists: {tmp_path / 'runs'}\n")
    long = "n" * 300
    code, out, err = run("curate", tmp_path / long)
    assert (code, out, err) == (1, "", f"fullshot: File name too long: {tmp_path / long}\n")


def test_a_pipe_that_is_closed_is_exit_code_1_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("fullshot.core.checks.run", closed)
    assert run("doctor") == (1, "", "")


def test_a_shop_is_no_larger_than_the_one_that_is_drawn(tmp_path: Path) -> None:
    code, _, err = run("demo", tmp_path / "demo", "--collections", COLLECTIONS + 1)
    assert code == 2
    assert "Invalid value for '--collections'" in err
    assert str(COLLECTIONS) in err
    assert not list(tmp_path.iterdir())


def test_a_command_that_is_stopped_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fullshot.crawler.crawl", stopped)
    code, _, err = run("crawl", tmp_path, "http://127.0.0.1:9/")
    assert (code, err) == (130, "fullshot: stopped; run the same command to go on\n")


def test_an_old_flag_is_understood_and_said_to_be_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("fullshot.core.checks.run", lambda *_, fix, **__: asked.append(fix))
    assert run("doctor", "--mend") == (0, "", "fullshot: --mend is called --fix now\n")
    assert asked == [True]
    assert "--mend" not in run("doctor", "--help")[1]
    code, _, err = run("doctor", "--mend", "--fix")
    assert (code, asked) == (2, [True])
    assert "--mend is called --fix now: give one of them" in err


def test_an_old_option_keeps_its_value_and_what_follows_two_hyphens_is_no_option() -> None:
    old = typer.Typer()

    @old.command(cls=command_class({"--old": "--new"}))
    def command(words: list[str], new: int = 0) -> None:
        print(new, *words)

    assert CliRunner().invoke(old, ["a", "--old", "3"]).stdout == "3 a\n"
    assert CliRunner().invoke(old, ["--old=4", "a", "--", "--old"]).stdout == "4 a --old\n"


def test_python_m_fullshot_is_the_command() -> None:
    said = subprocess.run([sys.executable, "-m", "fullshot", "--help"], capture_output=True, text=True, check=True)
    assert "Usage: fullshot" in said.stdout.replace("python -m ", "")


def ended(work: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command ``doctor`` in a process of its own, with other work in place of its checks."""
    code = f"""
import sys
from fullshot.__main__ import main
from fullshot.core import checks

def work(*_, **__):
{textwrap.indent(textwrap.dedent(work), "    ")}

checks.run = work
sys.argv = ["fullshot", "doctor", *{words!r}]
main()
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_a_command_that_loads_torch_ends_without_a_word_of_what_it_let_lie() -> None:
    pytest.importorskip("triton")
    done = ended("import torch, triton.language\nprint('done')\nreturn 1")
    assert (done.returncode, done.stdout, done.stderr) == (1, "done\n", "")


def test_what_runs_at_the_end_of_a_process_still_runs() -> None:
    done = ended("""
        import atexit, tempfile, threading, time
        atexit.register(print, "at exit", flush=False)
        folder = tempfile.TemporaryDirectory()
        checks.kept = folder
        print(folder.name)
        threading.Thread(target=lambda: (time.sleep(0.3), print("thread"))).start()
        return 0
    """)
    folder, *said = done.stdout.splitlines()
    assert (done.returncode, said) == (0, ["thread", "at exit"])
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("work", "code"),
    [
        ("return 0", 0),
        ("return 1", 1),
        ("sys.exit(143)", 143),  # as after SIGTERM
        ("raise KeyboardInterrupt", 130),
        ("from fullshot.core.errors import UserError; raise UserError('wrong')", 2),
        ("raise RuntimeError('a mistake of ours')", 1),
        ("print('x'); sys.stdout.flush(); sys.stdout.close()", 1),
    ],
)
def test_a_command_ends_with_its_exit_code(work: str, code: int) -> None:
    assert ended(work).returncode == code


def test_a_command_whose_output_is_closed_ends_without_a_word() -> None:
    words = [sys.executable, "-m", "fullshot", "--version"]
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *words], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")
