"""Adapters as PEFT writes them on top of the bases hf-vit and timm-vit-cls: case 8."""
import json
import tempfile
from pathlib import Path

import timm
import torch
from peft import IA3Config, LNTuningConfig, LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import ViTForImageClassification

from common import FIXTURES, batch, describe, outputs, save, save_io, save_model, start

HF_LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"]
TIMM_LINEARS = ["qkv", "attn.proj", "fc1", "fc2"]  # "proj" alone would take the patch convolution too
OLD_NAMES = {"vit.layers.": "vit.encoder.layer.", "attention.q_proj": "attention.attention.query",
             "attention.k_proj": "attention.attention.key", "attention.v_proj": "attention.attention.value",
             "attention.o_proj": "attention.output.dense", "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense"}


def load_base(base):
    folder = FIXTURES / base / "model"
    if base.startswith("hf"):
        return ViTForImageClassification.from_pretrained(folder)
    return timm.create_model(f"local-dir:{folder}", pretrained=True)


@torch.no_grad()
def stir(model, noise=0.1):
    """Random adapter values: nothing zero, nothing at its initial value."""
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if "lora_magnitude_vector" in name:
            p.mul_(torch.empty_like(p).uniform_(0.6, 1.4))
        elif ".lora_" in name:
            p.normal_(0.0, 0.2)
        elif "ia3" in name:
            p.normal_(1.0, 0.3)
        else:  # a trained copy of a norm or the head, a bias, another method's tensor
            p.add_(noise * torch.randn_like(p))


def save_adapter(model, folder):
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    for key in ("target_modules", "feedforward_modules"):  # sets, written in any order
        if isinstance(config.get(key), list):
            config[key].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def adapter_grads(model, loss):
    """d loss/d parameter under the keys of adapter_model.safetensors."""
    loss.backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    kept = [p.detach().clone() for p in trained]
    with torch.no_grad():
        for p in trained:
            p.fill_(torch.nan)
        keys = [key for key, t in get_peft_model_state_dict(model).items() if t.isnan().all()]  # leaves buffers out
        for p in trained:
            p.copy_(p.grad)
        state = get_peft_model_state_dict(model)
        grads = {key: state[key].clone() for key in keys}
        for p, old in zip(trained, kept):
            p.copy_(old)
    return grads


def merged_weights(model, base, pixels, logits):
    """The base tensors that merging changed, under their names on disk."""
    merged = model.merge_and_unload().eval()
    with torch.no_grad():
        torch.testing.assert_close(outputs(merged, pixels), logits, rtol=1e-4, atol=1e-5)
    with tempfile.TemporaryDirectory() as scratch:
        save_model(merged, scratch)
        after = load_file(Path(scratch) / "model.safetensors")
    before = load_file(FIXTURES / base / "model" / "model.safetensors")
    assert after.keys() == before.keys()
    return {name: t for name, t in after.items() if not t.equal(before[name])}


def peft_case(name, base, config, notes, **expected):
    folder = start(name)
    model = get_peft_model(load_base(base), config).eval()
    config.base_model_name_or_path = base
    stir(model)
    pixels, labels = batch((2, 3, 32, 32), 10)
    loss = save_io(folder, model, pixels, labels)
    save_adapter(model, folder / "adapter")
    save(folder / "grads.safetensors", adapter_grads(model, loss))
    logits = load_file(folder / "io.safetensors")["logits"]
    again = PeftModel.from_pretrained(load_base(base), folder / "adapter").eval()
    with torch.no_grad():
        torch.testing.assert_close(outputs(again, pixels), logits, rtol=1e-5, atol=1e-5)
    save(folder / "merged.safetensors", merged_weights(model, base, pixels, logits))
    trained = sum(t.numel() for t in load_file(folder / "adapter" / "adapter_model.safetensors").values())
    describe(folder, format="peft", base=f"../{base}", notes=notes,
             expected={"peftType": str(config.peft_type.value), "parameters": trained, **expected})
    return folder


def lora(targets=HF_LINEARS, **args):
    return LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": targets, "lora_dropout": 0.1, **args})


