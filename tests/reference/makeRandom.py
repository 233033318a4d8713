"""Writes a model of real size with random weights, for trials.

    makeRandom.py ARCHITECTURE DIR [--classes N] [--io FILE]

ARCHITECTURE: a timm name (vit_small_patch16_224, deit3_base_patch16_224, ...) or for transformers hf-vit-SIZE,
hf-deit-SIZE, hf-dinov2-SIZE with SIZE tiny, small, base or large. --classes 0 (the default) leaves the head out.
--io also writes pixel_values and the outputs for a batch of two.
"""
import argparse
from pathlib import Path

from common import fill, outputs, save, save_model, timm, torch  # isort: skip (it declares the operators timm needs)

import transformers

SIZES = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16)}  # width depth heads


def build_transformers(family, size, classes):
    width, depth, heads = SIZES[size]
    prefix = {"vit": "ViT", "deit": "DeiT", "dinov2": "Dinov2"}[family]
    args = {"hidden_size": width, "num_hidden_layers": depth, "num_attention_heads": heads}
    if family == "dinov2":
        args |= {"image_size": 518, "patch_size": 14}
    else:
        args["intermediate_size"] = 4 * width
    if classes:
        args["num_labels"] = classes
    config = getattr(transformers, f"{prefix}Config")(**args)
    return getattr(transformers, f"{prefix}ForImageClassification" if classes else f"{prefix}Model")(config)


@torch.no_grad()
def build(architecture, classes):
    torch.manual_seed(0)
    if architecture.startswith("hf-"):
        model = build_transformers(*architecture.split("-")[1:], classes)
    else:
        model = timm.create_model(architecture, num_classes=classes)
    fill(model)
    for p in model.parameters():
        if p.ndim == 2:
            p.mul_(min(1.0, (32 / p.shape[1]) ** 0.5))  # fill() is meant for a width of 32
    return model


def write(architecture, folder, classes=0, io=None):
    model = build(architecture, classes)
    save_model(model, folder)
    if io:
        size = 224 if architecture.startswith("hf-") else model.pretrained_cfg["input_size"][-1]
        pixels = torch.randn(2, 3, size, size)
        with torch.no_grad():
            save(io, {"pixel_values": pixels, "logits" if classes else "features": outputs(model, pixels)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", type=int, default=0)
    parser.add_argument("--io", type=Path)
    args = parser.parse_args()
    write(args.architecture, args.folder, args.classes, args.io)


if __name__ == "__main__":
    main()
