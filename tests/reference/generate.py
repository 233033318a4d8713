"""Writes tests/fixtures/reference. `generate.py [CASE...]` writes only the cases whose function names are given."""
import json
import platform
import sys
from importlib.metadata import version

from common import FIXTURES
import adapters
import images
import methods
import models
import numerics
import storage

CASES = [case for module in (models, adapters, methods, storage, numerics, images) for case in module.CASES]
PACKAGES = ("torch", "torchvision", "timm", "transformers", "peft", "safetensors", "numpy", "pillow")


def main():
    wanted = sys.argv[1:]
    for case in CASES:
        if not wanted or case.__name__ in wanted:
            print(case.__name__, flush=True)
            case()
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    (FIXTURES / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")


if __name__ == "__main__":
    main()
