// Images as rows in double precision, whatever their dtype and strides, and the strips in which they are worked on.
#pragma once

#include "check.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace medsegan {

constexpr int64_t kStripRows = 128;  // fixed, so that sums do not depend on the number of threads

// Images and the strips in which they are worked on: [N, C] planes of H x W, in strips of rows.
struct Images {
  int64_t count, channels, height, width, strips;

  explicit Images(const Tensor& x)
      : count(x.size(0)),
        channels(x.size(1)),
        height(x.size(2)),
        width(x.size(3)),
        strips((height + kStripRows - 1) / kStripRows) {}

  int64_t values() const { return channels * height * width; }
  int64_t per_image() const { return channels * strips; }
};

// One strip: rows [begin, end) of a channel of an image.
struct Strip {
  int64_t image, channel, begin, end;
};

template <typename F>
void for_each_strip(const Images& images, const F& work) {
  torch::stable::parallel_for(0, images.count * images.per_image(), 1, [&](int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k) {
      const int64_t begin = k % images.strips * kStripRows;
      const Strip strip{k / images.per_image(), k / images.strips % images.channels, begin,
                        std::min(begin + kStripRows, images.height)};
      work(k, strip);
    }
  });
}

// Reads and writes rows of one plane of a tensor with any strides.
template <typename T>
class Plane {
 public:
  Plane(const Tensor& x, const Strip& strip)
      : start_(data<T>(x) + strip.image * x.stride(0) + strip.channel * x.stride(1)),
        height_(x.size(2)),
        width_(x.size(3)),
        down_(x.stride(2)),
        across_(x.stride(3)) {}

  void read(int64_t row, double* out) const {
    const T* in = start_ + row * down_;
    if (across_ == 1) {
#pragma omp simd
      for (int64_t j = 0; j < width_; ++j) out[j] = as_double(in[j]);
    } else {
      for (int64_t j = 0; j < width_; ++j) out[j] = as_double(in[j * across_]);
    }
  }

  // Row and columns beyond the edge are the outermost ones; out points at column 0 and has `margin` columns around.
  void read_continued(int64_t row, int64_t margin, double* out) const {
    read(std::clamp<int64_t>(row, 0, height_ - 1), out);
    std::fill(out - margin, out, out[0]);
    std::fill(out + width_, out + width_ + margin, out[width_ - 1]);
  }

  void write(int64_t row, const double* in) const {
    T* out = start_ + row * down_;
    for (int64_t j = 0; j < width_; ++j) out[j * across_] = static_cast<T>(static_cast<Accumulate<T>>(in[j]));
  }

 private:
  static double as_double(T value) { return static_cast<double>(static_cast<Accumulate<T>>(value)); }

  T* start_;
  int64_t height_, width_, down_, across_;
};

// [N] means over the images of what sum_of(strip) gives for each strip.
template <typename T, typename F>
void mean_of_strips(const Tensor& x, double per_value, Tensor& out, const F& sum_of) {
  const Images images(x);
  std::vector<double> sums(images.count * images.per_image());
  if (images.values() > 0) for_each_strip(images, [&](int64_t k, const Strip& strip) { sums[k] = sum_of(strip); });
  for (int64_t n = 0; n < images.count; ++n) {
    double total = 0;
    for (int64_t k = 0; k < images.per_image(); ++k) total += sums[n * images.per_image() + k];
    const double mean = images.values() > 0 ? total / (per_value * static_cast<double>(images.values())) : 0;
    data<T>(out)[n] = static_cast<T>(static_cast<Accumulate<T>>(mean));
  }
}

}  // namespace medsegan
