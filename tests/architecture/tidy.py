"""House rules that linters do not know: each a pure function from a source file to what is wrong with it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
LINE_LENGTH_MAX = 120
PARAMETERS_MAX = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One tracked text file, by its path from the root of the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Syntax tree of a Python file."""
        return ast.parse(self.text)

    @property
    def is_python(self) -> bool:
        """Whether this is a Python file."""
        return self.path.endswith(".py")

    @property
    def is_product(self) -> bool:
        """Whether this is product code, as opposed to tests, benchmarks and scripts."""
        return self.path.startswith("src/alphintra/")

    @property
    def rooms(self) -> tuple[str, ...]:
        """Dotted name below ``alphintra`` in parts, e.g. ``("trading", "domain")``; empty outside product code."""
        if not (self.is_product and self.is_python):
            return ()
        parts = PurePosixPath(self.path).with_suffix("").parts[2:]
        return parts[:-1] if parts[-1] == "__init__" else parts

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node


# --- size ------------------------------------------------------------------------------------------------------------


def long_files(source: Source) -> list[str]:
    """A file ends at 500 lines: past that it holds two subjects."""
    count = len(source.text.splitlines())
    return [f"{count} lines, at most {FILE_LINES_MAX}"] if count > FILE_LINES_MAX else []


def long_lines(source: Source) -> list[str]:
    """A line ends at 120 characters, in SQL as in Python; the reason for a lint exception behind it does not count."""
    lines = ((n, line.partition("  # noqa: ")[0]) for n, line in enumerate(source.text.splitlines(), 1))
    return [
        f"{n}: {len(text)} characters, at most {LINE_LENGTH_MAX}" for n, text in lines if len(text) > LINE_LENGTH_MAX
    ]


def long_functions(source: Source) -> list[str]:
    """A function fits on a screen."""
    sized = ((f, (f.end_lineno or f.lineno) - f.lineno + 1) for f in source.functions())
    return [
        f"{f.lineno}: {f.name} has {n} lines, at most {FUNCTION_LINES_MAX}" for f, n in sized if n > FUNCTION_LINES_MAX
    ]


def many_parameters(source: Source) -> list[str]:
    """A function takes at most six parameters, its receiver not counted; an exception states its reason where it is."""
    lines = source.text.splitlines()
    counted = ((f, len(parameters_of(f))) for f in source.functions())
    return [
        f"{f.lineno}: {f.name} takes {n} parameters, at most {PARAMETERS_MAX}"
        for f, n in counted
        if n > PARAMETERS_MAX and "# noqa: PLR0913 - " not in lines[f.lineno - 1]
    ]


def parameters_of(function: Function) -> list[str]:
    """Return the names of a function's parameters without its receiver."""
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    names += [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return names[1:] if names and names[0] in {"self", "cls"} else names


# --- rooms -----------------------------------------------------------------------------------------------------------

_SQL_TEXT = re.compile(
    r"^\s*(with\s+\w+\s+as|select\s.+\sfrom\s|insert\s+into\s|update\s+[\w.]+\s+set\s|delete\s+from\s|truncate\s"
    r"|(create|alter|drop)\s+(or\s+replace\s+)?(table|role|user|schema|database|index|function|trigger|type|view)\s"
    r"|(grant|revoke)\s+\w+.*\s(on|to|from)\s)",
    re.IGNORECASE | re.DOTALL,
)
_FUNCTION_TEXT = re.compile(
    r"^\s*(select\s+\w+\(|select\s+\d+\b|set\s+(local|role|session)\s|notify\s|listen\s)", re.IGNORECASE
)


def sql_outside_sql(source: Source) -> list[str]:
    """SQL text lives in ``sql/``; the data plane, which composes it from the catalogue, is the one exception."""
    if not source.rooms or source.rooms[0] == "dataplane":
        return []
    return [
        f"{node.lineno}: SQL text in Python, move it to sql/queries.sql: {node.value[:40]!r}"
        for node in strings_of(source)
        if isinstance(node.value, str) and (_SQL_TEXT.search(node.value) or _FUNCTION_TEXT.search(node.value))
    ]


def strings_of(source: Source) -> Iterator[ast.Constant]:
    """Yield string literals, the pieces of f-strings too, but no docstrings."""
    documentation = {id(text) for node in ast.walk(source.tree) for text in docstring_nodes(node)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node


def docstring_nodes(node: ast.AST) -> list[ast.expr]:
    """Return the bare string statements of a body: docstrings and attribute documentation."""
    body = getattr(node, "body", None)
    if not isinstance(body, list):
        return []
    return [s.value for s in body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)]


_MONEY_SERVICES = {"trading", "risk", "broker"}
_MONEY_ROOMS = {"domain", "repository", "service"}


def float_beside_money(source: Source) -> list[str]:
    """Where money is decided, kept or moved nothing is annotated as float."""
    rooms = source.rooms
    holds_money = rooms[:2] == ("engine", "portfolio") or (
        len(rooms) > 1 and rooms[0] in _MONEY_SERVICES and rooms[1] in _MONEY_ROOMS
    )
    if not holds_money:
        return []
    return [
        f"{annotation.lineno}: float beside money: {ast.unparse(annotation)}"
        for annotation in annotations_of(source.tree)
        if re.search(r"\bfloat(32|64)?\b", ast.unparse(annotation))
    ]


def annotations_of(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield every annotation of a parameter, a result, a variable or an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, Function) and node.returns is not None:
            yield node.returns


_PURE_ROOMS = {"domain", "engine", "kernel", "manifest", "plan"}
_TIMELESS_ROOMS = _PURE_ROOMS | {"service"}
_CLOCKS = re.compile(
    r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|monotonic|perf_counter|sleep)\w*)\("
)
_CHANCE = re.compile(
    r"\b(uuid[1467]|urandom|SystemRandom|getrandbits|token_(bytes|hex|urlsafe)|random\.\w+|default_rng)\("
)
_SEEDED = re.compile(r"\bdefault_rng\(\w")


