"""Makes what both sides load.

    prepare.py backbone TIMM_NAME DIR    a model with random weights, without a head, as timm saves it
    prepare.py images DIR                images of noise: train/ and val/ as class folders of PNGs, and both as tensors
"""
import sys
from pathlib import Path

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file

CLASSES, SIDE = 100, 224
IMAGES = {"train": 104, "val": 16}


@torch.no_grad()
def backbone(name, folder):
    from timmImport import timm
    from timm.models._hub import save_for_hf

    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=0)
    for p in model.parameters():
        if p.ndim == 1:  # fresh biases are 0 and norms 1, which would hide a mistake
            p.add_(0.1 * torch.randn_like(p))
    save_for_hf(model, folder, safe_serialization=True)


def images(folder):
    random = numpy.random.default_rng(0)
    tensors = {}
    for split, count in IMAGES.items():
        labels = sorted(i % CLASSES for i in range(count))  # in the order in which the files are listed
        pixels = random.integers(0, 256, (count, SIDE, SIDE, 3), dtype=numpy.uint8)
        for i, label in enumerate(labels):
            target = folder / split / f"{label:03d}" / f"{i:03d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[i]).save(target)
        tensors |= {f"{split}.pixels": torch.from_numpy(pixels), f"{split}.labels": torch.tensor(labels)}
    save_file(tensors, folder / "images.safetensors")


if __name__ == "__main__":
    if sys.argv[1:2] == ["backbone"]:
        backbone(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:2] == ["images"]:
        images(Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
