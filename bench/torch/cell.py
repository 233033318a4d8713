"""Measures one cell of the benchmark on PyTorch's side: cell.py JSON, with the fields that bench/lib/torchCell.mjs writes.
The last line of its output is the measurement as JSON."""
import json
import resource
import sys
import time

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from methods import tuned
from timmImport import timm


class Preprocessed(nn.Module):
    """uint8 pixels [B, 3, H, W] in, logits out; compiled, the normalisation is compiled with the rest."""

    def __init__(self, model, mean, std):
        super().__init__()
        self.model = model
        factors = torch.tensor([mean, std]).view(2, 1, 3, 1, 1)
        self.register_buffer("mean", 255 * factors[0])
        self.register_buffer("factor", 1 / (255 * factors[1]))

    def forward(self, pixels):
        return self.model((pixels.float() - self.mean) * self.factor)


def build(cell):
    model = timm.create_model(f"local-dir:{cell['backbone']}", pretrained=True)
    config = model.pretrained_cfg
    model.reset_classifier(cell["classes"])
    model = tuned(model, cell["method"], load_file(cell["start"]))
    return Preprocessed(model, config["mean"], config["std"]).to(cell["device"])


def load_batches(cell, split, order):
    tensors = load_file(cell["images"])
    pixels = tensors[f"{split}.pixels"].permute(0, 3, 1, 2).contiguous()
    labels = tensors[f"{split}.labels"]
    order = torch.arange(len(labels)) if order is None else torch.tensor(order)
    return [(pixels[at], labels[at]) for at in order.split(cell["batch"])]


def parameter_groups(model):
    """As Engram decays: matrices, but neither vectors nor embeddings."""
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decays = [p.ndim > 1 and not name.endswith(("cls_token", "pos_embed")) for name, p in trained]
    return [{"params": [p for (_, p), d in zip(trained, decays) if d], "weight_decay": 0.05},
            {"params": [p for (_, p), d in zip(trained, decays) if not d], "weight_decay": 0.0}]


def train(cell, model, run):
    batches = load_batches(cell, "train", cell["order"])
    groups = [g for g in parameter_groups(model) if g["params"]]
    optimizer = torch.optim.AdamW(groups, lr=cell["learningRate"], betas=(0.9, 0.999), eps=1e-8, fused=True)
    losses, ends = [], []
    for step in range(cell["warmUp"] + cell["steps"]):
        pixels, labels = (t.to(cell["device"]) for t in batches[step % len(batches)])
        with autocast(cell):
            loss = F.cross_entropy(run(pixels), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        ends.append(time.perf_counter())
    return losses, ends


@torch.inference_mode()
def infer(cell, model, run):
    batches = load_batches(cell, "val", None)
    model.eval()
    losses, ends = [], []
    for step in range(max(len(batches), cell["warmUp"] + cell["steps"])):
        pixels, labels = batches[step % len(batches)]
        with autocast(cell):
            logits = run(pixels.to(cell["device"])).float().cpu()
        losses.append(F.cross_entropy(logits, labels).item())
        ends.append(time.perf_counter())
    return [sum(losses[:len(batches)]) / len(batches)], ends


def autocast(cell):
    return torch.autocast(cell["device"], torch.bfloat16, enabled=cell["precision"] == "bfloat16")


def peak_bytes():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main():
    cell = json.loads(sys.argv[1])
    torch.set_num_threads(cell["threads"])
    if cell["device"] == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, which TensorFlow uses unasked
    model = build(cell)
    began = time.perf_counter()
    run = torch.compile(model) if cell["compile"] else model
    losses, ends = (infer if cell["method"] == "inference" else train)(cell, model, run)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    report = {"losses": losses, "first": ends[0] - began, "trainable": trained, "peakBytes": peak_bytes(),
              "steps": [1000 * (b - a) for a, b in zip(ends, ends[1:])]}
    if cell["device"] == "cuda":
        report["devicePeakBytes"] = torch.cuda.max_memory_allocated()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
