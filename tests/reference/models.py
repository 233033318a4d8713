"""Backbones as timm and transformers write them: cases 1 to 6."""

import timm
from safetensors.torch import load_file
from transformers import (
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    Dinov2Config,
    Dinov2ForImageClassification,
    Dinov2Model,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

from common import batch, check_timm, describe, fill, save_grads, save_io, save_model, start

TIMM_BASE = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 4, "num_classes": 10}
HF_BASE = {"image_size": 32, "patch_size": 8, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
           "intermediate_size": 64, "num_labels": 10}


def timm_case(name, architecture, notes, grads=False, embeddings=1.0, eps=1e-6, pixels=(2, 3, 32, 32), **args):
    folder = start(name)
    args = {key: value for key, value in {**TIMM_BASE, **args}.items() if value is not None}
    model = fill(timm.create_model(architecture, **args), embeddings)
    pixels, labels = batch(pixels, 10)
    save_model(model, folder / "model")
    key = "logits" if model.num_classes else "features"
    loss = save_io(folder, model, pixels, labels if model.num_classes else None, key=key)
    if grads:
        save_grads(model, loss, folder / "grads.safetensors")
    check_timm(folder / "model", pixels, load_file(folder / "io.safetensors")[key])
    describe(folder, format="timm", notes=notes, expected={
        "architecture": architecture, "image": list(pixels.shape[2:]), "patch": list(model.patch_embed.patch_size),
        "width": model.embed_dim, "depth": len(model.blocks), "heads": model.blocks[0].attn.num_heads,
        "mlpHidden": model.blocks[0].mlp.fc2.in_features, "eps": eps, "pool": model.global_pool,
        "prefixTokens": model.num_prefix_tokens, "posCoversPrefix": not model.no_embed_class,
        "qkvBias": model.blocks[0].attn.qkv.bias is not None, "preNorm": hasattr(model.norm_pre, "weight"),
        "finalNorm": "fc_norm" if hasattr(model.fc_norm, "weight") else "norm",
        "layerScale": hasattr(model.blocks[0].ls1, "gamma"), "activation": args.get("act_layer", "gelu"),
        "classes": model.num_classes})
    return folder, model


def hf_case(name, model, notes, sizes=(), grads=False, embeddings=1.0, expected=None):
    """`sizes`: image sizes to evaluate at, one io file each; none for the size of the config alone."""
    folder = start(name)
    fill(model, embeddings)
    config = model.config
    head = hasattr(model, "classifier") or hasattr(model, "cls_classifier")
    save_model(model, folder / "model")
    for i, (height, width) in enumerate(sizes or [(config.image_size,) * 2]):
        pixels, labels = batch((2 if i == 0 else 1, 3, height, width), 10)
        suffix = "" if not sizes else f"-{height}" if height == width else f"-{height}x{width}"
        loss = save_io(folder, model, pixels, labels if head else None, "io" + suffix, "logits" if head else "features")
        if grads and i == 0:
            save_grads(model, loss, folder / "grads.safetensors")
    describe(folder, format="transformers", notes=notes, expected={
        "class": type(model).__name__, "image": config.image_size, "patch": config.patch_size,
        "width": config.hidden_size, "depth": config.num_hidden_layers, "heads": config.num_attention_heads,
        "eps": config.layer_norm_eps, "qkvBias": config.qkv_bias, "activation": config.hidden_act,
        "classes": config.num_labels if head else 0, **(expected or {})})
    return folder, model


def timm_vit_cls():
    timm_case("timm-vit-cls", "vit_tiny_patch16_224", "Class token pooled, final norm before pooling, q/k/v fused.",
              grads=True)


def timm_vit_avg():
    timm_case("timm-vit-avg", "vit_tiny_patch16_224",
              "Mean of the patch tokens (the class token is computed and left out), then fc_norm; layer scale.",
              grads=True, global_pool="avg", qkv_bias=False, init_values=0.5, mlp_ratio=3.0)


def timm_vit_prenorm():
    timm_case("timm-vit-prenorm", "vit_base_patch16_clip_224",
              "norm_pre after the position embedding; the patch convolution has no bias. pre_norm and eps 1e-5 come "
              "from the architecture name alone, not from model_args. Embeddings are small so that eps shows.",
              grads=True, embeddings=0.05, eps=1e-5, img_size=40, embed_dim=24, num_heads=3,
              pixels=(2, 3, 40, 40))


def timm_vit_quickgelu():
    timm_case("timm-vit-quickgelu", "vit_base_patch16_clip_quickgelu_224",
              "As timm-vit-prenorm; the activation x*sigmoid(1.702x) comes from the architecture name alone.",
              eps=1e-5, embed_dim=24, num_heads=2, mlp_ratio=2)


def timm_vit_gap():
    timm_case("timm-vit-gap", "vit_tiny_patch16_224",
              "No class token at all: positions for the patches alone, mean of all tokens, then fc_norm.",
              class_token=False, global_pool="avg", embed_dim=20, num_heads=2, mlp_ratio=2.5)


def timm_vit_gap_norm():
    timm_case("timm-vit-gap-norm", "vit_medium_patch16_gap_240",
              "No class token, fc_norm off: the final norm runs before the mean. class_token, global_pool, qkv_bias, "
              "init_values and fc_norm come from the architecture name.", embed_dim=24, mlp_ratio=2)


def timm_vit_registers():
    timm_case("timm-vit-registers", "vit_small_patch14_reg4_dinov2",
              "Four register tokens after the class token; positions cover the patches alone (no_embed_class).",
              embed_dim=24, mlp_ratio=2)


def timm_deit3():
    timm_case("timm-deit3", "deit3_small_patch16_224", "Class token without a position (no_embed_class), layer scale.",
              embed_dim=24, mlp_ratio=2)


