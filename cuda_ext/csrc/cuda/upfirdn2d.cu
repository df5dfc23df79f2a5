// Zero-upsampling, padding, a FIR filter and downsampling in one pass, on a GPU. See medsegan/ops/upfirdn2d.py.
#include "../filter2d.h"
#include "four_taps.cuh"

namespace medsegan {
namespace {

using four_taps::Way;
constexpr int kThreads = 256;

// The inputs of one output along an axis: in[first .. end) times tap, tap + up, tap + 2 * up, ...
struct Reach {
  int64_t first, end, tap;
};

__device__ inline Reach reach_of(int64_t o, int64_t in, int64_t taps, int64_t up, int64_t down, int64_t before) {
  const int64_t start = o * down - before;  // where tap 0 lies, in pixels of the upsampled image
  const int64_t first = start > 0 ? (start + up - 1) / up : 0;
  const int64_t last = start + taps > 0 ? (start + taps - 1) / up + 1 : 0;
  return {first, last < in ? last : in, first * up - start};
}

// One output a thread; neighbours in memory are worked on by neighbours, so that loads and stores are shared.
template <typename T, typename A>
__global__ void __launch_bounds__(kThreads) filter_kernel(Planes x, Planes y, Filter2d f, const A* __restrict__ taps,
                                                          bool flip, const T* __restrict__ in, T* __restrict__ out) {
  const int64_t items = y.count * y.height * y.width * y.channels;
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t last = f.separable ? f.taps_x - 1 : f.taps_y * f.taps_x - 1;
  for (int64_t index = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; index < items; index += step) {
    const int64_t c = index % y.channels, column = index / y.channels % y.width;
    const int64_t line = index / y.channels / y.width;
    const Reach rows = reach_of(line % y.height, x.height, f.taps_y, f.up_y, f.down_y, f.top);
    const Reach columns = reach_of(column, x.width, f.taps_x, f.up_x, f.down_x, f.left);
    const T* plane = in + line / y.height * x.height * x.width * x.channels + c;
    A total = 0;
    for (int64_t i = rows.first, tap_y = rows.tap; i < rows.end; ++i, tap_y += f.up_y) {
      A sum = 0;
      const int64_t offset = f.separable ? 0 : tap_y * f.taps_x;
      for (int64_t j = columns.first, tap = offset + columns.tap; j < columns.end; ++j, tap += f.up_x) {
        sum += taps[flip ? tap : last - tap] * static_cast<A>(plane[(i * x.width + j) * x.channels]);
      }
      total += f.separable ? taps[flip ? tap_y : last - tap_y] * sum : sum;
    }
    out[index] = static_cast<T>(total * static_cast<A>(f.gain));
  }
}

template <typename T>
void filter(const Dense& x, const Filter2d& f, const Tensor& taps, bool flip, const Planes& result, Tensor& out) {
  using A = Accumulate<T>;
  const Planes planes = planes_of(x);
  const cudaStream_t stream = stream_of(x.tensor);
  const A gain = static_cast<A>(f.gain);
  const four_taps::Weights<A> weights{{{gain, gain, gain, gain}, {1, 1, 1, 1}}, data<A>(taps), flip};
  const T* in = data<T>(x.tensor);
  if (f.doubles(planes.height, planes.width)) {
    four_taps::launch<Way::twice, Edge::zero>(planes, x.channels_last, weights, in, data<T>(out), stream, "upfirdn2d");
  } else if (f.halves(planes.height, planes.width)) {
    four_taps::launch<Way::half, Edge::zero>(result, x.channels_last, weights, in, data<T>(out), stream, "upfirdn2d");
  } else {
    filter_kernel<<<grid_for(out.numel(), kThreads), kThreads, 0, stream>>>(planes, result, f, data<A>(taps), flip, in,
                                                                            data<T>(out));
    check_launch("upfirdn2d");
  }
}

Tensor upfirdn2d(const Tensor& x, const Tensor& kernel, std::vector<int64_t> up, std::vector<int64_t> down,
                 std::vector<int64_t> padding, bool flip, double gain) {
  const Filter2d f = make_filter2d(x, kernel, up, down, padding, gain);
  const DeviceGuard guard(x);
  const Dense dense = as_dense(x);
  const Planes planes = planes_of(dense);
  const Planes result{planes.count, f.size_y(planes.height), f.size_x(planes.width), planes.channels};
  Tensor out = empty_image(dense, result.height, result.width);
  if (out.numel() == 0) return out;
  const Tensor taps = taps_like(x, kernel);
  with_type_of(x, "upfirdn2d", [&]<typename T>() {
    filter<T>(dense, f, taps, flip, result, out);
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) { library.impl("upfirdn2d", TORCH_BOX(&upfirdn2d)); }

}  // namespace medsegan
