"""The methods on timm's vision transformers, as an able user of PyTorch writes them: each freezes the model and makes
trainable what it trains. The head is trained by all."""
import torch
from torch import nn
from torch.nn import functional as F


class Affine(nn.Module):
    """SSF (arXiv 2210.08823): y = scale * x + shift per channel, as its authors write it; addcmul is no faster."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        # under autocast, float32 vectors would make every activation float32 again, at three times the cost
        return x * self.scale.to(x.dtype) + self.shift.to(x.dtype)


class Propagated(nn.Module):
    """SAN (arXiv 2409.06706), locational: the scale of an earlier layer multiplies the columns of this layer's weight.
    Scaling the input is the same, and spares the gradient of a whole matrix."""

    def __init__(self, layer, source, part=slice(None)):
        super().__init__()
        self.layer, self.source, self.part = layer, source, part

    def forward(self, x):
        return self.layer(x * self.source.scale[self.part].to(x.dtype))


class SplitAttention(nn.Module):
    """timm's attention with q, k and v as layers of their own, as transformers has them."""

    def __init__(self, attn):
        super().__init__()
        self.num_heads, self.proj = attn.num_heads, attn.proj
        weights, biases = attn.qkv.weight.chunk(3), attn.qkv.bias.chunk(3)
        self.q, self.k, self.v = (linear_of(w, b) for w, b in zip(weights, biases))

    def forward(self, x, **_):
        b, n, d = x.shape
        q, k, v = (layer(x).view(b, n, self.num_heads, -1).transpose(1, 2) for layer in (self.q, self.k, self.v))
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))


def linear_of(weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight, layer.bias = nn.Parameter(weight.detach().clone()), nn.Parameter(bias.detach().clone())
    return layer


def linear_probe(model):
    return model


def full(model):
    return model.requires_grad_(True)


def lora(model):
    from peft import LoraConfig, get_peft_model

    for block in model.blocks:
        block.attn = SplitAttention(block.attn).requires_grad_(False)
    targets = ["attn.q", "attn.k", "attn.v", "attn.proj", "mlp.fc1", "mlp.fc2"]
    return get_peft_model(model, LoraConfig(r=8, lora_alpha=8, lora_dropout=0.0, target_modules=targets))


def ssf(model):
    def behind(layer, width):
        return nn.Sequential(layer, Affine(width))

    d = model.embed_dim
    model.patch_embed.norm = Affine(d)  # an identity in these models
    for block in model.blocks:
        block.norm1, block.norm2 = behind(block.norm1, d), behind(block.norm2, d)
        block.attn.qkv, block.attn.proj = behind(block.attn.qkv, 3 * d), behind(block.attn.proj, d)
        block.mlp.fc1, block.mlp.fc2 = behind(block.mlp.fc1, block.mlp.fc1.out_features), behind(block.mlp.fc2, d)
    model.norm = behind(model.norm, d)
    return model


def san_ssf(model):
    """v -> proj, proj -> fc1, fc1 -> fc2 within each block (the paper's locational propagation)."""
    ssf(model)
    d = model.embed_dim
    for block in model.blocks:
        (qkv, proj, fc1) = (layer[1] for layer in (block.attn.qkv, block.attn.proj, block.mlp.fc1))
        block.attn.proj = Propagated(block.attn.proj, qkv, slice(2 * d, 3 * d))
        block.mlp.fc1 = Propagated(block.mlp.fc1, proj)
        block.mlp.fc2 = Propagated(block.mlp.fc2, fc1)
    return model


METHODS = {"linear-probe": linear_probe, "lora": lora, "ssf": ssf, "san-ssf": san_ssf, "full": full,
           "inference": linear_probe}


def tuned(model, method, start):
    """The model with a method on it, at Engram's starting values (names as in its checkpoints)."""
    model.requires_grad_(False)
    model = METHODS[method](model)
    base = model.get_base_model() if method == "lora" else model
    base.head.requires_grad_(True)
    places = {"q": "attn.q", "k": "attn.k", "v": "attn.v", "proj": "attn.proj", "fc1": "mlp.fc1", "fc2": "mlp.fc2"}
    with torch.no_grad():
        for name, value in start.items():
            site, tensor = name.rsplit(".", 1)
            if tensor.startswith("lora_"):
                block, layer = site.rsplit(".", 1)
                site, tensor = f"{block}.{places[layer]}.{tensor}.default", "weight"
            base.get_parameter(f"{site}.{tensor}").copy_(value)
    return model