def timm_deit_distilled():
    timm_case("timm-deit-distilled", "deit_tiny_distilled_patch16_224",
              "Tokens: class, distillation, patches. Logits are the mean of head(class) and head_dist(distillation), "
              "in training too unless distilled_training is set.", grads=True, embed_dim=24, mlp_ratio=2)


def timm_deit_distilled_features():
    timm_case("timm-deit-distilled-features", "deit_tiny_distilled_patch16_224",
              "Without a head: features are the mean of class and distillation token.", embed_dim=24, depth=1,
              mlp_ratio=2, num_classes=0)


def timm_geglu():
    timm_case("timm-geglu", "vit_giant_patch14_dinov2",
              "Gated MLP whose gate goes through act_layer of model_args, GELU here, SiLU by default.", embed_dim=24,
              depth=1, mlp_ratio=4, act_layer="gelu")


def timm_heads_by_name():
    timm_case("timm-heads-by-name", "vit_tiny_patch16_224",
              "num_heads is not in model_args: three heads, as the architecture has at any width; SiLU in the MLP.",
              embed_dim=24, depth=1, mlp_ratio=2, num_heads=None, act_layer="silu")


def timm_dinov2():
    """Positions of a 4x4 grid resampled by timm: while running (dynamic_img_size) and on loading (img_size given)."""
    folder, model = timm_case("timm-dinov2", "vit_small_patch14_dinov2",
                              "Positions are those of a 4x4 grid. io-42, io-70 and io-42x70: other image sizes, "
                              "resampled by F.interpolate(bicubic, antialias=True) of the patch positions, class "
                              "position untouched. Resampling on loading gives the same numbers (checked).",
                              img_size=56, patch_size=14, dynamic_img_size=True, pixels=(1, 3, 56, 56),
                              embed_dim=24, mlp_ratio=2)
    for height, width in ((42, 42), (70, 70), (42, 70)):
        pixels, labels = batch((1, 3, height, width), 10)
        name = f"io-{height}" if height == width else f"io-{height}x{width}"
        save_io(folder, model, pixels, labels, name)
        check_timm(folder / "model", pixels, load_file(folder / f"{name}.safetensors")["logits"],
                   img_size=(height, width), dynamic_img_size=False)


def hf_vit():
    hf_case("hf-vit", ViTForImageClassification(ViTConfig(**HF_BASE)), "q, k, v apart; no pooler in a classifier.",
            grads=True, expected={"pool": "token", "pooler": False})


def hf_vit_noqkvbias():
    hf_case("hf-vit-noqkvbias", ViTForImageClassification(ViTConfig(**HF_BASE, qkv_bias=False)),
            "No bias in q, k, v. Embeddings are small so that eps 1e-12 (not 1e-6) shows.", embeddings=0.02,
            expected={"pool": "token", "pooler": False})


def hf_vit_model():
    hf_case("hf-vit-model", ViTModel(ViTConfig(**HF_BASE)),
            "No prefix 'vit.' on disk. features = last_hidden_state[:, 0]; pooler.dense (with tanh) is on disk and not "
            "part of the features.", expected={"pool": "token", "pooler": True})


def hf_deit():
    hf_case("hf-deit", DeiTForImageClassification(DeiTConfig(**HF_BASE)),
            "Tokens: class, distillation, patches; the classifier reads the class token alone.", grads=True,
            expected={"pool": "token", "prefixTokens": 2})


def hf_deit_teacher():
    hf_case("hf-deit-teacher", DeiTForImageClassificationWithTeacher(DeiTConfig(**HF_BASE)),
            "Two heads, cls_classifier and distillation_classifier; logits are their mean.",
            expected={"pool": "token", "prefixTokens": 2})


def dinov2_config(**args):
    return Dinov2Config(**{**{k: v for k, v in HF_BASE.items() if k != "intermediate_size"}, "image_size": 56,
                           "patch_size": 14, "hidden_size": 24, "mlp_ratio": 2, "layerscale_value": 0.5, **args})


def hf_dinov2():
    hf_case("hf-dinov2", Dinov2ForImageClassification(dinov2_config()),
            "Layer scale; the classifier reads [class token | mean of patch tokens] after the norm. Positions of a 4x4 "
            "grid, resampled by F.interpolate(bicubic, align_corners=False) without antialias; grads at 42.",
            sizes=[(42, 42), (56, 56), (70, 70), (42, 70)], grads=True, expected={"pool": "token+mean"})


def hf_dinov2_model():
    hf_case("hf-dinov2-model", Dinov2Model(dinov2_config()),
            "No prefix 'dinov2.' on disk. features = pooler_output = last_hidden_state[:, 0].",
            sizes=[(56, 56), (42, 42)], expected={"pool": "token"})


def hf_dinov2_swiglu():
    hf_case("hf-dinov2-swiglu", Dinov2ForImageClassification(dinov2_config(use_swiglu_ffn=True, image_size=32, patch_size=8)),
            "Gated MLP as in dinov2-giant: mlp.weights_in holds [gate | up], down = weights_out; hidden = "
            "ceil8(2/3 * width * ratio).", expected={"pool": "token+mean"})


CASES = [timm_vit_cls, hf_vit, hf_dinov2, timm_vit_avg, timm_vit_prenorm, timm_vit_quickgelu, timm_vit_gap,
         timm_vit_gap_norm, timm_vit_registers, timm_deit3, timm_deit_distilled, timm_deit_distilled_features, timm_geglu, timm_heads_by_name, timm_dinov2, hf_vit_noqkvbias,
         hf_vit_model, hf_deit, hf_deit_teacher, hf_dinov2_model, hf_dinov2_swiglu]
