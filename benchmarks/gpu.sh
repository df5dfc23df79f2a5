#!/usr/bin/env bash
# Builds, tests and times the learning tower on a machine with an NVIDIA GPU, in under nine minutes. It needs torch,
# numpy, scipy, safetensors, pydantic, tomlkit and pillow, and no medical imaging package; pytest and hypothesis for the
# tests. Wheels of what is missing may lie in wheels/. Without an nvcc the libraries that lie beside the code are used.
set -uo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD:$PWD/cuda_ext:$PWD/tests/support${PYTHONPATH:+:$PYTHONPATH}"
failed=()

# part SECONDS NAME COMMAND...: one part within its time; a part that fails does not keep the others from running.
part() {
  local limit=$1 name=$2 began=$SECONDS
  shift 2
  echo "== $name"
  timeout "$limit" "$@" || failed+=("$name (exit $?)")
  echo "-- $name: $((SECONDS - began)) s"
}

python3 -c 'import torch; assert torch.cuda.is_available(), "no CUDA GPU is visible"; print(torch.cuda.get_device_name())' || exit 1
[ -d wheels ] && python3 -m pip install -q --no-index --no-deps --find-links wheels wheels/*.whl

if command -v nvcc >/dev/null || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ]; then
  archs=$(python3 -c 'import torch; print("%d%d" % torch.cuda.get_device_capability())')
  part 150 "build for sm_$archs" env MEDSEGAN_CUDA=1 MEDSEGAN_CUDA_ARCHS="$archs" python3 cuda_ext/build_kernels.py
fi
python3 -c 'from medsegan.ops import load_kernels; from medsegan.voxels import library; print(library.load()[1], load_kernels())'
part 30 "imports" python3 -c 'import medsegan.training, medsegan.inversion, medsegan.methods'
part 150 "tests" python3 -m pytest -q -p no:cacheprovider -o addopts="--import-mode=importlib" tests/ops tests/models
if command -v compute-sanitizer >/dev/null; then
  part 90 "compute-sanitizer" compute-sanitizer --error-exitcode 9 --target-processes all \
    python3 -m pytest -q -x -p no:cacheprovider -o addopts="--import-mode=importlib" tests/ops -k "cuda and not compile"
else
  echo "-- compute-sanitizer is not installed: not run"
fi
part 100 "operators" python3 -m benchmarks.ops --device cuda
part 30 "step, 32 px" python3 -m benchmarks.step --device cuda --size 32 --preset tiny
part 30 "step, 128 px" python3 -m benchmarks.step --device cuda --size 128 --preset small
part 40 "step, 256 px" python3 -m benchmarks.step --device cuda --size 256 --preset base

if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all parts passed in $SECONDS s"
