// The correlation of two images in every window of a strip, and its gradient. See medsegan/ops/local_similarity.py.
#pragma once

#include "box_window.h"
#include "image_rows.h"
#include "window_moments.h"

namespace medsegan {

inline WindowMoments moments_at(const double* sums, int64_t width, int64_t j, double share, double flat) {
  return {{sums[j], sums[width + j], sums[2 * width + j], sums[3 * width + j], sums[4 * width + j]}, share, flat};
}

// The sums over windows from which the moments follow.
template <typename T>
class MomentRows {
 public:
  MomentRows(const Tensor& x, const Tensor& target, const Strip& strip, int64_t radius)
      : width_(x.size(3)),
        x_(x, strip),
        target_(target, strip),
        window_(5, x.size(2), width_, radius),
        shares_(width_) {}

  const double* at(int64_t i) {
    window_.shares(i, shares_.data());
    return window_.at(i, [&](int64_t row, double* out) {
      double *x = out, *t = out + width_, *xt = t + width_, *xx = xt + width_, *tt = xx + width_;
      x_.read(row, x);
      target_.read(row, t);
#pragma omp simd
      for (int64_t j = 0; j < width_; ++j) {
        xt[j] = x[j] * t[j];
        xx[j] = x[j] * x[j];
        tt[j] = t[j] * t[j];
      }
    });
  }

  const double* shares() const { return shares_.data(); }

 private:
  int64_t width_;
  Plane<T> x_, target_;
  BoxWindow window_;
  std::vector<double> shares_;
};

template <typename T>
double correlation_of_strip(const Tensor& x, const Tensor& target, const Strip& strip, int64_t radius, double flat) {
  const int64_t width = x.size(3);
  MomentRows<T> rows(x, target, strip, radius);
  double total = 0;
  for (int64_t i = strip.begin; i < strip.end; ++i) {
    const double *sums = rows.at(i), *shares = rows.shares();
    double row = 0;
#pragma omp simd reduction(+ : row)
    for (int64_t j = 0; j < width; ++j) row += moments_at(sums, width, j, shares[j], flat).distance();
    total += row;
  }
  return total;
}

// A pixel takes part in all windows around it: dx = target * sum(a) + x * sum(b) - sum(a mean_target + b mean_x),
// where a and b are the derivatives of the windows' distances by covariance and by half the variance.
template <typename T>
void correlation_grad_of_strip(const Tensor& x, const Tensor& target, Tensor& dx, const Strip& strip, int64_t radius,
                               double flat, double scale) {
  const int64_t width = x.size(3);
  MomentRows<T> rows(x, target, strip, radius);
  BoxWindow window(3, x.size(2), width, radius);
  const Plane<T> x_plane(x, strip), target_plane(target, strip), dx_plane(dx, strip);
  std::vector<double> x_row(width), target_row(width), out(width);
  for (int64_t i = strip.begin; i < strip.end; ++i) {
    const double* sums = window.at(i, [&](int64_t row, double* factors) {
      const double *moments = rows.at(row), *shares = rows.shares();
      double *by_covariance = factors, *by_variance = factors + width, *offset = by_variance + width;
#pragma omp simd
      for (int64_t j = 0; j < width; ++j) {
        const WindowMoments m = moments_at(moments, width, j, shares[j], flat);
        const double a = scale * shares[j] * m.by_covariance(), b = scale * shares[j] * m.by_half_variance();
        by_covariance[j] = a;
        by_variance[j] = b;
        offset[j] = a * m.mean_target + b * m.mean_x;
      }
    });
    x_plane.read(i, x_row.data());
    target_plane.read(i, target_row.data());
    const double *xs = x_row.data(), *ts = target_row.data();
    double* o = out.data();
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) o[j] = ts[j] * sums[j] + xs[j] * sums[width + j] - sums[2 * width + j];
    dx_plane.write(i, o);
  }
}

}  // namespace medsegan