def time_and_chance(source: Source) -> list[str]:
    """Decisions read no clock and draw no chance: time comes in as ``at``, ids from an IdSource, chance from a seed."""
    rooms = set(source.rooms)
    found = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        call = f"{ast.unparse(node.func)}("
        arguments = ast.unparse(node).removeprefix(call)
        if rooms & _TIMELESS_ROOMS and _CLOCKS.search(call):
            found.append(f"{node.lineno}: reads a clock: {call})")
        if rooms & _PURE_ROOMS and _CHANCE.search(call) and not _SEEDED.search(call + arguments):
            found.append(f"{node.lineno}: draws chance: {call})")
    return found


def repository_beyond_its_type(source: Source) -> list[str]:
    """Endpoints hand a repository on and ask it nothing: they import its type, for the type checker alone."""
    if source.rooms[1:2] != ("endpoints",):
        return []
    typing_only = {
        id(inner)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    imports = [
        n for n in ast.walk(source.tree) if isinstance(n, ast.Import | ast.ImportFrom) and id(n) not in typing_only
    ]
    return [f"{n.lineno}: endpoints use a repository" for n in imports if re.search(r"\brepository\b", ast.unparse(n))]


_LOADERS = re.compile(
    r"\b(__import__|import_module|module_from_spec|spec_from_file_location|exec_module|load_module"
    r"|reload|run_module|run_path)$"
)


_MAY_LOAD = {"src/alphintra/broker/gateways/ccxt_library.py"}  # one exchange of a library, by the name a person gives


def hidden_imports(source: Source) -> list[str]:
    """Imports are statements: what is loaded by name at run time, no contract sees. Finding without loading is fine."""
    found: list[str] = []
    if source.path in _MAY_LOAD:
        return found
    for node in ast.walk(source.tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call):
            names = [ast.unparse(node.func)]
        found += [f"{getattr(node, 'lineno', 0)}: hides imports: {name}" for name in names if _LOADERS.search(name)]
    return found


# --- words -----------------------------------------------------------------------------------------------------------

_EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}
_ALLOWED_NAMES = {"src/alphintra/manifest/common.py"}  # the tables common to all services: here the word says it


def empty_names(source: Source) -> list[str]:
    """A module or class is named after what it holds."""
    if source.path in _ALLOWED_NAMES:
        return []
    parts = [part for part in PurePosixPath(source.path).with_suffix("").parts if part.lower() in _EMPTY_NAMES]
    found = [f"{part} is no name for a module" for part in parts]
    classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    return found + [
        f"{c.lineno}: {c.name} is no name for a class"
        for c in classes
        if re.search(r"(Utils?|Helpers?|Manager)$", c.name)
    ]


_FILLER = {
    "a",
    "an",
    "and",
    "do",
    "for",
    "from",
    "get",
    "given",
    "in",
    "is",
    "it",
    "its",
    "of",
    "return",
    "returns",
    "the",
    "this",
    "to",
}


def missing_docstrings(source: Source) -> list[str]:
    """A public function says what its signature cannot; repeating its name says nothing."""
    found = []
    for function, public in public_functions(source.tree):
        text = ast.get_docstring(function)
        if public and not text:
            found.append(f"{function.lineno}: {function.name} has no docstring")
        elif public and text and restates(function.name, text):
            found.append(f"{function.lineno}: the docstring of {function.name} only repeats its name")
    return found


