"""The weights of timm-vit-cls in other containers: case 7."""
import shutil

import numpy as np
import timm
import torch
from huggingface_hub import save_torch_state_dict
from safetensors.torch import load_file

from common import FIXTURES, describe, save, save_io, start

BASE = FIXTURES / "timm-vit-cls"


def base_weights():
    return load_file(BASE / "model" / "model.safetensors")


def half(name, dtype):
    """Weights rounded to `dtype` on disk; the logits are those of the rounded weights computed in float32."""
    folder = start(name)
    io = load_file(BASE / "io.safetensors")
    shutil.copytree(BASE / "model", folder / "model")
    save(folder / "model" / "model.safetensors", {k: w.to(dtype) for k, w in base_weights().items()})
    model = timm.create_model(f"local-dir:{folder / 'model'}", pretrained=True).eval()
    assert all(p.dtype == torch.float32 for p in model.parameters())
    save_io(folder, model, io["pixel_values"], io["labels"])
    describe(folder, format="timm", notes=half.__doc__, expected={"dtype": str(dtype).removeprefix("torch.")})
    return folder


def storage_half():
    folder = half("storage-f16", torch.float16)
    half("storage-bf16", torch.bfloat16)
    bare = start("storage-bare")
    shutil.copy(folder / "model" / "model.safetensors", bare / "weights.safetensors")
    describe(bare, format="timm", io="../storage-f16/io.safetensors", notes="A file alone, without config.json (the "
             "float16 weights). The number of heads (4) cannot be read from it.")


def storage_sharded():
    folder = start("storage-sharded")
    (folder / "model").mkdir()
    shutil.copy(BASE / "model" / "config.json", folder / "model")
    save_torch_state_dict(base_weights(), folder / "model", max_shard_size=50_000)
    describe(folder, format="timm", io="../timm-vit-cls/io.safetensors",
             notes="Shards and model.safetensors.index.json as huggingface_hub and transformers write them.",
             expected={"shards": len(list((folder / "model").glob("*.safetensors")))})


def npz_layout(w, heads):
    """The inverse of timm's reading of Google's .npz: kernels (in, out), attention (in, heads, head), conv HWIO."""
    w = {name: tensor.numpy() for name, tensor in w.items()}
    width = w["cls_token"].shape[-1]
    out = {"embedding/kernel": w["patch_embed.proj.weight"].transpose(2, 3, 1, 0),
           "embedding/bias": w["patch_embed.proj.bias"], "cls": w["cls_token"],
           "Transformer/posembed_input/pos_embedding": w["pos_embed"],
           "Transformer/encoder_norm/scale": w["norm.weight"], "Transformer/encoder_norm/bias": w["norm.bias"],
           "head/kernel": w["head.weight"].T, "head/bias": w["head.bias"]}
    for i in range(sum(name.endswith(".norm1.bias") for name in w)):
        ours, theirs = f"blocks.{i}.", f"Transformer/encoderblock_{i}/"
        for norm, at in (("norm1", "LayerNorm_0"), ("norm2", "LayerNorm_2")):
            out |= {f"{theirs}{at}/scale": w[f"{ours}{norm}.weight"], f"{theirs}{at}/bias": w[f"{ours}{norm}.bias"]}
        attention = f"{theirs}MultiHeadDotProductAttention_1/"
        for part, rows, bias in zip(("query", "key", "value"), np.split(w[f"{ours}attn.qkv.weight"], 3),
                                    np.split(w[f"{ours}attn.qkv.bias"], 3)):
            out[f"{attention}{part}/kernel"] = rows.T.reshape(width, heads, -1)
            out[f"{attention}{part}/bias"] = bias.reshape(heads, -1)
        out[f"{attention}out/kernel"] = w[f"{ours}attn.proj.weight"].T.reshape(heads, -1, width)
        out[f"{attention}out/bias"] = w[f"{ours}attn.proj.bias"]
        for j in (0, 1):
            dense = f"{theirs}MlpBlock_3/Dense_{j}/"
            out |= {f"{dense}kernel": w[f"{ours}mlp.fc{j + 1}.weight"].T, f"{dense}bias": w[f"{ours}mlp.fc{j + 1}.bias"]}
    return {name: np.ascontiguousarray(array) for name, array in out.items()}


def storage_npz():
    folder = start("storage-npz")
    np.savez(folder / "weights.npz", **npz_layout(base_weights(), heads=4))
    io = load_file(BASE / "io.safetensors")
    model = timm.create_model(f"local-dir:{BASE / 'model'}", pretrained=False).eval()
    model.load_pretrained(str(folder / "weights.npz"))
    with torch.no_grad():
        torch.testing.assert_close(model(io["pixel_values"]), io["logits"], rtol=1e-5, atol=1e-5)
    describe(folder, format="npz", io="../timm-vit-cls/io.safetensors", expected={"heads": 4},
             notes="Google's augreg .npz: a zip of stored .npy files; the number of heads is in the kernels' shape.")


CASES = [storage_half, storage_sharded, storage_npz]
