"""The model made on the spot has GPT-2's shape to the parameter, and the seed's adapter its size."""

from __future__ import annotations

from pathlib import Path

import torch

from scripts.gpt2_shape import END, VOCABULARY, builtin_texts, gpt2_config, make_gpt2_shape

SEED_TARGETS = ["c_attn", "c_proj", "c_fc"]


def test_medium_and_the_seeds_adapter_to_the_parameter() -> None:
    import peft
    from transformers import GPT2LMHeadModel

    with torch.device("meta"):
        model = GPT2LMHeadModel(gpt2_config())
        assert sum(p.numel() for p in model.parameters()) == 354_823_168
        config = peft.LoraConfig(r=16, target_modules=SEED_TARGETS, fan_in_fan_out=True)
        adapted = peft.get_peft_model(model, config)
    assert sum(p.numel() for p in adapted.parameters() if p.requires_grad) == 6_291_456


def test_the_folder_is_a_model_with_a_tokenizer_of_exactly_its_vocabulary(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    count = make_gpt2_shape(tmp_path, layers=1, width=64)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert count == sum(p.numel() for p in model.parameters())
    assert len(tokenizer) == VOCABULARY == model.get_input_embeddings().num_embeddings
    assert tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids(END) == VOCABULARY - 1
    for text in list(builtin_texts())[:20]:
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids) == text and len(ids) < len(text)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_gpt2_shape(tmp_path / name, layers=1, width=64, vocabulary=600)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two
