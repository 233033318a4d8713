"""Decoding, resizing and the eval transform as Pillow and timm do them: case 10."""
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from timm.data import create_transform

from common import describe, save, start

SIZES = ((24, 24), (48, 40))  # height, width
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
CROP = 32


def scene(width, height, seed):
    """A photo-like picture: smooth colour fields, edges, fine texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    picture = np.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(6):
            fx, fy, phase = rng.uniform(-0.35, 0.35), rng.uniform(-0.35, 0.35), rng.uniform(0, 6.3)
            picture[..., channel] += rng.uniform(8, 30) * np.sin(fx * x + fy * y + phase)
    picture += 110 + 70 * ((x - width * 0.6) ** 2 + (y - height * 0.4) ** 2 < (height * 0.25) ** 2)[..., None]
    picture += 60 * (x + 2 * y > width * 1.4)[..., None] * np.array([1, -0.5, -1])
    return Image.fromarray(np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8))


def with_alpha(picture, seed):
    ramp = Image.linear_gradient("L").resize(picture.size).rotate(90 * seed)
    picture.putalpha(ramp)
    return picture


def write_pictures(folder):
    scene(64, 48, 1).save(folder / "photo.jpg", quality=90, subsampling="4:2:0")
    with_alpha(scene(40, 56, 2), 1).save(folder / "alpha.png")
    scene(45, 37, 3).convert("L").save(folder / "grey.png")
    with_alpha(scene(30, 44, 4).convert("L"), 1).save(folder / "grey-alpha.png")
    scene(48, 48, 5).quantize(32).save(folder / "palette.gif")
    palette = scene(36, 28, 6).quantize(16)
    palette.save(folder / "palette-clear.png", transparency=3)
    scene(20, 30, 7).save(folder / "small.bmp")
    scene(52, 36, 8).save(folder / "lossless.webp", lossless=True)
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: shown rotated by 90 degrees clockwise
    scene(50, 34, 9).save(folder / "exif-rotated.jpg", quality=92, exif=turned)


def hwc(picture):
    return torch.from_numpy(np.array(picture))


def images():
    folder = start("images")
    write_pictures(folder)
    transform = create_transform((3, CROP, CROP), is_training=False, interpolation="bicubic", crop_pct=0.9,
                                 mean=(0.5,) * 3, std=(0.5,) * 3)
    for path in sorted(Path(folder).iterdir()):
        picture = Image.open(path).convert("RGB")
        tensors = {"rgb": hwc(picture), "eval": transform(picture)}
        for name, how in FILTERS.items():
            for height, width in SIZES:
                tensors[f"{name}.{height}x{width}"] = hwc(picture.resize((width, height), how))
        save(folder / f"{path.name}.safetensors", tensors)
    describe(folder, notes=[
        "rgb: Image.open(file).convert('RGB') as U8 [height, width, 3]. Alpha and transparency are dropped, not blended; "
        "EXIF orientation is ignored (the rotated JPEG stays 50 wide, 34 high), as in torchvision's ImageFolder.",
        "<filter>.<height>x<width>: picture.resize, antialiased when shrinking, rounded to U8 after each of its two passes. "
        "Pillow 13 goes horizontal first unless H > h and 2*(W-w) < H-h (W x H to w x h; found by trial, exact on 500 "
        "random sizes); older Pillow always goes horizontal first. The difference is at most a few levels.",
        f"eval: timm's transform as F32 [3, {CROP}, {CROP}]: bicubic, short side to floor({CROP}/0.9) = 35 and the long "
        "one truncated to an integer, centre crop from round((size-crop)/2) with ties to even, (x/255-0.5)/0.5."],
        transform=[str(step) for step in transform.transforms])


CASES = [images]
