// Means, variances and covariance of two images in one window, the same on every device.
#pragma once

#include <torch/headeronly/macros/Macros.h>

namespace medsegan {

// The five sums over a window from which its moments follow.
struct WindowSums {
  double x, target, product, x_squared, target_squared;
};

// Comparisons are such that NaN is not flat: it goes through to the result.
struct WindowMoments {
  double mean_x, mean_target, covariance, var_x, var_target, weight;
  bool x_is_flat;

  // share: one over the number of pixels of the window; flat: variance below which it is flat.
  C10_HOST_DEVICE inline WindowMoments(const WindowSums& sums, double share, double flat)
      : mean_x(sums.x * share),
        mean_target(sums.target * share),
        covariance(sums.product * share - mean_x * mean_target) {
    const double vx = sums.x_squared * share - mean_x * mean_x;
    const double vt = sums.target_squared * share - mean_target * mean_target;
    x_is_flat = vx <= flat;
    var_x = x_is_flat ? flat : vx;
    weight = vt <= flat ? 0.0 : 1.0;
    var_target = vt <= flat ? flat : vt;
  }

  // 1 - r²; 0 where the target is flat.
  C10_HOST_DEVICE inline double distance() const {
    return weight * (1.0 - covariance * covariance / (var_x * var_target));
  }

  // Derivatives of the distance by covariance and by half the variance of x.
  C10_HOST_DEVICE inline double by_covariance() const { return -2.0 * weight * covariance / (var_x * var_target); }
  C10_HOST_DEVICE inline double by_half_variance() const {
    return x_is_flat ? 0.0 : -by_covariance() * covariance / var_x;
  }
};

}  // namespace medsegan
