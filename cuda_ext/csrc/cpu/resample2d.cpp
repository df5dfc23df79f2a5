// Doubling and halving with [1, 3, 3, 1] and a continued edge. See medsegan/ops/resample2d.py.
#include "four_taps.h"

namespace medsegan {
namespace {

Tensor upsample2d(const Tensor& x, double gain) {
  const Dense dense = as_dense(x);
  const Planes planes = planes_of(dense);
  Tensor out = empty_image(dense, 2 * planes.height, 2 * planes.width);
  if (out.numel() == 0) return out;
  with_type_of(x, "upsample2d", [&]<typename T>() {
    four_taps::double_size<Edge::replicate>(planes, binomial<Accumulate<T>>(2, gain),
                                            data<T>(dense.tensor), data<T>(out));
  });
  return out;
}

Tensor downsample2d(const Tensor& x, double gain) {
  const Dense dense = as_dense(x);
  const Planes half = half_of(planes_of(dense));
  Tensor out = empty_image(dense, half.height, half.width);
  if (out.numel() == 0) return out;
  with_type_of(x, "downsample2d", [&]<typename T>() {
    four_taps::halve_size<Edge::replicate>(half, binomial<Accumulate<T>>(1, gain),
                                           data<T>(dense.tensor), data<T>(out));
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CPU, library) {
  library.impl("upsample2d", TORCH_BOX(&upsample2d));
  library.impl("downsample2d", TORCH_BOX(&downsample2d));
}

}  // namespace medsegan
