"""Optimiser, schedule and losses: case 9."""
import json
import math

import torch
from timm.scheduler import CosineLRScheduler
from torch.nn import functional as F

from common import describe, save, start

STEPS = 5
DECAY = 0.05


def adamw(name, max_norm, notes):
    """Steps of torch.optim.AdamW with given gradients and a learning rate that changes every step."""
    folder = start(name)
    values = {"weight": torch.randn(4, 6), "kernel": torch.randn(3, 2, 2, 2), "bias": torch.randn(6),
              "tiny": torch.randn(5)}  # `tiny` has gradients near eps
    params = {key: torch.nn.Parameter(v) for key, v in values.items()}
    groups = [{"params": [p for p in params.values() if p.ndim > 1], "weight_decay": DECAY},
              {"params": [p for p in params.values() if p.ndim == 1], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.999), eps=1e-8)
    rates = [1e-3, 1e-2, 5e-3, 2e-3, 1e-4]
    tensors, norms = {f"start.{key}": v.clone() for key, v in values.items()}, []
    for step, rate in enumerate(rates, 1):
        for key, p in params.items():
            p.grad = torch.randn_like(p) * (1e-8 if key == "tiny" else 1.0)
            tensors[f"grad.{step}.{key}"] = p.grad.clone()
        norms.append(float(torch.nn.utils.clip_grad_norm_(params.values(), max_norm)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        tensors |= {f"after.{step}.{key}": p.detach().clone() for key, p in params.items()}
    for key, p in params.items():
        tensors |= {f"m.{key}": optimiser.state[p]["exp_avg"], f"v.{key}": optimiser.state[p]["exp_avg_sq"]}
    save(folder / "adamw.safetensors", tensors)
    describe(folder, notes=notes, learningRates=rates, betas=[0.9, 0.999], eps=1e-8, weightDecay=DECAY,
             decayed=["weight", "kernel"], maxNorm=None if math.isinf(max_norm) else max_norm, gradientNorms=norms)


def optimiser():
    adamw("adamw", math.inf, "No clipping. p <- p - lr*wd*p, then p <- p - lr*mhat/(sqrt(vhat)+eps).")
    adamw("adamw-clip", 2.0, "Gradients scaled by min(1, maxNorm/(norm+1e-6)), norm over all tensors together.")


def cosine(epoch, epochs, warmup, rate, warmup_rate, min_rate):
    """Warmup counted inside the total, constant min_rate in the cooldown."""
    if epoch < warmup:
        return warmup_rate + epoch * (rate - warmup_rate) / warmup
    if epoch >= epochs:
        return min_rate
    return min_rate + 0.5 * (rate - min_rate) * (1 + math.cos(math.pi * epoch / epochs))


def schedule():
    folder = start("schedule")
    runs = []
    for epochs, warmup, cooldown, rate, warmup_rate, min_rate in ((100, 10, 10, 1e-3, 1e-7, 1e-8),
                                                                  (10, 1, 2, 5e-3, 1e-7, 1e-8), (6, 0, 0, 1e-2, 0, 0)):
        facts = {"epochs": epochs, "warmup": warmup, "rate": rate, "warmup_rate": warmup_rate, "min_rate": min_rate}
        rates = [cosine(e, **facts) for e in range(epochs + cooldown)]
        reference = CosineLRScheduler(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate), t_initial=epochs,
                                      lr_min=min_rate, warmup_t=warmup, warmup_lr_init=warmup_rate)
        for epoch, value in enumerate(rates):
            assert math.isclose(reference._get_lr(epoch)[0], value, rel_tol=1e-9, abs_tol=1e-15), (epoch, value)
        runs.append({"epochs": epochs, "warmupEpochs": warmup, "cooldownEpochs": cooldown, "learningRate": rate,
                     "warmupRate": warmup_rate, "minRate": min_rate, "rates": rates})
    (folder / "schedule.json").write_text(json.dumps(runs) + "\n")


def losses():
    """Mean over the batch and gradient for the logits: plain, label smoothing, soft targets (mixup)."""
    folder = start("losses")
    logits, labels = 3 * torch.randn(5, 7), torch.randint(0, 7, (5,))
    soft = torch.softmax(torch.randn(5, 7), dim=1)
    tensors = {"logits": logits, "labels": labels, "soft_targets": soft}
    for name, targets, smoothing in (("plain", labels, 0.0), ("smooth", labels, 0.1), ("soft", soft, 0.0)):
        x = logits.clone().requires_grad_()
        loss = F.cross_entropy(x, targets, label_smoothing=smoothing)
        loss.backward()
        tensors |= {f"{name}.loss": loss.reshape(1), f"{name}.grad": x.grad}
    save(folder / "losses.safetensors", tensors)
    describe(folder, notes="smooth: targets (1-s)*onehot + s/classes with s = 0.1.", smoothing=0.1)


CASES = [optimiser, schedule, losses]
