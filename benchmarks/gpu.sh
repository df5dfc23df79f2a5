#!/usr/bin/env bash
# Checks and times the learning tower on a machine with an NVIDIA GPU, in a few minutes: it needs torch, numpy,
# safetensors, pydantic, tomlkit and pillow, and no medical imaging package.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"

python3 -c 'import torch; assert torch.cuda.is_available(), "no CUDA GPU is visible"; print(torch.cuda.get_device_name())'
python3 -c 'import medsegan.training, medsegan.inversion, medsegan.methods; print("the learning tower imports")'
if python3 -c 'import pytest, hypothesis' 2>/dev/null; then
  python3 -m pytest -q -p no:cacheprovider tests/ops tests/models
fi
python3 -m benchmarks.step --device cuda --size 32 --preset tiny
python3 -m benchmarks.step --device cuda --size 128 --preset small
python3 -m benchmarks.step --device cuda --size 256 --preset base
