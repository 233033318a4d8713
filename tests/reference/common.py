"""What every case of the reference fixtures shares: seeded filling, running, saving."""
import json
import shutil
import tempfile
import zlib
from pathlib import Path

import torch

# timm imports torchvision, whose CPU-only install lacks the operators its meta kernels are registered for
_ops = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _ops.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import timm  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from timm.models._hub import save_for_hf  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from transformers.utils import logging  # noqa: E402

torch.set_num_threads(1)
logging.disable_progress_bar()

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "reference"


def start(name):
    """Empties the folder of a case and seeds torch by its name, so that each case is the same alone as in a full run."""
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(zlib.crc32(name.encode()))
    return folder


def describe(folder, **facts):
    (folder / "case.json").write_text(json.dumps(facts, indent=2) + "\n")


def save(path, tensors):
    save_file({name: t.detach().clone().contiguous() for name, t in tensors.items()}, path)


@torch.no_grad()
def fill(model, embeddings=1.0):
    """Random weights lively enough that a mistake shows. `embeddings` below 1 shrinks what enters the first norm, so
    that the norm's eps shows too."""
    for name, p in model.named_parameters():
        leaf = name.rsplit(".", 1)[-1]
        if leaf in ("gamma", "lambda1"):
            p.normal_(0.5, 0.15)
        elif leaf == "weight" and p.ndim == 1:
            p.normal_(1.0, 0.2)
        elif leaf == "bias":
            p.normal_(0.0, 0.1)
        elif p.ndim == 3:  # tokens and positions
            p.normal_(0.0, 0.4)
        else:
            p.normal_(0.0, 0.1 if p.ndim == 4 else 0.15)
        if embeddings != 1 and ("embed" in name or "token" in name):
            p.mul_(embeddings)
    return model.eval()


def outputs(model, pixels):
    """The logits of a classifier; the features of a model without a head."""
    out = model(pixels)
    if isinstance(out, torch.Tensor):
        return out
    if getattr(out, "logits", None) is not None:
        return out.logits
    return out.last_hidden_state[:, 0]


def batch(shape, classes):
    return torch.randn(shape), torch.randint(0, classes, (shape[0],))


def save_io(folder, model, pixels, labels=None, name="io", key="logits"):
    """Runs the model, writes inputs and outputs, and returns the loss with its graph."""
    out = outputs(model, pixels)
    tensors = {"pixel_values": pixels, key: out}
    loss = None
    if labels is not None:
        loss = F.cross_entropy(out, labels)
        tensors |= {"labels": labels, "loss": loss.reshape(1)}
    save(folder / f"{name}.safetensors", tensors)
    return loss


def save_model(model, folder):
    """The folder exactly as the model's own library writes it."""
    if hasattr(model, "save_pretrained"):
        model.save_pretrained(folder)
    else:
        save_for_hf(model, folder, safe_serialization=True)


def save_grads(model, loss, path):
    """d loss/d parameter under the parameters' names on disk, found by saving the model with gradients for weights.
    Parameters the loss does not reach (a mask token) are left out."""
    loss.backward()
    kept = [p.detach().clone() for p in model.parameters()]
    with torch.no_grad(), tempfile.TemporaryDirectory() as scratch:
        for p in model.parameters():
            p.copy_(torch.full_like(p, torch.nan) if p.grad is None else p.grad)
        save_model(model, scratch)
        grads = load_file(Path(scratch) / "model.safetensors")
        for p, old in zip(model.parameters(), kept):
            p.copy_(old)
            p.grad = None
    save(path, {name: g for name, g in grads.items() if not g.isnan().all()})


def check_timm(folder, pixels, want, **kwargs):
    """The written folder alone must give the same numbers again."""
    model = timm.create_model(f"local-dir:{folder}", pretrained=True, **kwargs).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(pixels), want, rtol=1e-5, atol=1e-5)
