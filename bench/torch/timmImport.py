"""Imports timm beside a torchvision without compiled operators."""
import torch

# timm imports torchvision, whose CPU-only install lacks the operators its meta kernels are registered for
_ops = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    try:
        _ops.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:  # a torchvision with its operators has defined them
        pass

import timm  # noqa: E402,F401
