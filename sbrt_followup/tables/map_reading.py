"""A map file in YAML → its values, strictly: every unknown key, column and style is refused with its place.

Two shapes: sections `cohort:` and `imaging:`; and the older one, `columns:` and `values:` for both tables at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..problems import InputRefused, Problem, Source, nearest
from ..rulebook.parsing import Node, Scalar, Sequence, Table, content_hash, read_file
from .columns import COHORT, IMAGING, ColumnSpec
from .dates import DateStyle, style_of
from .layout import Layout
from .mapping import LONGEST_PATTERN, MapFile, TableMap

SECTIONS: Mapping[str, tuple[ColumnSpec, ...]] = {"cohort": COHORT, "imaging": IMAGING}
KEYS = {
    "sheet": "the sheet's name",
    "header_row": "the row that holds the names, or a list of rows whose words are joined",
    "skip_rows": "row numbers, or the words that rows to leave out begin with",
    "unnamed": "refuse, or ignore: what stands under no name",
    "encoding": "utf-8, utf-16, cp1252, …",
    "separator": "the sign between cells of a text file",
    "columns": "ours: yours",
    "own": "columns that are yours although their names are near ours",
    "dates": "column: [styles], such as DD.MM.YYYY, MM/DD/YYYY, YYYY-MM, serial",
    "decimal": "the decimal sign: . or ,",
    "missing": "words for nothing",
    "values": "column: {yours: ours}",
    "where": "column: what this table's rows hold there",
    "patient_rows": "column: what rows hold there that speak of the patient as a whole",
}
OPEN = "?"
"""Stands in a map where a person still has to answer."""
OLD = ("columns", "values")
# What a spreadsheet calls yes or no may be any word: Y, N, on, TRUE are fine in a map.
_FREE_CODES = frozenset({"yaml-trap"})


def read_map(path: Path, lenient: bool = False) -> MapFile:
    """Read a map file; raises InputRefused with everything wrong in it (`lenient`: open questions are none)."""
    tree, problems = read_file(path, path.name)
    problems = [_in_map_words(p) for p in problems if p.code not in _FREE_CODES]
    if tree is None or problems:
        raise InputRefused(problems)
    return map_of(tree, path.name, lenient)


def _in_map_words(problem: Problem) -> Problem:
    if problem.code != "not-a-mapping":
        return problem
    return Problem(problem.code, "a map file is a mapping with the sections cohort and imaging", problem.source)


def map_of(tree: Table, name: str, lenient: bool = False) -> MapFile:
    """Build a map from its tree; raises InputRefused with everything wrong in it (`lenient`: open questions are none)."""
    reader = _MapReader(name, lenient)
    if set(tree.items) & set(SECTIONS):
        for key in tree.items:
            if key not in SECTIONS:
                reader.add("unknown-key", "a map has the sections cohort and imaging, nothing else", tree.keys[key])
        parts = {section: reader.section(tree.items.get(section), specs) for section, specs in SECTIONS.items()}
        cohort, imaging = parts["cohort"], parts["imaging"]
        parts = {"cohort": _beside(cohort, imaging), "imaging": _beside(imaging, cohort)}
        notes: tuple[str, ...] = ()
    else:
        parts = reader.old(tree)
        notes = (f"{name}: an older form of map, for both tables at once; `sbrt-followup map` writes the new one",)
    if reader.problems:
        raise InputRefused(reader.problems)
    return MapFile(parts["cohort"], parts["imaging"], notes, content_hash(tree))


def _beside(table: TableMap, other: TableMap) -> TableMap:
    """In a file that holds both tables, the columns of the other one are not this one's misspelt names."""
    if not table.where:
        return table
    theirs = [name for name in other.columns.values() if name not in table.columns.values() and name not in table.own]
    return replace(table, own=(*table.own, *theirs))


