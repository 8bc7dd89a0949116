"""The house rules hold everywhere, and each rule finds what was planted for it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath
from textwrap import dedent

import pytest

from architecture import tidy
from architecture.tidy import Source

ROOT = Path(__file__).resolve().parents[2]
TEXT_SUFFIXES = {
    "",
    ".cfg",
    ".css",
    ".html",
    ".ini",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".sql",
    ".toml",
    ".svg",
    ".ts",
    ".tsx",
    ".txt",
    ".yaml",
    ".yml",
}

Rule = Callable[[Source], list[str]]


@cache
def tracked_files() -> tuple[str, ...]:
    """Return the files of this checkout that git tracks or would track; all files where this is no checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the git of this machine
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        names = listing.stdout.splitlines()
    else:
        hidden = (path for path in ROOT.rglob("*") if path.is_file())
        names = [str(path.relative_to(ROOT)) for path in hidden if not {".venv", "__pycache__"} & set(path.parts)]
    return tuple(name for name in sorted(names) if (ROOT / name).is_file())


@cache
def source(name: str) -> Source:
    """Read a file once for all rules: what is parsed of it is kept with it."""
    return Source(name, (ROOT / name).read_text(encoding="utf-8"))


@cache
def sources(*folders: str, suffixes: tuple[str, ...] = (".py",)) -> tuple[Source, ...]:
    """Read the tracked files below the folders that end in one of the suffixes."""
    chosen = [n for n in tracked_files() if n.startswith(folders) and PurePosixPath(n).suffix in suffixes]
    return tuple(source(name) for name in chosen)


def findings(rule: Rule, *folders: str, suffixes: tuple[str, ...] = (".py",)) -> list[str]:
    """Return what the rule finds in these files, as ``path:line: message``."""
    files = sources(*folders, suffixes=suffixes)
    assert files, f"no file under {folders}"
    return [f"{file.path}:{finding}" for file in files for finding in rule(file)]


EVERYWHERE = ("src/", "tests/", "benchmarks/", "tools/")
PRODUCT = ("src/alphintra/",)
TESTS = ("tests/",)
CODE = (".py", ".sql")


