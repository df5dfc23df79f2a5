// Sums over square windows of images, clipped at the edges of the image, row by row from the top of a strip down.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace medsegan {

// A new row enters the sums as an old one leaves them, all in double precision: what does not cancel exactly stays
// below 1e-15 of the largest value. A strip starts afresh, so results do not depend on who did the strip before it.
class BoxWindow {
 public:
  // `fields` quantities at once. A radius beyond the image is no different from one that reaches its edges.
  BoxWindow(int64_t fields, int64_t height, int64_t width, int64_t radius)
      : fields_(fields),
        height_(height),
        width_(width),
        down_(std::min(radius, height - 1)),
        across_(std::min(radius, width - 1)),
        ring_((2 * down_ + 1) * fields * width),
        sums_(fields * width),
        boxed_(fields * width),
        padded_(width + 2 * across_),
        doubled_(width + 2 * across_),
        columns_(width) {
    for (int64_t j = 0; j < width; ++j) {
      columns_[j] = static_cast<double>(std::min(j + across_, width - 1) - std::max<int64_t>(j - across_, 0) + 1);
    }
  }

  // [fields, width] sums of the windows around row i; rows are asked for from top to bottom. Each row that enters is
  // made once, by produce(row, [fields, width] to fill).
  template <typename F>
  const double* at(int64_t i, const F& produce) {
    const int64_t first = std::max<int64_t>(i - down_, 0), last = std::min(i + down_, height_ - 1);
    if (oldest_ < 0) oldest_ = next_ = first;
    for (; oldest_ < first; ++oldest_) add(slot(oldest_), -1.0);
    for (; next_ <= last; ++next_) {
      produce(next_, slot(next_));
      add(slot(next_), 1.0);
    }
    for (int64_t field = 0; field < fields_; ++field) sum_across(&sums_[field * width_], &boxed_[field * width_]);
    return boxed_.data();
  }

  // One over the number of pixels of every window around row i.
  void shares(int64_t i, double* out) const {
    const double rows = static_cast<double>(std::min(i + down_, height_ - 1) - std::max<int64_t>(i - down_, 0) + 1);
#pragma omp simd
    for (int64_t j = 0; j < width_; ++j) out[j] = 1.0 / (rows * columns_[j]);
  }

 private:
  double* slot(int64_t row) { return &ring_[row % (2 * down_ + 1) * fields_ * width_]; }

  void add(const double* row, double sign) {
    double* sums = sums_.data();
#pragma omp simd
    for (int64_t k = 0; k < fields_ * width_; ++k) sums[k] += sign * row[k];
  }

  // Sums of 1, 2, 4, 8, ... neighbours by doubling; a window is put together from those in its length's binary digits.
  void sum_across(const double* in, double* out) {
    const int64_t length = 2 * across_ + 1;
    double *run = padded_.data(), *longer = doubled_.data();
    std::fill(run, run + across_, 0.0);
    std::copy(in, in + width_, run + across_);
    std::fill(run + across_ + width_, run + width_ + 2 * across_, 0.0);
    std::copy(run, run + width_, out);  // every length is odd
    int64_t valid = width_ + 2 * across_, done = 1;
    for (int64_t power = 1; 2 * power <= length; power *= 2) {
      valid -= power;
#pragma omp simd
      for (int64_t j = 0; j < valid; ++j) longer[j] = run[j] + run[j + power];
      std::swap(run, longer);
      if ((length & (2 * power)) == 0) continue;
#pragma omp simd
      for (int64_t j = 0; j < width_; ++j) out[j] += run[j + done];
      done += 2 * power;
    }
  }

  int64_t fields_, height_, width_, down_, across_;
  int64_t oldest_ = -1, next_ = -1;
  std::vector<double> ring_, sums_, boxed_, padded_, doubled_, columns_;
};

}  // namespace medsegan