@dataclass
class _MapReader:
    """Gathers problems while a map is read."""

    name: str
    lenient: bool = False
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, message: str, source: Source, hint: str = "") -> None:
        self.problems.append(Problem(code, message, source, hint=hint))

    def old(self, tree: Table) -> dict[str, TableMap]:
        """Read the form without sections: each table takes the columns it has."""
        nested = bool(set(OLD) & set(tree.items))
        for key in tree.items if nested else ():
            if key not in OLD:
                self.add(
                    "unknown-key",
                    "an old map has columns and values, nothing else",
                    tree.keys[key],
                    nearest(key, [*OLD, *SECTIONS]),
                )
        every = (*COHORT, *IMAGING)
        columns = self.texts(tree.items.get("columns") if nested else tree, every)
        values = self.words(tree.items.get("values") if nested else None, every)
        result = {}
        for section, specs in SECTIONS.items():
            ours = {spec.name for spec in specs}
            result[section] = TableMap(
                {c: t for c, t in columns.items() if c in ours},
                {c: w for c, w in values.items() if c in ours},
                file=self.name,
                old=True,
            )
        return result

    def section(self, node: Node | None, specs: tuple[ColumnSpec, ...]) -> TableMap:
        """Read one table's part."""
        if node is None or (isinstance(node, Scalar) and not node.text):
            return TableMap(file=self.name)
        if not isinstance(node, Table):
            self.add("not-a-mapping", "a section of a map is a mapping", node.source)
            return TableMap(file=self.name)
        for key in node.items:
            if key not in KEYS:
                self.add(
                    "unknown-key", f"a section of a map has no key '{key[:40]}'", node.keys[key], nearest(key, KEYS)
                )
        part = node.items.get
        decimal = self.one_of(self.closed(part("decimal")), (".", ","), ".")
        layout = Layout(
            self.text(self.closed(part("sheet"))),
            self.header(part("header_row")),
            self.skips(part("skip_rows")),
            self.one_of(part("unnamed"), ("refuse", "ignore"), "refuse"),
            self.text(part("encoding")),
            self.sign(part("separator")),
        )
        return TableMap(
            self.texts(part("columns"), specs),
            self.words(part("values"), specs),
            self.styles(part("dates"), specs),
            decimal,
            tuple(self.items(part("missing"))),
            self.holds(part("where")),
            self.holds(part("patient_rows")),
            tuple(self.items(part("own"))),
            layout,
            self.name,
        )

    # ---- small readers ----

    def text(self, node: Node | None) -> str:
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.add("bad-map", "one text belongs here", node.source)
            return ""
        return node.text

    def open(self, source: Source) -> None:
        """Note what is still to be filled in; `map` itself goes on without it."""
        if not self.lenient:
            hint = "Answer the question that stands beside it in the map."
            self.add("to-fill-in", f"a {OPEN!r} of the map is still to be filled in", source, hint)

    def closed(self, node: Node | None) -> Node | None:
        """Give a node, or None where a person still has to answer it."""
        if isinstance(node, Scalar) and node.text == OPEN:
            self.open(node.source)
            return None
        return node

    def sign(self, node: Node | None) -> str:
        text = self.text(node)
        text = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(text, text)
        if node is not None and (len(text) != 1 or text in '"\r\n'):
            self.add("bad-map", "a separator is one sign, or `tab`", node.source)
            return ""
        return text

    def one_of(self, node: Node | None, allowed: tuple[str, ...], default: str) -> str:
        text = self.text(node) if node is not None else default
        if text not in allowed:
            assert node is not None
            self.add("bad-map", f"write {' or '.join(repr(word) for word in allowed)}", node.source)
            return default
        return text

    def items(self, node: Node | None) -> list[str]:
        if node is None:
            return []
        if isinstance(node, Scalar):
            return [node.text]
        if isinstance(node, Sequence):
            return [self.text(item) for item in node.items]
        self.add("bad-map", "a list of words belongs here", node.source)
        return []

    def header(self, node: Node | None) -> tuple[int, ...]:
        numbers = self.items(node)
        if any(not re.fullmatch(r"[1-9][0-9]{0,6}", text) for text in numbers) or numbers != sorted(
            numbers, key=lambda t: (len(t), t)
        ):
            assert node is not None
            self.add("bad-map", "header_row takes row numbers from 1 on, in order", node.source)
            return ()
        return tuple(int(text) for text in numbers)

    def skips(self, node: Node | None) -> tuple[int | str, ...]:
        texts = self.items(node)
        if node is not None and any(not text.strip() for text in texts):
            self.add(
                "bad-map", "skip_rows takes row numbers or words; an empty word would leave out every row", node.source
            )
            return ()
        return tuple(int(text) if re.fullmatch(r"[0-9]{1,7}", text) else text for text in texts)

    def columns_of(self, node: Node | None, specs: tuple[ColumnSpec, ...]) -> dict[str, Node]:
        """Give a mapping whose keys are columns of this table."""
        if node is None or (isinstance(node, Scalar) and not node.text):
            return {}
        if not isinstance(node, Table):
            self.add("not-a-mapping", "a mapping of our columns belongs here", node.source)
            return {}
        known = [spec.name for spec in specs]
        for name in node.items:
            if name not in known:
                self.add("unknown-column", f"no column is called '{name[:40]}'", node.keys[name], nearest(name, known))
        return {name: item for name, item in node.items.items() if name in known}

    def texts(self, node: Node | None, specs: tuple[ColumnSpec, ...]) -> dict[str, str]:
        result: dict[str, str] = {}
        for name, item in self.columns_of(node, specs).items():
            if isinstance(item, Scalar) and item.text == OPEN:
                self.open(item.source)
            elif not isinstance(item, Scalar) or not item.text:
                self.add("bad-map", "write `ours: yours` under columns, `yours: ours` under values", item.source)
            elif item.text in result.values():
                self.add("repeated-column", "one column of yours stands for two of ours", item.source)
            else:
                result[name] = item.text
        return result

    def words(self, node: Node | None, specs: tuple[ColumnSpec, ...]) -> dict[str, dict[str, str]]:
        declared = {spec.name: spec for spec in specs}
        result: dict[str, dict[str, str]] = {}
        for name, item in self.columns_of(node, specs).items():
            if not isinstance(item, Table) or any(not isinstance(v, Scalar) for v in item.items.values()):
                self.add("bad-map", "write `ours: yours` under columns, `yours: ours` under values", item.source)
                continue
            result[name] = {}
            for word, meaning in item.items.items():
                text = meaning.text if isinstance(meaning, Scalar) else ""
                if self.may_mean(word, text, declared[name], meaning.source):
                    result[name][word] = text
        return result

    def may_mean(self, word: str, meaning: str, spec: ColumnSpec, source: Source) -> bool:
        """Check one word of `values` and what it is said to mean."""
        pattern = len(word) > 2 and word.startswith("/") and word.endswith("/")
        if meaning == OPEN:
            self.open(source)
            return False
        if pattern:
            return self.is_pattern(word, meaning, source)
        if spec.levels and meaning and meaning not in spec.levels:
            self.add(
                "not-allowed",
                f"not one of the allowed values of {spec.name} ({spec.allowed})",
                source,
                nearest(meaning, spec.levels),
            )
            return False
        return True

    def is_pattern(self, word: str, meaning: str, source: Source) -> bool:
        try:
            if len(word) > LONGEST_PATTERN:
                raise re.error("too long")
            compiled = re.compile(word[1:-1], re.IGNORECASE)
            groups = [int(n) for n in re.findall(r"\\([0-9])", meaning)]
            if any(n > compiled.groups for n in groups) or re.search(r"\\[^0-9]", meaning):
                raise re.error("no such group")
        except re.error:
            self.add("bad-pattern", "not a pattern: write /(th|d) ?([0-9]+)/: T\\2", source)
            return False
        return True

    def styles(self, node: Node | None, specs: tuple[ColumnSpec, ...]) -> dict[str, tuple[DateStyle, ...]]:
        declared = {spec.name: spec for spec in specs}
        result: dict[str, tuple[DateStyle, ...]] = {}
        for name, item in self.columns_of(node, specs).items():
            texts = self.items(item)
            if OPEN in texts:
                self.open(item.source)
            styles = [self.style(text, item.source) for text in texts if text != OPEN]
            if OPEN in texts and not styles:
                continue
            if declared[name].kind != "date":
                self.add("bad-map", f"{name} is no date", item.source)
            elif not styles:
                self.add("bad-map", "name at least one style", item.source)
            elif any(style is not None and style.month_only for style in styles) and not declared[name].month_allowed:
                allowed = ", ".join(spec.name for spec in specs if spec.month_allowed) or "none of this table"
                self.add("no-day", f"{name} needs the day; a month alone is allowed for {allowed}", item.source)
            result[name] = tuple(style for style in styles if style is not None)
        return {name: styles for name, styles in result.items() if styles}

    def style(self, text: str, source: Source) -> DateStyle | None:
        try:
            return style_of(text)
        except InputRefused as refused:
            self.problems += [Problem(p.code, p.message, source, hint=p.hint) for p in refused.problems]
            return None

    def holds(self, node: Node | None) -> dict[str, tuple[str, ...]]:
        if node is None:
            return {}
        if not isinstance(node, Table) or not node.items:
            self.add("bad-map", "write `column: value`, or `column: [values]`", node.source)
            return {}
        return {column: tuple(self.items(item)) for column, item in node.items.items()}