def peft_lora():
    folder = peft_case("peft-hf-lora", "hf-vit", lora(), "Scale alpha/r = 2. Names as transformers 5 has them in "
                       "memory. (lora_dropout 0.1 is written in the config; eval mode ignores it.)", scale=2.0)
    peft_lora_oldnames(folder)


def peft_lora_oldnames(source):
    """Renamed by hand: PEFT on transformers 5 does not find the old target modules, so it cannot write or read this."""
    folder = start("peft-hf-lora-oldnames")
    save(folder / "io.safetensors", load_file(source / "io.safetensors"))
    tensors = {old_name(key): t for key, t in load_file(source / "adapter" / "adapter_model.safetensors").items()}
    on_disk = load_file(FIXTURES / "hf-vit" / "model" / "model.safetensors")
    assert all(key.removeprefix("base_model.model.").rsplit(".", 2)[0] + ".weight" in on_disk for key in tensors)
    (folder / "adapter").mkdir()
    save(folder / "adapter" / "adapter_model.safetensors", tensors)
    config = json.loads((source / "adapter" / "adapter_config.json").read_text())
    config["target_modules"] = ["dense", "key", "query", "value"]
    (folder / "adapter" / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    describe(folder, format="peft", base="../hf-vit", notes="The tensors of peft-hf-lora under the module names of "
             "transformers 4, which are the names on disk; the logits are the same.", expected={"scale": 2.0})


def old_name(key):
    for new, was in OLD_NAMES.items():
        key = key.replace(new, was)
    return key


def peft_lora_variants():
    peft_case("peft-hf-rslora", "hf-vit", lora(use_rslora=True), "Scale alpha/sqrt(r) = 4.", scale=4.0)
    peft_case("peft-hf-lora-patterns", "hf-vit",
              lora(["q_proj", "v_proj", "fc1", "fc2"], rank_pattern={"q_proj": 2, "layers.1.mlp.fc1": 6},
                   alpha_pattern={"v_proj": 16, r"vit.layers.[0].mlp.fc\d": 1}),
              "Rank and alpha by regex over the whole module path, matched as (.*\\.)?(pattern)$, the first that "
              "matches wins.")
    peft_case("peft-hf-lora-head", "hf-vit", lora(["q_proj", "v_proj"], modules_to_save=["classifier"]),
              "The trained copy of the classifier is stored as base_model.model.classifier.{weight,bias}.")
    peft_case("peft-hf-lora-bias", "hf-vit", lora(["v_proj", "fc1"], bias="lora_only"),
              "bias=lora_only: the biases of the adapted layers are trained and stored as "
              "base_model.model....v_proj.base_layer.bias; merging keeps the trained bias.")
    peft_case("peft-timm-lora", "timm-vit-cls", lora(TIMM_LINEARS), "LoRA on the fused qkv.", scale=2.0)
    peft_case("peft-timm-lora-conv", "timm-vit-cls", lora(["patch_embed.proj", "qkv"]),
              "LoRA on the patch convolution: A (r, 3, 8, 8), B (width, r, 1, 1).", scale=2.0)


def peft_dora():
    peft_case("peft-hf-dora", "hf-vit", lora(use_dora=True), "Row norms of W + s B A; bias not scaled. In the gradients "
              "the norm is a constant (detached).", scale=2.0)
    peft_case("peft-timm-dora", "timm-vit-cls", lora(TIMM_LINEARS, use_dora=True), "DoRA on the fused qkv: one "
              "magnitude for each of the 3*width rows.", scale=2.0)


def peft_ia3():
    targets = {"target_modules": ["k_proj", "v_proj", "fc2"], "feedforward_modules": ["fc2"]}
    peft_case("peft-hf-ia3", "hf-vit", IA3Config(**targets), "k, v: ia3_l (out, 1) multiplies the output, bias "
              "included. fc2 (feedforward): ia3_l (1, in) multiplies the input, bias untouched.")


def peft_ln_tuning():
    peft_case("peft-hf-ln", "hf-vit", LNTuningConfig(target_modules=["layernorm_before", "layernorm_after",
                                                                     "layernorm"]),
              "Trained copies of norm weight and bias that replace the base's.")


CASES = [peft_lora, peft_lora_variants, peft_dora, peft_ia3, peft_ln_tuning]
