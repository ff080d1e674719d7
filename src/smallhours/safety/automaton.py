"""Thousands of phrases against a text in one pass, in time linear in the number of words.

The phrases share one graph of nodes (what begins alike is stored once). A scan walks the graph with all
phrases at once; the sets of nodes it meets are numbered and kept, so that ordinary text costs one
dictionary lookup a word. The kept sets are bounded: hostile text makes it slower, never larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from smallhours.safety.phrases import Choice, Edge, Element, Gap, Word

BOUNDARY = "."
_MOST_STATES = 20_000
_MOST_WORDS = 100_000
_LONGEST = 32  # words that a match may span
_EXACT_STARTS = 1_000  # after so many hits of one scan, a match is reported by its last word only


Match = tuple[int, int, int]  # label, start, end: phrase ``label`` was found in words[start:end]


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

    def id_of(self, nodes: frozenset[_Node]) -> int:
        known = self.ids.get(nodes)
        if known is None:
            known = self.ids[nodes] = len(self.nodes)
            self.nodes.append(nodes)
            self.steps.append({})
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

    def _after(self, node: _Node, element: Element) -> _Node:
        end = node.shared.get(element)
        if end is None:
            end = node.shared[element] = self._node()
            self._link(node, element, end)
        return end

    def _link(self, node: _Node, element: Element, end: _Node) -> None:
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
        if len(states.nodes) > _MOST_STATES or len(states.symbols) > _MOST_WORDS:
            states = self._states = _States()
        state, hits = states.id_of(frozenset()), 0
        for index, word in enumerate(words):
            symbol = states.symbols.get(word)
            if symbol is None:
                symbol = states.symbols[word] = self._symbol(word)
            step = states.steps[state].get(symbol)
            if step is None:
                step = self._step(states, state, symbol)
            state, labels = step
            for label in labels:
                hits += 1
                start = index if hits > _EXACT_STARTS else self._start(words, index, label)
                yield label, start, index + 1
            if len(states.nodes) > _MOST_STATES:
                fresh = _States()
                state = fresh.id_of(states.nodes[state])
                states = self._states = fresh

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
        prefixes = self._prefixes(symbol)
        entered: set[_Node] = set()
        for node in active | self._roots():
            entered.update(self._enter(node, symbol, prefixes))
        entered = _closed(entered)
        labels = sorted({label for node in entered for label in node.labels})
        if symbol == BOUNDARY or symbol in self._fillers:
            entered.update(node for node in active if not node.in_gap)
        step = (states.id_of(frozenset(entered)), tuple(labels))
        states.steps[state][symbol] = step
        return step

    @staticmethod
    def _enter(node: _Node, symbol: str, prefixes: Sequence[str]) -> Iterator[_Node]:
        yield from node.edges.get(symbol, ())
        if symbol != BOUNDARY:
            yield from node.any
        for prefix in prefixes:
            yield from node.prefixes.get(prefix, ())

    def _start(self, words: Sequence[str], last: int, label: int) -> int:
        """The nearest word from which ``label`` is reached at ``words[last]``."""
        starts: dict[_Node, int] = {}
        for index in range(max(0, last - _LONGEST), last + 1):
            symbol = words[index]
            prefixes = self._prefixes(symbol)
            after: dict[_Node, int] = {}
            for node, start in starts.items():
                for reached in _closed(set(self._enter(node, symbol, prefixes))):
                    after[reached] = max(start, after.get(reached, -1))
                stays = symbol == BOUNDARY or symbol in self._fillers
                if stays and not node.in_gap and index < last:
                    after[node] = max(start, after.get(node, -1))
            for root in self._roots():
                for reached in _closed(set(self._enter(root, symbol, prefixes))):
                    after[reached] = index
            starts = after
        return max((s for node, s in starts.items() if label in node.labels), default=last)


def _closed(nodes: set[_Node]) -> set[_Node]:
    """The nodes and all that follow from them without a word."""
    todo = list(nodes)
    while todo:
        for node in todo.pop().empty:
            if node not in nodes:
                nodes.add(node)
                todo.append(node)
    return nodes
