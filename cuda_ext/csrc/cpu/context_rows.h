// The self-similarity context of two images in a strip, and the gradient. See medsegan/ops/local_similarity.py.
#pragma once

#include "box_window.h"
#include "image_rows.h"

namespace medsegan {

constexpr int64_t kPairs = 4;

// exp(-z) for z of [0, 4], but for the last few bits; a polynomial, so that loops over it become vector instructions.
inline double exp_minus(double z) {
  const double y = 0.125 - z * 0.0625;  // exp(-z) = exp(y)^16 exp(-2); the terms of exp(y) are 1/9!, 1/8!, ...
  double p = 1.0 / 362880;
  p = p * y + 1.0 / 40320;
  p = p * y + 1.0 / 5040;
  p = p * y + 1.0 / 720;
  p = p * y + 1.0 / 120;
  p = p * y + 1.0 / 24;
  p = p * y + 1.0 / 6;
  p = p * y + 0.5;
  p = p * y + 1.0;
  p = p * y + 1.0;
  const double p2 = p * p, p4 = p2 * p2, p8 = p4 * p4;
  return p8 * p8 * 0.13533528323661269189;
}

// The rows of a plane around one row, and the differences of the four pairs of neighbours there.
template <typename T>
class Neighbours {
 public:
  Neighbours(const Tensor& x, const Strip& strip, int64_t dilation)
      : plane_(x, strip),
        width_(x.size(3)),
        down_(std::min(dilation, x.size(2) - 1)),
        across_(std::min(dilation, width_ - 1)),
        rows_(3 * (width_ + 2 * across_)) {}

  // What f(j, pair 0, ..., pair 3) makes of the differences at column j of a row.
  template <typename F>
  void at(int64_t row, const F& f) {
    const int64_t pitch = width_ + 2 * across_, margin = across_;
    double *up = &rows_[across_], *middle = up + pitch, *down = middle + pitch;
    plane_.read_continued(row - down_, across_, up);
    plane_.read_continued(row, across_, middle);
    plane_.read_continued(row + down_, across_, down);
#pragma omp simd
    for (int64_t j = 0; j < width_; ++j) {
      const double left = middle[j - margin], right = middle[j + margin];
      f(j, up[j] - right, right - down[j], down[j] - left, left - up[j]);
    }
  }

  int64_t down() const { return down_; }
  int64_t across() const { return across_; }

 private:
  Plane<T> plane_;
  int64_t width_, down_, across_;
  std::vector<double> rows_;
};

// The descriptors of two images, row by row: [4, W], with one loop a pair, which becomes vector instructions.
template <typename T>
class ContextRows {
 public:
  ContextRows(const Tensor& x, const Tensor& target, const Strip& strip, int64_t radius, int64_t dilation, double flat)
      : width_(x.size(3)),
        flat_(flat),
        x_(x, strip, dilation),
        target_(target, strip, dilation),
        window_(2 * kPairs, x.size(2), width_, radius),
        shares_(width_),
        scales_(2 * width_),
        rates_(width_),
        descriptors_(2 * kPairs * width_) {}

  // Makes everything below for row i; rows are asked for from top to bottom.
  void move_to(int64_t i) {
    window_.shares(i, shares_.data());
    sums_ = window_.at(i, [&](int64_t row, double* out) {
      square(x_, row, out);
      square(target_, row, out + kPairs * width_);
    });
    for (int64_t image = 0; image < 2; ++image) {
      describe(sums_ + image * kPairs * width_, &scales_[image * width_], &descriptors_[image * kPairs * width_]);
    }
  }

  // [4, W] sums of squared differences of x; [W] what makes them means; [W] v of x, at least flat; descriptors [4, W].
  const double* sums() const { return sums_; }
  const double* shares() const { return shares_.data(); }
  const double* scales() const { return scales_.data(); }
  const double* ours() const { return descriptors_.data(); }
  const double* theirs() const { return descriptors_.data() + kPairs * width_; }

 private:
  void square(Neighbours<T>& image, int64_t row, double* out) {
    const int64_t width = width_;
    image.at(row, [=](int64_t j, double a, double b, double c, double d) {
      out[j] = a * a;
      out[width + j] = b * b;
      out[2 * width + j] = c * c;
      out[3 * width + j] = d * d;
    });
  }

  void describe(const double* sums, double* scales, double* descriptors) {
    const double *a = sums, *b = a + width_, *c = b + width_, *d = c + width_, *shares = shares_.data();
    double* rates = rates_.data();
#pragma omp simd
    for (int64_t j = 0; j < width_; ++j) {
      const double mean = (a[j] + b[j] + c[j] + d[j]) * shares[j] * (1.0 / kPairs);
      scales[j] = mean <= flat_ ? flat_ : mean;
      rates[j] = shares[j] / scales[j];
    }
    for (int64_t k = 0; k < kPairs; ++k) {
      const double* pair = sums + k * width_;
      double* out = descriptors + k * width_;
#pragma omp simd
      for (int64_t j = 0; j < width_; ++j) out[j] = exp_minus(pair[j] * rates[j]);
    }
  }

