"""One small adapter per further PEFT method, on two layers of hf-vit: q_proj (32 -> 32) and fc1 (32 -> 64) of block 0."""
import peft
import torch
from peft import PeftModel, get_peft_model
from safetensors.torch import load_file
from torch.nn import functional as F

from adapters import adapter_grads, load_base, save_adapter, stir
from common import batch, describe, outputs, save, start

TARGETS = r".*\.layers\.0\.(attention\.q_proj|mlp\.fc1)"
METHODS = {
    "adalora": ("AdaLoraConfig", {"init_r": 4, "target_r": 2, "lora_alpha": 8, "total_step": 10}),
    "vera": ("VeraConfig", {"r": 6}),
    "randlora": ("RandLoraConfig", {"r": 8, "randlora_alpha": 16}),
    "oft": ("OFTConfig", {"oft_block_size": 8}),
    "oft-exact": ("OFTConfig", {"oft_block_size": 8, "use_cayley_neumann": False}),
    "boft": ("BOFTConfig", {"boft_block_size": 4, "boft_n_butterfly_factor": 2}),
    "hra": ("HRAConfig", {"r": 4}),
    "delora": ("DeloraConfig", {"r": 4, "delora_lambda": 15}),
    "fourierft": ("FourierFTConfig", {"n_frequency": 40, "scaling": 30.0}),
    "c3a": ("C3AConfig", {"block_size": 8}),
    "loha": ("LoHaConfig", {"r": 3, "alpha": 6}),
    "lokr": ("LoKrConfig", {"r": 2, "alpha": 4}),
    "miss": ("MissConfig", {"r": 8}),
    "miss-bat": ("MissConfig", {"r": 8, "init_weights": "bat"}),
    "vblora": ("VBLoRAConfig", {"r": 4, "num_vectors": 12, "vector_length": 16}),
    "shira": ("ShiraConfig", {"r": 2, "random_seed": 5}),
    "road": ("RoadConfig", {"variant": "road_1", "group_size": 8}),
    "road4": ("RoadConfig", {"variant": "road_4", "group_size": 8}),
    "psoft": ("PsoftConfig", {"r": 6, "psoft_alpha": 6}),
}


def peft_methods():
    folder = start("peft-methods")
    pixels, labels = batch((2, 3, 32, 32), 10)
    save(folder / "io.safetensors", {"pixel_values": pixels, "labels": labels})
    for name, (config, args) in METHODS.items():
        torch.manual_seed(1)
        method(folder / name, getattr(peft, config)(target_modules=TARGETS, **args), pixels, labels)
    describe(folder, format="peft", base="../hf-vit", notes="io.safetensors: the inputs of every method. "
             "<method>/adapter as PEFT saves it, out.safetensors: logits and loss in eval mode, grads.safetensors: "
             "d loss/d parameter under the adapter's keys; fourierft/indices.safetensors: row and column of each coefficient "
             "by module.")


def method(folder, config, pixels, labels):
    folder.mkdir()
    model = get_peft_model(load_base("hf-vit"), config).eval()
    config.base_model_name_or_path = "hf-vit"
    stir(model, noise=0.3)
    logits = outputs(model, pixels)
    loss = F.cross_entropy(logits, labels)
    save(folder / "out.safetensors", {"logits": logits, "loss": loss.reshape(1)})
    save_adapter(model, folder / "adapter")
    places = {n.removeprefix("base_model.model."): m.indices["default"] for n, m in model.named_modules()
              if config.peft_type == "FOURIERFT" and hasattr(m, "indices")}
    if places:  # torch.randperm chose them, and the adapter does not store them
        save(folder / "indices.safetensors", places)
    save(folder / "grads.safetensors", adapter_grads(model, loss))
    again = PeftModel.from_pretrained(load_base("hf-vit"), folder / "adapter").eval()
    with torch.no_grad():
        torch.testing.assert_close(outputs(again, pixels), load_file(folder / "out.safetensors")["logits"],
                                   rtol=1e-4, atol=1e-4)


CASES = [peft_methods]
