"""Writes a random timm vit_base_patch16_224: makeVitB.py DIR [CLASSES]"""
import sys
from pathlib import Path

from makeRandom import write

if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    write("vit_base_patch16_224", Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 0)