@pytest.mark.parametrize(
    ("rule", "folders", "suffixes"),
    [
        (tidy.long_files, EVERYWHERE, (".py",)),
        (tidy.long_lines, EVERYWHERE, CODE),
        (tidy.long_functions, EVERYWHERE, (".py",)),
        (tidy.many_parameters, PRODUCT, (".py",)),
        (tidy.sql_outside_sql, PRODUCT, (".py",)),
        (tidy.float_beside_money, PRODUCT, (".py",)),
        (tidy.time_and_chance, PRODUCT, (".py",)),
        (tidy.hidden_imports, PRODUCT, (".py",)),
        (tidy.repository_beyond_its_type, PRODUCT, (".py",)),
        (tidy.empty_names, EVERYWHERE, (".py",)),
        (tidy.missing_docstrings, PRODUCT, (".py",)),
        (tidy.error_codes, PRODUCT, (".py",)),
        (tidy.unfinished_work, EVERYWHERE, CODE),
        (tidy.toothless_tests, TESTS, (".py",)),
        (tidy.blind_sleeps, TESTS, (".py",)),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_every_file_keeps_the_rule(rule: Rule, folders: tuple[str, ...], suffixes: tuple[str, ...]) -> None:
    assert findings(rule, *folders, suffixes=suffixes) == []


def test_no_sql_file_stars_its_columns() -> None:
    assert [f"{s.path}:{f}" for s in sources("src/", suffixes=(".sql",)) for f in tidy.starred_columns(s)] == []


def test_migrations_are_named_and_numbered() -> None:
    paths = [name for name in tracked_files() if "/sql/migrations/" in name]
    assert tidy.migration_names(paths) == []


def test_no_tracked_file_names_a_registry_or_a_home() -> None:
    readable = [name for name in tracked_files() if PurePosixPath(name).suffix in TEXT_SUFFIXES]
    texts = [Source(name, (ROOT / name).read_text(encoding="utf-8", errors="replace")) for name in readable]
    assert len(texts) > 50
    assert [f"{text.path}:{finding}" for text in texts for finding in tidy.foreign_places(text)] == []


# --- planted violations: a file that breaks the rule, and its closest neighbour that does not ----------------------


def python(text: str, path: str = "src/alphintra/trading/domain.py") -> Source:
    return Source(path, dedent(text))


def body(lines: int) -> str:
    return "def place():\n" + "    pass\n" * (lines - 1)


def parameters(count: int) -> str:
    return f"def place(self, {', '.join(f'p{n}' for n in range(count))}): ...\n"


GATEWAYS = "src/alphintra/trading/gateways.py"
ENDPOINTS = "src/alphintra/trading/endpoints.py"
ENGINE = "src/alphintra/engine/indicators.py"

PLANTED: tuple[tuple[Rule, Source, Source], ...] = (
    (tidy.long_files, python("x = 1\n" * 501), python("x = 1\n" * 500)),
    (tidy.long_lines, python("#" * 121), python("#" * 120)),
    (tidy.long_lines, python("x" * 121 + "  # noqa: E741 - why"), python("x" * 120 + "  # noqa: E741 - why")),
    (tidy.long_functions, python(body(71)), python(body(70))),
    (tidy.many_parameters, python(parameters(7)), python(parameters(6))),
    (tidy.many_parameters, python("def f(a, b, c, *, d, e, f, g): ..."), python("def f(a, b, c, *, d, e, f): ...")),
    (
        tidy.many_parameters,
        python("def f(a, b, c, d, e, f, g): ...  # noqa: PLR0913"),
        python("def f(a, b, c, d, e, f, g): ...  # noqa: PLR0913 - the parts of a row"),
    ),
    (tidy.sql_outside_sql, python("q = 'SELECT id FROM orders'"), python("'Select one from the list.'\n")),
    (tidy.sql_outside_sql, python("q = f'insert into {t} values (1)'"), python("q = 'insert a coin'")),
    (tidy.sql_outside_sql, python("q = 'update orders set x = 1'"), python("q = 'update the order'")),
    (tidy.sql_outside_sql, python("q = 'select now()'"), python("q = 'select a node'")),
    (
        tidy.sql_outside_sql,
        python("q = 'grant select on t to r'"),
        python("q = 'grant select on t to r'", "src/alphintra/dataplane/apply.py"),
    ),
    (tidy.float_beside_money, python("def f(p: float | None): ..."), python("def f(p: float): ...", GATEWAYS)),
    (tidy.float_beside_money, python("def f() -> 'list[float]': ..."), python("def f() -> 'list[Decimal]': ...")),
    (tidy.float_beside_money, python("x: float", "src/alphintra/engine/portfolio.py"), python("x: float", ENGINE)),
    (
        tidy.float_beside_money,
        python("x: float", "src/alphintra/risk/repository/limits.py"),
        python("x: float", "src/alphintra/strategy/domain.py"),
    ),
    (tidy.time_and_chance, python("at = datetime.now(UTC)"), python("at = datetime.now(UTC)", GATEWAYS)),
    (
        tidy.time_and_chance,
        python("at = time.monotonic()", "src/alphintra/trading/service.py"),
        python("at = clock.now()", "src/alphintra/trading/service.py"),
    ),
    (tidy.time_and_chance, python("key = uuid4()", ENGINE), python("key = ids.new()", ENGINE)),
    (
        tidy.time_and_chance,
        python("rng = np.random.default_rng()", ENGINE),
        python("rng = np.random.default_rng(seed)", ENGINE),
    ),
    (
        tidy.repository_beyond_its_type,
        python("from alphintra.trading.repository import Orders", ENDPOINTS),
        python("if TYPE_CHECKING:\n    from alphintra.trading.repository import Orders", ENDPOINTS),
    ),
    (
        tidy.hidden_imports,
        python("m = importlib.import_module('os')"),
        python("files = importlib.resources.files('os')"),
    ),
    (tidy.hidden_imports, python("from importlib import import_module"), python("from importlib import resources")),
    (tidy.hidden_imports, python("s.loader.exec_module(m)"), python("s = importlib.util.find_spec('os')")),
    (tidy.hidden_imports, python("m = __import__('os')"), python("import os")),
    (tidy.empty_names, python("", "src/alphintra/trading/utils.py"), python("", "src/alphintra/trading/domain.py")),
    (tidy.empty_names, python("", "src/alphintra/common/orders.py"), python("", "src/alphintra/manifest/common.py")),
    (tidy.empty_names, python("class OrderManager: ..."), python("class Managers: ...")),
    (tidy.missing_docstrings, python("def place(): ..."), python("def _place(): ...")),
    (
        tidy.missing_docstrings,
        python("class Order:\n    def place(self): ..."),
        python("class _Order:\n    def place(self): ..."),
    ),
    (
        tidy.missing_docstrings,
        python("def get_orders():\n    'Get the orders.'"),
        python("def get_orders():\n    'Orders, oldest first.'"),
    ),
    (
        tidy.error_codes,
        python("raise AlphintraError('order not found', 'x')"),
        python("raise AlphintraError('ORDER_NOT_FOUND', 'x')"),
    ),
    (tidy.unfinished_work, python("x = 1  # TODO later"), python("x = 'TODO'")),
    (tidy.unfinished_work, Source("a.sql", "select 1; -- FIXME"), Source("a.sql", "select 1; -- fixed")),
    (tidy.foreign_places, Source("a.md", "https://py" + "pi.org/simple"), Source("a.md", "pip")),
    (tidy.foreign_places, Source("a.txt", "/ho" + "me/ada/alphintra"), Source("a.txt", "https://a.example/home/ada/")),
    (tidy.starred_columns, Source("a.sql", "SELECT * FROM orders"), Source("a.sql", "select count(*) from orders")),
    (tidy.starred_columns, Source("a.sql", "select o.* from orders o"), Source("a.sql", "select o.id -- o.*")),
    (tidy.starred_columns, Source("a.sql", "... returning *"), Source("a.sql", "select 2 * 3")),
    (tidy.toothless_tests, python("def test_x():\n    assert True"), python("def test_x():\n    assert f()")),
    (
        tidy.toothless_tests,
        python("async def test_x():\n    await f()"),
        python("def test_x():\n    with pytest.raises(E):\n        f()"),
    ),
    (
        tidy.toothless_tests,
        python("async def test_x():\n    await finally_()"),
        python("async def test_x():\n    await eventually(ready)"),
    ),
    (
        tidy.toothless_tests,
        python("def test_x(page):\n    expect(page.locator('h1'))"),
        python("def test_x(page):\n    expect(page.locator('h1')).to_have_text('x')"),
    ),
    (tidy.blind_sleeps, python("await asyncio.sleep(1)"), python("while not done():\n    await asyncio.sleep(0.01)")),
    (tidy.blind_sleeps, python("time.sleep(0.5)"), python("await asyncio.sleep(0)")),
)


@pytest.mark.parametrize(
    ("rule", "broken", "kept"), PLANTED, ids=[f"{n}-{p[0].__name__}" for n, p in enumerate(PLANTED)]
)
def test_a_planted_violation_is_found_and_its_neighbour_is_not(rule: Rule, broken: Source, kept: Source) -> None:
    assert len(rule(broken)) == 1
    assert rule(kept) == []


@pytest.mark.parametrize(
    "name",
    [
        "1_pre_orders.sql",
        "0001_orders.sql",
        "0001_pre_.sql",
        "0001_pre_Orders.sql",
        "0001_during_orders.sql",
        "0001_pre_a.SQL",
    ],
)
def test_a_misnamed_migration_is_found(name: str) -> None:
    assert len(tidy.migration_names([f"src/alphintra/user/sql/migrations/{name}"])) == 1


def test_a_gap_in_the_numbers_of_a_service_is_found() -> None:
    paths = [
        "user/sql/migrations/0001_pre_a.sql",
        "user/sql/migrations/0003_post_b.sql",
        "auth/sql/migrations/0001_pre_a.sql",
    ]
    assert tidy.migration_names(paths) == ["user/sql/migrations: numbered [1, 3], expected [1, 2]"]


def test_two_migrations_with_one_number_are_found() -> None:
    assert len(tidy.migration_names(["u/0001_pre_a.sql", "u/0001_pre_b.sql"])) == 1


def test_migrations_in_order_are_accepted() -> None:
    assert tidy.migration_names(["u/0001_pre_a.sql", "u/0002_post_b_2.sql", "v/0001_pre_a.sql"]) == []


def test_every_rule_has_a_planted_violation() -> None:
    rules = {
        name for name, rule in vars(tidy).items() if getattr(rule, "__annotations__", {}).get("source") == "Source"
    }
    helpers = {"strings_of", "comments_of"}
    assert rules - helpers == {rule.__name__ for rule, _, _ in PLANTED}
