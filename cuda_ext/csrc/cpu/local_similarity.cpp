// Local correlation and self-similarity context of two images, and their gradients: medsegan/ops/local_similarity.py.
#include "context_rows.h"
#include "correlation_rows.h"
#include "image_pair.h"

namespace medsegan {
namespace {

Tensor local_correlation(const Tensor& x, const Tensor& target, int64_t radius, double flat) {
  require_alike(x, target);
  Tensor out = torch::stable::new_empty(x, {x.size(0)});
  MEDSEGAN_FLOATING(x, "local_correlation", [&] {
    mean_of_strips<scalar_t>(x, 1.0, out, [&](const Strip& strip) {
      return correlation_of_strip<scalar_t>(x, target, strip, radius, flat);
    });
  });
  return out;
}

Tensor local_correlation_grad(const Tensor& gradient, const Tensor& x, const Tensor& target, int64_t radius,
                              double flat) {
  require_alike(x, target);
  const Tensor g = require_gradient(gradient, x);
  Tensor dx = torch::stable::empty_like(as_dense(x).tensor);
  if (x.numel() == 0) return dx;
  const Images images(x);
  MEDSEGAN_FLOATING(x, "local_correlation_grad", [&] {
    for_each_strip(images, [&](int64_t, const Strip& strip) {
      const double scale = static_cast<double>(data<scalar_t>(g)[strip.image]) / static_cast<double>(images.values());
      correlation_grad_of_strip<scalar_t>(x, target, dx, strip, radius, flat, scale);
    });
  });
  return dx;
}

Tensor self_similarity(const Tensor& x, const Tensor& target, int64_t radius, int64_t dilation, double flat) {
  require_alike(x, target);
  Tensor out = torch::stable::new_empty(x, {x.size(0)});
  MEDSEGAN_FLOATING(x, "self_similarity", [&] {
    mean_of_strips<scalar_t>(x, kPairs, out, [&](const Strip& strip) {
      return self_similarity_of_strip<scalar_t>(x, target, strip, radius, dilation, flat);
    });
  });
  return out;
}

Tensor self_similarity_grad(const Tensor& gradient, const Tensor& x, const Tensor& target, int64_t radius,
                            int64_t dilation, double flat) {
  require_alike(x, target);
  const Tensor g = require_gradient(gradient, x);
  Tensor dx = torch::stable::empty_like(as_dense(x).tensor);
  if (x.numel() == 0) return dx;
  const Images images(x);
  MEDSEGAN_FLOATING(x, "self_similarity_grad", [&] {
    for_each_strip(images, [&](int64_t, const Strip& strip) {
      const double share = 1.0 / static_cast<double>(kPairs * images.values());
      const double scale = share * static_cast<double>(data<scalar_t>(g)[strip.image]);
      self_similarity_grad_of_strip<scalar_t>(x, target, dx, strip, radius, dilation, flat, scale);
    });
  });
  return dx;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CPU, library) {
  library.impl("local_correlation", TORCH_BOX(&local_correlation));
  library.impl("local_correlation_grad", TORCH_BOX(&local_correlation_grad));
  library.impl("self_similarity", TORCH_BOX(&self_similarity));
  library.impl("self_similarity_grad", TORCH_BOX(&self_similarity_grad));
}

}  // namespace medsegan