def public_functions(tree: ast.Module) -> Iterator[tuple[Function, bool]]:
    """Yield functions of the module and of its public classes, with whether they are public themselves."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node, not node.name.startswith("_")
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for member in node.body:
                if isinstance(member, Function):
                    overloaded = any(ast.unparse(d) in {"overload", "typing.overload"} for d in member.decorator_list)
                    yield member, not member.name.startswith("_") and not overloaded


def restates(name: str, docstring: str) -> bool:
    """Say whether the docstring holds no word that the name does not."""
    said = {word.rstrip("s") for word in re.findall(r"[a-z]+", docstring.lower())} - {w.rstrip("s") for w in _FILLER}
    return said <= {word.rstrip("s") for word in re.findall(r"[a-z]+", name.lower())}


_ERROR_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def error_codes(source: Source) -> list[str]:
    """An error carries a stable code in upper case, spelled out where it is raised."""
    calls = [n for n in ast.walk(source.tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "AlphintraError"]
    literal = ((c, c.args[0].value) for c in calls if c.args and isinstance(c.args[0], ast.Constant))
    return [f"{c.lineno}: {code!r} is no code" for c, code in literal if not _ERROR_CODE.fullmatch(str(code))]


_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def unfinished_work(source: Source) -> list[str]:
    """Comments promise nothing: what is not there is absent, what is missing stands in the issues."""
    return [f"{n}: unfinished: {text.strip()[:60]}" for n, text in comments_of(source) if _UNFINISHED.search(text)]


def comments_of(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line number and text of every comment of a Python or SQL file."""
    if source.is_python:
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    else:
        for number, line in enumerate(source.text.splitlines(), 1):
            _, mark, comment = line.partition("--")
            if mark:
                yield number, comment


# Written in pieces that do not match themselves: this file is scanned too.
_FOREIGN = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|yarnpkg\.com|crates\.io|proxy\.golang\.org"
    r"|rubygems\.org|anaconda\.(org|com)"
    r"|(?<![\w.])/(root|home/\w+|Users/\w+|work/(main|shared))/",
)


def foreign_places(source: Source) -> list[str]:
    """No tracked file names a package registry or a folder of somebody's machine."""
    lines = enumerate(source.text.splitlines(), 1)
    return [f"{n}: names {match[0]}" for n, line in lines if (match := _FOREIGN.search(line))]


# --- SQL -------------------------------------------------------------------------------------------------------------

_MIGRATION_NAME = re.compile(r"[0-9]{4}_(pre|post)_[a-z][a-z0-9]*(_[a-z0-9]+)*\.sql")
_STAR = re.compile(r"\b(select|returning)(\s+(all|distinct))?\s+\*|\b[a-z_]\w*\.\*", re.IGNORECASE)


def migration_names(paths: list[str]) -> list[str]:
    """Migrations are ``NNNN_{pre|post}_words.sql``, numbered from 0001 without gaps, per service."""
    found = [f"{path}: not NNNN_pre_words.sql or NNNN_post_words.sql" for path in paths if not is_migration_name(path)]
    folders: dict[str, list[int]] = {}
    for path in sorted(paths):
        if is_migration_name(path):
            folders.setdefault(str(PurePosixPath(path).parent), []).append(int(PurePosixPath(path).name[:4]))
    expected = {folder: list(range(1, len(numbers) + 1)) for folder, numbers in folders.items()}
    return found + [
        f"{folder}: numbered {numbers}, expected {expected[folder]}"
        for folder, numbers in folders.items()
        if numbers != expected[folder]
    ]


def is_migration_name(path: str) -> bool:
    """Say whether the file name is that of a migration."""
    return _MIGRATION_NAME.fullmatch(PurePosixPath(path).name) is not None


def starred_columns(source: Source) -> list[str]:
    """Columns are listed, so that a new one never reaches a reader who did not ask for it."""
    lines = enumerate(source.text.splitlines(), 1)
    return [f"{n}: columns are listed, never *" for n, line in lines if _STAR.search(line.partition("--")[0])]


# --- tests -----------------------------------------------------------------------------------------------------------

# The last is Playwright's: expect(what).to_have_text(...) waits and raises.
_ASSERTING_CALL = re.compile(
    r"(^|\.)(raises|warns|fail|eventually|assert_\w+|check_\w+|expect_\w+)$|^expect\(.*\)\.(not_)?to_\w+$", re.DOTALL
)


def toothless_tests(source: Source) -> list[str]:
    """A test can fail: it asserts something that is not a constant."""
    tests = [f for f in source.functions() if f.name.startswith("test_")]
    return [f"{f.lineno}: {f.name} asserts nothing" for f in tests if not any(has_teeth(node) for node in ast.walk(f))]


def has_teeth(node: ast.AST) -> bool:
    """Say whether the node is an assertion, or a call that makes one."""
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    return isinstance(node, ast.Call) and _ASSERTING_CALL.search(ast.unparse(node.func)) is not None


def blind_sleeps(source: Source) -> list[str]:
    """A test waits for a condition with a deadline: a sleep stands in a loop, or yields with 0."""
    looped = {
        id(inner)
        for loop in ast.walk(source.tree)
        if isinstance(loop, ast.While | ast.For | ast.AsyncFor)
        for inner in ast.walk(loop)
    }
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and id(node) not in looped]
    return [
        f"{call.lineno}: sleeps instead of waiting for a condition"
        for call in calls
        if re.fullmatch(r"(time|asyncio)\.sleep", ast.unparse(call.func)) and ast.unparse(call).find("(0)") < 0
    ]
