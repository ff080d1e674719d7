"""Thousands of phrases against a text in one pass, in time linear in the number of words.

The phrases share one graph of nodes (what begins alike is stored once). A scan walks the graph with all
phrases at once; the sets of nodes it meets are numbered and kept, so that ordinary text costs one
dictionary lookup a word. The kept sets are bounded: hostile text makes it slower, never larger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from smallhours.safety.phrases import Choice, Edge, Element, Gap, Word

BOUNDARY = "."
_MOST_STATES = 5_000
_MOST_WORDS = 100_000
_LONGEST = 40  # words that a match may span


Match = tuple[int, int]  # phrase ``label`` was found, and its last word has this index


@dataclass(slots=True, eq=False)
class _Node:
    number: int
    edges: dict[str, list[_Node]] = field(default_factory=dict)
    prefixes: dict[str, list[_Node]] = field(default_factory=dict)
    any: list[_Node] = field(default_factory=list)
    empty: list[_Node] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    shared: dict[Element, _Node] = field(default_factory=dict)
    in_gap: bool = False


@dataclass(slots=True)
class _States:
    """What a scan has learned: states by their nodes, and their steps."""

    ids: dict[frozenset[_Node], int] = field(default_factory=dict)
    nodes: list[frozenset[_Node]] = field(default_factory=list)
    steps: list[dict[str, tuple[int, tuple[int, ...]]]] = field(default_factory=list)
    symbols: dict[str, str] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def id_of(self, nodes: frozenset[_Node]) -> int:
        known = self.ids.get(nodes)
        if known is None:
            with self.lock:
                known = self.ids.get(nodes)
                if known is None:
                    known = len(self.nodes)
                    self.nodes.append(nodes)
                    self.steps.append({})
                    self.ids[nodes] = known  # last: whoever sees the number finds the rest
        return known


class Automaton:
    """Add all phrases first, then scan; scanning is safe from several threads."""

    def __init__(self, fillers: frozenset[str] = frozenset()) -> None:
        """``fillers`` are words that may stand between the words of any phrase."""
        self._fillers = fillers
        self._count = 0
        self._root = self._node()
        self._exact: set[str] = {BOUNDARY, *fillers}
        self._starts: dict[str, set[str]] = {}  # first letters -> prefixes that begin so
        self._states = _States()
        self._begin: frozenset[_Node] | None = None
        self._begun: dict[str, frozenset[_Node]] = {}  # by symbol: what the roots lead to
        self._before: dict[_Node, list[_Node]] = {}
        self._ends: dict[int, list[_Node]] = {}
        self._ways: dict[int, frozenset[_Node]] = {}

    def _node(self) -> _Node:
        self._count += 1
        return _Node(self._count)

    def _roots(self) -> frozenset[_Node]:
        """Where every phrase begins: the root, and what lies behind its optional first words."""
        if self._begin is None:
            self._begin = frozenset(_closed({self._root}))
        return self._begin

    def add(self, phrase: tuple[Element, ...], label: int) -> None:
        """Report ``label`` wherever ``phrase`` stands."""
        node = self._root
        for element in phrase:
            node = self._after(node, element)
        node.labels.append(label)
        self._ends.setdefault(label, []).append(node)

    def _after(self, node: _Node, element: Element) -> _Node:
        end = node.shared.get(element)
        if end is None:
            end = node.shared[element] = self._node()
            self._link(node, element, end)
        return end

    def _link(self, node: _Node, element: Element, end: _Node) -> None:
        self._before.setdefault(end, []).append(node)
        match element:
            case Word(text, prefix=True):
                node.prefixes.setdefault(text, []).append(end)
                self._starts.setdefault(text[:3], set()).add(text)
            case Word(text):
                node.edges.setdefault(text, []).append(end)
                self._exact.add(text)
            case Edge():
                node.edges.setdefault(BOUNDARY, []).append(end)
            case Gap(most):
                node.empty.append(end)
                for _ in range(most):
                    inside = self._node()
                    inside.in_gap = True
                    node.any.append(inside)
                    inside.empty.append(end)
                    self._before[inside] = [node]
                    self._before[end].append(inside)
                    node = inside
            case Choice(options):
                for option in options:
                    tail = node
                    for part in option[:-1]:
                        tail = self._after(tail, part)
                    if option:
                        self._link(tail, option[-1], end)
                    else:
                        node.empty.append(end)

    def scan(self, words: Sequence[str]) -> Iterator[Match]:
        """Every match, in the order of the last words."""
        states = self._states
        state = states.id_of(frozenset())
        for index, word in enumerate(words):
            symbol = states.symbols.get(word)
            if symbol is None:
                symbol = states.symbols[word] = self._symbol(word)
            step = states.steps[state].get(symbol)
            if step is None:
                if len(states.nodes) > _MOST_STATES or len(states.symbols) > _MOST_WORDS:
                    fresh = _States()
                    state = fresh.id_of(states.nodes[state])
                    states = self._states = fresh
                step = self._step(states, state, symbol)
            state, labels = step
            for label in labels:
                yield label, index

    def _symbol(self, word: str) -> str:
        """What the phrases can tell of a word: itself, or the prefixes it has, or nothing."""
        if word in self._exact or self._prefixes(word):
            return word
        return ""

    def _prefixes(self, word: str) -> list[str]:
        known: list[str] = []
        for size in (1, 2, 3):
            near = self._starts.get(word[:size], ()) if len(word) >= size else ()
            known.extend(p for p in near if word.startswith(p))
        return known

    def _step(self, states: _States, state: int, symbol: str) -> tuple[int, tuple[int, ...]]:
        active = states.nodes[state]
        entered = self._entered(active, symbol) | self._first(symbol)
        labels = sorted({label for node in entered for label in node.labels})
        if symbol == BOUNDARY or symbol in self._fillers:
            entered.update(node for node in active if not node.in_gap)
        step = (states.id_of(frozenset(entered)), tuple(labels))
        states.steps[state][symbol] = step
        return step

    def _first(self, symbol: str) -> frozenset[_Node]:
        """The nodes that ``symbol`` leads to at the beginning of any phrase."""
        known = self._begun.get(symbol)
        if known is None:
            if len(self._begun) > _MOST_WORDS:
                self._begun = {}
            known = self._begun[symbol] = frozenset(self._entered(self._roots(), symbol))
        return known

    def _entered(self, nodes: Iterable[_Node], symbol: str) -> set[_Node]:
        """The nodes that ``symbol`` leads to, and all that follow from them without a word."""
        prefixes, is_word = self._prefixes(symbol), symbol != BOUNDARY
        entered: set[_Node] = set()
        for node in nodes:
            found = node.edges.get(symbol)
            if found:
                entered.update(found)
            if is_word and node.any:
                entered.update(node.any)
            if prefixes and node.prefixes:
                for prefix in prefixes:
                    entered.update(node.prefixes.get(prefix, ()))
        return _closed(entered)

    def start(self, words: Sequence[str], match: Match) -> int:
        """Where a match of ``scan`` begins: the nearest word from which it is reached."""
        label, last = match
        on_the_way = self._leading_to(label)
        starts: dict[_Node, int] = {}
        for index in range(max(0, last - _LONGEST), last + 1):
            symbol = words[index]
            after: dict[_Node, int] = {}
            if index < last and (symbol == BOUNDARY or symbol in self._fillers):
                after = {node: start for node, start in starts.items() if not node.in_gap}
            for node, start in starts.items():
                for reached in self._entered((node,), symbol):
                    if reached in on_the_way and after.get(reached, -1) < start:
                        after[reached] = start
            for reached in self._first(symbol):
                if reached in on_the_way:
                    after[reached] = index
            starts = after
        return max((s for node, s in starts.items() if label in node.labels), default=last)

    def _leading_to(self, label: int) -> frozenset[_Node]:
        """The nodes that lie on a way to ``label``."""
        known = self._ways.get(label)
        if known is None:
            todo = list(self._ends.get(label, ()))
            seen = set(todo)
            while todo:
                for before in self._before.get(todo.pop(), ()):
                    if before not in seen:
                        seen.add(before)
                        todo.append(before)
            known = self._ways[label] = frozenset(seen)
        return known


def _closed(nodes: set[_Node]) -> set[_Node]:
    """The nodes and all that follow from them without a word."""
    todo = list(nodes)
    while todo:
        for node in todo.pop().empty:
            if node not in nodes:
                nodes.add(node)
                todo.append(node)
    return nodes
