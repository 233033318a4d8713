"""Checks a folder that Engram exported against the outputs it recorded.

    checkExport.py EXPORT_DIR IO.safetensors [BASE_DIR]

EXPORT_DIR is a model folder for timm or transformers, or a PEFT adapter folder, which needs the BASE_DIR it belongs to.
IO holds `pixel_values` and `logits` (or `features`). Ends with 1 when the largest difference is above 1e-4 of the largest
output, or when a tensor of the model is not in the folder.
"""
import json
import sys
from pathlib import Path

from common import outputs, timm, torch  # isort: skip (it declares the operators that timm's imports need)

import transformers
from safetensors.torch import load_file

TOLERANCE = 1e-4


def load_transformers(folder, config):
    cls = getattr(transformers, config["architectures"][0])
    model, info = cls.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[kind]:
            print(f"{kind}: {sorted(map(str, info[kind]))}")
    if info["missing_keys"] or info["mismatched_keys"]:
        sys.exit(1)
    return model


def load_model(folder):
    config = json.loads((folder / "config.json").read_text())
    if "architecture" in config:
        return timm.create_model(f"local-dir:{folder}", pretrained=True)
    return load_transformers(folder, config)


def load(folder, base):
    if not (folder / "adapter_config.json").exists():
        return load_model(folder)
    if base is None:
        sys.exit("an adapter folder needs BASE_DIR")
    from peft import PeftModel
    return PeftModel.from_pretrained(load_model(base), folder)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    folder, io, *base = map(Path, sys.argv[1:])
    tensors = load_file(io)
    want = tensors["logits"] if "logits" in tensors else tensors["features"]
    with torch.no_grad():
        got = outputs(load(folder.resolve(), base[0].resolve() if base else None).eval(), tensors["pixel_values"])
    if got.shape != want.shape:
        sys.exit(f"shape {list(got.shape)}, expected {list(want.shape)}")
    difference = (got - want).abs().max().item()
    relative = difference / want.abs().max().item()
    print(f"max abs diff {difference:.3e}, relative to the largest output {relative:.3e}")
    sys.exit(not relative <= TOLERANCE)  # NaN fails too


if __name__ == "__main__":
    main()
