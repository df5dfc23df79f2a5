// What every launch needs: the device, the stream of torch, a grid, and the error afterwards.
#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/util/Exception.h>
#include <torch/headeronly/util/shim_utils.h>

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

namespace medsegan {

// Makes the device of a tensor the current one until the end of the block.
struct DeviceGuard {
  explicit DeviceGuard(const torch::stable::Tensor& x) : guard(x.get_device()) {}
  torch::stable::accelerator::DeviceGuard guard;
};

// The stream on which torch works on the tensor's device at the moment.
inline cudaStream_t stream_of(const torch::stable::Tensor& x) {
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(x.get_device(), &stream));
  return static_cast<cudaStream_t>(stream);
}

// Blocks for so many items, one a thread: at least one, and few enough for a grid; kernels stride over the rest.
inline int grid_for(int64_t items, int threads) {
  constexpr int64_t kMost = int64_t{1} << 24;
  return static_cast<int>(std::clamp<int64_t>((items + threads - 1) / threads, 1, kMost));
}

// Call it after each launch: a launch that was refused says so here, not in some later operator.
inline void check_launch(const char* op) {
  const cudaError_t error = cudaGetLastError();
  STD_TORCH_CHECK(error == cudaSuccess, op, ": the kernel could not be launched: ", cudaGetErrorString(error));
}

}  // namespace medsegan
