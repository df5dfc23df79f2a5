// Doubling and halving with [1, 3, 3, 1] and a continued edge. See medsegan/ops/resample2d.py.
#include "four_taps.h"

namespace medsegan {
namespace {

using torch::headeronly::ScalarType;

Tensor upsample2d(const Tensor& x, double gain) {
  const Dense dense = as_dense(x);
  const Planes planes = planes_of(dense);
  Tensor out = empty_image(dense, 2 * planes.height, 2 * planes.width);
  if (out.numel() == 0) return out;
  THO_DISPATCH_V2(x.scalar_type(), "upsample2d", AT_WRAP([&] {
    four_taps::double_size<Edge::replicate>(planes, binomial<Accumulate<scalar_t>>(2, gain),
                                            data<scalar_t>(dense.tensor), data<scalar_t>(out));
  }), AT_EXPAND(AT_FLOATING_TYPES), ScalarType::Half, ScalarType::BFloat16);
  return out;
}

Tensor downsample2d(const Tensor& x, double gain) {
  const Dense dense = as_dense(x);
  const Planes half = half_of(planes_of(dense));
  Tensor out = empty_image(dense, half.height, half.width);
  if (out.numel() == 0) return out;
  THO_DISPATCH_V2(x.scalar_type(), "downsample2d", AT_WRAP([&] {
    four_taps::halve_size<Edge::replicate>(half, binomial<Accumulate<scalar_t>>(1, gain),
                                           data<scalar_t>(dense.tensor), data<scalar_t>(out));
  }), AT_EXPAND(AT_FLOATING_TYPES), ScalarType::Half, ScalarType::BFloat16);
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CPU, library) {
  library.impl("upsample2d", TORCH_BOX(&upsample2d));
  library.impl("downsample2d", TORCH_BOX(&downsample2d));
}

}  // namespace medsegan