  int64_t width_;
  double flat_;
  Neighbours<T> x_, target_;
  BoxWindow window_;
  const double* sums_ = nullptr;
  std::vector<double> shares_, scales_, rates_, descriptors_;
};

template <typename T>
double self_similarity_of_strip(const Tensor& x, const Tensor& target, const Strip& strip, int64_t radius,
                                int64_t dilation, double flat) {
  const int64_t width = x.size(3);
  ContextRows<T> rows(x, target, strip, radius, dilation, flat);
  double total = 0;
  for (int64_t i = strip.begin; i < strip.end; ++i) {
    rows.move_to(i);
    const double *ours = rows.ours(), *theirs = rows.theirs();
    double row = 0;
#pragma omp simd reduction(+ : row)
    for (int64_t j = 0; j < kPairs * width; ++j) row += (ours[j] - theirs[j]) * (ours[j] - theirs[j]);
    total += row;
  }
  return total;
}

// Derivatives of the distance by the sums of squared differences of x at one row, [4, W].
template <typename T>
void context_factors(const ContextRows<T>& rows, int64_t width, double flat, double scale, double* out) {
  const double *shares = rows.shares(), *scales = rows.scales();
  std::vector<double> through_scale(width);
  double* shared = through_scale.data();
  for (int64_t k = 0; k < kPairs; ++k) {
    const double *ours = rows.ours() + k * width, *theirs = rows.theirs() + k * width, *sums = rows.sums() + k * width;
    double* by_sum = out + k * width;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) {
      by_sum[j] = -2.0 * scale * (ours[j] - theirs[j]) * ours[j] * shares[j] / scales[j];
      shared[j] -= by_sum[j] * sums[j];
    }
  }
#pragma omp simd
  for (int64_t j = 0; j < width; ++j) {
    shared[j] = scales[j] <= flat ? 0.0 : shared[j] * shares[j] / (scales[j] * kPairs);
  }
  for (int64_t k = 0; k < kPairs; ++k) {
    double* by_sum = out + k * width;
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) by_sum[j] += shared[j];
  }
}

// Collects what the pixels of a strip get from the pairs in which they are neighbours; columns beyond the edge are
// those of the outermost pixels.
class Collector {
 public:
  Collector(const Strip& strip, int64_t height, int64_t width, int64_t margin)
      : strip_(strip),
        height_(height),
        width_(width),
        margin_(margin),
        pitch_(width + 2 * margin),
        sums_((strip.end - strip.begin) * pitch_) {}

  // Adds first - second to the given row, `shift` columns further right; rows of other strips are left to these.
  void add(int64_t row, int64_t shift, const double* first, const double* second) {
    row = std::clamp<int64_t>(row, 0, height_ - 1);
    if (row < strip_.begin || row >= strip_.end) return;
    double* out = columns(row) + shift;
#pragma omp simd
    for (int64_t j = 0; j < width_; ++j) out[j] += first[j] - second[j];
  }

  // The finished row, [W].
  const double* row(int64_t row) {
    double* out = columns(row);
    for (int64_t j = 1; j <= margin_; ++j) {
      out[0] += out[-j];
      out[width_ - 1] += out[width_ - 1 + j];
    }
    return out;
  }

 private:
  double* columns(int64_t row) { return &sums_[(row - strip_.begin) * pitch_ + margin_]; }

  Strip strip_;
  int64_t height_, width_, margin_, pitch_;
  std::vector<double> sums_;
};

template <typename T>
void self_similarity_grad_of_strip(const Tensor& x, const Tensor& target, Tensor& dx, const Strip& strip,
                                   int64_t radius, int64_t dilation, double flat, double scale) {
  const int64_t height = x.size(2), width = x.size(3);
  ContextRows<T> rows(x, target, strip, radius, dilation, flat);
  Neighbours<T> neighbours(x, strip, dilation);
  BoxWindow window(kPairs, height, width, radius);
  const int64_t down = neighbours.down(), across = neighbours.across();
  Collector collector(strip, height, width, across);
  std::vector<double> pairs(kPairs * width);
  double *h0 = pairs.data(), *h1 = h0 + width, *h2 = h1 + width, *h3 = h2 + width;
  for (int64_t i = std::max<int64_t>(strip.begin - down, 0); i < std::min(strip.end + down, height); ++i) {
    const double* sums = window.at(i, [&](int64_t row, double* factors) {
      rows.move_to(row);
      context_factors(rows, width, flat, scale, factors);
    });
    neighbours.at(i, [=](int64_t j, double a, double b, double c, double d) {
      h0[j] = 2.0 * a * sums[j];
      h1[j] = 2.0 * b * sums[width + j];
      h2[j] = 2.0 * c * sums[2 * width + j];
      h3[j] = 2.0 * d * sums[3 * width + j];
    });
    collector.add(i - down, 0, h0, h3);
    collector.add(i, across, h1, h0);
    collector.add(i + down, 0, h2, h1);
    collector.add(i, -across, h3, h2);
  }
  const Plane<T> plane(dx, strip);
  for (int64_t i = strip.begin; i < strip.end; ++i) plane.write(i, collector.row(i));
}

}  // namespace medsegan
