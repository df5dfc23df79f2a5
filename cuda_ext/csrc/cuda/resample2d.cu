// Doubling and halving with [1, 3, 3, 1] and a continued edge, on a GPU. See medsegan/ops/resample2d.py.
#include "four_taps.cuh"

namespace medsegan {
namespace {

using four_taps::Way;
template <Way way, typename T>
void resample(const Planes& small, const Dense& x, double sum, double gain, Tensor& out, const char* op) {
  using A = Accumulate<T>;
  const four_taps::Weights<A> weights{binomial<A>(sum, gain), nullptr, false};
  four_taps::launch<way, Edge::replicate>(small, x.channels_last, weights, data<T>(x.tensor), data<T>(out),
                                          stream_of(x.tensor), op);
}

Tensor upsample2d(const Tensor& x, double gain) {
  const DeviceGuard guard(x);
  const Dense dense = as_dense(x);
  const Planes planes = planes_of(dense);
  Tensor out = empty_image(dense, 2 * planes.height, 2 * planes.width);
  if (out.numel() == 0) return out;
  with_type_of(x, "upsample2d", [&]<typename T>() {
    resample<Way::twice, T>(planes, dense, 2, gain, out, "upsample2d");
  });
  return out;
}

Tensor downsample2d(const Tensor& x, double gain) {
  const DeviceGuard guard(x);
  const Dense dense = as_dense(x);
  const Planes half = half_of(planes_of(dense));
  Tensor out = empty_image(dense, half.height, half.width);
  if (out.numel() == 0) return out;
  with_type_of(x, "downsample2d", [&]<typename T>() {
    resample<Way::half, T>(half, dense, 1, gain, out, "downsample2d");
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) {
  library.impl("upsample2d", TORCH_BOX(&upsample2d));
  library.impl("downsample2d", TORCH_BOX(&downsample2d));
}

}  // namespace medsegan
